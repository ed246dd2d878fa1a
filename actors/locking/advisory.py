"""Locks by PostgreSQL: session-level advisory locks.

For shops whose processes share nothing but the database. PostgreSQL queues waiting sessions, and frees what a dead process held as soon as
its connection is closed. A flow costs a connection while it holds locks, however many, and one more while it waits for a further one that
somebody else holds, until it gives that back. Waiting flows of one process queue up here first, so they cost none.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
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


@dataclass(slots=True, eq=False)
class _Session:
    """A connection that holds locks of one flow."""

    flow: str
    connection: Connection
    locks: int = 1
    """How many it holds. Without any it is let go."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """It runs one statement at a time. None of them waits for a lock."""


class AdvisoryLocks(LockProvider[_Session]):
    """`providers.locking = [{use = "postgres"}]`. No lease runs out here: a lock lasts as long as its connection."""

    def __init__(self, context: HostContext, *, connections: int = 8) -> None:
        super().__init__()
        self._url = context.settings.database_of("engine")
        self._connections = connections
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._turns = LockTable()
        self._sessions: dict[str, _Session] = {}
        """Flow → the connection on which it takes further locks that are free."""

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

    async def take(self, key: str, owner: str, *, wait: float, lease: float) -> HeldLock[_Session]:
        asked = time.monotonic()
        await self._turns.acquire(key, owner, math.inf, wait)
        flow = owner.partition("#")[0]
        try:
            session = self._sessions.get(flow)
            if session is None or not await self._beside(session, key, asked + wait):
                session = _Session(flow, await self._from_database(key, asked + wait))
                self._sessions.setdefault(flow, session)
        except BaseException:
            self._turns.release(key, owner)
            raise
        return self._keep(HeldLock(key, owner, lease, asked + lease, session))

    async def give_back(self, held: HeldLock[_Session]) -> None:
        if self._drop(held):
            try:
                await asyncio.shield(self._errands.begin(self._unlock(held.part, held.key)))
            finally:
                self._turns.release(held.key, held.owner)

    async def _renew(self, grip: HeldLock[_Session]) -> bool:
        try:
            async with asyncio.timeout(max(SHORTEST_SECONDS, grip.lease / 3)), grip.part.turn:
                await grip.part.connection.execute("SELECT 1")  # a connection that broke silently is detected by using it
        except TimeoutError:  # nothing is known: it counts as lost when the lease is over
            raise Unavailable("The database did not answer in time.") from None
        except _BROKEN:
            return False
        return True

    # -- inside

    async def _beside(self, session: _Session, key: str, until: float) -> bool:
        """Take a lock beside those that its flow has. False: somebody has it, or the flow has just given back the last of its own."""
        trying = asyncio.create_task(self._try(session, key))
        try:
            async with asyncio.timeout(max(0.01, until - time.monotonic())):
                return await asyncio.shield(trying)
        except TimeoutError:
            self._errand(self._withdraw(session, key, trying))
            raise taken(key) from None
        except asyncio.CancelledError:
            self._errand(self._withdraw(session, key, trying))
            raise

    async def _try(self, session: _Session, key: str) -> bool:
        async with session.turn:
            if not session.locks:
                return False
            try:
                got: bool = await session.connection.fetchval("SELECT pg_try_advisory_lock($1)", _number(key), timeout=RESET_SECONDS)
            except _BROKEN as error:
                self._cut(session, error)  # else it might have it without knowing
                raise translated(error) or error from error
            session.locks += got
            return got

    async def _withdraw(self, session: _Session, key: str, trying: asyncio.Task[bool]) -> None:
        if await trying:
            await self._unlock(session, key)

    async def _unlock(self, session: _Session, key: str) -> None:
        async with session.turn:
            session.locks -= 1
            if not session.locks:
                if self._sessions.get(session.flow) is session:
                    del self._sessions[session.flow]
                await self._let_go(session.connection)
                return
            try:
                await session.connection.execute("SELECT pg_advisory_unlock($1)", _number(key), timeout=RESET_SECONDS)
            except _BROKEN as error:
                self._cut(session, error)

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
        except _BROKEN as error:
            log.warning("a lock's connection was closed", error=str(error))

    @staticmethod
    def _cut(session: _Session, error: BaseException) -> None:
        """Close a connection of which it isn't known what it holds. What it held is lost, which is seen when it is renewed."""
        log.warning("a lock's connection was closed", locks=session.locks, error=str(error))
        with suppress(asyncpg.InterfaceError):  # it is closed already
            session.connection.terminate()


async def _watch(connection: asyncpg.Connection[Any]) -> None:
    notice_vanishing(connection)


def _number(key: str) -> int:
    """Advisory locks are numbers of 64 bits. Two keys with one number exclude each other: seldom slower, never wrong."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), signed=True)
