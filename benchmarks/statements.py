"""The statements that are sent to databases, with their values, and the transactions they make."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import asyncpg

from velella.actors.engine import queries
from velella.core.sql.db.database import Database
from velella.core.sql.db.pool import PooledConnection

_FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
_WRITES = ("INSERT INTO ", "UPDATE ", "DELETE FROM ")


_BESIDE = {
    query.sql
    for query in (queries.BEAT, queries.NEIGHBOURS, queries.ORPHANED, queries.TAKE_OVER, queries.SUBSCRIPTIONS, queries.TAKE_DELIVERIES)
}
"""Statements of a coordinator's lease and its checks for due work: no request costs them."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One statement, including those that begin or end a transaction."""

    connection: int
    text: str
    arguments: tuple[Any, ...] = ()
    failed: bool = False


@dataclass
class Statements:
    """The statements that were sent, in the order of their answers."""

    sent: list[Sent] = field(default_factory=list)
    _connections: Callable[[], int] = field(default_factory=lambda: count().__next__, repr=False)

    @property
    def count(self) -> int:
        """Number of statements, except BEGIN and COMMIT: `commits` counts these."""
        return sum(1 for each in self.sent if not each.text.startswith(_FRAME) and each.text not in _BESIDE)

    @property
    def commits(self) -> int:
        """Transactions that write: those with a COMMIT, and single statements that write without one."""
        inside: set[int] = set()
        commits = 0
        for each in self.sent:
            if each.text.startswith("BEGIN"):
                inside.add(each.connection)
            elif each.text.startswith(("COMMIT", "ROLLBACK")) and each.connection in inside:
                inside.discard(each.connection)
                commits += each.text.startswith("COMMIT")
            elif each.connection not in inside and each.text not in _BESIDE:
                commits += any(word in each.text for word in _WRITES)
        return commits

    def taken(self) -> list[Sent]:
        """The statements since the last call."""
        taken, self.sent = self.sent, []
        return taken

    def listen(self, connection: asyncpg.Connection[Any]) -> Callable[[Any], None]:
        """Record the statements of a connection from now on; returns the logger, for `remove_query_logger`."""
        number = self._connections()

        def hear(record: Any) -> None:
            self.sent.append(Sent(number, record.query, tuple(record.args), record.exception is not None))

        connection.add_query_logger(hear)
        return hear

    def __str__(self) -> str:
        return "\n".join(f"{each.connection:3d} {' '.join(each.text.split())[:200]}" for each in self.sent)


@asynccontextmanager
async def statements_of(database: Database) -> AsyncIterator[Statements]:
    """All statements that are sent to a database inside the block, except on connections that were taken before and aren't given back."""
    found = Statements()
    heard: dict[PooledConnection, Any] = {}

    def hear(connection: PooledConnection) -> PooledConnection:
        if connection not in heard:
            heard[connection] = found.listen(connection)
        return connection

    async def connect() -> PooledConnection:
        return hear(await plain_connect())

    def release(connection: PooledConnection, *, doubtful: bool = False) -> None:
        plain_release(hear(connection), doubtful=doubtful)

    await database.open()
    pool = database._pool
    assert pool is not None
    plain_connect, plain_release = pool._connect, pool.release
    pool._connect, pool.release = connect, release  # type: ignore[method-assign]
    for connection in pool._idle:
        hear(connection)
    try:
        yield found
    finally:
        pool._connect, pool.release = plain_connect, plain_release  # type: ignore[method-assign]
        for connection, logger in heard.items():
            if not connection.is_closed():
                connection.remove_query_logger(logger)


@asynccontextmanager
async def all_statements() -> AsyncIterator[Statements]:
    """All statements that this process sends to any database, from their first connection on: open databases inside the block."""
    found = Statements()
    plain = Database._connect

    async def connect(database: Database) -> PooledConnection:
        connection = await plain(database)
        found.listen(connection)
        return connection

    Database._connect = connect  # type: ignore[method-assign,assignment]
    try:
        yield found
    finally:
        Database._connect = plain  # type: ignore[method-assign]
