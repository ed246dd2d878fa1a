"""Store: orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.json import dumps
from ...core.rows import Row
from ...core.sql.schema.fields import FieldTree
from ...core.sql.schema.query import Page, Query
from ...modules.order.showing import shown
from ...modules.payment.showing import shown as collections_shown
from ...workflows.cart.complete import Completed
from ...workflows.order.statuses import LISTED, MADE_OF, ONE, STATUSES, statuses_filled, widened, with_statuses
from ..kit.access import CUSTOMER
from ..kit.filters import MANY, Filters
from ..kit.reply import Answer, list_envelope
from ..kit.request import Request, not_found
from ..kit.routes import Routes
from ..kit.view import View, words
from .views import sessions_without_buyer, under

routes = Routes()

_TOTALS = words(
    "total subtotal tax_total discount_total discount_subtotal discount_tax_total original_total original_subtotal original_tax_total"
    " item_total item_subtotal item_tax_total original_item_total original_item_subtotal original_item_tax_total shipping_total"
    " shipping_subtotal shipping_tax_total original_shipping_tax_total original_shipping_subtotal original_shipping_total credit_line_total"
    " credit_line_subtotal credit_line_tax_total"
)
_MORE = (
    *words("customer_id sales_channel_id payment_status fulfillment_status item_discount_total gift_card_total gift_card_tax_total"),
    *words("shipping_discount_total customer.id customer.email cart.id items.metadata items.product fulfillments promotions"),
    *under("payment_collections", "payments payment_sessions payment_providers"),
    *under("promotions", "id code is_automatic is_tax_inclusive"),
    *under("promotions.application_method", "value type currency_code"),
)
_LINE_TOTALS = words("original_total original_subtotal original_tax_total total subtotal tax_total discount_total discount_tax_total")
_TAX_LINE = "id code rate created_at updated_at total subtotal"
_VARIANT = (
    "product id title sku barcode ean upc thumbnail allow_backorder manage_inventory hs_code origin_country mid_code material weight length"
    " height width created_at updated_at deleted_at options"
)
_PRODUCT = (
    "id title handle subtitle description is_giftcard status thumbnail width weight length height origin_country hs_code mid_code material"
    " collection_id type_id discountable external_id created_at updated_at deleted_at variants options images"
)
_ITEM = (
    "id title subtitle thumbnail variant_id product_id product_title product_description product_subtitle product_type_id product_type"
    " product_collection product_handle variant_sku variant_barcode variant_title variant_option_values requires_shipping is_discountable"
    " is_tax_inclusive unit_price quantity created_at updated_at item_total item_subtotal item_tax_total refundable_total"
    " refundable_total_per_unit tax_lines adjustments detail variant"
)
_DETAIL = (
    "id item_id quantity fulfilled_quantity delivered_quantity shipped_quantity return_requested_quantity return_received_quantity"
    " return_dismissed_quantity written_off_quantity metadata created_at updated_at"
)

ORDER = View(
    "order",
    (
        *words("id status summary currency_code display_id custom_display_id region_id email"),
        *_TOTALS,
        *words("created_at updated_at *credit_lines *items *items.tax_lines *items.adjustments *items.detail *items.variant"),
        *words("*items.variant.product *shipping_address *billing_address *shipping_methods *shipping_methods.tax_lines"),
        *words("*shipping_methods.adjustments *payment_collections"),
    ),
    allowed=(
        *words("id status summary currency_code display_id custom_display_id region_id email created_at updated_at"),
        *words("credit_lines items shipping_address billing_address shipping_methods payment_collections"),
        *_TOTALS,
        *_MORE,
        *under("items", _ITEM),
        *under("items", " ".join(_LINE_TOTALS)),
        *under("items.detail", _DETAIL),
        *under("items.tax_lines", _TAX_LINE + " item_id"),
        *under("items.adjustments", "id amount created_at updated_at item_id"),
        *under("items.variant", _VARIANT),
        *under("items.variant.product", _PRODUCT),
        *under("shipping_address", "id metadata created_at updated_at"),
        *under("billing_address", "id metadata created_at updated_at"),
        *under("shipping_methods", "tax_lines adjustments id order_id name amount is_tax_inclusive shipping_option_id data metadata"),
        *under("shipping_methods", " ".join((*_LINE_TOTALS, "created_at", "updated_at"))),
        *under("shipping_methods.tax_lines", _TAX_LINE + " shipping_method_id"),
        *under("shipping_methods.adjustments", "id amount created_at updated_at shipping_method_id"),
        *under("payment_collections", "id currency_code amount status"),
    ),
    stars=sessions_without_buyer("payment_collections.payment_sessions"),
    label="Order",
)
ORDERS = View(
    "order",
    "id status summary display_id custom_display_id total currency_code metadata created_at updated_at",
    allowed=(
        *words("id status summary display_id custom_display_id currency_code metadata created_at updated_at email region_id"),
        *words("items items.variant items.detail shipping_address billing_address shipping_methods payment_collections"),
        *(name for name in _TOTALS if name not in ("discount_subtotal", "credit_line_subtotal", "credit_line_tax_total")),
        *_MORE,
    ),
    stars=ORDER.stars,
    limit=50,
    label="Order",
)


@routes.get("/store/orders", returns=ORDERS, query=Filters(id=MANY, status=MANY, logical=True), many=True, auth=CUSTOMER)
async def list_orders(request: Request) -> Answer:
    """List the logged-in customer's orders."""
    filters = {**request.filters, "is_draft_order": False, "customer_id": request.customer_id}
    return await show_orders(request, ORDERS, filters)


