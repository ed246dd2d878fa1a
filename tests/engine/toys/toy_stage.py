"""A coordinator with the ledger beside it, on a given database: what a host does, without the rest of the shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import toy_ledger

from velella.actors.engine.coordinator import Coordinator
from velella.actors.locking.leases import HeldLock, LockProvider
from velella.actors.locking.table import LockTable
from velella.actors.messaging.handles import local_send
from velella.actors.streams import EventStream
from velella.actors.wakeups import WakeupQueue
from velella.core.clock import utc_now
from velella.core.flow import FlowContext
from velella.core.message import Service
from velella.core.service.context import ModuleContext
from velella.core.service.providers import Providers
from velella.core.settings import Settings
from velella.core.sql.db.database import Database


class HereLocks(LockProvider[None]):
    """Locks of one process."""

    def __init__(self) -> None:
        super().__init__()
        self.table = LockTable()

    async def take(self, key: str, owner: str, *, wait: float, lease: float) -> HeldLock[None]:
        holding = await self.table.acquire(key, owner, lease, wait)
        return self._keep(HeldLock(key, owner, lease, holding.until, None))

    async def give_back(self, held: HeldLock[None]) -> None:
        if self._drop(held):
            self.table.release(held.key, held.owner)

    async def _renew(self, grip: HeldLock[None]) -> bool:
        return self.table.renew(grip.key, grip.owner, grip.lease)


class Handle:
    """The handle of a service in this process."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __getattr__(self, method: str) -> Any:
        return local_send(self._service, method)


@dataclass
class Stage:
    coordinator: Coordinator
    ledger: toy_ledger.LedgerService
    database: Database
    locks: HereLocks

    async def booked(self, account: str) -> list[int]:
        return sorted(row["amount"] for row in await self.ledger.entries(account))


class ToyClock:
    """The time of a database and of the coordinators on it, which tests move."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ahead = 0.0

    async def set_up(self) -> None:
        """Make `now()` return this clock's time in every session that begins from here on."""
        await self.database.script("""
            CREATE SCHEMA toy_clock;
            CREATE TABLE toy_clock.ahead (seconds float8);
            INSERT INTO toy_clock.ahead VALUES (0);
            CREATE FUNCTION toy_clock.now() RETURNS timestamptz LANGUAGE sql STABLE
                AS 'SELECT pg_catalog.now() + make_interval(secs => (SELECT seconds FROM toy_clock.ahead))';
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = toy_clock, public, pg_catalog', current_database()); END $$;
        """)

    async def forward(self, seconds: float) -> None:
        self.ahead += seconds
        await self.database.script(f"BEGIN READ WRITE; UPDATE toy_clock.ahead SET seconds = {self.ahead}; COMMIT")

    def __call__(self) -> datetime:
        return utc_now() + timedelta(seconds=self.ahead)


@asynccontextmanager
async def stage(
    url: str,
    name: str | None = None,
    clock: ToyClock | None = None,
    *,
    visits: bool = False,
    stream: EventStream | None = None,
    wakeups: WakeupQueue | None = None,
) -> AsyncIterator[Stage]:
    """`name`: of a replica that is restarted under the same name. With a clock it does its chores when it is told to. `visits`: it is a
    command's, and not part of the shop. `stream`: where its events go on to. `wakeups`: by which it hears of others."""
    database = Database(url, connections=4)
    await database.open()
    settings = Settings(_env_file=None)

    async def changed(names: frozenset[str]) -> None: ...

    ledger = toy_ledger.LedgerService(ModuleContext(settings, database, Providers("ledger"), changed))
    locks = HereLocks()
    modules = cast(Any, SimpleNamespace(ledger=Handle(ledger)))
    coordinator = Coordinator(
        FlowContext(modules, cast(Any, None), settings, locks, clock or utc_now),
        database,
        replica=name,
        visits=visits,
        stream=stream,
        wakeups=wakeups,
    )
    await coordinator.start()
    if clock is not None:
        for chore in coordinator._chores:
            chore.cancel()
    try:
        yield Stage(coordinator, ledger, database, locks)
    finally:
        await coordinator.stop()
        await database.close()
