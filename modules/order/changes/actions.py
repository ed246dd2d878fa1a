"""What can be done to an order: each action by its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from ....commerce.types import Adjustment, CreditLine, Order, OrderLine, OrderShippingMethod, Stamps
from ....core.errors import InvalidData
from ....core.ids import new_id
from ....core.numbers import difference, plain, total
from ....core.rows import Row
from ..types import Act, ActDetails, ActRevision, Cause

BELOW = ("tax_lines", "adjustments")
PRICES = ("unit_price", "compare_at_unit_price")
CAUSES: tuple[Cause, ...] = ("return_id", "claim_id", "exchange_id")
"""What may have brought a change about, and what is in an order by it."""
ADJUSTING = ("ITEM_ADJUSTMENTS_REPLACE", "SHIPPING_ADJUSTMENTS_REPLACE")
"""Actions that say what promotions take off of lines, and of shipping methods."""
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
    """One kind of thing that is done to orders. It works on an order that `applied` has copied: on its lines and what they count."""

    name: str

    @abstractmethod
    def check(self, order: Order, act: Act) -> None:
        """Raises InvalidData where the order doesn't allow it."""

    @abstractmethod
    def apply(self, order: Order, act: Act, at: str) -> None:
        """Do it, at that time."""


@dataclass(frozen=True, slots=True)
class Counting(Action):
    """Counts units of a line (`details`: `reference_id`, `quantity`) to what has happened to it, or takes them back."""

    name: str
    refusal: str
    """What is said where there aren't so many: `{item}` is the line's id."""
    of: Counted
    """What they are units of: a column of the line's detail."""
    but: tuple[Counted, ...] = ()
    """Those of them that are counted elsewhere already."""
    more: tuple[Counted, ...] = ()
    less: tuple[Counted, ...] = ()

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
        """The action that counts them back."""
        return Counting(self.name, self.refusal, self.more[0] if self.more else self.of, more=self.less, less=self.more)


@dataclass(frozen=True, slots=True)
class Adding(Action):
    """Puts a line or a shipping method into the order: the act's `line`, all of it. Its `detail` names what brought it."""

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
    """Gives a line another `quantity`, and maybe another `unit_price`. One of which there are none any more goes with the next version."""

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
        line["adjustments"] = _within(line["adjustments"], amount(line, "unit_price") * quantity)


class RemoveShipping(Action):
    """Takes a shipping method out of the order: the act's `reference_id`."""

    name = "SHIPPING_REMOVE"

    def check(self, order: Order, act: Act) -> None:
        if all(method["id"] != act["reference_id"] for method in order["shipping_methods"]):
            raise InvalidData(f"Order {order['id']} has no shipping method {act['reference_id']}")

    def apply(self, order: Order, act: Act, at: str) -> None:
        order["shipping_methods"] = [method for method in order["shipping_methods"] if method["id"] != act["reference_id"]]


class UpdateShipping(RemoveShipping):
    """Gives a shipping method of the order another `amount`, which a merchant has chosen."""

    name = "SHIPPING_UPDATE"

    def apply(self, order: Order, act: Act, at: str) -> None:
        for method in order["shipping_methods"]:
            if method["id"] == act["reference_id"]:
                method |= {"amount": amount(act, "amount"), "is_custom_amount": True, "updated_at": at}
                method["adjustments"] = _within(method["adjustments"], amount(method, "amount"))


@dataclass(frozen=True, slots=True)
class Adjust(Action):
    """Says what promotions take off a line or a shipping method (`details`: `reference_id`, `adjustments`). It doesn't mind one that the
    order has no more: what was worked out before that went is worked out again after it."""

    name: str

    def check(self, order: Order, act: Act) -> None: ...

    def apply(self, order: Order, act: Act, at: str) -> None:
        for line in priced_in(order):
            if line["id"] == act["details"]["reference_id"]:
                line["adjustments"] = adjusted(line, act["details"]["adjustments"], order["version"], at)


@dataclass(frozen=True, slots=True)
class Promote(Action):
    """Enters a promotion (the act's `reference_id`), or takes it away: what it takes off then, `Adjust` says."""

    name: str

    def check(self, order: Order, act: Act) -> None: ...

    def apply(self, order: Order, act: Act, at: str) -> None: ...


class TransferCustomer(Action):
    """Hands the order over to another customer (the act's `reference_id`), with `new_email` of its details where it has one."""

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
    """What is taken off a line, by a version of its order: what was so before stays as it is."""
    there = {row["id"]: row for row in line["adjustments"]}
    stamps: Stamps = {"created_at": at, "updated_at": at, "deleted_at": None}
    return [there.get(row["id"]) or {**row, **stamps, "amount": amount(row, "amount"), "version": version} for row in rows]


def _within(adjustments: list[Adjustment], price: Decimal) -> list[Adjustment]:
    """Discounts that take no more off than there is: each less by the same share."""
    off = total([row["amount"] for row in adjustments])
    if off <= price:
        return adjustments
    return [{**row, "amount": plain(row["amount"] * price / off)} for row in adjustments]


class AddCreditLine(Action):
    """Makes the order cheaper by an `amount`, for the sake of the act's `reference`."""

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
    """A copy of a line or shipping method as it is when it comes into being at that time."""
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
    """The line that an act is about. Raises InvalidData where the order has none such."""
    id = act["details"]["reference_id"]
    for line in order["items"]:
        if line["id"] == id:
            return line
    raise InvalidData(f"Items with ids {id} does not exist in order with id {order['id']}.")


def details_of(act: Act | ActRevision) -> ActDetails:
    """The details of an action, of which it may have none."""
    return act.get("details") or ActDetails()


def quantity_of(act: Act) -> Decimal:
    """How many units an act is about. Raises InvalidData where that isn't above zero."""
    details = act["details"]
    quantity = amount(details, "quantity")
    if quantity <= 0:
        raise InvalidData(f"Quantity of item {details['reference_id']} has to be above zero.")
    return quantity


def amount(row: Mapping[str, object], name: str) -> Decimal:
    """A figure of a row, exact; what is missing counts as none."""
    value = row.get(name)
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))
