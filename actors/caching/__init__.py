"""The caching pool, and the cache in each process.

What is promised. A process answers from its cache only with what was read after the last change it knows of (`cache.py`). A writer's
process tells the pool after the commit and before the reply leaves, a flow's changes all together before the flow's reply does; the pool
tells every process that remembers answers and waits for each to confirm, up to 100 ms (`invalidation.py`). So a client that has the reply
to a write, and asks any front end, sees the write. The exceptions: a front end that didn't confirm in time, and a writer that died
between its commit and telling. For the first, the next thing it hears is to forget everything; for the second, the supervisor tells
everybody to. Until then, and should all of that be lost, an entry lives `cache_seconds`.

What is asked for seldom twice and changes all the time is never cached, and its changes aren't told: `Module.caching` is `none`. But
for those of its entities that are settings rather than trade (`Entity.remembered`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...core.message import Service, reads
from .cache import NOTHING, Cache, Figures
from .invalidation import FILLERS, Announcer, Invalidation, coalesced, sources

if TYPE_CHECKING:
    from ...core.sql.schema.schema import Schema
    from ..context import HostContext


def remembered_of(names: Iterable[str], schema: Schema) -> frozenset[str]:
    """Of what has changed in a quiet module, what is told all the same: entities, and single rows of them."""
    remembered = {name for name, entity in schema.entities.items() if entity.remembered}
    return frozenset(name for name in names if name.partition(":")[0].partition(".")[0] in remembered)


class CachingService(Service):
    """Spreads changes to the processes that remember answers."""

    name = "caching"

    def __init__(self, spread: Invalidation) -> None:
        self._spread = spread

    @reads
    async def bump(self, names: list[str]) -> None:
        """Entities of these names have changed. Returns when every process knows, or those that don't answer were waited for 100 ms.

        May be sent again: being told twice does no harm.
        """
        await self._spread.tell(names)

    @reads
    async def forget_all(self) -> None:
        """Anything may have changed."""
        await self._spread.tell(None)


def create(context: HostContext) -> CachingService:
    return CachingService(Invalidation(context.router, context.settings))


__all__ = [
    "FILLERS",
    "NOTHING",
    "Announcer",
    "Cache",
    "CachingService",
    "Figures",
    "Spread",
    "coalesced",
    "create",
    "remembered_of",
    "sources",
]  # fmt: skip
