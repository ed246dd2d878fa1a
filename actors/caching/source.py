"""Rows that flows and views look up again and again, from memory: regions, channels, variants, ties between them.

A `Source` of the graph. It remembers small answers, those that are asked for by keys, of modules that tell what changes in them. Carts,
orders, payments and stock are asked for anew each time, and so are pages of lists, which the front end remembers as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.query.graph import Source
from ...core.query.links import LINKS
from ...core.query.page import Page, Query
from ...core.query.plan import Catalogue
from .cache import Cache

KEPT_MODULES = frozenset(
    ("currency", "customer", "fulfillment", "pricing", "product", "region", "sales_channel", "stock_location", "store", "tax")
)
_BUSY = frozenset(("cart", "order", "payment_collection"))
"""Their ties change with every order: remembering them would be forgetting them."""
KEPT_LINKS = frozenset(link.name for link in LINKS if _BUSY.isdisjoint((link.left.entity, link.right.entity)))
MOST_KEYS = 32
"""Answers about more things than that are seldom asked for twice."""
LONGEST = 64 * 1024


class CachedSource(Source):
    """Pages by keys, remembered until something they were made from changes."""

    def __init__(self, modules: object, catalogue: Catalogue, cache: Cache) -> None:
        """`cache` has to be told of every change: see `HostContext.on_changed`."""
        super().__init__(modules)
        self._cache = cache
        self._tags: dict[str, frozenset[str]] = {module: catalogue.entities_of(module) for module in KEPT_MODULES}
        self._tags |= {link: frozenset((link,)) for link in KEPT_LINKS}

    async def page(self, module: str, query: Query) -> Page:
        tags = self._tags.get(query.entity if module == "link" else module)
        keys = _keys(query) if tags else None
        if not tags or keys is None:
            return await super().page(module, query)
        place = (query.entity, query.fields, keys, query.limit, query.with_deleted)
        text = await self._cache.get_or_fill(place, tags, lambda: self._text(module, query), size=_size)
        return Page(text)  # a page of one's own: its rows may be changed

    async def _text(self, module: str, query: Query) -> bytes:
        return (await super().page(module, query)).json


def _size(text: bytes) -> int:
    """What doesn't fit isn't kept: `Cache` drops what is larger than its share."""
    return len(text) if len(text) <= LONGEST else 2**62


def _keys(query: Query) -> tuple[Any, ...] | None:
    """What the query is asked by, as something that can be looked up; None for what isn't worth remembering."""
    if query.order or query.offset or query.count or len(query.filters) > 1:
        return None
    if not query.filters:
        return () if query.limit == 1 else None
    [(column, value)] = query.filters.items()
    if isinstance(value, Mapping):
        value = value["$in"] if tuple(value) == ("$in",) else None
    if isinstance(value, str):
        return (column, value)
    if isinstance(value, list) and len(value) <= MOST_KEYS and all(isinstance(one, str) for one in value):
        return (column, tuple(value))
    return None
