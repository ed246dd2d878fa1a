"""Money: which currencies there are, and how many decimals their amounts have.

Amounts are Decimal in major units everywhere. The table is data/currencies.csv: Medusa's currencies, with their decimals, symbols and
names. These are the same for every shop, so they aren't read from a database.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ..core.errors import InvalidData
from ..core.numbers import EXACT, nearest

USUAL_DECIMALS: Final = 2
"""Decimals of a currency that isn't in the table."""


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
    """The amount rounded to its currency's decimals; halves go away from zero, as on an invoice."""
    return Decimal(amount).quantize(_step(currency), context=EXACT)


def check_movable(amount: Decimal, currency: str, what: str, step: Decimal | None = None) -> None:
    """Raises InvalidData, whose message begins with `what`, for an amount that can't be paid in a currency: below zero, with more decimals
    than the currency has, or not a multiple of `step`, the payment provider's smallest step."""
    if not amount.is_finite() or amount < 0:
        raise InvalidData(f"{what} can't be {amount}")
    if rounded(amount, currency) != amount:
        raise InvalidData(f"{what} can't be {amount:f}: {currency.upper()} has {decimals(currency)} decimals")
    if step is not None and nearest(amount, step) != amount:
        raise InvalidData(f"{what} can't be {amount:f}: its payment provider moves {currency.upper()} in steps of {step:f}")
