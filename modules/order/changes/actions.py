"""What can be done to an order: each action by its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ....core.errors import InvalidData
from ....core.ids import new_id
from ....core.numbers import difference, plain, total
from ....core.rows import Row

Act = Mapping[str, Any]
"""One action of a change, as `order_change_action` keeps it: `action`, `details`, `amount`, `reference`, `reference_id`."""


class Action(ABC):
    """One kind of thing that is done to orders. It works on an order that `applied` has copied: on its lines and what they count."""

    name: str

    @abstractmethod
    def check(self, order: Row, act: Act) -> None:
        """Raises InvalidData where the order doesn't allow it."""

    @abstractmethod
    def apply(self, order: Row, act: Act, at: str) -> None:
        """Do it, at that time."""


@dataclass(frozen=True, slots=True)
class Counting(Action):
    """Counts units of a line (`details`: `reference_id`, `quantity`) to what has happened to it, or takes them back."""

    name: str
    refusal: str
    """What is said where there aren't so many: `{item}` is the line's id."""
    of: str
    """What they are units of: a column of the line's detail."""
    but: tuple[str, ...] = ()
    """Those of them that are counted elsewhere already."""
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()

    def check(self, order: Row, act: Act) -> None:
        line, quantity = line_of(order, act), quantity_of(act)
        detail = line["detail"]
        if quantity > difference(amount(detail, self.of), *(amount(detail, name) for name in self.but)):
            raise InvalidData(self.refusal.format(item=line["id"]))

    def apply(self, order: Row, act: Act, at: str) -> None:
        detail, quantity = line_of(order, act)["detail"], quantity_of(act)
        for name in self.more:
            detail[name] = plain(total([amount(detail, name), quantity]))
        for name in self.less:
            detail[name] = plain(difference(amount(detail, name), quantity))

    @property
    def taken_back(self) -> Counting:
        """The action that counts them back."""
        return Counting(self.name, self.refusal, self.more[0] if self.more else self.of, more=self.less, less=self.more)


class AddCreditLine(Action):
    """Makes the order cheaper by an `amount`, for the sake of the act's `reference`."""

    name = "CREDIT_LINE_ADD"

    def check(self, order: Row, act: Act) -> None:
        if act.get("amount") is None:
            raise InvalidData("A credit line needs an amount")

    def apply(self, order: Row, act: Act, at: str) -> None:
        cause = {name: act.get(name) for name in ("reference", "reference_id")}
        line = {"id": new_id("ordcl"), **cause, "amount": Decimal(act["amount"]), "metadata": {"created_in_version": order["version"]}}
        order["credit_lines"] = [*order["credit_lines"], {**line, "created_at": at, "updated_at": at}]


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
        AddCreditLine(),
    )
}


def line_of(order: Mapping[str, Any], act: Act) -> Row:
    """The line that an act is about. Raises InvalidData where the order has none such."""
    id = act["details"]["reference_id"]
    for line in order["items"]:
        if line["id"] == id:
            found: Row = line
            return found
    raise InvalidData(f"Items with ids {id} does not exist in order with id {order['id']}.")


def quantity_of(act: Act) -> Decimal:
    """How many units an act is about. Raises InvalidData where that isn't above zero."""
    details = act["details"]
    quantity = amount(details, "quantity")
    if quantity <= 0:
        raise InvalidData(f"Quantity of item {details['reference_id']} has to be above zero.")
    return quantity


def amount(row: Mapping[str, Any], name: str) -> Decimal:
    """A figure of a row, exact; what is missing counts as none."""
    value = row.get(name)
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))
