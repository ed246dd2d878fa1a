"""Admin: draft orders, and their edits."""

from __future__ import annotations

from typing import Any, Literal

from ...core.json import dumps
from ...workflows.order import draft_edits as edits
from ...workflows.order.drafts import convert_draft_order, create_draft_order, delete_draft_order, update_draft_order
from ..kit.bodies import ABSENT, Body, Metadata, Number, Part
from ..kit.filters import MANY, OPERATORS, TEXT, TEXT_LIST, Filters
from ..kit.flows import once, split
from ..kit.reply import Answer, deleted
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import words
from ..store.addresses import AddressBody
from ..store.orders import order_text, show_order, show_orders
from .changes import AddShipping, Subject
from .orders import ORDER

routes = Routes()

_LISTED = words("id display_id custom_display_id status version email region_id *items summary total metadata created_at updated_at")
DRAFTS = ORDER.but(key="draft_order", plural="draft_orders", defaults=_LISTED, limit=50)
DRAFT = DRAFTS.but(
    defaults=(
        *_LISTED,
        *words("*items.tax_lines *items.adjustments *items.detail *items.variant *items.variant.product *shipping_address"),
        *words("*billing_address *shipping_methods *shipping_methods.tax_lines *shipping_methods.adjustments"),
    )
)
CONVERTED = DRAFT.but(key="order")


class NewDraftOrderItem(Part):
    title: str | None = None
    variant_sku: str | None = None
    variant_barcode: str | None = None
    sku: str | None = None
    barcode: str | None = None
    variant_id: str | None = None
    unit_price: Number | None = None
    quantity: Number
    metadata: Metadata = None


class NewMethod(Part):
    shipping_method_id: str | None = None
    name: str
    shipping_option_id: str
    data: dict[str, Any] = ABSENT
    amount: Number


class CreateDraft(Body):
    status: Literal["completed"] = ABSENT
    sales_channel_id: str | None = None
    email: str | None = None
    customer_id: str | None = None
    billing_address: AddressBody | str = ABSENT
    shipping_address: AddressBody | str = ABSENT
    items: list[NewDraftOrderItem] = ABSENT
    region_id: str
    promo_codes: list[str] = ABSENT
    currency_code: str | None = None
    no_notification_order: bool = ABSENT
    shipping_methods: list[NewMethod] = ABSENT
    locale: str = ABSENT
    metadata: Metadata = None
    additional_data: Metadata = None


class UpdateDraft(Body):
    email: str = ABSENT
    customer_id: str = ABSENT
    sales_channel_id: str = ABSENT
    shipping_address: AddressBody = ABSENT
    billing_address: AddressBody = ABSENT
    metadata: Metadata = None
    locale: str = ABSENT


@routes.get(
    "/admin/draft-orders",
    returns=DRAFTS,
    query=Filters(
        id=MANY,
        created_at=OPERATORS,
        updated_at=OPERATORS,
        q=TEXT,
        region_id=MANY,
        sales_channel_id=TEXT_LIST,
        customer_id=MANY,
        logical=True,
    ),
    many=True,
)
async def list_drafts(request: Request) -> Answer:
    """List draft orders."""
    return await show_orders(request, DRAFTS, {**request.filters, "is_draft_order": True})


@routes.post("/admin/draft-orders", body=CreateDraft, returns=DRAFT)
async def create(request: Request) -> Answer:
    """Make a draft order."""
    given, additional = split(request.body)
    id = await once(request, create_draft_order, given=given, **additional)
    return await _written(request, id)


@routes.get("/admin/draft-orders/{id}", returns=DRAFT)
async def get_draft(request: Request) -> Answer:
    """Get a draft order."""
    return await order_text(request, {"id": request.params["id"], "is_draft_order": True}, DRAFT)


@routes.post("/admin/draft-orders/{id}", body=UpdateDraft, returns=DRAFT)
async def update(request: Request) -> Answer:
    """Change for whom a draft order is, and where it goes: it is priced anew."""
    id = await once(request, update_draft_order, id=request.params["id"], changes=request.body, user_id=request.actor_id)
    return await _written(request, id)