@routes.get("/store/orders/{id}", returns=ORDER)
async def get_order(request: Request) -> Answer:
    """Get an order."""
    return await order_text(request, {"id": request.params["id"], "is_draft_order": False})


async def order_text(request: Request, filters: Mapping[str, Any], view: View = ORDER) -> bytes:
    """One order with its statuses, in its envelope. It is made once for the texts that the modules have of it. Raises NotFound."""
    fields = widened(request.fields_of(view), ONE)

    def shown(orders: list[Row]) -> bytes:
        order = {name: value for name, value in orders[0].items() if name not in STATUSES}
        return dumps({view.key: with_statuses([order], fields)[0]})

    query = Query(view.entity, (*fields, *MADE_OF), filters, limit=1, slots=STATUSES)  # with room an order comes as text
    text = await request.graph.composed(query, shown, (view.key, fields))
    if text is None:
        raise not_found(view, str(filters.get("id")))
    return text


async def show_order(request: Request, filters: Mapping[str, Any], view: View = ORDER) -> Row:
    """One order that was just written, with its fields as they were requested. Raises NotFound."""
    page = await request.rows(view, filters, fields=widened(request.fields_of(view)), limit=1)
    if not page.rows:
        raise not_found(view, str(filters.get("id")))
    return page.rows[0]


async def show_placed(request: Request, done: Completed) -> dict[str, Any]:
    """The order that a cart has just become. Parts in memory aren't read again."""
    fields = widened(request.fields_of(ORDER))
    rows = shown([done["order"]], request.graph.own_fields("order", fields)) if done["order"] is not None else None
    if rows is None:
        return await show_order(request, {"id": done["order_id"]})
    if (below := FieldTree.parse(fields).get("payment_collections")) is not None:
        collections = collections_shown(done["payment_collections"], request.graph.own_fields("payment_collection", below.fields()))
        if collections is not None:
            rows[0]["payment_collections"] = await request.graph.complete("payment_collection", collections, below.fields())
    await request.graph.complete("order", rows, fields)
    return rows[0]


async def show_orders(request: Request, view: View, filters: Mapping[str, Any]) -> bytes:
    """The page of orders that the request asks for, with their lines and statuses."""
    shown = widened(request.fields_of(view), LISTED)
    if request.graph.within("order", shown):
        page = await statuses_filled(request.graph, await request.page_of(view, filters, fields=shown, slots=STATUSES))
    else:
        page = await request.page_of(view, filters, fields=(*shown, *MADE_OF))
        page = Page.of(with_statuses(page.rows, shown), page.count)
    return list_envelope(view.plural, page, request.page)
