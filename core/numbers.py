"""Numbers that come from outside as text: a few letters (`1e99999`) may stand for more digits than a process has room for."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

WIDTH: Final = 64
"""Digits that a number may have before its point when it is written out, and zeros that may follow the point before its first digit."""
LONGEST: Final = 2 * WIDTH
"""Letters that a number may be written with."""


def number_of(text: str) -> Decimal:
    """The number that a text writes, with all its digits. Raises ValueError for what is no number, and for one wider than `WIDTH`."""
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
