"""From an order and actions to the order's next version: pure, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ....core.numbers import difference
from ....core.rows import Row
from ..placing import costs, summary
from .actions import ACTIONS, Act, Counting


def applied(order: Mapping[str, Any], acts: Iterable[Act], at: str) -> Row:
    """The next version of an order: what it is once all of this is done, one after the other. `order` stays as it is.

    Its summary says what it cost before (`original_order_total`), what it costs now, what of that was credited by this version, and what is
    left to pay, negative where the shop owes. Raises InvalidData where the order doesn't allow one of them.
    """
    after = {**_copy(order), "version": order["version"] + 1, "updated_at": at}
    for act in acts:
        action = ACTIONS[act["action"]]
        action.check(after, act)
        action.apply(after, act, at)
    for line in after["items"]:
        prices = {name: line.get(name) if line["detail"].get(name) is None else line["detail"][name] for name in _PRICES}
        line["detail"] |= {**prices, "version": after["version"], "updated_at": at}
    for method in after["shipping_methods"]:
        method["detail"] |= {"version": after["version"], "updated_at": at}
    after["credit_lines"] = [{**line, "version": after["version"]} for line in after["credit_lines"]]
    after["summary"] = _summary(order, after)
    return after


def taken_back(order: Mapping[str, Any], acts: Sequence[Act], at: str) -> Row:
    """An order without what these actions have counted, in the same version."""
    after = {**_copy(order), "updated_at": at}
    for act in reversed(acts):
        action = ACTIONS[act["action"]]
        assert isinstance(action, Counting), f"{action.name} can't be taken back"
        action.taken_back.apply(after, act, at)
    return after


_PRICES = ("unit_price", "compare_at_unit_price")


def _copy(order: Mapping[str, Any]) -> Row:
    """The order, with lines and details of its own."""
    owned = {kind: [{**line, "detail": dict(line["detail"])} for line in order[kind]] for kind in ("items", "shipping_methods")}
    return {**order, **owned}


def _summary(order: Mapping[str, Any], after: Row) -> Row:
    cost, credit = costs(after)
    credited = difference(credit, *(line["amount"] for line in order["credit_lines"]))
    former = order["summary"]
    paid, refunded = (Decimal(former[name]) for name in ("paid_total", "refunded_total"))
    before = summary(Decimal(former["current_order_total"]), credited, paid, refunded)
    original = {name: before[name] for name in ("original_order_total", "raw_original_order_total")}
    return summary(cost, credited, paid, refunded) | original
