"""The actions of changes: how each kind checks an order, and changes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from ....commerce.totals import FINE, in_measure
from ....commerce.types import Adjustment, CreditLine, Order, OrderLine, OrderShippingMethod, Stamps
from ....core.errors import InvalidData
from ....core.ids import new_id
from ....core.numbers import EXACT, difference, nearest, plain, total
from ....core.rows import Row
from ..types import Act, ActDetails, ActRevision, Cause

BELOW = ("tax_lines", "adjustments")
PRICES = ("unit_price", "compare_at_unit_price")
CAUSES: tuple[Cause, ...] = ("return_id", "claim_id", "exchange_id")
"""The columns that name the return, claim or exchange to which a change, a line or a shipping method belongs."""
ADJUSTING = ("ITEM_ADJUSTMENTS_REPLACE", "SHIPPING_ADJUSTMENTS_REPLACE")
"""The actions that replace the discounts of lines, and of shipping methods."""
Counted = Literal[
    "quantity",
    "fulfilled_quantity",
    "delivered_quantity",
    "shipped_quantity",
    "return_requested_quantity",
    "return_received_quantity",
    "return_dismissed_quantity",
    "written_off_quantity",
]
"""The columns of a line's detail that count its units."""
Priced = OrderLine | OrderShippingMethod


class Action(ABC):
    """One kind of action. It works on a copy of the order, which `applied` has made."""

    name: str

    @abstractmethod
    def check(self, order: Order, act: Act) -> None:
        """Raises InvalidData if the order doesn't allow the action."""

    @abstractmethod
    def apply(self, order: Order, act: Act, at: str) -> None:
        """Change the order. `at`: the time, for its timestamps."""


@dataclass(frozen=True, slots=True)
class Counting(Action):
    """Adds units of a line (`details`: `reference_id`, `quantity`) to columns of its detail, and subtracts them from others."""

    name: str
    refusal: str
    """The message if there are fewer units; `{item}` is the line's id."""
    of: Counted
    """The column that limits the units,"""
    but: tuple[Counted, ...] = ()
    """minus these columns."""
    more: tuple[Counted, ...] = ()
    """The columns that rise."""
    less: tuple[Counted, ...] = ()
    """The columns that fall."""

    def check(self, order: Order, act: Act) -> None:
        line, quantity = line_of(order, act), quantity_of(act)
        detail = line["detail"]
        if quantity > difference(amount(detail, self.of), *(amount(detail, name) for name in self.but)):
            raise InvalidData(self.refusal.format(item=line["id"]))

    def apply(self, order: Order, act: Act, at: str) -> None:
        detail, quantity = line_of(order, act)["detail"], quantity_of(act)
        for name in self.more:
            detail[name] = plain(total([amount(detail, name), quantity]))
        for name in self.less:
            detail[name] = plain(difference(amount(detail, name), quantity))

    @property
    def taken_back(self) -> Counting:
        """The action that undoes this one."""
        return Counting(self.name, self.refusal, self.more[0] if self.more else self.of, more=self.less, less=self.more)


@dataclass(frozen=True, slots=True)
class Adding(Action):
    """Adds a line or a shipping method to the order: the action's `line`. Its `detail` names the return, claim or exchange
    it belongs to."""

    name: str
    into: Literal["items", "shipping_methods"]

    def check(self, order: Order, act: Act) -> None:
        id = line_in(act)["id"]
        if any(line["id"] == id for line in order[self.into]):
            raise InvalidData(f"{id} is in order {order['id']} already")

    def apply(self, order: Order, act: Act, at: str) -> None:
        line: Any = stamped(line_in(act), at)
        line["detail"] |= {name: act.get(name) for name in CAUSES}
        order[self.into] = [*order[self.into], line]


class UpdateLine(Action):
    """Sets a line's `quantity`, and its prices if they are given. The next version of the order leaves lines of quantity 0 out."""

    name = "ITEM_UPDATE"

    def check(self, order: Order, act: Act) -> None:
        line, quantity = line_of(order, act), amount(act["details"], "quantity")
        sent = amount(line["detail"], "fulfilled_quantity")
        if quantity < sent:
            raise InvalidData(f"Item {line['id']} has already been fulfilled and quantity cannot be lower than {sent:f}.")
        if quantity != quantity.to_integral_value():
            raise InvalidData(f"The quantity of item {line['id']} has to be a whole number")

    def apply(self, order: Order, act: Act, at: str) -> None:
        line, details = line_of(order, act), act["details"]
        prices: Any = {name: amount(details, name) for name in PRICES if details.get(name) is not None}
        quantity = amount(details, "quantity")
        line |= prices
        line |= {"quantity": quantity, "updated_at": at}
        line["detail"] |= prices
        line["detail"]["quantity"] = quantity
        line["adjustments"] = _within(line, amount(line, "unit_price") * quantity)


