"""The kinds of changes that stay open until they are confirmed: which actions each takes, and which rows its confirmation writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ....core.errors import InvalidData
from ....core.ids import new_id
from ....core.numbers import difference, total
from ....core.rows import Row
from ..types import Act, Change, Subjects
from .actions import ADJUSTING, amount, quantity_of

Written = list[tuple[str, Row]]
"""Entities, and rows to be written: a row with a known id is updated, another one is created."""


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """One kind of change."""

    type: str
    """`change_type` of its changes."""
    takes: frozenset[str]
    """Names of actions."""
    nothing: str
    """The message if a change lacks the actions of `needs`."""
    needs: frozenset[str]
    """Names of actions of which a change has to have at least one. Empty: a change may have no actions."""
    each: bool = False
    """Whether it has to have one of each."""
    check: Callable[[Sequence[Act], Subjects], None] = lambda *_: None
    """Raises InvalidData if the return, claim or exchange doesn't allow the actions. The order is checked by the actions themselves."""
    written: Callable[[Change, Sequence[Act], Subjects, str], Written] | None = None
    """The rows that the confirmation writes besides the order, from the change, its actions, its subjects and the time. None: it writes
    none."""


def _requested(change: Change, acts: Sequence[Act], subjects: Subjects, at: str) -> Written:
    """A requested return, and its items."""
    id = subjects["return"]["id"]
    items = [
        {"id": new_id("retitem"), "return_id": id, "reason_id": act["details"].get("reason_id"), **_item(act)}
        for act in acts
        if act["action"] == "RETURN_ITEM"
    ]
    return [("return", {"id": id, "status": "requested", "requested_at": at}), *(("return_item", item) for item in items)]


def _replaced(change: Change, acts: Sequence[Act], subjects: Subjects, at: str) -> Written:
    """An exchange: its return, and the items that are sent to the buyer."""
    id = subjects["order_exchange"]["id"]
    new = [{"id": new_id("oexcitem"), "exchange_id": id, **_item(act)} for act in acts if act["action"] == "ITEM_ADD"]
    return [*_requested(change, acts, subjects, at), *(("order_exchange_item", item) for item in new)]


def _claimed(change: Change, acts: Sequence[Act], subjects: Subjects, at: str) -> Written:
    """A claim: the claimed items, its return, and the items that are sent instead."""
    id = subjects["order_claim"]["id"]
    items: list[Row] = []
    for act in acts:
        if act["action"] in ("WRITE_OFF_ITEM", "ITEM_ADD"):
            instead = act["action"] == "ITEM_ADD"
            of = {"added_by": id} if instead else {"claimed_by": id, "reason": act["details"].get("reason")}
            items.append({"id": new_id("claitem"), "claim_id": id, "is_additional_item": instead, **of, **_item(act)})
    back = _requested(change, acts, subjects, at) if any(act["action"] == "RETURN_ITEM" for act in acts) else []
    return [*back, *(("order_claim_item", item) for item in items)]


def _item(act: Act) -> Row:
    details = act["details"]
    quantity, metadata = quantity_of(act), details.get("metadata") or {}
    return {"item_id": details["reference_id"], "quantity": quantity, "note": act.get("internal_note"), "metadata": metadata}


def _received(change: Change, acts: Sequence[Act], subjects: Subjects, at: str) -> Written:
    """A return of which items have arrived."""
    back = subjects["return"]
    come = {(act["details"]["reference_id"], act["action"]): Decimal(0) for act in acts}
    for act in acts:
        come[act["details"]["reference_id"], act["action"]] += quantity_of(act)
    items: list[Row] = []
    for item in back["items"]:  # a line may have several rows: each takes the units that it still waits for
        waits = difference(amount(item, "quantity"), amount(item, "received_quantity"))
        took: dict[str, Decimal] = {}
        for action in RECEIVING:
            of = (item["item_id"], action)
            took[action] = min(waits, come.get(of, Decimal(0)))
            waits = difference(waits, took[action])
            come[of] = difference(come.get(of, Decimal(0)), took[action])
        counted = {"received_quantity": total(took.values()), "damaged_quantity": took[RECEIVING[1]]}
        items.append({"id": item["id"], **{name: total([amount(item, name), more]) for name, more in counted.items()}})
    complete = all(row["received_quantity"] >= Decimal(item["quantity"]) for row, item in zip(items, back["items"], strict=True))
    status = {"status": "received" if complete else "partially_received", "received_at": at}
    return [("return", {"id": back["id"], **status}), *(("return_item", item) for item in items)]


def _receivable(acts: Sequence[Act], subjects: Subjects) -> None:
    """Raises InvalidData if more arrives than the return has requested."""
    left: dict[str, Decimal] = {}
    for item in subjects["return"]["items"]:
        left[item["item_id"]] = left.get(item["item_id"], Decimal(0)) + amount(item, "quantity") - amount(item, "received_quantity")
    for act in acts:
        id = act["details"]["reference_id"]
        left[id] = left.get(id, Decimal(0)) - quantity_of(act)
        if left[id] < 0:
            raise InvalidData(f"Cannot receive more items than what was requested to be returned for item {id}.")


EDITING = frozenset({"ITEM_ADD", "ITEM_UPDATE", "SHIPPING_ADD", "SHIPPING_UPDATE", "SHIPPING_REMOVE"})
EDITING |= {"PROMOTION_ADD", "PROMOTION_REMOVE", *ADJUSTING}
RECEIVING = ("RECEIVE_RETURN_ITEM", "RECEIVE_DAMAGED_RETURN_ITEM")

KINDS: Mapping[str, ChangeKind] = {
    kind.type: kind
    for kind in (
        ChangeKind(
            "return_request",
            frozenset({"RETURN_ITEM", "SHIPPING_ADD"}),
            "Order return request should have at least 1 item",
            frozenset({"RETURN_ITEM"}),
            written=_requested,
        ),
        ChangeKind(
            "exchange",
            frozenset({"RETURN_ITEM", "ITEM_ADD", "SHIPPING_ADD", *ADJUSTING}),
            "Order exchange request should have at least 1 item inbound and 1 item outbound",
            frozenset({"RETURN_ITEM", "ITEM_ADD"}),
            each=True,
            written=_replaced,
        ),
        ChangeKind(
            "claim",
            frozenset({"WRITE_OFF_ITEM", "RETURN_ITEM", "ITEM_ADD", "SHIPPING_ADD", *ADJUSTING}),
            "Order claim request should have at least 1 item",
            frozenset({"WRITE_OFF_ITEM", "RETURN_ITEM", "ITEM_ADD"}),
            written=_claimed,
        ),
        ChangeKind(
            "transfer", frozenset({"TRANSFER_CUSTOMER"}), "Order transfer request has no customer", frozenset({"TRANSFER_CUSTOMER"})
        ),
        ChangeKind("edit", EDITING, "", frozenset()),
        ChangeKind(
            "return_receive",
            frozenset(RECEIVING),
            "Order receive return request should have at least 1 item",
            frozenset(RECEIVING),
            check=_receivable,
            written=_received,
        ),
    )
}
