"""Money: which currencies there are, and how many decimals their amounts have.

Amounts are Decimal in major units everywhere. The table is data/currencies.csv: the currencies of the API, with the decimals, symbols and
names that it gives them. What was asked of a database would be the same for every shop, so no database is asked.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ..core.errors import InvalidData

USUAL_DECIMALS: Final = 2
"""Of a currency that isn't in the table."""

PRECISION: Final = 20
"""Stands in the twin of every amount. The amounts themselves are exact."""

_ZERO = Decimal(0)
_ONE = Decimal(1)
_EXACT = Context(prec=1000, rounding=ROUND_HALF_UP)
"""Wide enough for any amount that PostgreSQL's numeric takes in practice: rounding must never lose leading digits."""


@dataclass(frozen=True, slots=True)
class Currency:
    code: str
    """Lower case: `eur`."""
    symbol: str
    symbol_native: str
    name: str
    decimal_digits: int
    rounding: Decimal
    """Smallest step of a price beyond its decimals; 0 where there is none."""


def _read() -> dict[str, Currency]:
    with (Path(__file__).parent / "data" / "currencies.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Currency(
                row["code"], row["symbol"], row["symbol_native"], row["name"], int(row["decimal_digits"]), Decimal(row["rounding"])
            )
            for row in csv.DictReader(file)
        }


CURRENCIES: Final[Mapping[str, Currency]] = MappingProxyType(_read())
"""All currencies, by code."""


@cache
def decimals(currency: str) -> int:
    """Decimals of an amount in a currency: 2 for eur, 0 for jpy, 3 for kwd."""
    known = CURRENCIES.get(currency.lower())
    return known.decimal_digits if known else USUAL_DECIMALS


@cache
def _step(currency: str) -> Decimal:
    return Decimal(1).scaleb(-decimals(currency))


def rounded(amount: Decimal | int, currency: str) -> Decimal:
    """The amount with as many decimals as its currency has; halves go away from zero, as on an invoice."""
    return Decimal(amount).quantize(_step(currency), context=_EXACT)


def nearest(amount: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` that is nearest to an amount; halves go away from zero."""
    return _EXACT.multiply(_EXACT.quantize(_EXACT.divide(amount, step), _ONE), step)


def check_movable(amount: Decimal, currency: str, what: str, step: Decimal | None = None) -> None:
    """Raises InvalidData, which begins with `what`, for an amount that can't be paid in a currency: below zero, finer than it is, or than
    the step in which who pays it can move it."""
    if not amount.is_finite() or amount < 0:
        raise InvalidData(f"{what} can't be {amount}")
    if rounded(amount, currency) != amount:
        raise InvalidData(f"{what} can't be {amount:f}: {currency.upper()} has {decimals(currency)} decimals")
    if step is not None and nearest(amount, step) != amount:
        raise InvalidData(f"{what} can't be {amount:f}: its payment provider moves {currency.upper()} in steps of {step:f}")


def difference(amount: Decimal, *taken: Decimal) -> Decimal:
    """What is left of an amount, exactly: `-` would keep 28 digits."""
    for each in taken:
        amount = _EXACT.subtract(amount, each)
    return amount


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum, however many digits it takes: `sum` would keep 28."""
    sum = _ZERO
    for amount in amounts:
        sum = _EXACT.add(sum, amount)
    return sum


def plain(amount: Decimal) -> Decimal:
    """The same amount without zeros at its end: 10.50 → 10.5, 1E+1 → 10."""
    if not amount:
        return _ZERO
    if amount == amount.to_integral_value():
        return amount.quantize(_ONE, context=_EXACT)
    return amount.normalize(_EXACT)


def digits(amount: Decimal) -> str:
    """The digits of the plain amount: 10.50 → `10.5`."""
    if not amount:
        return "0"
    text = format(amount, "f")
    return text.rstrip("0").removesuffix(".") if "." in text else text


def raw(amount: Decimal | int | None) -> dict[str, str | int] | None:
    """The twin that the API shows beside an amount: its digits as text."""
    if amount is None:
        return None
    return {"value": digits(amount) if isinstance(amount, Decimal) else str(amount), "precision": PRECISION}