class RemoveShipping(Action):
    """Removes a shipping method from the order: the action's `reference_id`."""

    name = "SHIPPING_REMOVE"

    def check(self, order: Order, act: Act) -> None:
        if all(method["id"] != act["reference_id"] for method in order["shipping_methods"]):
            raise InvalidData(f"Order {order['id']} has no shipping method {act['reference_id']}")

    def apply(self, order: Order, act: Act, at: str) -> None:
        order["shipping_methods"] = [method for method in order["shipping_methods"] if method["id"] != act["reference_id"]]


class UpdateShipping(RemoveShipping):
    """Sets the `amount` of a shipping method of the order by hand."""

    name = "SHIPPING_UPDATE"

    def apply(self, order: Order, act: Act, at: str) -> None:
        for method in order["shipping_methods"]:
            if method["id"] == act["reference_id"]:
                method |= {"amount": amount(act, "amount"), "is_custom_amount": True, "updated_at": at}
                method["adjustments"] = _within(method, amount(method, "amount"))


@dataclass(frozen=True, slots=True)
class Adjust(Action):
    """Replaces the discounts of a line or a shipping method (`details`: `reference_id`, `adjustments`). A line that the order doesn't have
    any more is passed over: discounts are computed again after each action."""

    name: str

    def check(self, order: Order, act: Act) -> None: ...

    def apply(self, order: Order, act: Act, at: str) -> None:
        for line in priced_in(order):
            if line["id"] == act["details"]["reference_id"]:
                line["adjustments"] = adjusted(line, act["details"]["adjustments"], order["version"], at)


@dataclass(frozen=True, slots=True)
class Promote(Action):
    """Adds a promotion to the order (the action's `reference_id`), or removes it. `Adjust` sets the discounts that follow."""

    name: str

    def check(self, order: Order, act: Act) -> None: ...

    def apply(self, order: Order, act: Act, at: str) -> None: ...


class TransferCustomer(Action):
    """Transfers the order to another customer (the action's `reference_id`), and sets its email to `new_email` of the details, if given."""

    name = "TRANSFER_CUSTOMER"

    def check(self, order: Order, act: Act) -> None:
        if not act.get("reference_id"):
            raise InvalidData("A transfer needs a customer")

    def apply(self, order: Order, act: Act, at: str) -> None:
        order["customer_id"] = act["reference_id"]
        email = details_of(act).get("new_email")
        if email is not None:
            order["email"] = email


def adjusted(line: Priced, rows: Iterable[Adjustment], version: int, at: str) -> list[Adjustment]:
    """The discounts of a line in a version of its order. Discounts that the line has already stay as they are."""
    there = {row["id"]: row for row in line["adjustments"]}
    stamps: Stamps = {"created_at": at, "updated_at": at, "deleted_at": None}
    return [there.get(row["id"]) or {**row, **stamps, "amount": amount(row, "amount"), "version": version} for row in rows]


def _within(line: Priced, price: Decimal) -> list[Adjustment]:
    """The discounts of a line or a shipping method that together don't exceed its price: if they do, each is reduced by the same share.

    The price may include taxes where a discount doesn't, and the other way round.
    """
    rate, inclusive = total(row["rate"] for row in line["tax_lines"]) / 100, bool(line["is_tax_inclusive"])
    taken = [in_measure(amount(row, "amount"), bool(row.get("is_tax_inclusive")), inclusive, rate) for row in line["adjustments"]]
    off = total(taken)
    if off <= price:
        return line["adjustments"]
    reduced = (EXACT.divide(EXACT.multiply(row["amount"], price), off) for row in line["adjustments"])
    return [{**row, "amount": plain(nearest(each, _FINE))} for row, each in zip(line["adjustments"], reduced, strict=True)]


_FINE = Decimal(1).scaleb(-FINE)


