"""PostgreSQL by asyncpg: pools, transactions, and the errors a client understands.

A `Database` is one pool of connections. Modules with the same URL in one process share one (`Databases`). A statement
runs in the transaction of the task that sends it, if there is one, else by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy.sql.elements import ClauseElement

from ... import json, tracing
from ...errors import DeadlineExceeded, Unavailable, VelellaError
from ...message import call_context
from ...metrics import Histogram, Sample
from ...rows import Typed, TypedRows
from .compiled import WIDE, BoundStatement, Compiled, compiled
from .failures import Disconnected, OutOfTime, ReadOnly, translated, was_not_sent
from .pool import ConnectionPool, PooledConnection, notice_vanishing

T = TypeVar("T")
AfterCommit = Callable[[], Awaitable[None]]

_SESSION = {
    "application_name": "velella",
    "timezone": "UTC",
    # the planner overestimates JSON made in correlated subselects, and compiling such a statement costs more than running it
    "jit": "off",
    # planning such a statement for each set of values makes it take two to four times as long
    "plan_cache_mode": "force_generic_plan",
    # starting parallel workers takes longer than most statements
    "max_parallel_workers_per_gather": "0",
}
_ANSWER = Compiled("SELECT true", ())
_PLAN_ANEW = "SET plan_cache_mode = force_custom_plan"
_PLAN_ONCE = "SET plan_cache_mode = force_generic_plan"


# Arrays that statements take, besides text[]. asyncpg looks a type up when a statement first needs it, with two more statements: looking
# all of them up when a connection is made is cheaper than one by one during requests.
_TYPES = "SELECT $1::bytea[], $2::numeric[], $3::bool[], $4::int[], $5::bigint[], $6::timestamptz[], $7::jsonb[]"


_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
_DOUBTFUL = (
    asyncio.CancelledError, TimeoutError, DeadlineExceeded, Disconnected, asyncpg.InternalClientError, asyncpg.ReadOnlySQLTransactionError
)  # fmt: skip
"""After any of these errors a connection isn't used again."""


class Transaction:
    """A running transaction: its connection, and what is to be done once it is committed."""

    __slots__ = ("_lock", "after_commit", "connection", "database", "open")

    def __init__(self, database: Database, connection: PooledConnection) -> None:
        self.database = database
        self.connection = connection
        self.after_commit: list[AfterCommit] = []
        self.open = True
        self._lock = asyncio.Lock()

    async def run(self, sql: str, send: Callable[[PooledConnection], Awaitable[T]]) -> T:
        """Run one statement. Tasks started inside the transaction take turns on its connection."""
        database = self.database
        async with self._lock:
            self.connection.prepares(sql)
            started = time.monotonic()
            try:
                answer = await send(self.connection)
                database._answered = time.monotonic()
                return answer
            except _FAILURES as error:
                if (better := database._better(error, sent=False)) is None:
                    raise
                raise better from error
            finally:
                database.statements.observe(time.monotonic() - started)

    async def follow_up(self) -> None:
        """Run everything that was put off until the commit, also if this task is cancelled meanwhile."""
        cancelled: asyncio.CancelledError | None = None
        for call in self.after_commit:
            try:
                await call()
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled


_transactions: ContextVar[Mapping[int, Transaction]] = ContextVar("velella_transactions", default={})  # noqa: B039 never changed in place


