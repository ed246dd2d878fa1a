"""Store: `GET /store/products?fields=+sanity_product.*`."""

from __future__ import annotations

from velella.http.kit import Routes
from velella.http.store.views import PRODUCT

routes = Routes()

PRODUCT.allow("sanity_product sanity_product.id sanity_product.body sanity_product.translations sanity_product.updated_at")
