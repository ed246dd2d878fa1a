"""Locks by PostgreSQL: session-level advisory locks, each on a connection of its own.

For shops whose processes share nothing but the database. PostgreSQL queues waiting sessions, and frees what a dead process held as soon as
its connection is closed. A lock costs a connection while it is held; waiting flows of one process queue up here first, so they cost none.
"""

from __future__ import annotations

import asyncio
import math
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import asyncpg

from ...core.errors import Unavailable
from ...core.logs import logger
from ...core.sql.db.failures import translated
from ...core.sql.db.pool import notice_vanishing
from .leases import HeldLock, LockProvider
from .table import LockTable, taken

if TYPE_CHECKING:
    from ..context import HostContext

Connection = asyncpg.pool.PoolConnectionProxy
_BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What is raised by a connection that doesn't work any more: TimeoutError is an OSError."""
SHORTEST_SECONDS = 0.2
RESET_SECONDS = 5.0
"""Seconds for resetting a connection, and for closing them all."""

log = logger("velella.locking")


class AdvisoryLocks(LockProvider[Connection]):
    """`providers.locking = [{use = "postgres"}]`. No lease runs out here: a lock lasts as long as its connection."""

    def __init__(self, context: HostContext, *, connections: int = 8) -> None:
        super().__init__()
        self._url = context.settings.database_of("engine")
        self._connections = connections
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._turns = LockTable()

    async def start(self) -> None:
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._connections,
                init=_watch,
                server_settings={"application_name": "velella locks"},
            )
        except _BROKEN as error:
            raise translated(error) or error from error

    async def stop(self) -> None:
        await super().stop()
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), RESET_SECONDS)
            except _BROKEN as error:  # they are cut
                log.warning("the connections of locks did not close in order", error=str(error))

    async def take(self, key: str, owner: str, *, wait: float, lease: float) -> HeldLock[Connection]:
        asked = time.monotonic()
        await self._turns.acquire(key, owner, math.inf, wait)
        try:
            connection = await self._from_database(key, asked + wait)
        except BaseException:
            self._turns.release(key, owner)
            raise
        return self._keep(HeldLock(key, owner, lease, asked + lease, connection))

    async def give_back(self, held: HeldLock[Connection]) -> None:
        if self._drop(held):
            try:
                await self._let_go(held.part)
            finally:
                self._turns.release(held.key, held.owner)

    async def _renew(self, grip: HeldLock[Connection]) -> bool:
        try:
            # a connection that broke silently is detected by using it
            await grip.part.execute("SELECT 1", timeout=max(SHORTEST_SECONDS, grip.lease / 3))
        except TimeoutError:  # nothing is known: it counts as lost when the lease is over
            raise Unavailable("The database did not answer in time.") from None
        except _BROKEN:
            return False
        return True

    async def _from_database(self, key: str, until: float) -> Connection:
        if self._pool is None:
            raise Unavailable("The locks are not open.")
        connection: Connection | None = None
        try:
            async with asyncio.timeout(max(0.01, until - time.monotonic())):
                connection = await self._pool.acquire()
                await connection.execute("SELECT pg_advisory_lock($1)", _number(key))
                return connection
        except BaseException as error:
            if connection is not None:
                await asyncio.shield(self._let_go(connection))
            if isinstance(error, TimeoutError):
                raise taken(key) from None
            if isinstance(error, _BROKEN):
                raise translated(error) or error from error
            raise

    async def _let_go(self, connection: Connection) -> None:
        """Unlock what the connection holds, by resetting it; one that can't be reset is closed, which unlocks it as well."""
        if self._pool is None:
            return
        try:
            await self._pool.release(connection, timeout=RESET_SECONDS)
        except _BROKEN as error:  # also because it is just being renewed
            log.warning("a lock's connection was closed", error=str(error))


async def _watch(connection: asyncpg.Connection[Any]) -> None:
    notice_vanishing(connection)


def _number(key: str) -> int:
    """Advisory locks are numbers of 64 bits. Two keys with one number exclude each other: seldom slower, never wrong."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), signed=True)