class Database:
    """One pool of connections to one database."""

    def __init__(self, url: str, *, connections: int = 8, statement_timeout: float = 30.0) -> None:
        self.url = url
        self.connections = connections
        self.statement_timeout = statement_timeout
        self.statements = Histogram()
        self.committed = self.rolled_back = 0
        """Counts of transactions with several statements."""
        self._answered = float("-inf")
        """Monotonic time of the last answer to a statement."""
        self._pool: ConnectionPool | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> None:
        """Connect; a second call does nothing. Raises Unavailable, with a hint, where the database can't be reached."""
        async with self._opening:
            if self._pool is not None:
                return
            pool = ConnectionPool(self._connect, self.connections)
            try:
                pool.release(await pool.acquire())
            except _FAILURES as error:
                better = translated(error)
                if better is None:
                    raise
                raise better from error
            self._pool = pool

    async def close(self) -> None:
        """Wait for running statements, then disconnect. The next statement raises Unavailable."""
        async with self._opening:  # else it would be opened after that, where a host stops because another database can't be reached
            pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def answers(self) -> None:
        """Return when the database answers, or has answered within the last second. Raises the error that keeps it from answering."""
        if time.monotonic() - self._answered > 1.0:
            await self.fetch_value(_ANSWER)

    def samples(self) -> Iterator[Sample]:
        parts = urlsplit(self.url)
        name = f"{parts.hostname or 'localhost'}{parts.path}"
        yield "velella_sql_statement_duration_seconds", (name,), self.statements.value
        yield "velella_sql_transactions_total", (name, "committed"), self.committed
        yield "velella_sql_transactions_total", (name, "rolled_back"), self.rolled_back
        yield "velella_sql_connections_max", (name,), self.connections
        if (pool := self._pool) is not None:
            yield "velella_sql_connections", (name, "idle"), pool.idle
            yield "velella_sql_connections", (name, "in_use"), pool.in_use
            yield "velella_sql_connection_wait_seconds", (name,), pool.waits.value

    # -- statements

    def fetch(
        self, statement: Compiled | ClauseElement, params: Mapping[str, Any] | None = None
    ) -> Coroutine[Any, Any, list[asyncpg.Record]]:
        """Return all rows. Values of type `jsonb` come as Python values, values of type `json` as the bytes of their text."""
        ready, timeout = _ready(statement), _time_left()
        arguments = ready.arguments(params)
        return self._run(ready.sql, lambda connection: connection.fetch(ready.sql, *arguments, timeout=timeout))

    async def rows(self, statement: Compiled | ClauseElement, params: Mapping[str, Any] | None = None) -> TypedRows[Typed]:
        """Return all rows as new dicts, of the type that the caller declares."""
        rows: Any = [dict(record) for record in await self.fetch(statement, params)]
        declared: TypedRows[Typed] = rows
        return declared

    def fetch_one(
        self, statement: Compiled | ClauseElement, params: Mapping[str, Any] | None = None
    ) -> Coroutine[Any, Any, asyncpg.Record | None]:
        """Return the first row, or None."""
        ready, timeout = _ready(statement), _time_left()
        arguments = ready.arguments(params)
        return self._run(ready.sql, lambda connection: connection.fetchrow(ready.sql, *arguments, timeout=timeout))

    def fetch_value(self, statement: Compiled | ClauseElement, params: Mapping[str, Any] | None = None) -> Coroutine[Any, Any, Any]:
        """Return the first column of the first row, or None."""
        ready, timeout = _ready(statement), _time_left()
        arguments = ready.arguments(params)
        return self._run(ready.sql, lambda connection: connection.fetchval(ready.sql, *arguments, timeout=timeout))

    async def fetch_json(self, statement: Compiled | ClauseElement, params: Mapping[str, Any] | None = None) -> bytes:
        """Return the JSON text of a statement that gives one value of type `json`."""
        value = await self.fetch_value(statement, params)
        if not isinstance(value, bytes):
            raise TypeError(f"A statement that should give json gave {type(value).__name__}")
        return value

    async def execute(self, statement: Compiled | ClauseElement, params: Mapping[str, Any] | None = None) -> int:
        """Run a statement and return the number of rows it touched."""
        ready, timeout = _ready(statement), _time_left()
        arguments = ready.arguments(params)
        status: str = await self._run(ready.sql, lambda connection: connection.execute(ready.sql, *arguments, timeout=timeout))
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def fetch_row(self, asked: BoundStatement) -> asyncpg.Record:
        """Return the only row of a bound statement."""
        [row] = await self.fetch_rows(asked)
        return row

    def fetch_rows(self, asked: BoundStatement) -> Coroutine[Any, Any, list[asyncpg.Record]]:
        """Return all rows of a bound statement."""
        timeout = _time_left()

        def fetch(connection: PooledConnection) -> Awaitable[list[asyncpg.Record]]:
            return connection.fetch(asked.sql, *asked.arguments, timeout=timeout)

        return self._run(asked.sql, _with_custom_plan(fetch) if asked.custom_plan else fetch)

    async def script(self, sql: str) -> None:
        """Run plain SQL of several statements (tests, maintenance)."""
        await self._run(sql, lambda connection: connection.execute(sql))

    # -- transactions

    @property
    def transaction_running(self) -> Transaction | None:
        """The transaction that statements of this task join, or None."""
        running = _transactions.get().get(id(self))
        return running if running is not None and running.open else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """All statements inside take effect, or none. Inside a running transaction: joins it.

        What was put into `after_commit` runs after the outermost transaction is committed and before this returns; also where it is
        unknown whether it was committed, because the connection was lost or the task was cancelled during the commit.

        Raises Collided or Disconnected where nothing took effect and the whole may be repeated, ReplyLost where the connection was lost
        during the commit.
        """
        running = self.transaction_running
        if running is not None:
            yield running
            return
        pool, timeout = self._opened(), _time_left()
        failure: BaseException | None = None
        committing = False
        try:
            with tracing.span("transaction", "client"):
                async with _borrowed(pool, timeout) as connection, connection.transaction():
                    started = Transaction(self, connection)
                    token = _transactions.set({**_transactions.get(), id(self): started})
                    try:
                        yield started
                    except BaseException as error:
                        failure = error
                        self.rolled_back += 1
                        raise
                    finally:
                        started.open = False
                        _transactions.reset(token)
                    committing = True
        except BaseException as error:
            if committing:
                self.rolled_back += 1
                await started.follow_up()
            # An error raised by the body stays as it is; a failed statement's error is translated already. It takes precedence even if
            # the rollback failed as well, because the connection was lost.
            if failure is error or not isinstance(error, _FAILURES):
                raise
            if failure is not None:
                raise failure from error
            better = translated(error, sent=committing)
            if better is None:
                raise
            raise better from error
        self.committed += 1
        await started.follow_up()

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[Transaction]:
        """Like `transaction`, but what is inside can fail (and be caught outside) without failing the transaction around it."""
        async with self.transaction() as running:
            kept = len(running.after_commit)
            try:
                async with running.connection.transaction():
                    yield running
            except BaseException:
                del running.after_commit[kept:]
                raise

    # -- inside

    async def _connect(self) -> PooledConnection:
        connection: PooledConnection = await asyncpg.connect(
            self.url,
            statement_cache_size=512,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=WIDE,
            connection_class=PooledConnection,
            server_settings={**_SESSION, "statement_timeout": str(int(self.statement_timeout * 1000))},
        )
        try:
            notice_vanishing(connection)
            await _set_codecs(connection)
            await connection.prepare(_TYPES)
        except BaseException:  # whoever waited gave up: nobody else knows of this connection
            connection.terminate()
            raise
        return connection

    def _opened(self) -> ConnectionPool:
        if self._pool is None:
            raise Unavailable("The database is not open.")
        return self._pool

    def _run(self, sql: str, send: Callable[[PooledConnection], Awaitable[T]]) -> Coroutine[Any, Any, T]:
        running = _transactions.get().get(id(self))
        doing = running.run(sql, send) if running is not None and running.open else self._send(sql, send)
        if tracing.is_on():
            return tracing.traced(doing, tracing.statement_name(sql), "client", db_system_name="postgresql", db_query_text=sql)
        return doing

    async def _send(self, sql: str, send: Callable[[PooledConnection], Awaitable[T]]) -> T:
        """Send on a connection of the pool; on the next one if this one turns out to have been lost while it was idle."""
        pool, tries = self._opened(), self.connections
        while True:
            connection = pool.take() or await _acquired(pool, _time_left())
            connection.prepares(sql)
            doubtful = False
            started = time.monotonic()
            try:
                answer = await send(connection)
                self._answered = time.monotonic()
                return answer
            except BaseException as error:
                doubtful = isinstance(error, _DOUBTFUL)
                if not isinstance(error, _FAILURES):
                    raise
                if not tries or not was_not_sent(error):
                    if (better := self._better(error, sent=True)) is None:
                        raise
                    raise better from error
            finally:
                self.statements.observe(time.monotonic() - started)
                pool.release(connection, doubtful=doubtful)
            tries -= 1

    def _better(self, error: BaseException, *, sent: bool) -> VelellaError | None:
        """The error to raise instead of a statement's error; None where that is a bug of ours. `sent`: see `translated`."""
        better = translated(error, sent=sent)
        if isinstance(better, ReadOnly) and self._pool is not None:
            self._pool.renew()
        return better


