"""What an order has to be after each thing that is done to it, worked out another way than the shop does: in fractions, from what was done.

It knows no statement and no document: units of lines, money that moved, and goods at locations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any


class Refused(Exception):
    """The contract doesn't allow it: nothing may change."""


Part = tuple[str, int]
"""An inventory item, and how many of it one unit takes."""


@dataclass
class Line:
    id: str
    parts: tuple[Part, ...]
    waits: bool
    """Whether it may be sold before it is there."""
    price: Fraction
    quantity: int
    inclusive: bool
    off: Fraction = Fraction(0)
    """What promotions take off it, taxes included."""
    added_by: str | None = None
    fulfilled: int = 0
    shipped: int = 0
    delivered: int = 0
    asked: int = 0
    received: int = 0
    dismissed: int = 0
    written_off: int = 0

    @property
    def unsent(self) -> int:
        return self.quantity - self.fulfilled


@dataclass
class Method:
    amount: Fraction
    inclusive: bool
    added_by: str | None = None
    brings: str | None = None
    """The return that comes back by it."""


@dataclass
class Act:
    """One thing that an open change does: what, to which line, how often."""

    id: str
    name: str
    line: str = ""
    quantity: int = 0
    price: Fraction | None = None
    new: Line | Method | None = None


@dataclass
class Change:
    kind: str
    thing: str
    """Id of the return, claim or exchange; of an edit the order's."""
    acts: list[Act] = field(default_factory=list)
    over: bool = False
    """Whether that thing is called off: nothing more is said of it, and it isn't confirmed."""

    def check(self) -> None:
        if self.over:
            raise Refused


@dataclass
class Back:
    """What was asked back, by a return or by that of a claim or an exchange."""

    id: str
    location: str
    asked: Counter[str] = field(default_factory=Counter)
    come: Counter[str] = field(default_factory=Counter)
    label: str | None = None
    """The fulfillment that brings it, while it isn't called off."""
    canceled: bool = False


@dataclass
class Thing:
    """A claim or an exchange that was confirmed."""

    id: str
    kind: str
    claimed: Counter[str] = field(default_factory=Counter)
    back: str | None = None
    canceled: bool = False


@dataclass
class Box:
    quantities: dict[str, int]
    location: str
    shipped: bool = False
    delivered: bool = False
    canceled: bool = False


@dataclass
class Payment:
    amount: Fraction
    captured: Fraction = Fraction(0)
    refunded: Fraction = Fraction(0)
    canceled: bool = False


Levels = dict[tuple[str, str], int]
"""Goods by inventory item and location."""


