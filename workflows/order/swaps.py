"""Claims and exchanges: what comes back, what is sent instead, and how; one change of the order that is worked on and then asked for.

Both are a return with more: what is to come back makes a return of its own when it is first named. What is sent instead is reserved when
the change is confirmed, and fulfilled like any other line, with a way of sending of its own or without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ...core.errors import NotAllowed, NotFound
from ...core.ids import new_id
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...modules.order.types import Act, Change
from ..kit import Flow, Workflow, step
from ..links import link_new
from .changes import lock_of
from .difference import settle_difference
from .pending import (
    Acts,
    add_acts,
    add_returning,
    adding,
    begin_change,
    change_by,
    confirm_change,
    dropping,
    item_acts,
    line_acts,
    named,
    new_change,
    open_change,
    removing,
    returning,
    revised_item,
    revised_line,
    revising,
    said,
    without_order,
)
from .reserving import Moves, moves_of, release_of_lines, reserve_all
from .returns import ask_for_label, label_of, requested_items
from .ways import PRICED, revised_shipping, sent_from, shipping_acts

Swap = Literal["order_claim", "order_exchange"]
_ID: Mapping[Swap, str] = {"order_claim": "claim", "order_exchange": "oexc"}
_KIND: Mapping[Swap, str] = {"order_claim": "claim", "order_exchange": "exchange"}
_KEY: Mapping[Swap, Literal["claim_id", "exchange_id"]] = {"order_claim": "claim_id", "order_exchange": "exchange_id"}


def _beginning(name: str, entity: Swap) -> Workflow[..., Change]:
    async def begin(flow: Flow, order_id: str, given: Row, created_by: str | None = None) -> Change:
        """Begin a claim or an exchange. Returns the change. Raises NotFound; InvalidData where the order is cancelled, or being changed."""
        id = new_id(_ID[entity])
        row = {"id": id, "created_by": created_by, **said(given, "type", "metadata")}
        cause: Any = {_KEY[entity]: id}
        begun = await flow.run(begin_change, order_id, {**new_change(_KIND[entity], given, created_by), **cause}, {entity: row})
        return begun["answer"]

    return named(name, begin)


@step(reads=True)
async def plan_swap(flow: Flow, entity: Swap, id: str) -> tuple[Change, Moves, Row | None]:
    """The open change of a claim or an exchange, how reservations change with it, and the label of its return. Raises NotFound; InvalidData
    where none is open."""
    change = await open_change(flow, entity, id, _KIND[entity])
    return without_order(change), await moves_of(flow, change), await label_of(flow, change)


def _confirming(name: str, entity: Swap, event: str) -> Workflow[..., str]:
    async def confirm(flow: Flow, id: str, confirmed_by: str | None = None) -> str:
        """Confirm a claim or an exchange: request its return, with a label if that has a shipping method, and reserve the added items.
        Returns the order's id.

        The pivot is the order's next version. Raises NotFound; InvalidData where it isn't open, or empty;
        InsufficientInventory; and what the provider of the label refuses it for.
        """
        order_id = await flow.modules.order.order_of(entity, id)
        async with flow.lock(lock_of(order_id)):
            change, moves, label = await flow.run(plan_swap, entity, id)
            reserved = await reserve_all(flow, moves["more"], moves["location_ids"])
            await ask_for_label(flow, label)
            await flow.run(confirm_change, change, confirmed_by)
            if label is not None:
                await link_new(flow, {"return_fulfillment": [{"return_id": change["return_id"], "fulfillment_id": label["id"]}]})
            await flow.run(settle_difference, order_id)
        for made in reserved:
            flow.emit("reservation-item.created", id=made["id"], order_id=order_id)
        flow.emit(event, order_id=order_id, **{_KEY[entity]: id})
        return order_id

    return named(name, confirm, durable=True, emits=("reservation-item.created", event))


@step(pivot=True)
async def called_off(flow: Flow, entity: Swap, id: str, by: str | None) -> None:
    await flow.modules.order.call_off(entity, id, by=by)


def _calling_off(name: str, entity: Swap) -> Workflow[..., str]:
    async def cancel(flow: Flow, id: str, canceled_by: str | None = None, no_notification: bool | None = None) -> str:
        """Cancel a claim or an exchange: its items are neither sent nor requested back any more. Returns its id.

        Raises NotFound; NotAllowed where something of it has come back or was sent, or while its label isn't called off.
        """
        rows = await flow.graph.rows(
            Query(entity, ("id", "order_id", "return.fulfillments.canceled_at", "additional_items.item_id"), {"id": id})
        )
        if not rows:
            raise NotFound(f"{_KIND[entity].capitalize()} with id: {id} was not found")
        [thing] = rows
        back: Row = thing["return"] or {"fulfillments": []}
        if any(one["canceled_at"] is None for one in back["fulfillments"]):
            raise NotAllowed(f"All fulfillments must be canceled before canceling the {_KIND[entity]}")
        async with flow.lock(lock_of(thing["order_id"])):
            await flow.run(called_off, entity, id, canceled_by)
            gone = await flow.run(release_of_lines, [item["item_id"] for item in thing["additional_items"]])
            await flow.run(settle_difference, thing["order_id"])
        for reservation in gone:
            flow.emit("reservation-item.deleted", id=reservation, order_id=thing["order_id"])
        return id

    return named(name, cancel, durable=True, emits=("reservation-item.deleted",))


async def _written_off(flow: Flow, change: Change, given: Row) -> list[Act]:
    acts = await line_acts(flow, change, given, "WRITE_OFF_ITEM", "reason", reference="order_claim", reference_id=change["claim_id"])
    return [{**act, "amount": 0} for act in acts]


def _sent_instead(entity: Swap) -> Acts:
    async def acts(flow: Flow, change: Change, given: Row) -> list[Act]:
        acts = await item_acts(flow, change, given)
        return [{**act, "reference": entity, "reference_id": change[_KEY[entity]]} for act in acts]

    return acts


def _shipping(name: str, entity: Swap) -> Workflow[..., Change]:
    async def ship(flow: Flow, id: str, given: Row, inbound: bool = False) -> Change:
        """Add a shipping method to the open change: to the shop (`inbound`), or to the buyer. Returns the change as it is then."""
        change = await open_change(flow, entity, id, _KIND[entity])
        made = await shipping_acts(flow, change, given, inbound=inbound)
        if not inbound:
            return await change_by(flow, change, False, add_acts, made, after=lambda acts: [*acts, *made])
        of_return = {"location_id": await sent_from(flow, change["order_id"])}
        return await change_by(flow, change, False, add_returning, made, of_return, after=lambda acts: [*acts, *made])

    return named(name, ship)


begin_claim = _beginning("begin-claim-order", "order_claim")
claim_item = adding("claim-item", "order_claim", "claim", _written_off)
update_claim_item = revising("update-claim-item", revised_line)
remove_item_claim_action = removing("remove-item-claim-action")
claim_request_item_return = returning("claim-request-item-return", "order_claim", "claim", requested_items)
claim_add_new_item = adding("claim-add-new-item", "order_claim", "claim", _sent_instead("order_claim"))
update_claim_add_item = revising("update-claim-add-item", revised_item)
remove_item_claim_add_action = removing("remove-item-claim-add-action")
update_claim_shipping_method = revising("update-claim-shipping-method", revised_shipping, hooks=PRICED)
remove_claim_shipping_method = removing("remove-claim-shipping-method")
cancel_claim_request = dropping("cancel-begin-order-claim", "order_claim", "claim")
confirm_claim = _confirming("confirm-claim-request", "order_claim", "order.claim_created")
cancel_claim = _calling_off("cancel-claim", "order_claim")

begin_exchange = _beginning("begin-exchange-order", "order_exchange")
exchange_request_item_return = returning("exchange-request-item-return", "order_exchange", "exchange", requested_items)
exchange_add_new_item = adding("exchange-add-new-item", "order_exchange", "exchange", _sent_instead("order_exchange"))
update_exchange_add_item = revising("update-exchange-add-item", revised_item)
remove_item_exchange_action = removing("remove-item-exchange-action")
update_exchange_shipping_method = revising("update-exchange-shipping-method", revised_shipping, hooks=PRICED)
remove_exchange_shipping_method = removing("remove-exchange-shipping-method")
cancel_exchange_request = dropping("cancel-begin-order-exchange", "order_exchange", "exchange")
confirm_exchange = _confirming("confirm-exchange-request", "order_exchange", "order.exchange_created")
cancel_exchange = _calling_off("cancel-exchange", "order_exchange")


create_claim_shipping_method = _shipping("create-claim-shipping-method", "order_claim")
create_exchange_shipping_method = _shipping("create-exchange-shipping-method", "order_exchange")
