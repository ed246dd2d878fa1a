"""Store: things. Storefronts see what is `allowed`, and nobody else's."""

from __future__ import annotations

from velella.http.kit import MANY, Filters, Routes, View
from velella.http.store.views import PRODUCT

routes = Routes()

COLUMNS = "id name product_id created_at"
THING = View("thing", COLUMNS, allowed=COLUMNS)

PRODUCT.allow(["things", *(f"things.{column}" for column in COLUMNS.split())])  # GET /store/products?fields=*things

# GET /store/things and /store/things/{id}, remembered until a thing changes
routes.resource("/store/things", THING, list=Filters(product_id=MANY))
