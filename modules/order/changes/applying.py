"""The next version of an order, or a preview of it, from the order and actions: pure, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from ....commerce.types import Adjustment, Order, Stamps, Summary, TaxLine
from ....core.numbers import difference, total
from ..placing import costs, summary
from ..types import Act
from .actions import ACTIONS, PRICES, Counting, adjusted, amount, details_of, priced_in


class TaxesAndDiscounts(TypedDict):
    """Taxes and discounts of a line or a shipping method."""

    tax_lines: Sequence[TaxLine]
    adjustments: Sequence[Adjustment]


Prices = Mapping[str, TaxesAndDiscounts]
"""Taxes and discounts by the ids of lines and shipping methods."""


def applied(order: Order, acts: Iterable[Act], at: str, prices: Prices | None = None) -> Order:
    """The next version of an order, after the actions in their order. `order` itself isn't changed.

    `prices`: taxes and discounts that were computed for that version; default: those of the lines, as the actions leave them.

    The summary has the order's cost before (`original_order_total`) and now, the credit of this version, and what is left to pay, negative
    where the shop owes: units that are requested back count as owed already. Raises InvalidData if the order doesn't allow one of the
    actions.
    """
    after: Order = {**_done(order, acts, at), "version": order["version"] + 1, "updated_at": at}
    if prices is not None:
        _price(after, prices, at)
    after["items"] = [line for line in after["items"] if amount(line["detail"], "quantity") > 0]
    _number(after, at)
    after["summary"] = _summary(order, after, back=_asked_back(after))
    return after


def previewed(order: Order, acts: Sequence[Act], at: str) -> Order:
    """An order as it would be with these actions, in its present version: each line and shipping method has its actions as `actions`, and
    returned units count once they are received. Raises InvalidData if the order doesn't allow one of the actions."""
    after = _done(order, acts, at)
    after["summary"] = _summary(order, after)
    of: dict[str, list[Act]] = {}
    for act in acts:
        of.setdefault(subject_of(act), []).append(act)
    after["items"] = [{**line, "actions": _shown(of, line)} for line in after["items"]]
    after["shipping_methods"] = [{**method, "actions": _shown(of, method)} for method in after["shipping_methods"]]
    return after


def taken_back(order: Order, acts: Sequence[Act], at: str, version: int, former: Mapping[str, Any]) -> Order:
    """An order without the units that these actions have counted. If they made the order's present version, the result has the number and
    the summary (`former`) of the version before; else it keeps its version."""
    after: Order = {**_copy(order), "updated_at": at}
    for act in reversed(acts):
        action = ACTIONS[act["action"]]
        assert isinstance(action, Counting), f"{action.name} can't be taken back"
        action.taken_back.apply(after, act, at)
    if after["version"] == version:
        after["version"] -= 1
        of_version: Any = {name: former[name] for name in _OF_VERSION if name in former}
        after["summary"] = {**after["summary"], **of_version}
        _number(after, at)
    return after


def repriced(order: Order, prices: Prices, at: str) -> Order:
    """An order with other taxes and discounts, in the same version."""
    after: Order = {**_copy(order), "updated_at": at}
    _price(after, prices, at)
    for line in after["items"]:
        line["adjustments"] = [{**row, "version": after["version"]} for row in line["adjustments"]]
    after["summary"] = _summary(order, after, back=_asked_back(after))
    return after


def _number(after: Order, at: str) -> None:
    """Set the version in every part of an order."""
    for line in after["items"]:
        prices: Any = {name: line.get(name) if line["detail"].get(name) is None else line["detail"].get(name) for name in PRICES}
        line["detail"] |= prices
        line["detail"] |= {"version": after["version"], "updated_at": at}
        line["adjustments"] = [{**row, "version": after["version"]} for row in line["adjustments"]]
    for method in after["shipping_methods"]:
        method["detail"] |= {"version": after["version"], "updated_at": at}
    after["credit_lines"] = [{**line, "version": after["version"]} for line in after["credit_lines"]]


def _price(after: Order, prices: Prices, at: str) -> None:
    new: Stamps = {"created_at": at, "updated_at": at, "deleted_at": None}
    for line in priced_in(after):
        price = prices.get(line["id"])
        if price is not None:
            line["tax_lines"] = [{**new, **row, "rate": amount(row, "rate")} for row in price["tax_lines"]]
            line["adjustments"] = adjusted(line, price["adjustments"], after["version"], at)


def subject_of(act: Act) -> str:
    """The id of the line or shipping method that an action changes, or else its `reference_id`."""
    line = act.get("line")
    return str(line["id"] if line is not None else details_of(act).get("reference_id") or act.get("reference_id"))


def _shown(of: Mapping[str, list[Act]], line: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The actions on a line."""
    shown: list[Any] = of.get(line["id"]) or []
    return shown


def _done(order: Order, acts: Iterable[Act], at: str) -> Order:
    after = _copy(order)
    for act in acts:
        action = ACTIONS[act["action"]]
        action.check(after, act)
        action.apply(after, act, at)
    return after


def _copy(order: Order) -> Order:
    """A copy of the order, with copies of its lines, shipping methods and details."""
    return {
        **order,
        "items": [{**line, "detail": line["detail"].copy()} for line in order["items"]],
        "shipping_methods": [{**method, "detail": method["detail"].copy()} for method in order["shipping_methods"]],
    }


def _asked_back(after: Order) -> Decimal:
    """The cost of the units that are requested back."""
    lines = [line for line in after["items"] if amount(line["detail"], "return_requested_quantity") > 0]
    if not lines:
        return Decimal(0)
    without = [
        {**line, "detail": {**line["detail"], "return_received_quantity": total([amount(line["detail"], name) for name in _BACK])}}
        for line in after["items"]
    ]
    return difference(costs(after)[0], costs({**after, "items": without})[0])


_OF_VERSION = ("original_order_total", "raw_original_order_total", "credit_line_total", "raw_credit_line_total")
"""The fields of a summary that compare a version with the one before."""
_BACK = ("return_requested_quantity", "return_received_quantity")


def _summary(order: Order, after: Order, *, back: Decimal = Decimal(0)) -> Summary:
    """The summary of a changed order. `back`: the part of its cost that isn't to be paid any more."""
    cost, credit = costs(after)
    credited = difference(credit, *(amount(line, "amount") for line in order["credit_lines"]))
    former = order["summary"]
    paid, refunded = Decimal(former["paid_total"]), Decimal(former["refunded_total"])
    pending = difference(cost, back, difference(paid, refunded))
    return summary(cost, credited, paid, refunded, original=Decimal(former["current_order_total"]), pending=pending)
