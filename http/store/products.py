"""Store: products and variants, with the caller's prices and stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...core.errors import InvalidData
from ...core.json import dumps
from ...core.kept import kept
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ..kit.cached import Cached
from ..kit.filters import BOOLEAN, MANY, PAGING, STAMPS, TEXT, Filters, meaning
from ..kit.reply import Answer, envelope, list_envelope
from ..kit.request import Request, not_found
from ..kit.routes import Routes
from ..kit.view import Fields, View
from .prices import CONTEXT, AskedPrices, add_prices, asking, price_texts
from .quantities import add_quantities, drop_unasked
from .views import PRODUCT, VARIANT, channels_of_key

routes = Routes()


def _also(request: Request) -> str:
    """Further sources of a request's prices and quantities."""
    stock = " inventory product_variant_inventory_item sales_channel_stock_location"
    groups = " customer" if request.customer_id is not None else ""
    return groups + (stock if any(name.endswith("inventory_quantity") for name in request.fields) else "")


SOURCES = "pricing region store tax product_sales_channel product_variant_price_set"
SHOWN = Cached(SOURCES, unless=("cart_id",), also=_also)
ONE_SHOWN = Cached(SOURCES, unless=("cart_id",), also=_also, one=(*CONTEXT, "sales_channel_id"))

WHO: dict[str, Any] = {**dict.fromkeys(CONTEXT, TEXT), "sales_channel_id": MANY}
LISTED = Filters(
    logical=True, q=TEXT, id=MANY, title=MANY, handle=MANY, is_giftcard=BOOLEAN, external_id=MANY, collection_id=MANY, type_id=MANY,
    category_id=meaning(MANY, "categories.id"),
    tag_id=meaning(MANY, "tags.id"),
    option_id=meaning(MANY, "product_options.product_option_id"),
    option_value_id=meaning(MANY, "variants.options.id"),
    variants=Filters(
        strict=False, logical=True, q=TEXT, id=MANY, sku=MANY, ean=MANY, upc=MANY, barcode=MANY, **STAMPS,
        options=Filters(strict=False, value=TEXT, option_id=TEXT),
    ),
    **STAMPS,
)  # fmt: skip
PRODUCTS = LISTED.plus(**WHO)
VARIANTS = Filters(
    logical=True,
    q=TEXT,
    id=MANY,
    sku=MANY,
    product_id=MANY,
    options=Filters(value=TEXT, option_id=TEXT),
    allow_backorder=BOOLEAN,
    manage_inventory=BOOLEAN,
    **STAMPS,
).plus(**WHO)


def channels_of(request: Request) -> list[str]:
    """The sales channels of a request: the key's, or those of them that it names. Raises InvalidData for others."""
    allowed = channels_of_key(request)
    named = request.filters.pop("sales_channel_id", None)
    if named is None:
        return allowed
    wanted = named if isinstance(named, list) else [named]
    foreign = [id for id in wanted if id not in allowed]
    if foreign:
        raise InvalidData(f"Requested sales channel is not part of the publishable key: {', '.join(foreign)}")
    return wanted


def published(given: Row, channels: Sequence[str]) -> Row:
    """A filter for published products of the channels, with the given filters."""
    return {"status": "published", "sales_channel_id": list(channels), **given}


async def of_channels(request: Request, filters: Row, channels: Sequence[str]) -> Row:
    """The same filters. If they name products, these are looked up in the channels, instead of reading all products of the channels."""
    named = filters.get("id")
    if named is None:
        return filters
    ids = [named] if isinstance(named, str) else list(named)
    link_rows = await request.graph.pairs("product_sales_channel", "product_id", ids)
    sold = {link_row["product_id"] for link_row in link_rows if link_row["sales_channel_id"] in channels}
    rest = {name: value for name, value in filters.items() if name != "sales_channel_id"}
    return {**rest, "id": [id for id in ids if id in sold]}


@kept(4 * 1024 * 1024)
def split(fields: Fields, prefix: str) -> tuple[Fields, bool, bool]:
    """The fields for the graph, and whether prices and quantities are wanted besides. `prefix` leads to the variants."""
    price, quantity = f"{prefix}calculated_price", f"{prefix}inventory_quantity"
    known = tuple(name for name in fields if not _is(name, price) and not _is(name, quantity))
    return known, any(_is(name, price) for name in fields), any(_is(name, quantity) for name in fields)


