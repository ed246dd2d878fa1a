"""Returns: requested, received, cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.ids import new_id
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...modules.inventory.types import Goods
from ...modules.order.types import Act, Change
from ..consigning import consigned
from ..inventory.levels import check_locations
from ..kit import Flow, step, workflow
from ..links import link_new
from ..rows import update_rows
from .changes import lock_of
from .difference import settle_difference
from .fulfillments import ADDRESS, packed, parts_of
from .pending import (
    Acts,
    add_acts,
    adding,
    begin_change,
    change_by,
    confirm_change,
    dropping,
    line_acts,
    new_change,
    open_change,
    quantities_of,
    redirect,
    removing,
    revised_line,
    revising,
    said,
    without_order,
)
from .ways import PRICED, line_in, revised_shipping, sent_from, shipping_acts

# -- asked for


@workflow("begin-return-order")
async def begin_return(flow: Flow, order_id: str, given: Row, created_by: str | None = None) -> Change:
    """Begin a return of an order. Returns the change. Raises NotFound; InvalidData where the order is cancelled, or being changed."""
    id = new_id("return")
    row = {"id": id, "created_by": created_by, **said(given, "location_id", "no_notification", "metadata")}
    change = new_change("return_request", given, created_by)
    return (await flow.run(begin_change, order_id, {**change, "return_id": id}, {"return": row}))["answer"]


async def requested_items(flow: Flow, change: Change, given: Row) -> list[Act]:
    await check_reasons(flow, given["items"])
    return await line_acts(flow, change, given, "RETURN_ITEM", "reason_id", reference="return", reference_id=change["return_id"])


async def check_reasons(flow: Flow, items: Sequence[Mapping[str, Any]]) -> None:
    """Raises InvalidData if a return reason doesn't exist."""
    ids = sorted({item["reason_id"] for item in items if item.get("reason_id") is not None})
    there = {row["id"] for row in await flow.modules.order.list("return_reason", {"id": ids}, fields=("id",))} if ids else set()
    if unknown := [id for id in ids if id not in there]:
        raise InvalidData(f"Return reason with id {', '.join(unknown)} does not exists.")


request_item_return = adding("request-item-return", "return", "return_request", requested_items)
update_request_item_return = revising("update-request-item-return", revised_line)
remove_item_return_action = removing("remove-item-return-action")
create_return_shipping_method = adding("create-return-shipping-method", "return", "return_request", shipping_acts)
update_return_shipping_method = revising("update-return-shipping-method", revised_shipping, hooks=PRICED)
remove_return_shipping_method = removing("remove-return-shipping-method")
cancel_return_request = dropping("cancel-return-request", "return", "return_request")


@workflow("confirm-return-request", durable=True, emits=("order.return_requested",))
async def confirm_return_request(flow: Flow, id: str, confirmed_by: str | None = None, no_notification: bool | None = None) -> str:
    """Confirm a requested return, with a label if it has a shipping method. Returns the order's id.

    The label is asked for first, and called off where the order doesn't allow the return any more; the point of no return is the order's
    next version. Raises NotFound; InvalidData where it isn't open or empty; and what the provider refuses it for.
    """
    order_id = await flow.modules.order.order_of("return", id)
    async with flow.lock(lock_of(order_id)):
        change, label = await flow.run(plan_return, id)
        await ask_for_label(flow, label)
        await flow.run(confirm_change, change, confirmed_by)
        if label is not None:
            await link_new(flow, {"return_fulfillment": [{"return_id": id, "fulfillment_id": label["id"]}]})
        await flow.run(settle_difference, order_id)
    flow.emit("order.return_requested", order_id=order_id, return_id=id)
    return order_id


@step(reads=True)
async def plan_return(flow: Flow, id: str) -> tuple[Change, Row | None]:
    """The open change of a return that is being asked for, and its label. Raises NotFound; InvalidData where none is open."""
    change = await open_change(flow, "return", id, "return_request")
    return without_order(change), await label_of(flow, change)


async def ask_for_label(flow: Flow, label: Row | None) -> None:
    """Have the provider of a return's shipping method create this return fulfillment, if there is to be one."""
    if label is not None:
        await flow.run(record_label, label)
        await flow.run(print_label, label)


