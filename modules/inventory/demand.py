"""From lines to the demand on each level: pure functions, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...core.errors import InvalidData
from ...core.numbers import is_narrow, number_of
from .types import Demanded

LevelKey = tuple[str, str]
"""Item and location."""


@dataclass(slots=True)
class Demand:
    """The demand of all lines together on one level."""

    inventory_item_id: str
    location_id: str
    quantity: Decimal = Decimal(0)
    """The whole quantity to reserve."""
    guarded: Decimal = Decimal(0)
    """The part of it that must be available now; the rest may be back-ordered."""

    @property
    def key(self) -> LevelKey:
        return self.inventory_item_id, self.location_id


def demands(lines: Iterable[Demanded]) -> list[Demand]:
    """The lines' demands, summed for each item and location, so that two lines can't both take the last unit.

    Sorted by their keys: every writer locks levels in this order, so that writers can't deadlock.
    """
    wanted: dict[LevelKey, Demand] = {}
    for line in lines:
        key = line["inventory_item_id"], line["location_id"]
        demand = wanted.setdefault(key, Demand(*key))
        demand.quantity += line["quantity"]
        if not line["allow_backorder"]:
            demand.guarded += line["quantity"]
    return [wanted[key] for key in sorted(wanted)]


def columns(wanted: Sequence[Demand]) -> dict[str, list[Any]]:
    """The demands as parameters of a statement: one list for each column."""
    return {
        "item_ids": [one.inventory_item_id for one in wanted],
        "location_ids": [one.location_id for one in wanted],
        "quantities": [one.quantity for one in wanted],
        "guards": [one.guarded for one in wanted],
    }


def checked_quantity(line: Mapping[str, Any]) -> Decimal:
    """A line's exact quantity. Raises InvalidData for a line that names no item, no location, or nothing to reserve."""
    for name in ("inventory_item_id", "location_id"):
        if not isinstance(line.get(name), str):
            raise InvalidData(f"A reservation needs {name}")
    quantity = exact(line.get("quantity"), "quantity")
    if quantity <= 0:
        raise InvalidData(f"A reservation needs a quantity above zero, not {quantity}")
    return quantity


def exact(value: Any, name: str) -> Decimal:
    """A quantity as an exact number. Raises InvalidData for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise InvalidData(f"{name} must be a number")
    try:
        number = number_of(value) if isinstance(value, str) else Decimal(value)
    except ValueError:
        raise InvalidData(f"{name} must be a number, not {str(value)[:100]!r}") from None
    if not is_narrow(number):
        raise InvalidData(f"{name} must be a number, not {value!r}")
    return number
