"""The countries of the world: codes of ISO 3166-1 (and the usual code for Kosovo), English names of CLDR."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Country:
    iso_2: str
    iso_3: str
    num_code: str
    name: str
    """In capitals, as on an envelope."""
    display_name: str


@cache
def countries() -> tuple[Country, ...]:
    with (Path(__file__).parent / "countries.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Country(**row) for row in csv.DictReader(file))
