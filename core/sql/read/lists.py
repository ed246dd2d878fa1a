"""Long lists: how many rows they have, and pages far down in them, without counting every time.

The count of a list, and anchors at regular distances in it, are remembered with the snapshot under which they were counted. The next
statement starts from there and adds the table's deltas since then (`deltas.py`), under its own snapshot. So an answer is as exact as a full
count, whichever process changed what. Lists with filters that the deltas don't cover (filters over other tables, say) are counted in full.
"""

from __future__ import annotations

import time
from bisect import bisect_right, insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from cachetools import TTLCache

from ...codec import pack
from ..db.database import Database
from ..schema.deltas import OLDEST, deltas_of, forgetting, strangers
from ..schema.query import Query
from .anchors import Anchor, Counted, covered_by, sort_keys_of
from .pages import FARTHEST, Hints
from .statements import Statements

LIFE = 1200.0
"""Seconds for which counts and anchors are remembered. Deltas are kept for longer than this."""
KEPT = 2 * LIFE
"""Seconds after which deltas can be dropped."""
MOST_CHANGES = 2000
"""Rows of the delta table that are read for one answer; beyond this the list is counted in full again."""
LONGEST = 1024
"""Bytes of the filters of a list that is remembered."""
COUNTS, LISTS = 4096, 64
"""Counts remembered, and lists with an order whose anchors are remembered."""
TRIES = 3


@dataclass(frozen=True)
class Scale:
    """From which length on a list counts as long. (Tests use short lists.)"""

    every: int = 500
    """Rows from one anchor to the next."""
    worthwhile: int = 2000
    """Shorter lists are counted quickly, so their count isn't remembered."""


