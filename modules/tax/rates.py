"""Which rates apply to a line: pure functions, no database.

Among the rates of a country and, where the address names one, of its province, the most specific one applies:

    1. the province's rate for the product (or shipping option)    4. the country's rate for the product (or shipping option)
    2. the province's rate for the product's type (or a plugin's)  5. the country's rate for the product's type (or a plugin's)
    3. the province's default                                      6. the country's default

If a *combinable* rate of a province applies, the country's most specific rate applies as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...core.errors import InvalidData
from ...core.rules import Condition

Reference = tuple[str, str]
"""The thing that a rule is about: (product | product_type | shipping_option, id), or a plugin's condition and its value."""

PARTICULAR = ("product", "shipping_option")


HIGHEST = Decimal(1000)
"""Percent. No tax takes more than ten times the price; a higher rate is a mistake."""


def is_rate(rate: object) -> bool:
    """Whether this can be a tax's rate."""
    return isinstance(rate, Decimal | int) and Decimal(rate).is_finite() and 0 <= rate <= HIGHEST


def check_rate(rate: Decimal | int | None) -> None:
    """Raises InvalidData for a rate that can't be a tax's, as one below zero. None is a rate that isn't known yet."""
    if rate is not None and not 0 <= rate <= HIGHEST:
        raise InvalidData(f"A tax rate has to be between 0 and {HIGHEST} percent, not {rate}")


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate that may apply to some line of a cart."""

    id: str
    rate: Decimal
    """Percent."""
    code: str
    name: str
    is_default: bool
    is_combinable: bool
    region_id: str
    parent_id: str | None
    """The country's region, if this region is a province."""
    of_province: bool
    references: frozenset[Reference] = frozenset()
    """The things in the cart that its rules are about."""


def references_of(line: Mapping[str, Any], context: Mapping[str, Any], conditions: Iterable[Condition] = ()) -> frozenset[Reference]:
    """The things that rules can be about, in an item or a shipping line. `conditions`: what plugins add."""
    named = {
        "product": line.get("product_id"),
        "product_type": line.get("product_type_id"),
        "shipping_option": line.get("shipping_option_id"),
    }
    references = [(kind, id) for kind, id in named.items() if id]
    for condition in conditions:
        references += [(condition.attribute, value) for value in condition.values({**context, **line})]
    return frozenset(references)


def rates_for(mine: frozenset[Reference], rates: Iterable[Rate], particular: Collection[str] = PARTICULAR) -> list[Rate]:
    """The one rate that applies to a line with these references, or two that add up, or none. `particular`: the kinds of references that
    go before all others."""
    fitting = ((rank, rate.id, rate) for rate in rates if (rank := _rank(rate, mine, particular)) is not None)
    ranked = sorted(fitting, key=lambda entry: (entry[0], entry[1]))
    if not ranked:
        return []
    best = ranked[0][2]
    if not best.is_combinable or best.parent_id is None:
        return [best]
    parent = next((rate for _, _, rate in ranked if rate.region_id == best.parent_id), None)
    return [best] if parent is None else [best, parent]


def _rank(rate: Rate, mine: frozenset[Reference], particular: Collection[str]) -> int | None:
    """How specific the rate is for the line, 0 being the most specific; None where it doesn't apply."""
    hit = rate.references & mine
    if any(kind in particular for kind, _ in hit):
        rank = 0
    elif hit:
        rank = 1
    elif rate.is_default:
        rank = 2
    else:
        return None
    return rank if rate.of_province else rank + 3


def provinces(code: str | None, country: str) -> list[str]:
    """The forms of a province code in a region: `ca` and `us-ca`."""
    if not code or not code.strip():
        return []
    province = code.strip().lower().removeprefix(f"{country}-")
    return [province, f"{country}-{province}"]
