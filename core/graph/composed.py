"""What is made of the texts that modules answer with, made once for each of them.

An answer over several modules is a function of the pages that they give: which pages it takes follows from the ones before. So it may be
remembered by these pages' texts, and nobody has to be told when a row changes: a changed row has another text. Reading the pages is not
saved; parsing them, joining their rows and writing the result again is.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from ..kept import OBJECT, BoundedCache
from ..sql.schema.query import Page, Query
from ..waiting import all_of

KEPT = 16 * 1024 * 1024
"""Bytes that a process keeps."""
_DIGEST = 16
"""Bytes of the key of texts: two different ones never get the same in practice."""
_QUERY = 2048
"""About how many bytes a query takes."""

Ask = tuple[str, Query]
"""A module, and what is asked of it."""


class Reading:
    """Pages as they are read for one answer: those of one round are asked for at once, because none of them follows from another."""

    def __init__(self, source: Any) -> None:
        """`source`: what gives the pages (`Source`)."""
        self._source = source
        self._read: list[tuple[Ask, Page]] = []
        self._answered = True
        self.rounds: list[list[Ask]] = []
        self.elsewhere = False
        """Whether something was asked for besides pages, so that their texts don't tell everything."""

    async def round(self, asks: Sequence[Ask]) -> list[bytes]:
        """Read a round that is known to follow. Returns the texts of its pages."""
        self.rounds.append(list(asks))
        pages = await all_of(*(self._source.page(*ask) for ask in asks))
        self._read += zip(asks, pages, strict=True)
        return [page.json for page in pages]

    # -- as a `Source`

    async def page(self, module: str, query: Query) -> Page:
        ask = (module, query)
        page = next((page for read, page in self._read if read == ask), None)
        if page is None:
            if self._answered:
                self.rounds.append([])
                self._answered = False
            self.rounds[-1].append(ask)
            page = await self._source.page(module, query)
            self._read.append((ask, page))
            self._answered = True
        return Page(page.json, page.count)

    def text(self, ask: Ask) -> bytes:
        """The text of a page that was read."""
        return next(page.json for read, page in self._read if read == ask)

    def known(self, module: str, query: Query) -> bytes | None:
        return None

    async def pairs(self, asks: Sequence[Any]) -> Any:
        self.elsewhere = True
        return await self._source.pairs(asks)

    async def keys(self, *which: Any) -> Any:
        self.elsewhere = True
        return await self._source.keys(*which)


class Composed:
    """What was made, and on the way to it which pages are read next, by the texts of all pages before."""

    def __init__(self, capacity: int = KEPT) -> None:
        self._known: BoundedCache[bytes | list[Ask]] = BoundedCache(capacity)

    async def find(self, at: bytes, reading: Reading) -> bytes | None:
        """Read the pages that are known to follow. What was made of them, or None: then what was read is in `reading`."""
        while (known := self._known.get(at)) is not None:
            if isinstance(known, bytes):
                return known
            at = after(at, await reading.round(known))
        return None

    def keep(self, at: bytes, reading: Reading, made: bytes) -> None:
        """Remember what was made of all that was read, unless it isn't made of pages alone."""
        if reading.elsewhere:
            return
        for asks in reading.rounds:
            self._known.keep(at, asks, len(asks) * _QUERY)
            at = after(at, [reading.text(ask) for ask in asks])
        self._known.keep(at, made, len(made) + 2 * OBJECT)


def after(at: bytes, texts: Sequence[bytes]) -> bytes:
    """The key of what follows after these texts."""
    digest = blake2b(at, digest_size=_DIGEST)
    for text in texts:
        digest.update(b"%d:" % len(text))
        digest.update(text)
    return digest.digest()
