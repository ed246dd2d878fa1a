"""Prorating: what can still be taken off a line, and how an amount is split among several, exact to the currency's smallest unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Any, Literal

from ...commerce.money import decimals
from ...commerce.totals import discounts_of, in_measure
from ...core.numbers import total

Kind = Literal["items", "shipping_methods"]

_EXACT = Context(prec=200, rounding=ROUND_HALF_UP)
_ZERO = Decimal(0)


@dataclass(eq=False)
class Target:
    """A line or a shipping method, and what previous discounts have left of its price."""

    kind: Kind
    id: str
    row: Mapping[str, Any]
    quantity: int
    """Units; 1 for a shipping method."""
    subtotal: Decimal
    """Its price without taxes, before discounts."""
    original_total: Decimal
    """Its price with taxes, before discounts."""
    rate: Decimal
    """0.19 where taxes are 19 %."""
    spent: int = 0
    """Units that a buy-x-get-y promotion has used already."""
    _inclusive: Decimal = _ZERO
    _exclusive: Decimal = _ZERO

    def left(self, inclusive: bool) -> Decimal:
        """What can still be taken off it, with or without taxes."""
        without, with_tax = discounts_of(self.subtotal, self.original_total, self.rate, self._exclusive, self._inclusive)
        left, other = _EXACT.subtract(self.original_total, with_tax), _EXACT.subtract(self.subtotal, without)
        if left <= 0 or other <= 0:
            return _ZERO
        return left if inclusive else other

    def left_of(self, units: int, inclusive: bool) -> Decimal:
        """What can still be taken off this many of its units, which have the same price."""
        return self.percent_of(units, Decimal(100), inclusive)

    def percent_of(self, units: int, value: Decimal, inclusive: bool) -> Decimal:
        """A percentage of `left_of`. Divided once, at the end, so that exact halves of a smallest unit stay exact halves."""
        return _EXACT.divide(_EXACT.multiply(_EXACT.multiply(self.left(inclusive), units), value), 100 * self.quantity)

    def take(self, amount: Decimal, inclusive: bool) -> None:
        if inclusive:
            self._inclusive = _EXACT.add(self._inclusive, amount)
        else:
            self._exclusive = _EXACT.add(self._exclusive, amount)

    @property
    def says_taxes(self) -> bool:
        """Whether an adjustment of it can include taxes. Adjustments of shipping methods have no field for that: they are without taxes."""
        return self.kind == "items"

    @property
    def sees_taxes(self) -> bool:
        """Whether the price that the buyer sees includes taxes."""
        return bool(self.row.get("is_tax_inclusive"))

    def measured(self, amount: Decimal, inclusive: bool, wanted: bool) -> Decimal:
        """A discount with taxes or without, converted to the `wanted` form. One that takes all that is left does so in both forms."""
        if inclusive == wanted:
            return amount
        return self.left(wanted) if amount >= self.left(inclusive) else in_measure(amount, inclusive, wanted, self.rate)

    def price(self) -> Decimal:
        """The price of one unit, without taxes, before discounts: units are compared by it."""
        return _EXACT.divide(self.subtotal, self.quantity)


@dataclass(frozen=True, slots=True)
class Share:
    """A line's part in a split: the line, and the most that it can get."""

    target: Target
    most: Decimal


def within(wanted: Decimal, most: Decimal, currency: str) -> Decimal:
    """The discount where `wanted` is promised and at most `most` is left: rounded to the currency's decimals, unless it takes all."""
    return most if wanted >= most else min(most, wanted.quantize(unit(currency), context=_EXACT))


def split(amount: Decimal, shares: Sequence[Share], currency: str) -> list[tuple[Target, Decimal]]:
    """Split an amount in proportion to the shares; together they get exactly the amount, or all there is.

    Each gets its proportion rounded down to the smallest unit. Remaining units go, one each, first to the shares that lost most by
    rounding; of equal ones the larger first, then by id. So the order of lines doesn't matter.
    """
    everything = total(share.most for share in shares)
    if amount >= everything:
        return [(share.target, share.most) for share in shares]
    step = unit(currency)
    exact = {share.target.id: _EXACT.divide(_EXACT.multiply(amount, share.most), everything) for share in shares}
    got = {id: whole(value, currency) for id, value in exact.items()}
    rest = _EXACT.subtract(amount, total(got.values()))
    order = sorted(shares, key=lambda share: (got[share.target.id] - exact[share.target.id], -share.most, share.target.id))
    for least in (step, _ZERO):  # whole units as long as a share can take one
        placed = True
        while rest > 0 and placed:
            placed = False
            for share in order:
                id = share.target.id
                more = min(step, rest, _EXACT.subtract(share.most, got[id]))
                if more > 0 and more >= least:
                    got[id], rest, placed = _EXACT.add(got[id], more), _EXACT.subtract(rest, more), True
    return [(share.target, got[share.target.id]) for share in shares]


def percent(amount: Decimal, value: Decimal) -> Decimal:
    return _EXACT.divide(_EXACT.multiply(amount, value), Decimal(100))


def times(amount: Decimal, count: int) -> Decimal:
    return _EXACT.multiply(amount, count)


def whole(amount: Decimal, currency: str) -> Decimal:
    """An amount rounded down to the smallest unit."""
    return amount.quantize(unit(currency), rounding=ROUND_FLOOR, context=_EXACT)


def less(amount: Decimal, taken: Decimal) -> Decimal:
    return _EXACT.subtract(amount, taken)


def unit(currency: str) -> Decimal:
    """The smallest unit of a currency: 0.01 for eur, 1 for jpy."""
    return Decimal(1).scaleb(-decimals(currency))
