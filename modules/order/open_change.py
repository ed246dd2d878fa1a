"""Open changes: what is said of one by who writes to it, and what follows from its actions. Pure functions, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypedDict

from ...commerce.types import Order
from ...core.clock import iso, utc_now
from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.numbers import Amount
from .changes.actions import ADJUSTING, amount, details_of
from .changes.applying import Prices, previewed
from .changes.kinds import KINDS, ChangeKind
from .types import Act, ActRevision, AtWork, Cause, Change, PreviewedOrder, Subject, Subjects

NONE_OPEN = "An active Order Change is required to proceed"
SUBJECTS: Mapping[Cause, Subject] = {"return_id": "return", "claim_id": "order_claim", "exchange_id": "order_exchange"}


def cause_of(entity: str) -> Cause:
    """The column of `order_change` that names a return, a claim or an exchange."""
    return next(column for column, of in SUBJECTS.items() if of == entity)


class Priced(TypedDict):
    """Taxes and discounts, and the order that they were computed for."""

    revision: int
    """The order's revision."""
    prices: Prices


class Quote(TypedDict):
    """What a way of sending costs."""

    amount: Decimal
    is_tax_inclusive: bool


def opened(found: AtWork) -> Change:
    """The open change of an order, with its order. Raises InvalidData where none is open."""
    change = found["change"]
    if change is None:
        raise InvalidData(NONE_OPEN)
    return {**change, "order": found["order"], "subjects": found["subjects"]}


class Seen(TypedDict):
    """An open change as it was read by who writes to it, and what was worked out for that."""

    revision: int
    carries: bool
    """Whether it carries promotions over."""
    quotes: Mapping[str, Quote]
    """What ways of sending that are in it cost after the write, by the action's id; those that stay as they are aren't named."""
    adjusting: Sequence[Act] | None
    """Actions that say what promotions take off after the write, in the place of those that say so now; None: these stay."""


def as_read(change: Change, quotes: Mapping[str, Quote], adjusting: Sequence[Act] | None = None) -> Seen:
    """What is to be said of a change by who writes to it. `quotes` and `adjusting` see `Seen`."""
    carries = bool(change["carry_over_promotions"])
    return {"revision": change["revision"], "carries": carries, "quotes": quotes, "adjusting": adjusting}


def is_as_seen(change: Change, seen: Seen, acts: Sequence[Act] = ()) -> bool:
    """Whether what was worked out for a change as it was seen is still right for it, and for `acts` to come.

    Whether it carries promotions over has to be as it was; all of it, where discounts were worked out, and where something is sent: what
    that costs depends on what else is in it.
    """
    if bool(change["carry_over_promotions"]) != seen["carries"]:
        return False
    whole = seen["adjusting"] is not None or any(act["action"] == "SHIPPING_ADD" for act in (*change["actions"], *acts))
    return not whole or change["revision"] == seen["revision"]


def adds_only(change: Change, seen: Seen | None) -> bool:
    """Whether a write that adds actions to a change has nothing else to write."""
    others = any(act["action"] in ADJUSTING for act in change["actions"])
    return seen is None or not (seen["quotes"] or seen["adjusting"] or (others and seen["adjusting"] is not None))


def with_quotes(acts: Sequence[Act], quotes: Mapping[str, Quote]) -> list[Act]:
    """Actions, with new prices of the ways of sending that they add, by their ids."""
    made: list[Act] = []
    for act in acts:
        quote = quotes.get(act.get("id", ""))
        method: Any = act.get("line")
        priced: Any = act if quote is None else {**act, "amount": quote["amount"], "line": {**method, **quote}}
        made.append(priced)
    return made


def with_revised(acts: Sequence[Act], act_id: str, given: ActRevision) -> list[Act]:
    """Actions, one of them with what is given: all of it but `details`, of which those stay that aren't named."""
    revised: list[Act] = []
    for act in acts:
        revision: Any = {**given, "details": {**details_of(act), **details_of(given)}} if act["id"] == act_id else {}
        revised.append({**act, **revision})
    return revised


@dataclass(frozen=True, slots=True)
class Held:
    """An open change, which was read with its order and what it is of, and what is to be written with it."""

    change: Change
    adjusting: list[Act] = field(default_factory=list)
    """Actions that say what promotions take off, to be written after all others."""

    def check(self, acts: Sequence[Act]) -> None:
        """Raises InvalidData if the change can't consist of these actions."""
        KINDS[self.change["change_type"]].check(acts, self.change["subjects"])
        previewed(self.change["order"], acts, iso(utc_now()))


def preview_of(order: Order, change: Change | None) -> PreviewedOrder:
    """An order as it would be with its open change."""
    after = previewed(order, change["actions"] if change is not None else [], iso(utc_now()))
    if change is None:
        after["summary"] = order["summary"]
    return {**after, "order_change": change}


def undoing(order: Order, column: Cause, subjects: Subjects) -> list[Act]:
    """The actions that undo what a return, claim or exchange has done to an order; `column` says which of them it is.

    Raises NotAllowed if some of its items were sent.
    """
    lines = {line["id"]: line for line in order["items"]}
    back, claim = subjects.get("return"), subjects.get("order_claim")
    swap = claim or subjects.get("order_exchange")
    asked_back = back["items"] if back is not None and back["canceled_at"] is None else ()
    acts = [_about("CANCEL_RETURN_ITEM", item["item_id"], item["quantity"]) for item in asked_back]
    if claim is not None:  # lines that weren't sent may have been taken out since
        acts += [_about("REINSTATE_ITEM", item["item_id"], item["quantity"]) for item in claim["claim_items"] if item["item_id"] in lines]
    for item in swap["additional_items"] if swap is not None else ():
        line = lines.get(item["item_id"])
        if line is None:
            continue
        if amount(line["detail"], "fulfilled_quantity") > 0:
            raise NotAllowed("All fulfillments must be canceled before canceling a claim or an exchange")
        acts.append(_about("ITEM_UPDATE", item["item_id"], 0))
    (id,) = (subjects[entity]["id"] for of, entity in SUBJECTS.items() if of == column)
    methods = [method["id"] for method in order["shipping_methods"] if method["detail"].get(column) == id]
    acts += [Act(action="SHIPPING_REMOVE", reference="order_shipping_method", reference_id=id) for id in methods]
    return acts


def _about(action: str, line: str, quantity: Amount) -> Act:
    return {"action": action, "details": {"reference_id": line, "quantity": quantity}}


def check_filled(kind: ChangeKind, acts: Sequence[Act]) -> None:
    """Raises InvalidData if a change lacks the actions that its kind needs."""
    there = {act["action"] for act in acts} & kind.needs
    if (kind.needs - there) if kind.each else (kind.needs and not there):
        raise InvalidData(kind.nothing)


def act_of(change: Change, act_id: str) -> Act:
    """The action of a change with this id. Raises NotFound."""
    for act in change["actions"]:
        if act["id"] == act_id:
            return act
    raise NotFound(f"Order change action with id: {act_id} was not found")
