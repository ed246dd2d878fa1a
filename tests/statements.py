"""Which statements a host sends to its databases, and how many transactions they make."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from velella.core.sql.database import Database

_FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass
class Statements:
    """What was sent, in order."""

    sent: list[tuple[int, str]] = field(default_factory=list)
    """Connection and text, of statements that begin and end transactions as well."""

    @property
    def count(self) -> int:
        """Statements, BEGIN and COMMIT not counted: they are what `commits` is about."""
        return sum(1 for _, text in self.sent if not text.startswith(_FRAME))

    @property
    def commits(self) -> int:
        """Transactions that write: those with a COMMIT, and single statements that write without one."""
        inside: set[int] = set()
        commits = 0
        for connection, text in self.sent:
            if text.startswith("BEGIN"):
                inside.add(connection)
            elif text.startswith(("COMMIT", "ROLLBACK")) and connection in inside:
                inside.discard(connection)
                commits += text.startswith("COMMIT")
            elif connection not in inside:
                commits += any(f"{word} " in text for word in ("INSERT INTO", "UPDATE", "DELETE FROM"))
        return commits

    def __str__(self) -> str:
        return "\n".join(f"{connection % 1000:3d} {' '.join(text.split())[:200]}" for connection, text in self.sent)


@asynccontextmanager
async def statements_of(database: Database) -> AsyncIterator[Statements]:
    """All statements that are sent to a database inside the block, on connections that are free when it begins or made inside."""
    found = Statements()
    heard: list[tuple[asyncpg.Connection[Any], Any]] = []

    def listen(connection: asyncpg.Connection[Any]) -> None:
        def hear(record: Any) -> None:
            found.sent.append((id(connection), record.query))

        connection.add_query_logger(hear)
        heard.append((connection, hear))

    async def connect() -> Any:
        connection = await plain()
        listen(connection)
        return connection

    await database.open()
    pool = database._pool
    assert pool is not None
    plain = pool._connect
    pool._connect = connect
    for connection in pool._idle:
        listen(connection)
    try:
        yield found
    finally:
        pool._connect = plain
        for connection, hear in heard:
            if not connection.is_closed():
                connection.remove_query_logger(hear)