class AddCreditLine(Action):
    """Adds a credit line over an `amount`, with the action's `reference` as its cause."""

    name = "CREDIT_LINE_ADD"

    def check(self, order: Order, act: Act) -> None:
        if act.get("amount") is None:
            raise InvalidData("A credit line needs an amount")

    def apply(self, order: Order, act: Act, at: str) -> None:
        line: CreditLine = {
            "id": new_id("ordcl"),
            "reference": act.get("reference"),
            "reference_id": act.get("reference_id"),
            "amount": amount(act, "amount"),
            "metadata": {"created_in_version": order["version"] + 1},
            "created_at": at,
            "updated_at": at,
        }
        order["credit_lines"] = [*order["credit_lines"], line]


ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        Counting(
            "FULFILL_ITEM",
            "Cannot fulfill more items than what was ordered for item {item}.",
            of="quantity",
            but=("fulfilled_quantity",),
            more=("fulfilled_quantity",),
        ),
        Counting(
            "CANCEL_ITEM_FULFILLMENT",
            "Cannot cancel more items than what was fulfilled for item {item}.",
            of="fulfilled_quantity",
            less=("fulfilled_quantity",),
        ),
        Counting(
            "SHIP_ITEM",
            "Cannot ship more items than what was fulfilled for item {item}.",
            of="fulfilled_quantity",
            but=("shipped_quantity",),
            more=("shipped_quantity",),
        ),
        Counting(
            "DELIVER_ITEM",
            "Cannot deliver more items than what was fulfilled for item {item}.",
            of="fulfilled_quantity",
            but=("delivered_quantity",),
            more=("delivered_quantity",),
        ),
        Counting(
            "RETURN_ITEM",
            "Cannot request to return more items than what was fulfilled for item {item}.",
            of="fulfilled_quantity",
            but=("return_requested_quantity", "return_received_quantity", "return_dismissed_quantity"),
            more=("return_requested_quantity",),
        ),
        Counting(
            "CANCEL_RETURN_ITEM",
            "Cannot cancel more items than what was requested to return for item {item}.",
            of="return_requested_quantity",
            less=("return_requested_quantity",),
        ),
        Counting(
            "RECEIVE_RETURN_ITEM",
            "Cannot receive more items than what was requested to be returned for item {item}.",
            of="return_requested_quantity",
            more=("return_received_quantity",),
            less=("return_requested_quantity",),
        ),
        Counting(
            "RECEIVE_DAMAGED_RETURN_ITEM",
            "Cannot receive more items than what was requested to be returned for item {item}.",
            of="return_requested_quantity",
            more=("return_dismissed_quantity", "written_off_quantity"),
            less=("return_requested_quantity",),
        ),
        Counting(
            "WRITE_OFF_ITEM",
            "Cannot claim more items than what was ordered.",
            of="quantity",
            but=("written_off_quantity",),
            more=("written_off_quantity",),
        ),
        Counting(
            "REINSTATE_ITEM",
            "Cannot reinstate more items than what was written off for item {item}.",
            of="written_off_quantity",
            less=("written_off_quantity",),
        ),
        Adding("ITEM_ADD", into="items"),
        RemoveShipping(),
        UpdateShipping(),
        *(Adjust(name) for name in ADJUSTING),
        Promote("PROMOTION_ADD"),
        Promote("PROMOTION_REMOVE"),
        UpdateLine(),
        Adding("SHIPPING_ADD", into="shipping_methods"),
        TransferCustomer(),
        AddCreditLine(),
    )
}


def stamped(line: Mapping[str, Any], at: str) -> Row:
    """A copy of a new line or shipping method, with the timestamps of its creation."""
    stamps = {"created_at": at, "updated_at": at}
    below = {name: [{**row, **stamps} for row in line.get(name) or ()] for name in BELOW}
    return {**line, **stamps, **below, "detail": {**dict.fromkeys(CAUSES), **line["detail"], **stamps}}


def priced_in(order: Order) -> list[Priced]:
    """The lines and shipping methods of an order."""
    return [*order["items"], *order["shipping_methods"]]


def line_in(act: Act) -> Priced:
    """The line or shipping method that an action adds."""
    line = act["line"]
    assert line is not None, f"{act['action']} adds a line"
    return line


def line_of(order: Order, act: Act) -> OrderLine:
    """The line that an action changes. Raises InvalidData if the order has no such line."""
    id = act["details"]["reference_id"]
    for line in order["items"]:
        if line["id"] == id:
            return line
    raise InvalidData(f"Items with ids {id} does not exist in order with id {order['id']}.")


def details_of(act: Act | ActRevision) -> ActDetails:
    """The details of an action; empty if it has none."""
    return act.get("details") or ActDetails()


def quantity_of(act: Act) -> Decimal:
    """The quantity of an action. Raises InvalidData if it isn't above zero."""
    details = act["details"]
    quantity = amount(details, "quantity")
    if quantity <= 0:
        raise InvalidData(f"Quantity of item {details['reference_id']} has to be above zero.")
    return quantity


def amount(row: Mapping[str, object], name: str) -> Decimal:
    """An amount or quantity of a row, exact; zero if it is missing or null."""
    value = row.get(name)
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))