def _with_custom_plan(send: Callable[[PooledConnection], Awaitable[T]]) -> Callable[[PooledConnection], Awaitable[T]]:
    """`send` with a custom plan for its values. Costs two short statements more."""

    async def carry_out(connection: PooledConnection) -> T:
        await connection.execute(_PLAN_ANEW)
        try:
            answer = await send(connection)
        except (asyncpg.PostgresError, ValueError):  # the first: refused by the server; the second: not sent by asyncpg
            with contextlib.suppress(asyncpg.InFailedSQLTransactionError):  # then the rollback resets the setting
                await connection.execute(_PLAN_ONCE)
            raise
        await connection.execute(_PLAN_ONCE)
        return answer

    return carry_out


class Databases:
    """The databases of one process: one pool for each URL, however many modules use it."""

    def __init__(self, *, connections: int = 8, statement_timeout: float = 30.0) -> None:
        self._connections = connections
        self._statement_timeout = statement_timeout
        self._by_url: dict[str, Database] = {}

    async def open(self, url: str) -> Database:
        """The open database of a URL."""
        if url not in self._by_url:
            self._by_url[url] = Database(url, connections=self._connections, statement_timeout=self._statement_timeout)
        database = self._by_url[url]
        await database.open()
        return database

    async def close(self) -> None:
        """Close all of them."""
        databases, self._by_url = list(self._by_url.values()), {}
        for database in databases:
            await database.close()