async def label_of(flow: Flow, change: Change) -> Row | None:
    """The return fulfillment of an open change, which was read with its order; None if nothing comes back by a shipping method."""
    back = [act for act in change["actions"] if act["action"] == "SHIPPING_ADD" and act["return_id"] is not None]
    option_ids = [line["shipping_option_id"] for act in back if (line := line_in(act))]
    if not option_ids:
        return None
    fields = ("id", "provider_id", "data", "service_zone.fulfillment_set.location.id")
    options = await flow.graph.rows(Query("shipping_option", fields, {"id": option_ids[0]}))
    if not options:
        raise NotFound(f"Shipping option with id: {option_ids[0]} was not found")
    to: Any = change["subjects"].get("return")
    if to is None:
        to = await flow.modules.order.retrieve("return", str(back[0]["return_id"]), fields=("location_id",))
    order = change["order"]
    location = to["location_id"] or (options[0]["service_zone"]["fulfillment_set"]["location"] or {}).get("id")
    if location is None:
        raise InvalidData(f"Return {back[0]['return_id']} needs a location to come back to")
    quantities = quantities_of(change["actions"], "RETURN_ITEM")
    of_order = {line["id"]: line for line in order["items"]}
    parts = await parts_of(flow, of_order, quantities)
    address: Mapping[str, Any] = order["shipping_address"] or {}
    return {
        "id": new_id("ful"),
        "location_id": location,
        "provider_id": options[0]["provider_id"],
        "shipping_option_id": options[0]["id"],
        "data": {},
        "items": [packed(of_order[id], part) for id, part in parts],
        "consigned": await consigned(flow, of_order, quantities, location, options[0]),
        "delivery_address": {name: address.get(name) for name in ADDRESS if address.get(name) is not None},
    }


async def _call_off_label(flow: Flow, id: str) -> None:
    try:
        await flow.modules.fulfillment.cancel_fulfillment(id)
    except NotFound:  # its provider has refused it
        pass


@step(undo=_call_off_label)
async def record_label(flow: Flow, fulfillment: Row) -> str:
    """Record a return fulfillment before its provider is asked for the label, so that it can be cancelled even if the answer is lost."""
    await flow.modules.fulfillment.record(fulfillment)
    return str(fulfillment["id"])


@step
async def print_label(flow: Flow, fulfillment: Row) -> None:
    await flow.modules.fulfillment.create_return_fulfillment(fulfillment)


# -- received


@workflow("begin-receive-return")
async def begin_receive_return(flow: Flow, id: str, given: Row, created_by: str | None = None) -> Change:
    """Begin to receive a requested return. Returns the change. Raises NotFound; InvalidData where the order is being changed."""
    back = await uncancelled(flow, id)
    change = new_change("return_receive", given, created_by)
    begun = await flow.run(begin_change, back["order_id"], {**change, "return_id": id, "metadata": given.get("metadata")})
    return begun["answer"]


async def uncancelled(flow: Flow, id: str) -> Row:
    """A return. Raises NotFound; InvalidData where it is cancelled."""
    back: Row = await flow.modules.order.retrieve("return", id, fields=("order_id", "location_id", "canceled_at"))
    if back["canceled_at"] is not None:
        raise InvalidData(f"Return with id {id} has been canceled.")
    return back


def _receiving(action: str) -> Acts:
    async def acts(flow: Flow, change: Change, given: Row) -> list[Act]:
        return await line_acts(flow, change, given, action, reference="return", reference_id=change["return_id"])

    return acts


receive_item_return_request = adding("receive-item-return-request", "return", "return_receive", _receiving("RECEIVE_RETURN_ITEM"))
dismiss_item_return_request = adding("dismiss-item-return-request", "return", "return_receive", _receiving("RECEIVE_DAMAGED_RETURN_ITEM"))
update_receive_item_return_request = revising("update-receive-item-return-request", revised_line)
remove_item_receive_return_action = removing("remove-item-receive-return-action")
cancel_receive_return = dropping("cancel-receive-return", "return", "return_receive", keeps=True)


@workflow("confirm-return-receive", durable=True, emits=("order.return_received", "inventory-level.updated"))
async def confirm_return_receive(flow: Flow, id: str, confirmed_by: str | None = None, no_notification: bool | None = None) -> str:
    """Receive returned items: sellable ones go into stock, dismissed ones don't, and neither is to be paid any more. Returns the order's
    id.

    Raises NotFound; InvalidData where it isn't open or empty.
    """
    order_id = await flow.modules.order.order_of("return", id)
    async with flow.lock(lock_of(order_id)):
        change, coming = await flow.run(plan_stock, id)
        await flow.run(confirm_change, change, confirmed_by)
        levels = await flow.run(put_into_stock, coming["lines"], coming["location_id"])
        await flow.run(settle_difference, order_id)
    flow.emit("order.return_received", order_id=order_id, return_id=id)
    for level in levels:
        flow.emit("inventory-level.updated", id=level, order_id=order_id)
    return order_id


class Coming(TypedDict):
    lines: list[Goods]
    location_id: str | None


