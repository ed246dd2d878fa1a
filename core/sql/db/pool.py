"""A pool of connections, as thin as it can be: taking and giving back a free one is no round trip and no task.

(asyncpg's own pool spends more on that than PostgreSQL on finding a row by its key.)

Connections are made when they are needed, up to `size`, and stay. Who waits is served in the order of coming. A connection
whose statement was given up is not used again: its answer may still be on the way.
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
from ...tasks import Tasks
from .compiled import WIDE

PREPARED = 1024 * 1024
"""Characters of statements that a connection prepares. Their plans take sixty times as much in its server process, and it doesn't give
them back before it ends; all statements of a shop are half of that."""
_FAREWELL = 5.0
"""Seconds a connection has to say goodbye."""


class Connection(asyncpg.Connection):
    """One that knows how much its server process has in memory for it."""

    __slots__ = ("_texts", "prepared")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._texts: set[str] = set()
        self.prepared = 0
        """Characters of the statements that were prepared."""

    def prepares(self, sql: str) -> None:
        """Note that a statement is sent."""
        if sql not in self._texts and len(sql) <= WIDE:
            self._texts.add(sql)
            self.prepared += len(sql)


class Pool:
    def __init__(self, connect: Callable[[], Awaitable[Connection]], size: int) -> None:
        self.size = size
        self._connect = connect
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._open = 0
        """Connections there are, being made, or being ended."""
        self._ending = Tasks("a connection could not be ended")
        self._closed = False
        self._empty = asyncio.Event()
        self.waits = Histogram()
        """For a connection, where none was idle: for somebody to give his back, or for a new one to be made."""

    @property
    def idle(self) -> int:
        return len(self._idle)

    @property
    def in_use(self) -> int:
        return self._open - len(self._idle)

    def take(self) -> Connection | None:
        """One that is idle, of one's own until `release`; None where there is none."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.is_closed():
                return connection
            self._open -= 1
        return None

    async def acquire(self, timeout: float | None = None) -> Connection:
        """A connection of one's own until `release`. Raises TimeoutError when none was free in time, and what connecting raises."""
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

    def release(self, connection: Connection, *, doubtful: bool = False) -> None:
        """Give it back. `doubtful`: its statement was given up. One that has prepared too much is replaced by a new one."""
        if doubtful or self._closed or connection.prepared > PREPARED or connection.is_closed() or connection.is_in_transaction():
            self._ending.begin(self._end(connection))
        elif not self._waiting or not self._hand_on(connection):
            self._idle.append(connection)

    def renew(self) -> None:
        """End the connections that are idle: their server is not the one to talk to any more."""
        idle, self._idle = self._idle, []
        for connection in idle:
            self.release(connection, doubtful=True)

    async def close(self, patience: float = 30.0) -> None:
        """Take no more requests, wait for the connections in use at most `patience` seconds, and end all of them."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            self.release(connection)
        if self._open:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):  # who hasn't ended by then is cut off when the process goes
                await asyncio.wait_for(self._empty.wait(), patience)

    async def _new_or_next(self) -> Connection:
        if self._closed:
            raise asyncpg.InterfaceError("the pool is closed")
        if self._open < self.size:
            self._open += 1
            return await self._new()
        turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            connection = await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it was handed over in the very moment of giving up
                handed = turn.result()
                if handed is not None:
                    self.release(handed)
                else:
                    self._room()
            raise
        return connection if connection is not None else await self._new()

    async def _new(self) -> Connection:
        """Connect, in room that is counted already."""
        try:
            return await self._connect()
        except BaseException:
            self._room()
            raise

    async def _end(self, connection: Connection) -> None:
        try:
            await connection.close(timeout=_FAREWELL)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            connection.terminate()  # it was broken: that is why it goes
        finally:
            self._room()

    def _room(self) -> None:
        """A connection is gone: there is room for a new one, which whoever waits longest makes."""
        if not self._hand_on(None):
            self._open -= 1
            if not self._open:
                self._empty.set()

    def _hand_on(self, connection: Connection | None) -> bool:
        """Give a connection, or with None the room for one, to whoever has waited longest; False where nobody waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False
