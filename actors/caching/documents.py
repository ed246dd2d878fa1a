"""Rows with everything that is shown of them (products with their variants, options and images), each cached by itself.

A page of a list is then two things: the keys that its filters and its order give, which are always read from the database, and documents,
of which only the missing ones are fetched: after a change of one product its page costs one document. A document is dropped when one of
the rows shown in it changes; the entity says which relations allow that (`Entity.noticed`).

Rows that are wanted by their keys with different fields at different places (a variant for a cart's prices, its answer, the order's) are
read once with all of these (`Entity.together`); documents with fewer fields are made of that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import orjson

from ...core.graph.dependencies import Dependencies, dependencies
from ...core.graph.plan import Catalogue
from ...core.sql.schema.fields import FieldTree
from ...core.sql.schema.query import Page, Query
from .cache import Cache, Rows
from .excerpts import Excerpt, excerpt

MOST_ROWS = 200
"""Pages of more rows aren't made of documents: they would evict too many others."""
SHAPES = 4 * 1024 * 1024
"""Bytes of shapes of documents that are kept."""
MANY_KNOWN = 0.5
"""If a larger share than this of the last page was cached, the next one's keys are read first, and only the missing rows afterwards."""


@dataclass
class DocumentShape:
    """Documents of one kind: of an entity, with these fields and slots."""

    entity: str
    digest: bytes
    """Of the fields and slots."""
    shown: Dependencies
    together: DocumentShape | None = None
    """The shape of documents with more fields, of which these are made where they are wanted by key."""
    excerpt: Excerpt | None = field(default=None, compare=False)
    """Makes such a document of one of `together`."""
    known: float = field(default=0.0, compare=False)
    """Share of the last page that was cached."""

    def cache_key(self, key: str) -> tuple[str, bytes, str]:
        return (self.entity, self.digest, key)

    def rows(self, document: bytes) -> Rows:
        return tuple(dict.fromkeys(self.shown.rows(orjson.loads(document))))


class DocumentCache:
    """The documents that a process caches."""

    def __init__(self, modules: object, catalogue: Catalogue, cache: Cache) -> None:
        self._modules = modules
        self._catalogue = catalogue
        self._cache = cache

    def shape(self, entity: str, fields: tuple[str, ...], slots: tuple[str, ...]) -> DocumentShape | None:
        """The shape of the documents that pages of these fields consist of, to be kept by the caller; None where rows can't be cached one
        by one."""
        if not self._cache.enabled or self._catalogue.entity(entity).default_order:  # `named` orders by key only
            return None
        shown = dependencies(self._catalogue, entity, FieldTree.parse(fields))
        if shown is None:
            return None
        shape = DocumentShape(entity, digest(fields, slots), shown)
        together = self._catalogue.entity(entity).together
        if together and not slots and fields != together:
            shape.excerpt = excerpt(self._catalogue.catalog_of(entity), entity, fields, together)
            shape.together = self.shape(entity, together, ()) if shape.excerpt is not None else None
        return shape if shown.below or shape.together is not None else None

    def known(self, shape: DocumentShape, keys: Sequence[str]) -> bytes | None:
        """The JSON text of such a page, if all of its rows are cached."""
        texts: list[bytes] = []
        for key in keys if len(keys) == 1 else sorted(set(keys)):
            text = self._cache.get(shape.cache_key(key))
            if text is None:
                return None
            texts.append(text)
        return b"[" + b",".join(texts) + b"]"

    async def named(self, module: str, query: Query, shape: DocumentShape, keys: Sequence[str]) -> Page:
        """The rows with these keys, in the order of the keys, which is the entity's own; missing rows are left out."""
        return _joined((await self._texts(module, query, shape, sorted(set(keys)), shape.together)).values())

    async def listed(self, module: str, query: Query, shape: DocumentShape) -> Page:
        """A page of a list, without a count."""
        if shape.known < MANY_KNOWN:
            return await self._whole_page(module, query, shape)
        key = self._catalogue.entity(query.entity).key
        found = await getattr(self._modules, module).query(replace(query, fields=(key,), slots=()))
        keys = [row[key] for row in orjson.loads(found.json)]
        if keys:
            shape.known = sum(self._cache.holds(shape.cache_key(one)) for one in keys) / len(keys)
        return _joined((await self._texts(module, query, shape, keys, None)).values())

    # -- inside

    async def _texts(
        self, module: str, query: Query, shape: DocumentShape, keys: Sequence[str], together: DocumentShape | None
    ) -> Mapping[str, bytes]:
        """The documents with these keys, by key; missing ones are made of documents with more fields where these are given."""
        entity, made = self._catalogue.entity(query.entity), shape.excerpt

        async def fill(missing: list[str]) -> Iterable[tuple[str, bytes]]:
            asked = Query(query.entity, query.fields, {entity.key: missing}, slots=query.slots)
            if together is None or made is None:
                return await self._read(module, asked)
            more = await self._texts(module, replace(asked, fields=entity.together), together, missing, None)
            return [(one, orjson.dumps(made(orjson.loads(text)))) for one, text in more.items()]

        return await self._cache.get_or_fill_many(shape.cache_key, keys, fill, rows=shape.rows)

    async def _whole_page(self, module: str, query: Query, shape: DocumentShape) -> Page:
        known = 0

        async def fetch() -> list[tuple[str, bytes]]:
            nonlocal known
            found = await self._read(module, query)
            known = sum(self._cache.holds(shape.cache_key(key)) for key, _ in found)
            return found

        texts = await self._cache.fill(shape.cache_key, fetch, rows=shape.rows)
        if texts:
            shape.known = known / len(texts)
        return _joined(texts.values())

    async def _read(self, module: str, query: Query) -> list[tuple[str, bytes]]:
        """The rows by their keys, each as JSON."""
        rows: list[tuple[str, bytes]] = await getattr(self._modules, module).documents(query)
        return rows


def digest(*names: tuple[str, ...]) -> bytes:
    """Lists of fields as a key of a few bytes: clients choose them, and thousands of answers may have the same."""
    return blake2b(repr(names).encode(), digest_size=16).digest()


def _joined(texts: Iterable[bytes]) -> Page:
    return Page(b"[" + b",".join(texts) + b"]")
