"""One shard of the locking pool, as a service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ...core.message import Service, reads
from ...core.metrics import Sample
from .table import LONGEST_LEASE, LockTable

if TYPE_CHECKING:
    from ..context import HostContext
    from ..messaging.router import Router

SWEEP_SECONDS = 10.0

_tables: WeakKeyDictionary[Router, LockTable] = WeakKeyDictionary()


def table_beside(router: Router) -> LockTable | None:
    """The locks of the shard that lives in the same host, or None: asking it is a function call."""
    return _tables.get(router)


class LockingService(Service):
    """Locks of the keys that belong to this replica: `router.replica_for("locking", key)` chooses it.

    Its only client is `ActorLocks`.
    """

    name = "locking"

    def __init__(self) -> None:
        self.table = LockTable()
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._sweeping = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping

    async def acquire(self, key: str, owner: str, lease: float, wait: float) -> None:
        """Take a key. May be repeated: an owner is one acquisition. Raises NotLocked if it can't be had within `wait` seconds."""
        await self.table.acquire(key, owner, min(lease, LONGEST_LEASE), wait)

    async def renew(self, key: str, owner: str, lease: float, adopt: bool = True) -> bool:
        """Extend the lease. False if it is over. `adopt`: see `LockTable`."""
        return self.table.renew(key, owner, min(lease, LONGEST_LEASE), adopt=adopt)

    async def release(self, key: str, owner: str) -> bool:
        """Release a key. False if that owner doesn't hold it."""
        return self.table.release(key, owner)

    async def withdraw(self, key: str, owner: str) -> None:
        """Release a key, or stop waiting for it, for the owner that asked for it."""
        self.table.withdraw(key, owner)

    @reads
    async def metrics(self) -> dict[str, Any]:
        """Locks held and awaited now, and locks granted, expired and given up since the start."""
        metrics = self.table.metrics
        return {name: getattr(metrics, name) for name in metrics.__slots__}

    def samples(self) -> Iterator[Sample]:
        metrics = self.table.metrics
        yield "velella_locks_held", (), metrics.held
        yield "velella_locks_waiting", (), metrics.waiting
        for outcome, times in (("granted", metrics.granted), ("expired", metrics.expired), ("given_up", metrics.given_up)):
            yield "velella_locks_total", (outcome,), times

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.table.sweep()


def create(context: HostContext) -> LockingService:
    service = LockingService()
    context.metrics.add(service.samples)
    _tables[context.router] = service.table
    return service
