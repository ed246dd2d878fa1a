"""What one request may ask for, in figures: its cost follows from them, whatever it is made of.

A request beyond one of them is refused with InvalidData (400) before a statement is made of it. The figures are far above what
storefronts and dashboards ask for: the largest view of the API leads through 20 relations, the dashboard's largest page through 25.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import InvalidData

CONDITIONS = 100
"""Comparisons and branches of filters, however they are nested. A list of values is one. About 1 ms of work each."""
REACHES = 12
"""Filters on other rows than those of the list: on relations, and on what lies in other modules. 5 to 15 ms each."""
WORDS = 16
"""Words of all free text searches together (a single search looks for its first 16 words). 5 to 10 ms each."""
DEPTH = 12
"""Filters inside filters, segments of a field's path, and of an order's."""
NAMES = 300
"""Entries of `fields`."""
RELATIONS = 40
"""Relations that `fields` lead through, each path counted once. 2 to 5 ms each."""
VISITS = 2
"""How often a field's path may come to many rows of one entity: `variants.product.variants` multiplies them with each turn."""
ROWS = 20_000
"""Rows of a page, those of its relations counted as one for each row and relation."""
SORTED = 10_000
"""Rows of a list that is ordered by what lies in another module: all of them have to be looked at."""


class Spending:
    """Counts what filters ask for. Each method raises InvalidData beyond the budget."""

    __slots__ = ("conditions", "reaches", "words")

    def __init__(self) -> None:
        self.conditions = self.reaches = self.words = 0

    def condition(self, depth: int = 0) -> None:
        """`depth`: how many filters are around it."""
        self.conditions += 1
        if self.conditions > CONDITIONS:
            raise InvalidData(f"Filters may have {CONDITIONS} conditions in all.")
        if depth > DEPTH:
            raise InvalidData("Filters are nested too deeply")

    def reach(self) -> None:
        self.reaches += 1
        if self.reaches > REACHES:
            raise InvalidData(f"Filters may look at {REACHES} relations in all.")

    def search(self, text: str) -> list[str]:
        """The words that a free text is searched for."""
        words = text.split(maxsplit=WORDS)[:WORDS]
        self.words += len(words)
        if self.words > WORDS:
            raise InvalidData(f"Searches may have {WORDS} words in all.")
        return words


def check_filters(filters: Mapping[str, Any]) -> None:
    """Make sure that the filters of a request keep to the budget, whichever modules they lead to. Raises InvalidData."""
    _walk(filters, Spending(), 0)


def _walk(filters: Mapping[str, Any], spending: Spending, depth: int) -> None:
    for name, value in filters.items():
        spending.condition(depth)
        if name == "q":
            spending.search(str(value))
        elif isinstance(value, Mapping):
            if not name.startswith("$") and not all(key.startswith("$") for key in value):
                spending.reach()
            _walk(value, spending, depth + 1)
        elif name.startswith("$") and isinstance(value, list):
            for branch in value:
                if isinstance(branch, Mapping):
                    spending.condition(depth)
                    _walk(branch, spending, depth + 1)
