"""A minimal pool of connections: taking and giving back an idle one takes no round trip and no task.

(asyncpg's own pool spends more on that than PostgreSQL does on finding a row by its key.)

Connections are made when they are needed, up to `size`, and kept. Waiting callers are served first come, first served. A connection
whose statement was given up is not used again: the answer may still be on its way.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from ...metrics import Histogram
from ...sockets import notice_death
from ...tasks import Tasks
from .compiled import WIDE

PREPARED = 1024 * 1024
"""Characters of statements that a connection prepares. Their plans take about sixty times as much memory in its server process, which
frees none of it before it ends. All statements of a shop are half of this."""
_FAREWELL = 5.0
"""Seconds a connection has to close in good order."""


class PooledConnection(asyncpg.Connection):
    """A connection that counts how much its server process holds in memory for it."""

    __slots__ = ("_texts", "prepared")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._texts: set[str] = set()
        self.prepared = 0
        """Characters of the statements prepared on it."""

    def prepares(self, sql: str) -> None:
        """Count a statement that is about to be sent."""
        if sql not in self._texts and len(sql) <= WIDE:
            self._texts.add(sql)
            self.prepared += len(sql)


class ConnectionPool:
    def __init__(self, connect: Callable[[], Awaitable[PooledConnection]], size: int) -> None:
        self.size = size
        self._connect = connect
        self._idle: list[PooledConnection] = []
        self._waiting: deque[asyncio.Future[PooledConnection | None]] = deque()
        self._open = 0
        """Connections that are open, being made, or being closed."""
        self._made: set[PooledConnection] = set()
        """Connections that aren't closed yet."""
        self._ending = Tasks("a connection could not be ended")
        self._closed = False
        self._empty = asyncio.Event()
        self.waits = Histogram()
        """Seconds callers waited for a connection where none was idle: for one to be given back, or for a new one to be made."""

    @property
    def idle(self) -> int:
        return len(self._idle)

    @property
    def in_use(self) -> int:
        return self._open - len(self._idle)

    def take(self) -> PooledConnection | None:
        """Take an idle connection, for this caller alone until `release`; None where none is idle."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.is_closed():
                return connection
            self._made.discard(connection)
            self._open -= 1
        return None

    async def acquire(self, timeout: float | None = None) -> PooledConnection:
        """Take a connection, for this caller alone until `release`. Raises TimeoutError if none was free in time, and what connecting
        raises."""
        connection = self.take()
        if connection is not None:
            return connection
        started = time.monotonic()
        try:
            if timeout is None:
                return await self._new_or_next()
            async with asyncio.timeout(timeout):
                return await self._new_or_next()
        finally:
            self.waits.observe(time.monotonic() - started)

    def release(self, connection: PooledConnection, *, doubtful: bool = False) -> None:
        """Give a connection back. `doubtful`: its statement was given up. A connection that has prepared too much is replaced by a new
        one."""
        if doubtful or self._closed or connection.prepared > PREPARED or connection.is_closed() or connection.is_in_transaction():
            self._ending.begin(self._end(connection))
        elif not self._waiting or not self._hand_on(connection):
            self._idle.append(connection)

    def renew(self) -> None:
        """Close the idle connections: their server is no longer the right one."""
        idle, self._idle = self._idle, []
        for connection in idle:
            self.release(connection, doubtful=True)

    async def close(self, patience: float = 30.0) -> None:
        """Refuse new callers, wait at most `patience` seconds for the connections in use, and close all of them. Those that are in use even
        then, or when this is given up, are cut off."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            self.release(connection)
        try:
            if self._open:
                self._empty.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._empty.wait(), patience)
        finally:
            for connection in self._made:
                connection.terminate()

    async def _new_or_next(self) -> PooledConnection:
        if self._closed:
            raise asyncpg.InterfaceError("the pool is closed")
        if self._open < self.size:
            self._open += 1
            return await self._new()
        turn: asyncio.Future[PooledConnection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            connection = await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it was handed over at the very moment of giving up
                handed = turn.result()
                if handed is not None:
                    self.release(handed)
                else:
                    self._room()
            raise
        return connection if connection is not None else await self._new()

    async def _new(self) -> PooledConnection:
        """Connect. The caller has counted the connection in `_open` already."""
        try:
            connection = await self._connect()
        except BaseException:
            self._room()
            raise
        self._made.add(connection)
        return connection

    async def _end(self, connection: PooledConnection) -> None:
        try:
            await connection.close(timeout=_FAREWELL)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            connection.terminate()  # it is closed because it was broken
        finally:
            self._made.discard(connection)
            self._room()

    def _room(self) -> None:
        """A connection was closed: the caller that has waited longest may make a new one."""
        if not self._hand_on(None):
            self._open -= 1
            if not self._open:
                self._empty.set()

    def _hand_on(self, connection: PooledConnection | None) -> bool:
        """Give a connection (None: leave to make one) to the caller that has waited longest; False where none waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False


def notice_vanishing(connection: Any) -> None:
    """Have a connection closed whose server has vanished: what runs at intervals has no limit of time but the server's own."""
    notice_death(connection._transport)
