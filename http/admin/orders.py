"""Admin: orders."""

from __future__ import annotations

from typing import Any

from ...core.flow import Workflow
from ...core.json import dumps
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...workflows.order.adjusting import update_order_change
from ...workflows.order.edits import create_credit_line
from ...workflows.order.ends import archive_order, cancel_order, complete_order
from ...workflows.order.fulfillments import (
    cancel_order_fulfillment,
    create_order_fulfillment,
    create_order_shipment,
    mark_order_fulfillment_as_delivered,
)
from ...workflows.order.shipping_options import list_order_shipping_options
from ...workflows.order.transfers import cancel_transfer, request_transfer, transfer_to_guest
from ...workflows.order.update import update_order
from ...workflows.payment.order_collections import authorize_session_for_order
from ..kit.bodies import ABSENT, Body, Email, Metadata, Number, Part
from ..kit.filters import MANY, NOTHING, NUMBER, NUMBERS, OPERATORS, TEXT, TEXT_LIST, Filters
from ..kit.flows import once
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View, words
from ..store.addresses import AddressBody
from ..store.orders import order_text, show_order, show_orders
from .previews import show_preview

routes = Routes()

_LISTED = words("id display_id custom_display_id status version summary total metadata locale created_at updated_at")
ORDERS = View("order", _LISTED, limit=15, label="Order")
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


ORDERS_FILTERS = Filters(
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
)
ORDERS_EXPORTED = ORDERS.but(
    defaults=(
        *words("id display_id status created_at updated_at email currency_code region_id subtotal tax_total shipping_total discount_total"),
        *words("gift_card_total total *customer *shipping_address *billing_address *sales_channel *items *shipping_methods"),
        *words("*payment_collections *fulfillments"),
    )
)


@routes.get("/admin/orders", returns=ORDERS, query=ORDERS_FILTERS, many=True)
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
    await request.run(update_order, id=request.params["id"], changes=request.body, user_id=request.actor_id)
    return dumps({"order": await show_order(request, {"id": request.params["id"]}, ORDER)})


@routes.get("/admin/orders/{id}", returns=ORDER, query=Filters(version=NUMBER))
async def get_order(request: Request) -> Answer:
    """Get an order; as it was at one of its former versions where that is asked for."""
    return await order_text(request, {"id": request.params["id"], **request.filters}, ORDER)


# -- what becomes of it


class FulfilledLine(Part):
    id: str
    quantity: Number


class Label(Part):
    tracking_number: str
    tracking_url: str
    label_url: str


class CreateOrderFulfillment(Body):
    items: list[FulfilledLine]
    location_id: str | None = None
    shipping_option_id: str = ABSENT
    no_notification: bool = ABSENT
    delivery_address: AddressBody = ABSENT
    metadata: Metadata = None
    additional_data: Metadata = None


class CreateOrderShipment(Body):
    items: list[FulfilledLine]
    labels: list[Label] = ABSENT
    no_notification: bool = ABSENT
    metadata: Metadata = None
    additional_data: Metadata = None


class MarkDelivered(Body):
    no_notification: bool = ABSENT


class CancelFulfillment(MarkDelivered):
    additional_data: Metadata = None


class CreateCreditLine(Body):
    amount: Number
    reference: str
    reference_id: str
    metadata: Metadata = None


class RequestOrderTransfer(Body):
    customer_id: str
    description: str = ABSENT
    internal_note: str = ABSENT
    update_order_email: bool = ABSENT


class TransferToGuest(Body):
    email: Email
    description: str = ABSENT
    internal_note: str = ABSENT


class CompleteOrder(Body):
    additional_data: Metadata = None


async def changed(request: Request, id: str) -> Answer:
    """An order that was just changed."""
    return dumps({"order": await show_order(request, {"id": id}, ORDER)})