class _borrowed:
    """A connection of the pool for as long as the block lasts."""

    __slots__ = ("_connection", "_pool", "_timeout")

    def __init__(self, pool: ConnectionPool, timeout: float | None) -> None:
        self._pool = pool
        self._timeout = timeout

    async def __aenter__(self) -> PooledConnection:
        self._connection = await _acquired(self._pool, self._timeout)
        return self._connection

    async def __aexit__(self, cause: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # given up half-way: the rest of the server's answer is for no statement any more
        self._pool.release(self._connection, doubtful=isinstance(error, _DOUBTFUL))


async def _acquired(pool: ConnectionPool, timeout: float | None) -> PooledConnection:
    """Take a connection from the pool. An error raised here means that nothing was sent."""
    try:
        return await pool.acquire(timeout)
    except TimeoutError as error:
        raise OutOfTime("No connection to the database was free in time.") from error
    except _FAILURES as error:
        raise translated(error) or error from error


def _ready(statement: Compiled | ClauseElement) -> Compiled:
    return statement if isinstance(statement, Compiled) else compiled(statement)


def _time_left() -> float | None:
    """Seconds the running message may still take; None outside of a message (then the statement timeout counts)."""
    call = call_context.get()
    if call is None:
        return None
    left = call.deadline - time.monotonic()
    if left <= 0:
        raise OutOfTime("The time for this request is up.")
    return left


async def _set_codecs(connection: PooledConnection) -> None:
    """Decode jsonb to Python values and json to the bytes of its text. Bytes given for either are sent as they are."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + (value if isinstance(value, bytes) else json.dumps(value)),
        decoder=lambda data: json.loads(data[1:]),
    )
    await connection.set_type_codec(
        "json",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: value if isinstance(value, bytes) else json.dumps(value),
        decoder=bytes,
    )