class Lists:
    """The counts and anchors that a process remembers of one module's lists."""

    def __init__(
        self, database: Database, statements: Statements, scale: Scale | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.scale = scale or Scale()
        self._database = database
        self._statements = statements
        self._clock = clock
        self._counts: TTLCache[Any, Counted] = TTLCache(COUNTS, LIFE, timer=clock)
        self._anchors: TTLCache[Any, list[Anchor]] = TTLCache(LISTS, LIFE, timer=clock)
        self._marks: list[tuple[float, int]] = []

    async def page(self, query: Query) -> tuple[Any, int | None]:
        """Return the page of `Statements.page`, and the count where the query wants it."""
        filters = self._covered(query)
        if filters is None:
            row = await self._database.fetch_row(self._statements.page(query))
            return row["page"], row["count"] if query.count else None
        counting = (query.entity, filters)
        for anchor in await self._near(query, filters):
            row = await self._fetch(query, counting, anchor)
            if self._is_right(query, filters, anchor, row, "anchor_"):
                return row["page"], row["count"] if query.count else None
            if row["rest"] >= 0:
                break
        row = await self._fetch(query, counting, None)
        return row["page"], row["count"] if query.count else None

    async def rows(self, query: Query) -> list[tuple[str, bytes]]:
        """Return keys and JSON texts of the rows of a page, without a count."""
        filters = self._covered(query)
        for anchor in await self._near(query, filters) if filters is not None else ():
            found = await self._database.fetch_rows(self._statements.page(query, apart=True, known=Hints(anchor=anchor)))
            if self._is_right(query, filters, anchor, found[0]):
                return [(row[0], row[1]) for row in found if row[0] is not None]
            if found[0]["rest"] >= 0:
                break
        return [(row[0], row[1]) for row in await self._database.fetch_rows(self._statements.page(query, apart=True))]

    async def count(self, entity: str, filters: Mapping[str, Any]) -> int:
        """Return how many rows pass the filters."""
        covered = self._covered(Query(entity, filters=filters, count=True))
        if covered is None:
            count: int = (await self._database.fetch_row(self._statements.count(entity, filters)))["count"]
            return count
        counting = (entity, covered)
        known = self._known(counting)
        row = await self._database.fetch_row(self._statements.count(entity, filters, known=known))
        if not self._count_is_right(counting, known, row):
            row = await self._database.fetch_row(self._statements.count(entity, filters, known=Hints(recount=True)))
            self._remember(counting, row)
        right: int = row["count"]
        return right

    async def forget(self) -> None:
        """Drop deltas that are older than anything any process remembers. To be called regularly.

        A snapshot taken after a mark was set has either seen a transaction before the mark or never will: once everything remembered
        before the mark has expired, the deltas before it are needed by no process.
        """
        all_deltas = [kept for entity in self._statements.catalog.schema.entities.values() if (kept := deltas_of(entity.table)) is not None]
        if not all_deltas:
            return
        for deltas in all_deltas:
            await self._database.execute(strangers(deltas))
        old = [mark for mark in self._marks if mark[0] < self._clock() - KEPT]
        if old:
            self._marks = self._marks[len(old) :]
            for deltas in all_deltas:
                await self._database.execute(forgetting(deltas), {"xid": old[-1][1]})
        self._marks.append((self._clock(), await self._database.fetch_value(OLDEST)))

    # -- inside

    def _covered(self, query: Query) -> bytes | None:
        """The filters as a cache key; None where the deltas don't cover the list, or the query needs neither count nor anchor."""
        entity = self._statements.catalog.schema[query.entity]
        if deltas_of(entity.table) is None or query.with_deleted or self._database.transaction_running is not None:
            return None
        if not query.count and query.offset < 2 * self.scale.every:
            return None
        if not covered_by(entity, self._statements.shape_of(query)):
            return None
        filters = pack(query.filters)
        return filters if len(filters) <= LONGEST else None

    async def _fetch(self, query: Query, counting: Any, anchor: Anchor | None) -> asyncpg.Record:
        """Fetch a page from an anchor or the list's beginning, with its count where the query wants it."""
        known = Hints(anchor=anchor) if not query.count else self._known(counting, anchor)
        row = await self._database.fetch_row(self._statements.page(query, known=known))
        if query.count and not self._count_is_right(counting, known, row):
            row = await self._database.fetch_row(self._statements.page(query, known=Hints(anchor=anchor, recount=True)))
            self._remember(counting, row)
        return row

    def _known(self, counting: Any, anchor: Anchor | None = None) -> Hints:
        counted: Counted | None = self._counts.get(counting)
        return Hints(counted, anchor, recount=counted is None)

    def _count_is_right(self, counting: Any, known: Hints, row: asyncpg.Record) -> bool:
        """Whether the count of an answer is exact. Remembers it, or forgets what has become outdated."""
        if known.counted is None:
            self._remember(counting, row)
            return True
        if row["outdated"] or row["looked"] > MOST_CHANGES:
            self._counts.pop(counting, None)
        return not row["outdated"]

    def _remember(self, counting: Any, row: asyncpg.Record) -> None:
        if row["count"] >= self.scale.worthwhile:
            self._counts[counting] = Counted(row["count"], row["snapshot"])

    async def _near(self, query: Query, filters: bytes) -> Sequence[Anchor]:
        """Anchors from which the page can be reached, the nearest first."""
        entity = self._statements.catalog.schema[query.entity]
        if query.limit is None or query.offset < 2 * self.scale.every or query.offset + query.limit > 2**62:
            return ()
        if sort_keys_of(self._statements.catalog, entity, query.order) is None:
            return ()
        listed = (query.entity, filters, tuple(query.order))
        anchors = self._anchors.get(listed, [])
        at = bisect_right(anchors, query.offset, key=_number)
        if at == 0 or query.offset - anchors[at - 1].number >= 2 * self.scale.every:
            anchors = await self._find(query, listed, anchors[at - 1] if at else None)
            at = bisect_right(anchors, query.offset, key=_number)
        return anchors[max(0, at - TRIES) : at][::-1]

    async def _find(self, query: Query, listed: Any, anchor: Anchor | None) -> list[Anchor]:
        """Find anchors from a known one, or the beginning, up to the page."""
        found = await self._database.fetch_rows(self._statements.anchors(query, self.scale.every, anchor))
        if any(row["outdated"] or row["looked"] > MOST_CHANGES for row in found):
            self._anchors.pop(listed, None)
            return await self._find(query, listed, None) if anchor is not None else []
        anchors = list(self._anchors.get(listed, ()))
        known = {each.number for each in anchors}
        for row in found:
            number, snapshot, _, _, *values = row.values()
            if number not in known:
                insort(anchors, Anchor(number, snapshot, tuple(values)), key=_number)
        if listed not in self._anchors:  # adding anchors doesn't prolong the life of the ones there
            self._anchors[listed] = anchors
        else:
            self._anchors[listed][:] = anchors
        return anchors

    def _is_right(self, query: Query, filters: bytes | None, anchor: Anchor, row: asyncpg.Record, prefix: str = "") -> bool:
        """Whether a page that began at an anchor is right: not if the anchor has moved behind the page, or far before it."""
        if row[f"{prefix}outdated"] or row[f"{prefix}looked"] > MOST_CHANGES:
            self._anchors.pop((query.entity, filters, tuple(query.order)), None)
        behind_the_end = query.offset - anchor.number >= 2 * self.scale.every  # anchors were searched as far as the page
        return not row[f"{prefix}outdated"] and row["rest"] >= 0 and (row["rest"] <= FARTHEST or behind_the_end)


def _number(anchor: Anchor) -> int:
    return anchor.number
