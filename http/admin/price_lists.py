"""Admin: price lists: sales, and prices for some customers only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from ...core.errors import InvalidData
from ...core.json import dumps
from ...core.query.page import Page
from ...workflows.pricing.lists import batch_price_list_prices, create_price_lists, delete_price_lists, update_price_lists
from ..frontend.bodies import ABSENT, Body, Metadata
from ..frontend.cached import Cached
from ..frontend.filters import MANY, NUMBER_LIST, OPERATORS, TEXT, Filters, choices
from ..frontend.flows import creates
from ..frontend.request import Answer, Request, list_envelope
from ..frontend.routes import Routes
from ..frontend.view import View
from . import product_bodies

routes = Routes()

Row = dict[str, Any]

PRICE_LIST = View(
    "price_list",
    "id type description title status starts_at ends_at created_at updated_at deleted_at metadata price_list_rules.value"
    " price_list_rules.attribute",
)
PRICE = View(
    "price",
    "id currency_code amount min_quantity max_quantity created_at deleted_at updated_at price_set.variant.id price_rules.value"
    " price_rules.attribute",
)
PRICE_LISTS = Filters(
    q=TEXT, id=MANY, starts_at=OPERATORS, ends_at=OPERATORS, status=choices("active", "draft"), rules_count=NUMBER_LIST, logical=True
)


class NewPrice(product_bodies.Price):
    variant_id: str


class ChangedPrice(product_bodies.ChangedPrice):
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
    update: list[ChangedPrice] = ABSENT
    delete: list[str] = ABSENT


class RemoveProducts(Body):
    remove: list[str] = ABSENT


def shown_list(row: Row) -> Row:
    """A price list as clients know it: of what is asked for, its rules as a map, and its prices with the variant that they are for."""
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


async def one_list(request: Request, id: str) -> Answer:
    found = (await request.rows(PRICE_LIST, {"id": id})).rows
    if not found:
        raise request.not_found(PRICE_LIST, id)
    return {"price_list": shown_list(found[0])}


async def prices_by_id(request: Request, ids: Iterable[str]) -> list[Row]:
    wanted = list(ids)
    found = {row["id"]: row for row in (await request.rows(PRICE, {"id": wanted})).rows} if wanted else {}
    return [found[id] for id in wanted if id in found]


@routes.get("/admin/price-lists", query=PRICE_LISTS, returns=PRICE_LIST, many=True, cached=Cached())
async def list_price_lists(request: Request) -> Answer:
    """List price lists."""
    page = await request.page_of(PRICE_LIST)
    return list_envelope(PRICE_LIST.plural, Page(dumps([shown_list(row) for row in page.rows]), page.count), request.page)


@routes.get("/admin/price-lists/{id}", returns=PRICE_LIST, cached=Cached())
async def get_price_list(request: Request) -> Answer:
    """Get a price list."""
    return await one_list(request, request.params["id"])


create_one = creates(create_price_lists)


@routes.post("/admin/price-lists", body=CreatePriceList, query=PRICE_LISTS.ignoring(), returns=PRICE_LIST)
async def create_price_list(request: Request) -> Answer:
    """Create a price list."""
    return await one_list(request, await create_one(request, request.body))


@routes.post("/admin/price-lists/{id}", body=UpdatePriceList, returns=PRICE_LIST)
async def update_price_list(request: Request) -> Answer:
    """Update a price list."""
    id = request.params["id"]
    await request.run(update_price_lists, price_lists_data=[{**request.body, "id": id}])
    return await one_list(request, id)


routes.resource("/admin/price-lists", PRICE_LIST, get=False, delete=delete_price_lists)


# -- the prices of a list


@routes.get("/admin/price-lists/{id}/prices", returns=PRICE, many=True, cached=Cached())
async def list_prices(request: Request) -> Answer:
    """List the prices of a price list."""
    return list_envelope(PRICE.plural, await request.page_of(PRICE, {"price_list_id": request.params["id"]}), request.page)


@routes.post("/admin/price-lists/{id}/prices/batch", body=BatchPrices, returns=PRICE)
async def batch_prices(request: Request) -> Answer:
    """Create, change and delete prices of a list: all of it, or nothing."""
    given = {name: request.body.get(name, []) for name in ("create", "update", "delete")}
    done = await request.run(batch_price_list_prices, id=request.params["id"], **given)
    return {
        "created": await prices_by_id(request, done["created"]),
        "updated": await prices_by_id(request, done["updated"]),
        "deleted": {"ids": done["deleted"], "object": "price", "deleted": True},
    }


@routes.post("/admin/price-lists/{id}/products", body=RemoveProducts, returns=PRICE_LIST)
async def remove_products(request: Request) -> Answer:
    """Take all variants of products off a price list."""
    id = request.params["id"]
    gone = request.body.get("remove", [])
    if not gone:
        raise InvalidData("No product ids passed to remove from price list")
    variants = await request.modules.product.list("product_variant", {"product_id": gone}, fields=("id",))
    ties = await request.modules.link.linked("product_variant_price_set", "variant_id", [row["id"] for row in variants])
    sets = [tie["price_set_id"] for tie in ties]
    prices = await request.modules.pricing.list("price", {"price_list_id": id, "price_set_id": sets}, fields=("id",)) if sets else []
    await request.run(batch_price_list_prices, id=id, create=[], update=[], delete=[row["id"] for row in prices])
    return await one_list(request, id)