@step(reads=True)
async def plan_stock(flow: Flow, id: str) -> tuple[Change, Coming]:
    """The open change of a return that has come, and the goods that go into stock with their location: the return's, or else the one that
    the order was sent from. Raises NotFound; InvalidData where none is open."""
    change = await open_change(flow, "return", id, "return_receive")
    quantities = quantities_of(change["actions"], "RECEIVE_RETURN_ITEM")
    parts = await parts_of(flow, {line["id"]: line for line in change["order"]["items"]}, quantities)
    lines: list[Goods] = [
        {"inventory_item_id": item, "quantity": part["quantity"]} for _, part in parts if (item := part["inventory_item_id"]) is not None
    ]
    back: Any = change["subjects"]["return"]
    location = back["location_id"]
    if location is None and lines:
        location = await sent_from(flow, change["order_id"])
        if location is None:
            raise InvalidData(f"Return {change['return_id']} needs a location to come back to")
    return without_order(change), {"lines": lines, "location_id": location}


@step
async def put_into_stock(flow: Flow, lines: Sequence[Goods], location_id: str | None) -> list[str]:
    return await flow.modules.inventory.receive(lines, location_id) if lines and location_id is not None else []


# -- called off, and changed


@step(pivot=True, name="call-off-return")
async def return_called_off(flow: Flow, id: str, by: str | None) -> None:
    await flow.modules.order.call_off("return", id, by=by)


@workflow("cancel-return", durable=True)
async def cancel_return(flow: Flow, id: str, canceled_by: str | None = None, no_notification: bool | None = None) -> str:
    """Cancel a return of which nothing was received: it is to be paid again, and the way back isn't any more. Returns its id.

    Raises NotFound; NotAllowed where some of it has come back, or while one of its labels isn't called off.
    """
    rows = await flow.graph.rows(Query("return", ("id", "order_id", "fulfillments.canceled_at"), {"id": id}))
    if not rows:
        raise NotFound(f"Return with id: {id} was not found")
    if any(one["canceled_at"] is None for one in rows[0]["fulfillments"]):
        raise NotAllowed("All fulfillments must be canceled before canceling a return")
    order_id = str(rows[0]["order_id"])
    async with flow.lock(lock_of(order_id)):
        await flow.run(return_called_off, id, canceled_by)
        await flow.run(settle_difference, order_id)
    return id


@workflow("update-return")
async def update_return(flow: Flow, id: str, given: Row) -> str:
    """Change a return's `location_id`, `no_notification` and `metadata` while it is asked for or received. Returns its order's id.

    Another location is another way: what sending it back costs is asked again until it is requested. Raises NotFound; InvalidData where it
    is cancelled, or not worked on; Conflict where it is being changed elsewhere; and what the provider refuses a price for.
    """
    back = await uncancelled(flow, id)
    change = await open_change(flow, "return", id, *_ASKING, "return_receive")
    to = given.get("location_id")
    if to in (None, back["location_id"]) or change["change_type"] == "return_receive":
        await flow.run(update_rows, "return", [{"id": id, **given}])
    else:
        await change_by(flow, change, False, redirect, id, given, to=to)
    return str(back["order_id"])


_ASKING = ("return_request", "claim", "exchange")
"""Changes by which something is to come back."""


# -- all at once


@workflow(
    "create-complete-return-order",
    durable=True,
    hooks=("setPricingContext",),
    emits=("order.return_requested", "order.return_received"),
)
async def create_and_complete_return(
    flow: Flow,
    order_id: str,
    items: list[Row],
    return_shipping: Row,
    note: str | None = None,
    receive_now: bool = False,
    location_id: str | None = None,
    created_by: str | None = None,
) -> str:
    """Request a return of items of an order, by a return shipping option, and receive it at once if `receive_now` is set. Returns the
    return's id.

    Raises NotFound, also for a location that isn't there; InvalidData for what the order hasn't sent, and where it is being changed; and
    what the provider refuses it for.
    """
    await check_locations(flow, [location_id] if location_id is not None else [])
    change = await flow.run(begin_return, order_id, {"location_id": location_id, "description": note}, created_by)
    id = str(change["return_id"])
    of_items = [{**item, "internal_note": item.get("note")} for item in items]
    acts = await requested_items(flow, change, {"items": of_items})
    given = {"shipping_option_id": return_shipping["option_id"], "custom_amount": return_shipping.get("price")}
    acts += await shipping_acts(flow, {**change, "actions": acts}, given)
    await flow.run(add_acts, change, acts)
    await flow.run(confirm_return_request, id, created_by)
    if receive_now:
        await flow.call(receive_at_once, key=id, return_id=id, created_by=created_by)
    return id


@workflow("receive-return-at-once", durable=True, emits=("order.return_received", "inventory-level.updated"))
async def receive_at_once(flow: Flow, return_id: str, created_by: str | None = None) -> str:
    """Receive all items of a return that was just requested. Returns its order's id."""
    await flow.run(begin_receive_return, return_id, {}, created_by)
    back = await flow.modules.order.retrieve("return", return_id, fields=("items.item_id", "items.quantity"))
    items = [{"id": item["item_id"], "quantity": Decimal(item["quantity"])} for item in back["items"]]
    await flow.run(receive_item_return_request, return_id, {"items": items})
    return await flow.run(confirm_return_receive, return_id, created_by)
