"""The caching pool, and the cache in each process.

What is promised. A process answers from its cache only with what was read after the last change it knows of (`cache.py`). A writer's
process sends the invalidation to the pool after the commit and before the reply, a flow all of its changes together before its own reply;
the pool passes it on to every process that caches and waits for each to confirm, at most 100 ms in each of two waves (`invalidation.py`).
So a client that has the reply to a write, and asks any front end, sees the write. The exceptions: a front end that didn't confirm in time,
and a writer that died between its commit and the invalidation. In the first case, the next invalidation that it receives drops everything;
in the second, the supervisor makes every process drop everything. Until then, and should all of that be lost, an entry lives
`cache_seconds`.

Behind the caches of processes there may be one that they share (`shared.py`).

Rows that are seldom read twice and change all the time are never cached, and their changes send no invalidation: `Module.caching` is
`none`. The exception are such a module's settings (`Entity.remembered`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...core.message import Service, reads
from .cache import NOTHING, Cache
from .invalidation import FILLERS, Announcer, Invalidation, coalesced, sources

if TYPE_CHECKING:
    from ...core.sql.schema.schema import Schema
    from ..context import HostContext


def remembered_of(names: Iterable[str], schema: Schema) -> frozenset[str]:
    """The tags that a module with caching `none` sends all the same: its `remembered` entities, and single rows of them."""
    remembered = {name for name, entity in schema.entities.items() if entity.remembered}
    return frozenset(name for name in names if name.partition(":")[0].partition(".")[0] in remembered)


class CachingService(Service):
    """Passes invalidation on to the processes that cache."""

    name = "caching"

    def __init__(self, invalidation: Invalidation) -> None:
        self._invalidation = invalidation

    @reads
    async def bump(self, names: list[str]) -> None:
        """Rows of these entities have changed. Returns when every process has confirmed, or when late ones were waited for 100 ms in each
        wave.

        May be repeated: a second invalidation does no harm.
        """
        await self._invalidation.send(names)

    @reads
    async def forget_all(self) -> None:
        """Anything may have changed: every process drops its cache."""
        await self._invalidation.send(None)


def create(context: HostContext) -> CachingService:
    return CachingService(Invalidation(context.router, context.settings, shared=context.shared, itself=True))


__all__ = ["FILLERS", "NOTHING", "Announcer", "Cache", "CachingService", "coalesced", "create", "remembered_of", "sources"]
