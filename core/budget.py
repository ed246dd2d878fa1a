"""The budget of one request, in numbers: its cost follows from them, whatever the request is made of.

A request beyond one of them is refused with InvalidData (400) before a statement is made of it. The limits are far above what
storefronts and dashboards ask for: the largest view of the API leads through 20 relations, the dashboard's largest page through 25.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import InvalidData

CONDITIONS = 100
"""Comparisons and branches of filters, however they are nested. A list of values is one. About 1 ms of work each."""
REACHES = 12
"""Filters on rows other than the list's own: on relations, and on rows of other modules. 5 to 15 ms each."""
WORDS = 6
"""Different words of all free text searches together (a single search looks for its first 6 words). 10 to 30 ms each for each statement."""
DEPTH = 12
"""Filters inside filters, segments of a field's path, and of an order's."""
NAMES = 300
"""Entries of `fields`."""
RELATIONS = 40
"""Relations that `fields` lead through, each path counted once. 2 to 5 ms each."""
VISITS = 2
"""How often a field's path may lead to many rows of one entity: `variants.product.variants` multiplies them with each turn."""
ROWS = 20_000
"""Rows of a page, where the rows of a relation count as one for each row that has them."""
SORTED = 10_000
"""Rows of a list that is ordered by a column of another module: all of them have to be read."""

THINGS = 1_000
"""Objects in the lists of a body: rows to write. Up to 1 ms each."""
TEXTS = 1_500
"""Texts and numbers in the lists of a body: keys of rows, values of rules. 0.1 to 0.2 ms each."""
LINES = 400
"""Lines of a cart. Every change of a cart reads all of them, 0.5 ms each."""
LINES_METADATA = 256 * 1024
"""Bytes of the metadata of a cart's lines together."""
METADATA = 256 * 1024
"""Bytes of a row's metadata, by however many changes it came: a body is bounded, and metadata keeps what bodies before have said. All of it
is read with the row: with every change of a cart, and in a merchant's lists of orders and customers."""
SESSIONS = 4 * 1024 * 1024
"""Bytes of what all payment sessions of a collection are begun with: 1 to 5 KB each, where it is what a payment needs. Those that a
provider may still report on are kept when another is begun, and read with the cart and its order."""
FREE = frozenset(("metadata", "data", "context", "additional_data"))
"""Members of bodies that are stored unchecked, whatever is in them."""


class Spending:
    """Counts the cost of filters. Each method raises InvalidData beyond the budget."""

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
        """Return the words that a free text is searched for."""
        words = list(dict.fromkeys(text.split(maxsplit=WORDS)[:WORDS]))
        self.words += len(words)
        if self.words > WORDS:
            raise InvalidData(f"Searches may have {WORDS} words in all.")
        return words


def check_body(body: Any) -> None:
    """Check that the lists of a body hold no more than the budget. Raises InvalidData."""
    things, texts = _listed(body)
    if things > THINGS:
        raise InvalidData(f"Invalid request: the lists of a body may hold {THINGS} objects in all.")
    if texts > TEXTS:
        raise InvalidData(f"Invalid request: the lists of a body may hold {TEXTS} texts and numbers in all.")


def _listed(value: Any) -> tuple[int, int]:
    """How many objects and lists, and how many other values, the lists of a body hold."""
    things = texts = 0
    inside = value.items() if isinstance(value, Mapping) else enumerate(value)
    for name, item in inside:
        if isinstance(item, dict | list) and name not in FREE:
            below = _listed(item)
            things, texts = things + below[0], texts + below[1]
    if isinstance(value, list):
        below_here = sum(isinstance(item, dict | list) for item in value)
        things, texts = things + below_here, texts + len(value) - below_here
    return things, texts


def check_filters(filters: Mapping[str, Any]) -> None:
    """Check that the filters of a request keep to the budget, whichever modules they lead to. Raises InvalidData."""
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