FULFILLMENTS = "/admin/orders/{id}/fulfillments"
Verb = tuple[str, Workflow[..., str], str, type[Part] | None, str | None]
VERBS: tuple[Verb, ...] = (
    ("/admin/orders/{id}/cancel", cancel_order, "Call an order off.", None, "canceled_by"),
    ("/admin/orders/{id}/complete", complete_order, "Say that an order is done.", CompleteOrder, None),
    ("/admin/orders/{id}/archive", archive_order, "Put an order away.", None, None),
    ("/admin/orders/{id}/credit-lines", create_credit_line, "Credit what an order owes.", CreateCreditLine, None),
    ("/admin/orders/{id}/transfer", request_transfer, "Ask the owner to hand an order over.", RequestOrderTransfer, "requested_by"),
    ("/admin/orders/{id}/transfer/cancel", cancel_transfer, "Ask for an order no longer.", None, "canceled_by"),
    ("/admin/orders/{id}/transfer/guest", transfer_to_guest, "Hand an order over to a guest.", TransferToGuest, "user_id"),
    (FULFILLMENTS, create_order_fulfillment, "Send some of an order.", CreateOrderFulfillment, "created_by"),
    (
        f"{FULFILLMENTS}/{{fulfillment_id}}/shipments",
        create_order_shipment,
        "Say that a fulfillment has left the house.",
        CreateOrderShipment,
        "created_by",
    ),
    (
        f"{FULFILLMENTS}/{{fulfillment_id}}/mark-as-delivered",
        mark_order_fulfillment_as_delivered,
        "Say that a fulfillment has arrived.",
        MarkDelivered,
        None,
    ),
    (
        f"{FULFILLMENTS}/{{fulfillment_id}}/cancel",
        cancel_order_fulfillment,
        "Call a fulfillment off.",
        CancelFulfillment,
        "canceled_by",
    ),
)
"""Path, flow, summary, body, and what the flow calls who asks."""
for path, flow, summary, body, who in VERBS:
    routes.action(path, ORDER, flow, summary, body=body, query=Filters(version=NUMBER), id="order_id", who=who, show=changed)


@routes.get("/admin/orders/{id}/shipping-options", query=NOTHING, envelope="shipping_options", limit=100)
async def list_shipping_options(request: Request) -> Answer:
    """List the ways in which an order can be sent, or sent back."""
    return dumps({"shipping_options": await request.run(list_order_shipping_options, order_id=request.params["id"])})


class AuthorizeSession(Body):
    payment_session_id: str


@routes.post(
    "/admin/orders/{id}/payment-sessions/authorize",
    body=AuthorizeSession,
    returns=ORDER,
    query=Filters(version=NUMBER),
    envelope="order is_authorized",
)
async def authorize_session(request: Request) -> Answer:
    """Ask a payment provider that needed time whether it has the money by now."""
    id, session = request.params["id"], request.body["payment_session_id"]
    authorized = await once(request, authorize_session_for_order, order_id=id, payment_session_id=session)
    return dumps({"order": await show_order(request, {"id": id}, ORDER), "is_authorized": authorized})


# -- what happened to it

CHANGE = View(
    "order_change",
    words(
        "id order_id return_id claim_id exchange_id version change_type *actions description status internal_note created_by requested_by "
        "requested_at confirmed_by confirmed_at declined_by declined_reason metadata declined_at canceled_by canceled_at created_at "
        "updated_at carry_over_promotions no_notification"
    ),
)
ITEM = View("order_item", "id order_id item_id version *item", limit=100)
CHANGES = Filters(id=MANY, status=MANY, change_type=MANY, created_at=OPERATORS, updated_at=OPERATORS, deleted_at=OPERATORS)


@routes.get("/admin/orders/{id}/changes", returns=CHANGE, query=CHANGES, envelope="order_changes")
async def list_changes(request: Request) -> Answer:
    """List what was changed in an order, oldest first."""
    page = await request.rows(CHANGE, {**request.filters, "order_id": request.params["id"]}, order=("created_at",))
    return b'{"order_changes":%s}' % page.json


class UpdateChange(Body):
    carry_over_promotions: bool | None = None
    internal_note: str | None = None


CHANGED = CHANGE.but(defaults=tuple(name for name in CHANGE.defaults if name != "no_notification"))


@routes.post("/admin/order-changes/{id}", body=UpdateChange, returns=CHANGED, query=CHANGES)
async def update_change(request: Request) -> Answer:
    """Change what a change of an order says about itself."""
    given: Any = request.body
    id = await once(request, update_order_change, id=request.params["id"], given=given)
    return await request.fetch(CHANGED, id)


@routes.get("/admin/orders/{id}/line-items", returns=ITEM, query=Filters(id=MANY, item_id=MANY, version=NUMBER), envelope="order_items")
async def list_items(request: Request) -> Answer:
    """List how many of each line an order has, and in which of its versions that is so: the newest."""
    query = Query(ITEM.entity, request.fields_of(ITEM), {**request.filters, "order_id": request.params["id"]})
    return await request.graph.composed(query, _items_shown) or dumps({"order_items": []})


def _items_shown(rows: list[Row]) -> bytes:
    for row in rows:
        if isinstance(row.get("item"), dict):
            row["item"] = {name: value for name, value in row["item"].items() if name not in _OF_ORDERS}
        if "version" in row:
            row["history"] = {"version": {"from": row["version"], "to": row["version"]}}
    return dumps({"order_items": rows})


_OF_ORDERS = frozenset({"order", "quantity", "raw_quantity", "line_item_metadata"})
"""What a line has only where it is seen as one of an order's."""


@routes.get("/admin/orders/{id}/preview", returns=ORDER, query=Filters(version=NUMBER))
async def preview(request: Request) -> Answer:
    """Show an order as it would be with the change that is under way."""
    return dumps({"order": await show_preview(request, request.params["id"])})
