"""One shard of the locking pool, as a service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import Sequence, select

from ...core.messages import Service, reads
from ...core.metrics import Sample
from ...core.sql.compiled import compiled
from .table import LONGEST_LEASE, LockTable, Tokens

if TYPE_CHECKING:
    from ...core.sql.database import Database
    from ..context import HostContext
    from ..router import Router

SWEEP_SECONDS = 10.0
DRAW = compiled(select(Sequence("fencing_block").next_value()))

_tables: WeakKeyDictionary[Router, LockTable] = WeakKeyDictionary()


def table_beside(router: Router) -> LockTable | None:
    """The locks of the shard that lives in the same host, where one does: asking it is a function call."""
    return _tables.get(router)


def drawn_from(database: Database) -> Callable[[], Awaitable[int]]:
    async def draw() -> int:
        return int(await database.fetch_value(DRAW))

    return draw


class LockingService(Service):
    """Locks of the keys that belong to this replica. Which replica that is, is told by `router.replica_for("locking", key)`.

    Clients are `ActorLocks`; nobody else should need these messages.
    """

    name = "locking"

    def __init__(self, draw: Callable[[], Awaitable[int]], neighbours: Callable[[], object] = lambda: None) -> None:
        """`draw` gives numbers that only rise, across all processes and restarts: see `Tokens`; `neighbours`: see `LockTable`."""
        self._tokens = Tokens(draw)
        self.table = LockTable(self._tokens, neighbours=neighbours)
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._sweeping = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping
        await self._tokens.stop()

    async def acquire(self, keys: list[str], owner: str, lease: float, wait: float, above: int = 0, moved: bool = False) -> int:
        """The token of the grant, which is higher than `above`. Safe to send again: an owner is one acquisition.

        `moved`: whoever asks has lost a shard since it asked before, or found it again. Raises Conflict when the keys can't be had
        within `wait` seconds.
        """
        if moved:
            self.table.keys_moved()
        await self._tokens.exceed(above)
        holding = await self.table.acquire(sorted(set(keys)), owner, min(lease, LONGEST_LEASE), wait)
        return holding.token

    async def renew(self, keys: list[str], owner: str, token: int, lease: float, reached: int = 0, adopt: bool = True) -> bool:
        """Extend the lease; False when it is over. `reached`: from now on give only tokens above this one. `adopt`: see `LockTable`."""
        await self._tokens.exceed(reached)
        return self.table.renew(sorted(set(keys)), owner, token, min(lease, LONGEST_LEASE), adopt=adopt)

    async def release(self, owner: str, token: int) -> bool:
        """Give back. False when that owner doesn't hold anything under that token."""
        return self.table.release(owner, token)

    async def withdraw(self, owner: str) -> None:
        """Give back or stop waiting for whatever the owner asked for."""
        self.table.withdraw(owner)

    @reads
    async def figures(self) -> dict[str, Any]:
        """Locks held and awaited now, and granted, expired and given up since the start."""
        figures = self.table.figures
        return {name: getattr(figures, name) for name in figures.__slots__}

    def samples(self) -> Iterator[Sample]:
        figures = self.table.figures
        yield "velella_locks_held", (), figures.held
        yield "velella_locks_waiting", (), figures.waiting
        for outcome, times in (("granted", figures.granted), ("expired", figures.expired), ("given_up", figures.given_up)):
            yield "velella_locks_total", (outcome,), times

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.table.sweep()


def create(context: HostContext) -> LockingService:
    router = context.router
    service = LockingService(drawn_from(context.database("engine")), lambda: router.directory)
    context.meters.add(service.samples)
    _tables[router] = service.table
    return service