@routes.delete("/admin/draft-orders/{id}", query=None)
async def delete(request: Request) -> Answer:
    """Delete a draft order."""
    return deleted(await once(request, delete_draft_order, id=request.params["id"]), "draft-order")


@routes.post("/admin/draft-orders/{id}/convert-to-order", returns=CONVERTED)
async def convert(request: Request) -> Answer:
    """Make an order of a draft: its goods are reserved."""
    id = await once(request, convert_draft_order, id=request.params["id"])
    return dumps({"order": await show_order(request, {"id": id}, CONVERTED)})


async def _written(request: Request, id: str) -> Answer:
    return dumps({"draft_order": await show_order(request, {"id": id}, DRAFT)})


# -- edits


class AddedItem(Part):
    variant_id: str = ABSENT
    title: str = ABSENT
    quantity: Number
    unit_price: Number | None = None
    compare_at_unit_price: Number | None = None
    internal_note: str | None = None
    allow_backorder: bool = ABSENT
    metadata: dict[str, Any] = ABSENT


class AddDraftOrderItems(Body):
    items: list[AddedItem]


class ReviseDraftOrderItem(Body):
    quantity: Number
    unit_price: Number | None = None
    compare_at_unit_price: Number | None = None
    internal_note: str = ABSENT


class UpdateDraftOrderItem(ReviseDraftOrderItem):
    metadata: Metadata = None


class ReviseDraftOrderShipping(Body):
    shipping_option_id: str
    custom_amount: Number | None = None
    description: str | None = None
    internal_note: str | None = None
    metadata: Metadata = None


class UpdateDraftOrderShipping(Body):
    shipping_option_id: str = ABSENT
    custom_amount: Number = ABSENT
    internal_note: str | None = None


class DraftOrderPromoCodes(Body):
    promo_codes: list[str]


edit = Subject(routes, "/admin/draft-orders/{id}/edit", DRAFT, None, beside=False, preview="draft_order_preview")

edit.verb("POST", "", edits.begin_draft_edit, "Begin to edit a draft order.", who="created_by")
edit.dropped("", edits.cancel_draft_edit, "Give an edit up.", "draft-order-edit")
edit.verb("POST", "/items", edits.add_draft_items, "Add lines.", body=AddDraftOrderItems)
edit.verb("POST", "/items/{action_id}", edits.update_draft_action_item, "Change a line that is added.", body=ReviseDraftOrderItem)
edit.verb("DELETE", "/items/{action_id}", edits.remove_draft_action_item, "Take a change of a line out again.")
edit.verb("POST", "/items/item/{item_id}", edits.update_draft_item, "Change a line of the draft.", body=UpdateDraftOrderItem)
edit.verb("POST", "/promotions", edits.add_draft_promotions, "Enter promotion codes.", body=DraftOrderPromoCodes)
edit.verb("DELETE", "/promotions", edits.remove_draft_promotions, "Take promotion codes away.", body=DraftOrderPromoCodes)
edit.verb("POST", "/shipping-methods", edits.add_draft_shipping, "Add a way of sending.", body=AddShipping)
edit.verb(
    "POST",
    "/shipping-methods/{action_id}",
    edits.update_draft_action_shipping,
    "Change a way of sending that is added.",
    body=ReviseDraftOrderShipping,
)
edit.verb("DELETE", "/shipping-methods/{action_id}", edits.remove_draft_action_shipping, "Take a way of sending out again.")
edit.verb(
    "POST",
    "/shipping-methods/method/{method_id}",
    edits.update_draft_shipping,
    "Change a way of sending of the draft.",
    body=UpdateDraftOrderShipping,
)
edit.verb("DELETE", "/shipping-methods/method/{method_id}", edits.remove_draft_shipping, "Remove a way of sending of the draft.")
edit.verb("POST", "/request", edits.request_draft_edit, "Ask for an edit to be confirmed.", who="requested_by")
edit.verb("POST", "/confirm", edits.confirm_draft_edit, "Do what an edit says.", who="confirmed_by")