def _is(name: str, path: str) -> bool:
    bare = name.removeprefix("*")
    return bare == path or bare.startswith(path + ".")


async def page_of(request: Request, view: View, filters: Row, who: AskedPrices | None, channels: Sequence[str], one: bool = False) -> Any:
    """A page of products or variants with prices and quantities if asked for. Without these its bytes pass through."""
    prefix = "variants." if view is PRODUCT else ""
    known, priced, counted = split(request.fields, prefix)
    priced = priced or who is not None
    by_row = counted or (who is not None and who.country_code is not None)  # what depends on each row
    of_product = ("type_id", "is_giftcard") if view is PRODUCT else ("product.id", "product.type_id", "product.is_giftcard")
    extra = (f"{prefix}id", f"{prefix}manage_inventory", *of_product)
    paging = request.page
    query = Query(
        view.entity,
        fields=(*known, *extra) if by_row else (*known, f"{prefix}id") if priced else known,
        filters=filters,
        order=paging.order,
        limit=1 if one else paging.limit,
        offset=0 if one else paging.offset,
        with_deleted=paging.with_deleted,
        count=not one,
        slots=(f"{prefix}calculated_price",) if priced and not by_row else (),
        visible=request.visible(view, filters),
    )
    page = await request.graph.query(query)
    if priced and not by_row:
        prices = await price_texts(request, page.slots("calculated_price"), who) if who is not None else {}
        page = page.filled("calculated_price", prices)
    if not by_row:
        return await request.translated(view, page)
    rows = page.rows
    variants = [variant for product in rows for variant in product["variants"]] if view is PRODUCT else rows
    if priced and who is not None:
        pairs = (
            ((v["id"], product) for product in rows for v in product["variants"])
            if view is PRODUCT
            else ((v["id"], v["product"]) for v in rows)
        )
        owners = dict(pairs)
        await add_prices(request, variants, who, owners)
    if counted:
        await add_quantities(request, variants, channels)
    drop_unasked(rows, (*request.fields, f"{prefix}calculated_price") if priced else request.fields, extra)
    return await request.translated(view, replace(page, json=dumps(rows)))


@routes.get("/store/products", query=PRODUCTS, returns=PRODUCT, many=True, cached=SHOWN)
async def list_products(request: Request) -> Answer:
    """List published products, with prices if asked for."""
    channels = channels_of(request)
    who = await asking(request, request.asks("variants.calculated_price"))
    filters = await of_channels(request, published(request.filters, channels), channels)
    page = await page_of(request, PRODUCT, filters, who, channels)
    return list_envelope("products", page, request.page)


@routes.get("/store/products/{id}", query=PRODUCTS.plus(**PAGING), returns=PRODUCT, cached=ONE_SHOWN)
async def get_product(request: Request) -> Answer:
    """Get a published product."""
    channels = channels_of(request)
    who = await asking(request, request.asks("variants.calculated_price"))
    filters = await of_channels(request, published({**request.filters, "id": request.params["id"]}, channels), channels)
    page = await page_of(request, PRODUCT, filters, who, channels, one=True)
    if page.empty:
        raise not_found(PRODUCT, request.params["id"])
    return envelope("product", page)


@routes.get("/store/product-variants", query=VARIANTS, returns=VARIANT, many=True, cached=SHOWN)
async def list_variants(request: Request) -> Answer:
    """List variants of published products."""
    channels = channels_of(request)
    who = await asking(request, request.asks("calculated_price"))
    filters = {**request.filters, "product": {"sales_channel_id": channels}}
    return list_envelope("variants", await page_of(request, VARIANT, filters, who, channels), request.page)


@routes.get("/store/product-variants/{id}", query=Filters(**WHO), returns=VARIANT, cached=SHOWN)
async def get_variant(request: Request) -> Answer:
    """Get a variant of a published product."""
    channels = channels_of(request)
    who = await asking(request, request.asks("calculated_price"))
    filters = {"id": request.params["id"], "product": {"sales_channel_id": channels}}
    page = await page_of(request, VARIANT, filters, who, channels, one=True)
    if page.empty:
        raise not_found(VARIANT, request.params["id"])
    return envelope("variant", page)
