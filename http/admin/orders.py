"""Admin: orders."""

from __future__ import annotations

from ...core.json import dumps
from ...workflows.order.update import update_order
from ..frontend.addresses import AddressBody
from ..frontend.bodies import ABSENT, Body, Metadata
from ..frontend.filters import MANY, NUMBER, NUMBERS, OPERATORS, TEXT, TEXT_LIST, Filters
from ..frontend.request import Answer, Request
from ..frontend.routes import Routes
from ..frontend.view import View, words
from ..store.orders import show_order, show_orders

routes = Routes()

_LISTED = words("id display_id custom_display_id status version summary total metadata locale created_at updated_at")
# There are no changes of orders yet; dashboards ask for the one that is under way.
ORDERS = View("order", "order", "orders", _LISTED, disallowed="order_change", limit=15, label="Order")
ORDER = ORDERS.but(
    defaults=(
        *_LISTED,
        *words("region_id subtotal tax_total discount_total discount_tax_total original_total original_subtotal original_tax_total"),
        *words("item_total item_subtotal item_tax_total original_item_total original_item_subtotal original_item_tax_total"),
        *words("shipping_total shipping_subtotal shipping_tax_total original_shipping_tax_total original_shipping_subtotal"),
        *words("original_shipping_total credit_line_total credit_line_subtotal credit_line_tax_total *items *credit_lines"),
        *words("*items.tax_lines *items.adjustments *items.variant *items.variant.product *items.detail *shipping_address"),
        *words("*billing_address *shipping_methods *shipping_methods.tax_lines *shipping_methods.adjustments *payment_collections"),
        *words("*payment_collections.payments *payment_collections.payments.refunds *payment_collections.payments.captures"),
    )
)


@routes.get(
    "/admin/orders",
    returns=ORDERS,
    query=Filters(
        strict=False,
        id=OPERATORS,
        status=OPERATORS,
        sales_channel_id=TEXT_LIST,
        region_id=MANY,
        customer_id=MANY,
        q=TEXT,
        created_at=OPERATORS,
        updated_at=OPERATORS,
        total=NUMBERS,
    ),
    many=True,
)
async def list_orders(request: Request) -> Answer:
    """List orders."""
    return await show_orders(request, ORDERS, {**request.filters, "is_draft_order": False})


class UpdateOrder(Body):
    email: str = ABSENT
    shipping_address: AddressBody = ABSENT
    billing_address: AddressBody = ABSENT
    locale: str | None = None
    metadata: Metadata = None


@routes.post("/admin/orders/{id}", body=UpdateOrder, returns=ORDER, query=Filters(version=NUMBER))
async def update(request: Request) -> Answer:
    """Change what an order says about its buyer."""
    await request.run(update_order, id=request.params["id"], changes=request.body)
    return dumps({"order": await show_order(request, {"id": request.params["id"]}, ORDER)})


@routes.get("/admin/orders/{id}", returns=ORDER, query=Filters(version=NUMBER))
async def get_order(request: Request) -> Answer:
    """Get an order; of its versions the newest is kept."""
    return dumps({"order": await show_order(request, {"id": request.params["id"], **request.filters}, ORDER)})
