"""Edits of orders: lines and shipping methods are added and changed, then the edit is requested and confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ...core.errors import InvalidData
from ...core.rows import Row
from ...modules.order.types import Act, Change, NewChange
from ..kit import Flow, step, workflow
from .changes import lock_of
from .difference import settle_difference
from .pending import (
    add_acts,
    adding,
    begin_change,
    change_by,
    confirm_change,
    drop_change,
    item_acts,
    new_change,
    open_change,
    removing,
    request_change,
    revised_item,
    revising,
    updating,
    without_order,
)
from .reserving import Moves, give_back_some, join_reservations, moves_of, reserve_all
from .ways import PRICED, revised_shipping, shipping_acts


@workflow("begin-order-edit-order")
async def begin_order_edit(flow: Flow, order_id: str, given: Row, created_by: str | None = None) -> Change:
    """Begin an edit of an order. Returns the change. Raises NotFound; InvalidData where the order is cancelled, or being changed."""
    change: NewChange = {**new_change("edit", given, created_by), "metadata": given.get("metadata")}
    return (await flow.run(begin_change, order_id, change))["answer"]


order_edit_add_new_item = adding("order-edit-add-new-item", "order", "edit", item_acts)
update_order_edit_add_item = revising("update-order-edit-add-item", revised_item)
remove_item_order_edit_action = removing("remove-item-order edit-action")
create_order_edit_shipping_method = adding("create-order-edit-shipping-method", "order", "edit", shipping_acts, hooks=PRICED)
update_order_edit_shipping_method = revising("update-order-edit-shipping-method", revised_shipping, hooks=PRICED)
remove_order_edit_shipping_method = removing("remove-order-edit-shipping-method")


@workflow("order-edit-update-item-quantity")
async def order_edit_update_item_quantity(flow: Flow, id: str, item_id: str, given: Row) -> Change:
    """Set a line's quantity (0 removes it), and its prices if given. Returns the change as it is then.

    Raises NotFound; InvalidData where no edit is open, for a line that the order hasn't, and for less than was sent of it.
    """
    change = await open_change(flow, "order", id, "edit")
    made = [updating(change["order"], item_id, given)]
    return await change_by(flow, change, False, add_acts, made, after=lambda acts: [*acts, *made])


@workflow("order-edit-request", emits=("order-edit.requested",))
async def request_order_edit(flow: Flow, id: str, requested_by: str | None = None, no_notification: bool | None = None) -> Change:
    """Mark an edit as waiting for its confirmation; of a draft too, which the dashboard does when its promotions were edited. Returns the
    change as it is then.

    Raises NotFound; InvalidData where no edit is open.
    """
    change = await open_change(flow, "order", id, "edit", draft=None)
    requested = await flow.run(request_change, change, by=requested_by)
    flow.emit("order-edit.requested", order_id=id, actions=_told(change), no_notification=no_notification)
    return requested["answer"]


@step(reads=True)
async def plan_edit(flow: Flow, id: str) -> tuple[Change, Moves]:
    """The open edit of an order, and how its reservations change with it. Raises NotFound; InvalidData where none is open."""
    change = await open_change(flow, "order", id, "edit")
    return without_order(change), await moves_of(flow, change)


@workflow(
    "confirm-order-edit-request",
    durable=True,
    emits=("reservation-item.deleted", "reservation-item.created", "order-edit.confirmed"),
)
async def confirm_order_edit(flow: Flow, id: str, confirmed_by: str | None = None, no_notification: bool | None = None) -> str:
    """Confirm an edit: added units are reserved first; the pivot is the order's next version. Returns the order's id.

    Raises NotFound; InvalidData where no edit is open, or the order doesn't allow it any more; InsufficientInventory.
    """
    async with flow.lock(lock_of(id)):
        change, moves = await flow.run(plan_edit, id)
        reserved = await reserve_all(flow, moves["more"], moves["location_ids"])
        await flow.run(confirm_change, change, confirmed_by)
        gone = await flow.run(give_back_some, moves["less"])
        joined = await flow.run(join_reservations, moves["again"]) if moves["again"] else []
        await flow.run(settle_difference, id)
    for made in reserved:
        if made["id"] not in joined:
            flow.emit("reservation-item.created", id=made["id"], order_id=id)
    for reservation in gone:
        flow.emit("reservation-item.deleted", id=reservation, order_id=id)
    flow.emit("order-edit.confirmed", order_id=id, actions=_told(change), no_notification=no_notification)
    return id


@workflow("cancel-begin-order-edit", emits=("order-edit.canceled",))
async def cancel_order_edit(flow: Flow, id: str) -> str:
    """Drop an edit. Returns the order's id. Raises NotFound; InvalidData where none is open."""
    change = await open_change(flow, "order", id, "edit")
    await flow.run(drop_change, change["id"])
    flow.emit("order-edit.canceled", order_id=id, actions=_told(change))
    return id


def _told(change: Change) -> list[Row]:
    rows: list[Row] = [{**act} for act in change["actions"]]
    return [{name: row[name] for name in ("id", "action", "details", "reference", "reference_id")} for row in rows]


# -- credit


@step(pivot=True, name="add-credit-line")
async def credit(flow: Flow, order_id: str, acts: Sequence[Act], change: NewChange) -> None:
    await flow.modules.order.register(order_id, acts, change)


@workflow("create-order-credit-lines", durable=True, hooks=("creditLinesCreated",))
async def create_credit_line(
    flow: Flow, order_id: str, amount: Decimal, reference: str, reference_id: str, metadata: Row | None = None
) -> str:
    """Add a credit line: above zero at most what the order owes, below zero at most what the shop owes; the pivot. Returns its id.

    Raises NotFound; InvalidData where nothing, or less, is owed.
    """
    async with flow.lock(lock_of(order_id)):
        order = await flow.modules.order.load(order_id)
        pending = Decimal(order["summary"]["pending_difference"])
        if not pending:
            raise InvalidData("Can only create credit lines if the order has a positive or negative pending difference")
        if (pending < 0) != (amount < 0):
            sign = "negative" if pending < 0 else "positive"
            raise InvalidData(f"Can only create {sign} credit lines if the order has a {sign} pending difference")
        if not amount or abs(amount) > abs(pending):
            raise InvalidData(f"Cannot create a credit line of {amount:f}: the pending difference is {pending:f}")
        act = Act(action="CREDIT_LINE_ADD", amount=amount, reference=reference, reference_id=reference_id)
        act["details"] = {"metadata": metadata} if metadata else {}
        await flow.run(credit, order_id, [act], {"change_type": "credit_line"})
        await flow.run(settle_difference, order_id)
        await flow.hooks.creditLinesCreated(order_id=order_id, credit_lines=[act])
    return order_id