@dataclass
class OrderModel:
    rate: Fraction
    decimals: int
    lines: dict[str, Line]
    methods: dict[str, Method]
    payments: dict[str, Payment]
    stock: Levels
    version: int = 1
    credits: Fraction = Fraction(0)
    canceled: bool = False
    change: Change | None = None
    boxes: dict[str, Box] = field(default_factory=dict)
    backs: dict[str, Back] = field(default_factory=dict)
    things: dict[str, Thing] = field(default_factory=dict)

    # -- money

    def gross(self, amount: Fraction, inclusive: bool) -> Fraction:
        return amount if inclusive else amount * (1 + self.rate)

    def total(self, *, asked: bool = False) -> Fraction:
        """What it costs; `asked`: without what is asked back and not here yet."""
        sum = Fraction(0)
        for line in self.lines.values():
            if line.quantity:
                gone = line.received + line.dismissed + (line.asked if asked else 0)
                whole = self.gross(line.price * line.quantity, line.inclusive) - line.off
                assert whole >= 0, "a line costs less than nothing"
                sum += whole * (line.quantity - gone) / line.quantity
        sum += Fraction(0) + _sum(self.gross(method.amount, method.inclusive) for method in self.methods.values())
        return self.rounded(sum - self.credits)

    def rounded(self, amount: Fraction) -> Fraction:
        """In the currency's decimals, halves away from zero."""
        unit = 10**self.decimals
        return Fraction(floor(abs(amount) * unit + Fraction(1, 2)), unit) * (1 if amount >= 0 else -1)

    @property
    def paid(self) -> Fraction:
        return _sum(payment.captured for payment in self.payments.values())

    @property
    def refunded(self) -> Fraction:
        return _sum(payment.refunded for payment in self.payments.values())

    @property
    def pending(self) -> Fraction:
        """What is left to pay; below zero: to give back."""
        return self.total(asked=True) - (self.paid - self.refunded)

    @property
    def held(self) -> Fraction:
        return _sum(each.amount - each.captured for each in self.payments.values() if not each.canceled)

    @property
    def owed(self) -> Fraction:
        """What somebody has to be asked for."""
        return Fraction(0) if self.canceled else max(self.pending - self.held, Fraction(0))

    def capture(self, id: str, amount: Fraction) -> None:
        payment = self.payments[id]
        if payment.canceled or not 0 < amount <= payment.amount - payment.captured:
            raise Refused
        payment.captured += amount

    def refund(self, id: str, amount: Fraction) -> None:
        """What is given back beyond what the shop owes makes the order cheaper."""
        payment = self.payments[id]
        if not 0 < amount <= payment.captured - payment.refunded:
            raise Refused
        beyond = amount - max(-self.pending, Fraction(0))
        payment.refunded += amount
        if beyond > 0:
            self.credits += beyond
            self.version += 1

    def credit(self, amount: Fraction) -> None:
        self.check_alive()
        if not amount or (self.pending < 0) != (amount < 0) or abs(amount) > abs(self.pending):
            raise Refused
        self.credits += amount
        self.version += 1

    # -- goods

    def reserved(self, line: Line) -> Counter[str]:
        return Counter({item: 0 if self.canceled else line.unsent * times for item, times in line.parts if line.unsent * times})

    def reserved_of(self, item: str) -> int:
        return sum(self.reserved(line)[item] for line in self.lines.values())

    def send(self, quantities: dict[str, int], location: str, held: Counter[tuple[str, str, str]]) -> None:
        """Into a box. `held`: what is reserved by line, item and location."""
        self.check_alive()
        levels = set(self.stock)
        reserved: Counter[tuple[str, str]] = Counter()
        for (_, item, place), quantity in held.items():
            reserved[item, place] += quantity
        moved: Counter[str] = Counter()
        """What is reserved at another place and has to be there."""
        for id, quantity in quantities.items():
            line = self.lines[id]
            if not 0 < quantity <= line.unsent or any((item, location) not in levels for item, _ in line.parts):
                raise Refused
            for item, times in () if line.waits else line.parts:
                moved[item] += max(quantity * times - held[id, item, location], 0)
        if any(count > self.stock[item, location] - reserved[item, location] for item, count in moved.items() if count):
            raise Refused
        for id, quantity in quantities.items():
            self.lines[id].fulfilled += quantity
            for item, times in self.lines[id].parts:
                self.stock[item, location] -= quantity * times
        self.version += 1

    def ship(self, box: Box) -> None:
        self.check_alive()
        if box.shipped or box.canceled:
            raise Refused
        for id, quantity in box.quantities.items():
            self.lines[id].shipped += quantity
        box.shipped = True
        self.version += 1

    def deliver(self, box: Box) -> None:
        self.check_alive()
        if box.delivered or box.canceled:
            raise Refused
        for id, quantity in box.quantities.items():
            self.lines[id].delivered += quantity
        box.delivered = True
        self.version += 1

    def unpack(self, box: Box) -> None:
        """Call a box off of which nothing is asked back."""
        if box.shipped or box.delivered or box.canceled:
            raise Refused
        for id, quantity in box.quantities.items():
            line = self.lines[id]
            if line.fulfilled - quantity < line.asked + line.received + line.dismissed:
                raise Refused
        for id, quantity in box.quantities.items():
            self.lines[id].fulfilled -= quantity
            for item, times in self.lines[id].parts:
                self.stock[item, box.location] += quantity * times
        box.canceled = True
        self.version += 1

    # -- open changes

    def check_alive(self) -> None:
        if self.canceled:
            raise Refused

    def begin(self) -> None:
        self.check_alive()
        if self.change is not None:
            raise Refused

    def previewed(self, acts: Iterable[Act]) -> OrderModel:
        """As it would be."""
        after = deepcopy(self)
        waits = deepcopy(self.backs[self.change.thing]) if self.change is not None and self.change.kind == "receive" else None
        for act in acts:
            after._do(act, waits)
        return after

    def _do(self, act: Act, waits: Back | None) -> None:
        if act.new is not None:
            (self.lines if isinstance(act.new, Line) else self.methods)[act.line] = deepcopy(act.new)  # type: ignore[index]
            return
        if act.line not in self.lines:
            raise Refused
        line, quantity = self.lines[act.line], act.quantity
        match act.name:
            case "ask" if 0 < quantity <= line.fulfilled - line.asked - line.received - line.dismissed:
                line.asked += quantity
            case "receive" | "dismiss" if waits is not None and 0 < quantity <= min(line.asked, waits.asked[line.id] - waits.come[line.id]):
                waits.come[line.id] += quantity
                line.asked -= quantity
                if act.name == "receive":
                    line.received += quantity
                else:
                    line.dismissed += quantity
                    line.written_off += quantity
            case "claim" if 0 < quantity <= line.quantity - line.written_off:
                line.written_off += quantity
            case "update" if quantity >= line.fulfilled:
                line.quantity = quantity
                line.price = line.price if act.price is None else act.price
                line.off = min(line.off, self.gross(line.price * quantity, line.inclusive))
            case _:
                raise Refused

    def confirm(self, available: Counter[str]) -> OrderModel:
        """What it is once the open change is confirmed. `available`: of each inventory item, anywhere it is sold from."""
        self.check_alive()
        assert self.change is not None
        self.change.check()
        names = {act.name for act in self.change.acts}
        needs = {"return": {"ask"}, "receive": {"receive", "dismiss"}, "claim": {"claim", "ask", "add"}}
        if (self.change.kind == "exchange" and not {"ask", "add"} <= names) or (
            self.change.kind in needs and not needs[self.change.kind] & names
        ):
            raise Refused
        after = self.previewed(self.change.acts)
        more: Counter[str] = Counter()
        for line in after.lines.values():
            former = self.lines.get(line.id)
            for item, times in () if line.waits else line.parts:
                more[item] += max(line.unsent - (former.unsent if former is not None else 0), 0) * times
        if self.change.kind in ("edit", "claim", "exchange") and any(more[item] > available[item] for item in more):
            raise Refused
        after.lines = {id: line for id, line in after.lines.items() if line.quantity > 0}
        after.version += 1
        after.change = None
        return after

    def call_off(self, thing: Thing | None, back: Back | None) -> None:
        self.check_alive()
        if thing.canceled if thing is not None else back is None or back.canceled:
            raise Refused
        if back is not None and (back.label is not None or any(back.come.values())):
            raise Refused
        added = {id for id, line in self.lines.items() if thing is not None and line.added_by == thing.id}
        if any(self.lines[id].fulfilled for id in added):
            raise Refused
        if back is not None and not back.canceled:
            for id, quantity in back.asked.items():
                self.lines[id].asked -= quantity
            back.canceled = True
            if self.change is not None and self.change.thing == back.id:
                self.change.over = True
            self.methods = {id: method for id, method in self.methods.items() if method.brings != back.id}
        if thing is not None:
            for id, quantity in thing.claimed.items():
                if id in self.lines:
                    self.lines[id].written_off -= quantity
            thing.canceled = True
            self.lines = {id: line for id, line in self.lines.items() if id not in added}
            self.methods = {id: method for id, method in self.methods.items() if method.added_by != thing.id}
        self.version += 1

    def cancel(self) -> None:
        self.check_alive()
        if any(not box.canceled for box in self.boxes.values()) or any(line.fulfilled for line in self.lines.values()):
            raise Refused
        for id in sorted(self.payments):
            payment = self.payments[id]
            if payment.captured > payment.refunded:
                self.refund(id, payment.captured - payment.refunded)
            elif not payment.captured:
                payment.canceled = True
        self.canceled = True

    # -- how far it is

    @property
    def fulfillment_status(self) -> str:
        alive = [box for box in self.boxes.values() if not box.canceled]
        if not alive:
            return "canceled" if self.boxes else "not_fulfilled"
        stages = ["delivered" if box.delivered else "shipped" if box.shipped else "fulfilled" for box in alive]
        furthest = max(stages, key=["fulfilled", "shipped", "delivered"].index)
        whole = set(stages) == {furthest} and all(line.unsent <= 0 for line in self.lines.values())
        return furthest if whole else f"partially_{furthest}"


def _sum(amounts: Iterable[Fraction]) -> Fraction:
    return sum(amounts, Fraction(0))


def exact(amount: Any) -> Fraction:
    """An amount as answers or rows have it."""
    return Fraction(Decimal(str(amount or 0)))
