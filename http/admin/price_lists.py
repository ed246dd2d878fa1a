"""Admin: price lists: sales, and prices for some customers only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ...core.errors import InvalidData
from ...core.rows import Row
from ...workflows.pricing.lists import PRICE_LISTS, batch_price_list_prices, create_price_lists
from ..kit import (
    ABSENT,
    MANY,
    OPERATORS,
    TEXT,
    Answer,
    Body,
    Filters,
    Metadata,
    Request,
    Routes,
    View,
    Write,
    choices,
)
from ..kit.filters import NUMBER_LIST
from . import product_bodies

routes = Routes()


def shown_list(row: Row) -> Row:
    """A price list as clients see it: of the requested fields, its rules as a map, and its prices with their variants."""
    if "price_list_rules" in row:
        row["rules"] = _by_attribute(row.pop("price_list_rules"))
    if "prices" in row:
        row["prices"] = [_shown_price(price) for price in row["prices"]]
    return row


def _shown_price(row: Row) -> Row:
    if (variant := (row.pop("price_set", None) or {}).get("variant")) is not None:
        row["variant_id"] = variant.get("id")
    if "price_rules" in row:
        row["rules"] = _by_attribute(row.pop("price_rules"))
    return row


def _by_attribute(rules: Iterable[Row]) -> Row:
    return {rule["attribute"]: rule["value"] for rule in rules}


PRICE_LIST = View(
    "price_list",
    "id type description title status starts_at ends_at created_at updated_at deleted_at metadata price_list_rules.value"
    " price_list_rules.attribute",
    shown=shown_list,
)
PRICE = View(
    "price",
    "id currency_code amount min_quantity max_quantity created_at deleted_at updated_at price_set.variant.id price_rules.value"
    " price_rules.attribute",
)


class NewPrice(product_bodies.VariantPrice):
    variant_id: str


class ChangedListPrice(product_bodies.ChangedVariantPrice):
    id: str
    variant_id: str


class UpdatePriceList(Body):
    title: str = ABSENT
    description: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    status: Literal["active", "draft"] = ABSENT
    type: Literal["sale", "override"] = ABSENT
    rules: dict[str, list[str]] = ABSENT
    metadata: Metadata = None


class CreatePriceList(UpdatePriceList):
    title: str
    description: str
    prices: list[NewPrice] = ABSENT


class BatchPrices(Body):
    create: list[NewPrice] = ABSENT
    update: list[ChangedListPrice] = ABSENT
    delete: list[str] = ABSENT


class RemoveProducts(Body):
    remove: list[str] = ABSENT


routes.resource(
    "/admin/price-lists",
    PRICE_LIST,
    PRICE_LISTS,
    list=Filters(
        q=TEXT, id=MANY, starts_at=OPERATORS, ends_at=OPERATORS, status=choices("active", "draft"), rules_count=NUMBER_LIST, logical=True
    ),
    create=Write(CreatePriceList, create_price_lists),
    update=UpdatePriceList,
    like_list="create",
    summaries={
        "list": "List price lists.",
        "get": "Get a price list.",
        "create": "Create a price list.",
        "update": "Update a price list.",
    },
)
routes.resource(
    "/admin/price-lists/{id}/prices",
    PRICE,
    list=Filters(),
    get=False,
    within={"price_list_id": "id"},
    summaries={"list": "List the prices of a price list."},
)
routes.batch(
    "/admin/price-lists/{id}/prices/batch",
    PRICE,
    batch_price_list_prices,
    "Create, change and delete prices of a list: all of it, or nothing.",
    body=BatchPrices,
    object="price",
)


@routes.post("/admin/price-lists/{id}/products", body=RemoveProducts, returns=PRICE_LIST)
async def remove_products(request: Request) -> Answer:
    """Remove all variants of products from a price list."""
    id = request.params["id"]
    gone = request.body.get("remove", [])
    if not gone:
        raise InvalidData("No product ids passed to remove from price list")
    variants = await request.modules.product.list("product_variant", {"product_id": gone}, fields=("id",))
    pairs = await request.modules.link.linked("product_variant_price_set", "variant_id", [row["id"] for row in variants])
    sets = [pair["price_set_id"] for pair in pairs]
    prices = await request.modules.pricing.list("price", {"price_list_id": id, "price_set_id": sets}, fields=("id",)) if sets else []
    await request.run(batch_price_list_prices, id=id, create=[], update=[], delete=[row["id"] for row in prices])
    return await request.fetch(PRICE_LIST, id)
