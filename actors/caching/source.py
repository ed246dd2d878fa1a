"""Rows that flows and views look up again and again, from memory: regions, channels, variants, the links between them.

A `Source` of the graph. It caches small answers to queries by keys, of modules that send invalidation. Carts,
orders, payments and stock are read every time, and so are pages of lists, which the front end caches as a whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ...core.codec import pack, unpack
from ...core.graph.graph import Ask, Source
from ...core.graph.plan import Catalogue
from ...core.kept import kept
from ...core.rows import Row
from ...core.sql.schema.fields import FieldTree
from ...core.sql.schema.query import Linked, Page, Query
from .cache import Cache
from .documents import MOST_ROWS, SHAPES, DocumentCache, DocumentShape, digest

MOST_KEYS = 32
"""Answers about more keys are seldom asked for twice."""
LONGEST = 64 * 1024


class _Kind(NamedTuple):
    """What all answers about some fields of an entity have in common."""

    key: str
    digest: bytes
    made_of: frozenset[str] | None
    """Entities, besides its own, that rows queried by their keys are made of; None where other rows of the same entity are among them."""
    shape: DocumentShape | None
    """Set where the rows are documents, each cached by itself."""


class CachedSource(Source):
    """Pages by keys, cached until something they were made from changes."""

    def __init__(self, modules: object, catalogue: Catalogue, cache: Cache) -> None:
        """`cache` has to receive every invalidation: see `HostContext.on_changed`."""
        super().__init__(modules)
        self._cache = cache
        self._catalogue = catalogue
        self._documents = DocumentCache(modules, catalogue, cache)
        self._kind = kept(SHAPES)(self._make_kind)
        self._tags: dict[str, frozenset[str]] = {module: catalogue.entities_of(module) for module in catalogue.kept}
        self._kept_links = frozenset(name for name, link in catalogue.links.items() if link.kept)
        self._tags |= {link: frozenset((link,)) for link in self._kept_links}

    async def page(self, module: str, query: Query) -> Page:
        if query.visible:
            return await self._page_of_visible(module, query)
        if query.count and not query.with_deleted and module in self._tags:
            page, count = await asyncio.gather(self.page(module, replace(query, count=False)), self._count(module, query))
            return Page(page.json, count)
        tags = self._tags.get(query.entity if module == "link" else module)
        if not tags:
            return await super().page(module, query)
        if (known := self.known(module, query)) is not None:
            return Page(known)  # a new page: the caller may change its rows
        keys = _keys(query)
        kind = self._kind(query.entity, query.fields, query.slots)
        named = _named(keys, kind.key)
        if kind.shape is not None and not query.with_deleted:
            if named is not None:
                return await self._documents.named(module, query, kind.shape, named)
            if keys is None and kind.shape.shown.below and query.limit is not None and 1 < query.limit <= MOST_ROWS:
                return await self._documents.listed(module, query, kind.shape)
        if keys is None:
            return await super().page(module, query)
        rows: tuple[str, ...] = ()
        if named is not None and kind.made_of is not None:
            tags, rows = kind.made_of, tuple(f"{query.entity}:{key}" for key in named)
        cache_key = _cache_key(query, kind, keys)
        return Page(await self._cache.get_or_fill(cache_key, tags, lambda: self._text(module, query), rows=rows, size=_size))

    def known(self, module: str, query: Query) -> bytes | None:
        if module not in self._tags or query.visible or (keys := _keys(query)) is None:
            return None
        kind = self._kind(query.entity, query.fields, query.slots)
        named = _named(keys, kind.key)
        if kind.shape is not None and named is not None and not query.with_deleted:
            return self._documents.known(kind.shape, named)
        text: bytes | None = self._cache.get(_cache_key(query, kind, keys))
        return text

    async def _page_of_visible(self, module: str, query: Query) -> Page:
        """A page whose relations show only visible rows: it depends on rows that aren't shown, too, so any change in its module drops
        it."""
        tags, keys = self._tags.get(module), _keys(query)
        if not tags or keys is None:
            return await super().page(module, query)
        cache_key = (query.entity, query.fields, query.slots, keys, query.limit, query.with_deleted, pack(query.visible))
        text = await self._cache.get_or_fill(cache_key, tags | _links_in(query.visible), lambda: self._text(module, query), size=_size)
        return Page(text)

    async def pairs(self, asks: Sequence[Ask]) -> list[list[Row]]:
        """The links of each id are cached by themselves, so that two variants of a cart are known once each of them is."""
        cache_keys: dict[tuple[str, str, str], Any] = {
            (link, key, id): ("pairs", link, key, id) if link in self._kept_links and len(ids) <= MOST_KEYS else None
            for link, key, ids in asks
            for id in ids
        }

        async def fill(missing: list[tuple[str, str, str]]) -> list[tuple[tuple[str, str, str], bytes]]:
            unknown: dict[tuple[str, str], list[str]] = {}
            for link, key, id in missing:
                unknown.setdefault((link, key), []).append(id)
            rows: dict[tuple[str, str, str], list[Row]] = {each: [] for each in missing}
            answers = await super(CachedSource, self).pairs([(link, key, ids) for (link, key), ids in unknown.items()])
            for (link, key), linked in zip(unknown, answers, strict=True):
                for row in linked:
                    rows[link, key, row[key]].append(row)
            return [(each, pack(linked)) for each, linked in rows.items()]

        texts = await self._cache.get_or_fill_many(cache_keys.__getitem__, cache_keys, fill, tags=lambda each: self._tags[each[0]])
        return [[row for id in dict.fromkeys(ids) for row in unpack(texts[link, key, id])] for link, key, ids in asks]

    async def _count(self, module: str, query: Query) -> int:
        """How many rows pass the filters: the same on every page of them, and expensive for many rows."""
        filters = pack(query.filters)
        tags = self._tags[module] | _links_in(query.filters)

        async def fill() -> int:
            count: int = await getattr(self._modules, module).count(query.entity, query.filters)
            return count

        return await self._cache.get_or_fill(("count", query.entity, filters), tags, fill, size=lambda _: 0)

    def _make_kind(self, entity: str, fields: tuple[str, ...], slots: tuple[str, ...]) -> _Kind:
        shape = self._documents.shape(entity, fields, slots)
        return _Kind(self._catalogue.entity(entity).key, digest(fields, slots), self._look_into(entity, fields), shape)

    def _look_into(self, entity: str, fields: tuple[str, ...]) -> frozenset[str] | None:
        known = self._catalogue.entity(entity)
        tree = FieldTree.parse(fields)
        if any(name in known.computed for name, _ in tree) or (tree.whole and known.computed):
            return None
        if not any(name in known.relations for name, _ in tree):
            return frozenset()
        if self._returns(entity, entity, tree):
            return None
        return self._tags[self._catalogue.module_of(entity)] - {entity}

    def _returns(self, root: str, entity: str, tree: FieldTree) -> bool:
        """Whether a field leads back to the entity it began with."""
        for name, child in tree:
            relation = self._catalogue.relation(entity, name)
            if relation is not None and (relation.target == root or self._returns(root, relation.target, child)):
                return True
        return False

    async def _text(self, module: str, query: Query) -> bytes:
        return (await super().page(module, query)).json


def _cache_key(query: Query, kind: _Kind, keys: tuple[Any, ...]) -> tuple[Any, ...]:
    limit = query.limit
    if limit and keys and keys[0] == kind.key and isinstance(keys[1], str):  # one key has one row: a limit doesn't matter
        limit = None
    return (query.entity, kind.digest, keys, limit, query.with_deleted)


def _links_in(filters: Any) -> frozenset[str]:
    """Links that filters look at."""
    if isinstance(filters, Linked):
        return frozenset((filters.link,))
    below = filters.values() if isinstance(filters, Mapping) else filters if isinstance(filters, list | tuple) else ()
    return frozenset[str]().union(*(_links_in(each) for each in below))


def _size(text: bytes) -> int:
    """The size of a text. `Cache` doesn't keep one larger than its share."""
    return len(text) if len(text) <= LONGEST else 2**62


def _named(keys: tuple[Any, ...] | None, column: str) -> Sequence[str] | None:
    """The values of that column by which rows are queried; None where they are queried by something else."""
    if not keys or keys[0] != column:
        return None
    return (keys[1],) if isinstance(keys[1], str) else keys[1]


def _keys(query: Query) -> tuple[Any, ...] | None:
    """The query's keys as a cache key; None for a query that isn't worth caching."""
    if query.order or query.offset or query.count or len(query.filters) > 1:
        return None
    if not query.filters:
        return () if query.limit == 1 else None
    [(column, value)] = query.filters.items()
    if isinstance(value, str):
        return (column, value)
    if isinstance(value, Mapping):
        value = value["$in"] if tuple(value) == ("$in",) else None
    if not isinstance(value, list) or len(value) > MOST_KEYS:
        return None
    for one in value:
        if not isinstance(one, str):
            return None
    return (column, tuple(value))
