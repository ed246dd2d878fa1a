"""Exact numbers: read from text, added up, and written.

A few characters from outside (`1e99999`) may stand for more digits than a process has room for, so the width of a number is checked first.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

WIDTH: Final = 64
"""Digits that a number may have before its point when it is written out, and zeros that may follow the point before its first digit."""
LONGEST: Final = 2 * WIDTH
"""Characters that a number may be written with."""
PRECISION: Final = 20
"""The precision in the raw_ twin of every amount. The amounts themselves are exact."""
EXACT: Final = Context(prec=1000, rounding=ROUND_HALF_UP)
"""Wide enough for any amount that PostgreSQL's numeric takes in practice: rounding must never lose leading digits."""
AMOUNTS: Final = 4096
"""How many amounts are cached in plain form: the same prices and totals come again and again."""

Amount = Decimal | int
"""An exact number in JSON and in rows: whole numbers may be int."""

_ZERO = Decimal(0)
_ONE = Decimal(1)


def number_of(text: str) -> Decimal:
    """The number that a text writes, with all its digits. Raises ValueError for a text that isn't a number, or one wider than `WIDTH`."""
    if len(text) <= LONGEST:
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError("it is not a number") from None
        if is_narrow(number):
            return number
    raise ValueError(f"a number may have {WIDTH} digits")


def is_narrow(number: Decimal) -> bool:
    """Whether a number is finite and takes no more than about `WIDTH` digits on either side of its point."""
    return number.is_finite() and abs(number.adjusted()) < WIDTH  # of zero it is the exponent, so 0e99999 isn't narrow either


def nearest(amount: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` that is nearest to an amount; halves go away from zero."""
    return EXACT.multiply(EXACT.quantize(EXACT.divide(amount, step), _ONE), step)


def difference(amount: Decimal, *taken: Decimal) -> Decimal:
    """An amount less others, exactly: `-` would keep 28 digits."""
    for each in taken:
        amount = EXACT.subtract(amount, each)
    return amount


def total(amounts: Iterable[Amount]) -> Decimal:
    """The exact sum, however many digits it takes: `sum` would keep 28."""
    sum = _ZERO
    for amount in amounts:
        sum = EXACT.add(sum, amount)
    return sum


@lru_cache(AMOUNTS)
def plain(amount: Decimal) -> Decimal:
    """The same amount without trailing zeros: 10.50 → 10.5, 1E+1 → 10."""
    if not amount:
        return _ZERO
    if amount == amount.to_integral_value():
        return amount.quantize(_ONE, context=EXACT)
    return amount.normalize(EXACT)


@lru_cache(AMOUNTS)
def digits(amount: Decimal) -> str:
    """The digits of the plain amount: 10.50 → `10.5`."""
    if not amount:
        return "0"
    text = format(amount, "f")
    return text.rstrip("0").removesuffix(".") if "." in text else text


def raw(amount: Amount | None) -> dict[str, str | int] | None:
    """The raw_ twin that the API shows beside an amount: its digits as text."""
    if amount is None:
        return None
    return {"value": digits(amount) if isinstance(amount, Decimal) else str(amount), "precision": PRECISION}
