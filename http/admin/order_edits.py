"""Admin: edits of orders."""

from __future__ import annotations

from typing import Any

from ...core.json import dumps
from ...workflows.order import edits as flows
from ..kit.bodies import ABSENT, Body, Metadata, Number, Part
from ..kit.flows import once
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from .changes import AddShipping, Confirm, ReviseShipping, Subject
from .orders import CHANGE, ORDER

routes = Routes()


class BeginEdit(Body):
    order_id: str
    description: str = ABSENT
    internal_note: str = ABSENT
    metadata: Metadata = None


class NewOrderEditItem(Part):
    variant_id: str
    quantity: Number
    unit_price: Number | None = None
    compare_at_unit_price: Number | None = None
    internal_note: str | None = None
    allow_backorder: bool = ABSENT
    metadata: dict[str, Any] = ABSENT


class AddOrderEditItems(Body):
    items: list[NewOrderEditItem]


class ReviseOrderEditItem(Body):
    quantity: Number = ABSENT
    unit_price: Number | None = None
    compare_at_unit_price: Number | None = None
    internal_note: str | None = None


class UpdateOrderEditItem(Body):
    quantity: Number
    unit_price: Number | None = None
    compare_at_unit_price: Number | None = None
    internal_note: str | None = None
    metadata: Metadata = None


@routes.post("/admin/order-edits", body=BeginEdit, returns=CHANGE, query=None)
async def begin(request: Request) -> Answer:
    """Begin to edit an order."""
    given = dict(request.body)
    change = await once(request, flows.begin_order_edit, order_id=given.pop("order_id"), given=given)
    return dumps({"order_change": {name: value for name, value in change.items() if name not in _INSIDE}})


_INSIDE = ("revision", "order", "subjects")
"""What of an open change isn't shown."""


subject = Subject(routes, "/admin/order-edits/{id}", ORDER, None, beside=False)

subject.dropped("", flows.cancel_order_edit, "Give an edit up.", "order-edit")
subject.verb("POST", "/items", flows.order_edit_add_new_item, "Add lines.", body=AddOrderEditItems)
subject.verb("POST", "/items/{action_id}", flows.update_order_edit_add_item, "Change a line that is added.", body=ReviseOrderEditItem)
subject.verb("DELETE", "/items/{action_id}", flows.remove_item_order_edit_action, "Take a change of a line out again.")
subject.verb(
    "POST", "/items/item/{item_id}", flows.order_edit_update_item_quantity, "Change a line of the order.", body=UpdateOrderEditItem
)
subject.verb("POST", "/shipping-method", flows.create_order_edit_shipping_method, "Add a way of sending.", body=AddShipping)
subject.verb(
    "POST",
    "/shipping-method/{action_id}",
    flows.update_order_edit_shipping_method,
    "Change what sending costs.",
    body=ReviseShipping,
)
subject.verb("DELETE", "/shipping-method/{action_id}", flows.remove_order_edit_shipping_method, "Take a way of sending out again.")
subject.verb("POST", "/request", flows.request_order_edit, "Ask for an edit to be confirmed.", body=Confirm, who="requested_by")
subject.verb("POST", "/confirm", flows.confirm_order_edit, "Do what an edit says.", who="confirmed_by")
