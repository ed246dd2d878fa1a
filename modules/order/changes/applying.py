"""From an order and actions to the order's next version, and to a preview of it: pure, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ....core.numbers import difference, total
from ....core.rows import Row
from ..placing import costs, summary
from .actions import ACTIONS, PRICES, Act, Counting, adjusted, amount, details_of

Prices = Mapping[str, Mapping[str, Sequence[Row]]]
"""What lines and shipping methods are to be taxed by, and what is taken off them: by their ids, `tax_lines` and `adjustments`."""


def applied(order: Mapping[str, Any], acts: Iterable[Act], at: str, prices: Prices | None = None) -> Row:
    """The next version of an order: what it is once all of this is done, one after the other. `order` stays as it is.

    `prices`: taxes and discounts that were worked out for that version; default: what lines have, and what actions say.

    Its summary says what it cost before (`original_order_total`), what it costs now, what of that was credited by this version, and what is
    left to pay, negative where the shop owes: what is asked to be sent back counts as owed already. Raises InvalidData where the order
    doesn't allow one of them.
    """
    after = {**_done(order, acts, at), "version": order["version"] + 1, "updated_at": at}
    if prices is not None:
        _price(after, prices, at)
    after["items"] = [line for line in after["items"] if amount(line["detail"], "quantity") > 0]
    _number(after, at)
    after["summary"] = _summary(order, after, back=_asked_back(after))
    return after


def previewed(order: Mapping[str, Any], acts: Sequence[Act], at: str) -> Row:
    """An order as it would be with these actions, in the version that it has: each line and shipping method names its own as `actions`, and
    what comes back counts once it is received. Raises InvalidData where the order doesn't allow one of them."""
    after = _done(order, acts, at)
    if acts:
        after["summary"] = _summary(order, after)
    of: dict[str, list[Act]] = {}
    for act in acts:
        of.setdefault(subject_of(act), []).append(act)
    for kind in ("items", "shipping_methods"):
        after[kind] = [{**line, "actions": of.get(line["id"], [])} for line in after[kind]]
    return after


def taken_back(order: Mapping[str, Any], acts: Sequence[Act], at: str, version: int, former: Mapping[str, Any]) -> Row:
    """An order without what these actions have counted; in the version before that one where they were the last thing that changed it, and
    else in the same. `former`: that version's summary, for what is counted from one version to the next."""
    after = {**_copy(order), "updated_at": at}
    for act in reversed(acts):
        action = ACTIONS[act["action"]]
        assert isinstance(action, Counting), f"{action.name} can't be taken back"
        action.taken_back.apply(after, act, at)
    if after["version"] == version:
        after["version"] -= 1
        after["summary"] = {**after["summary"], **{name: former[name] for name in _OF_VERSION if name in former}}
        _number(after, at)
    return after


def repriced(order: Mapping[str, Any], prices: Prices, at: str) -> Row:
    """An order with other taxes and discounts, in the same version."""
    after = {**_copy(order), "updated_at": at}
    _price(after, prices, at)
    for line in after["items"]:
        line["adjustments"] = [{**row, "version": after["version"]} for row in line["adjustments"]]
    after["summary"] = _summary(order, after, back=_asked_back(after))
    return after


def _number(after: Row, at: str) -> None:
    """Say in all of an order which version of it this is."""
    for line in after["items"]:
        prices = {name: line.get(name) if line["detail"].get(name) is None else line["detail"][name] for name in PRICES}
        line["detail"] |= {**prices, "version": after["version"], "updated_at": at}
        line["adjustments"] = [{**row, "version": after["version"]} for row in line["adjustments"]]
    for method in after["shipping_methods"]:
        method["detail"] |= {"version": after["version"], "updated_at": at}
    after["credit_lines"] = [{**line, "version": after["version"]} for line in after["credit_lines"]]


def _price(after: Row, prices: Prices, at: str) -> None:
    new: Row = {"created_at": at, "updated_at": at, "deleted_at": None}
    for line in (*after["items"], *after["shipping_methods"]):
        price = prices.get(line["id"])
        if price is not None:
            line["tax_lines"] = [{**new, **row, "rate": amount(row, "rate")} for row in price["tax_lines"]]
            rows = [{**row, "amount": amount(row, "amount")} for row in price["adjustments"]]
            line["adjustments"] = adjusted(line, rows, after["version"], at)


def subject_of(act: Act) -> str:
    """The line or shipping method that an act is about; of another one what it was done for."""
    return str(act["line"]["id"] if act.get("line") else details_of(act).get("reference_id") or act.get("reference_id"))


def _done(order: Mapping[str, Any], acts: Iterable[Act], at: str) -> Row:
    after = _copy(order)
    for act in acts:
        action = ACTIONS[act["action"]]
        action.check(after, act)
        action.apply(after, act, at)
    return after


def _copy(order: Mapping[str, Any]) -> Row:
    """The order, with lines and details of its own."""
    owned = {kind: [{**line, "detail": dict(line["detail"])} for line in order[kind]] for kind in ("items", "shipping_methods")}
    return {**order, **owned}


def _asked_back(after: Row) -> Decimal:
    """What costs that is asked to be sent back."""
    lines = [line for line in after["items"] if amount(line["detail"], "return_requested_quantity") > 0]
    if not lines:
        return Decimal(0)
    without = [
        {**line, "detail": {**line["detail"], "return_received_quantity": total([amount(line["detail"], name) for name in _BACK])}}
        for line in after["items"]
    ]
    return difference(costs(after)[0], costs({**after, "items": without})[0])


_OF_VERSION = ("original_order_total", "raw_original_order_total", "credit_line_total", "raw_credit_line_total")
"""Of a summary, what says what changed with the version."""
_BACK = ("return_requested_quantity", "return_received_quantity")


def _summary(order: Mapping[str, Any], after: Row, *, back: Decimal = Decimal(0)) -> Row:
    """`back`: what of its cost isn't to be paid any more."""
    cost, credit = costs(after)
    credited = difference(credit, *(line["amount"] for line in order["credit_lines"]))
    former = order["summary"]
    paid, refunded = (Decimal(former[name]) for name in ("paid_total", "refunded_total"))
    before = summary(Decimal(former["current_order_total"]), credited, paid, refunded)
    pending = summary(difference(cost, back), credited, paid, refunded)
    kept = {name: before[name] for name in ("original_order_total", "raw_original_order_total")}
    kept |= {name: pending[name] for name in ("pending_difference", "raw_pending_difference")}
    return summary(cost, credited, paid, refunded) | kept
