"""One scenario at its limit: its operations' statements and answers are recorded once, then repeated by nothing but asyncpg and aiohttp.

Statements are recorded from the first connection of a whole Velella in this process, on a copy of the shop's database. They are sent with
the same values, in the same order, within the same transactions to another copy of it, where they read and write
the same: afterwards both copies have as many rows in every table.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Any

import aiohttp
import asyncpg
import orjson
import uvloop
from aiohttp import web
from measuring import KNOWN, Processes
from shop import Refused, Shop, opened
from statements import Sent, Statements, all_statements

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import local_host
from velella.actors.services import service_names
from velella.core.settings import Settings
from velella.core.sql.db.database import Database

QUIET, PATIENCE = 0.03, 1.0
"""Seconds without a statement after which an operation is over, including its background work (events); and the longest wait for that."""
AT_ONCE = 8
"""Operations whose statements are sent concurrently."""
KEPT = 100
"""Operations whose requests and answers are kept."""
BY_ITSELF = {"content-length", "date", "server", "connection", "transfer-encoding", "content-type"}
"""Headers that aiohttp sets itself."""


@dataclass(frozen=True)
class Plan:
    """The operations to carry out: the same ones for every run."""

    warm: int
    operations: int
    seed: int

    def choices(self, number: int) -> random.Random:
        """The random choices of one operation."""
        return random.Random(f"{self.seed}/{number}")


async def carried_out(shop: Shop, name: str, numbers: range, plan: Plan, buyers: int) -> None:
    """Have this many buyers carry out operations of a plan, each the next one that isn't begun."""
    left = iter(numbers)

    async def buyer() -> None:
        for number in left:
            await KNOWN[name](shop, plan.choices(number))

    await asyncio.gather(*(buyer() for _ in range(buyers)))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and its answer."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]
    status: int
    answer_headers: dict[str, str]
    answer: bytes


@dataclass
class Operation:
    exchanges: list[Exchange] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)


@dataclass
class Recorded:
    """Operations of one scenario, and what the server sent before the first and after the last."""

    scenario: str
    before: list[Sent] = field(default_factory=list)
    warm: list[Operation] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    after: list[Sent] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    """Number of rows of every table at the end."""

    def each(self, figure: Callable[[Operation], float]) -> float:
        """The average of a value over the operations."""
        return sum(figure(operation) for operation in self.operations) / len(self.operations)

    @property
    def kept(self) -> list[list[Exchange]]:
        return [operation.exchanges for operation in self.operations if operation.exchanges]


async def recorded(settings: Settings, name: str, login: tuple[str, str], plan: Plan) -> Recorded:
    """Serve the shop of `settings` in this process, and carry out the plan, one operation after the other."""
    found = Recorded(name)
    async with all_statements() as statements:
        async with local_host(settings, service_names(settings)) as host:
            front: Any = host.services["http"]
            shop = await opened(f"http://127.0.0.1:{front.port}", *login)
            try:
                await _quiet(statements)
                found.before = statements.taken()
                for number in range(plan.warm + plan.operations):
                    operation = Operation()
                    counted = number >= plan.warm
                    shop.call = _kept(shop, operation.exchanges if counted and number < plan.warm + KEPT else [])  # type: ignore[method-assign]
                    await KNOWN[name](shop, plan.choices(number))
                    await _quiet(statements)
                    operation.sent = statements.taken()
                    (found.operations if counted else found.warm).append(operation)
            finally:
                await shop.session.close()
        found.after = statements.taken()
    found.rows = await rows_of(str(settings.database_url))
    return found


async def _quiet(statements: Statements) -> None:
    """Wait until the requests have no further effects. Requests that only read have none."""
    if not statements.commits:
        return
    heard, end = len(statements.sent), time.perf_counter() + PATIENCE
    while time.perf_counter() < end:
        await asyncio.sleep(QUIET)
        if len(statements.sent) == heard:
            return
        heard = len(statements.sent)


def _kept(shop: Shop, exchanges: list[Exchange]) -> Any:
    """`Shop.call` that also records requests and answers."""

    async def call(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        async with shop.session.request(method, shop.base + path, json=body, headers=headers) as response:
            text = await response.read()
            if response.status != 200:
                raise Refused(f"{method} {path}: {response.status} {text[:200].decode(errors='replace')}")
            said = {name: value for name, value in response.headers.items() if name.lower() not in BY_ITSELF}
            said["content-type"] = response.headers["content-type"]
            exchanges.append(Exchange(method, path, body, headers or {}, response.status, said, text))
            return orjson.loads(text)

    return call


# -- statements


async def rows_of(url: str) -> dict[str, int]:
    """Table → number of its rows."""
    connection = await asyncpg.connect(url)
    tables = [row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
    found = {table: await connection.fetchval(f'SELECT count(*) FROM "{table}"') for table in tables}
    await connection.close()
    return found


@asynccontextmanager
async def copied(postgres: EmbeddedPostgres, name: str, of: str) -> AsyncIterator[str]:
    """URL of a copy of a database, which is dropped afterwards. The original must have no connections."""
    connection = await asyncpg.connect(postgres.url("postgres"))
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{of}"')
        await connection.execute("CHECKPOINT")  # else it would be measured, too
        yield postgres.url(name)
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


@dataclass(frozen=True)
class Spent:
    """Milliseconds of CPU for one operation, of the client and of PostgreSQL."""

    client: float
    server: float


async def statements_again(url: str, recording: Recorded, server: Processes) -> Spent:
    """Send the recorded statements to a copy of the database that they were recorded on; returns the cost of the operations."""
    workers = [_Worker(url) for _ in range(AT_ONCE)]
    everything = [recording.before, recording.after, *(each.sent for each in (*recording.warm, *recording.operations))]
    try:
        for worker in workers:
            await worker.prepare(everything)
        await workers[0].send(recording.before)
        await _shared(workers, recording.warm)
        theirs, mine = server.seconds(), time.process_time()  # in this order: reading the processes' times takes time, too
        await _shared(workers, recording.operations)
        mine = time.process_time() - mine
        spent = (mine, server.seconds() - theirs)
        await workers[0].send(recording.after)
    finally:
        for worker in workers:
            await worker.close()
    rows = await rows_of(url)
    if rows != recording.rows:
        odd = {table: (recording.rows[table], count) for table, count in rows.items() if count != recording.rows[table]}
        raise Refused(f"{recording.scenario}: what was sent again left other numbers of rows than what was recorded: {odd}")
    return Spent(*(1000 * seconds / len(recording.operations) for seconds in spent))


async def _shared(workers: Sequence[_Worker], operations: Sequence[Operation]) -> None:
    """Each worker takes the next operation that isn't begun."""
    left = iter(operations)

    async def work(worker: _Worker) -> None:
        for operation in left:
            await worker.send(operation.sent)

    await asyncio.gather(*map(work, workers))


class _Worker:
    """Sends the statements of an operation, on as many connections, as prepared statements."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connections: list[asyncpg.Connection[Any]] = []
        self._prepared: list[dict[str, asyncpg.prepared_stmt.PreparedStatement[Any]]] = []

    async def prepare(self, parts: Sequence[Sequence[Sent]]) -> None:
        """Prepare all statements with values in these parts."""
        for sent in parts:
            places = _places(sent)
            while len(self._connections) < len(places):
                self._connections.append(await _bare(self._url))
                self._prepared.append({})
            for each in sent:
                prepared = self._prepared[places[each.connection]]
                if each.arguments and each.text not in prepared:
                    prepared[each.text] = await self._connections[places[each.connection]].prepare(each.text)

    async def send(self, sent: Sequence[Sent]) -> None:
        places = _places(sent)
        for each in sent:
            place = places[each.connection]
            try:
                if each.arguments:
                    await self._prepared[place][each.text].fetch(*each.arguments)
                else:
                    await self._connections[place].execute(each.text)
            except asyncpg.PostgresError:
                if not each.failed:
                    raise

    async def close(self) -> None:
        for connection in self._connections:
            await connection.close()


def _places(sent: Sequence[Sent]) -> dict[int, int]:
    """Recorded connection → connection of a worker."""
    return {connection: place for place, connection in enumerate(dict.fromkeys(each.connection for each in sent))}


async def _bare(url: str) -> asyncpg.Connection[Any]:
    """A connection with the session settings of ours. JSON comes unparsed."""
    connection: asyncpg.Connection[Any] = await Database(url)._connect()
    for name, mark in (("jsonb", b"\x01"), ("json", b"")):

        def encoded(value: Any, mark: bytes = mark) -> bytes:
            return mark + (value if isinstance(value, bytes) else orjson.dumps(value, default=str))

        await connection.set_type_codec(name, schema="pg_catalog", format="binary", encoder=encoded, decoder=bytes)
    return connection


# -- answers


async def answers_again(recording: Recorded, buyers: int, seconds: float) -> float:
    """Milliseconds of CPU that a bare aiohttp server takes to give the recorded answers to the recorded requests of an operation."""
    exchanges = [each for operation in recording.kept for each in operation]
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve_answers, args=([(e.status, e.answer_headers, e.answer) for e in exchanges], there), daemon=True)
    process.start()
    try:
        port = await asyncio.to_thread(here.recv)
        server = Processes([process.pid or 0])
        await _ask(port, recording, buyers, seconds / 4)
        before = server.seconds()
        done = await _ask(port, recording, buyers, seconds)
        return 1000 * (server.seconds() - before) / done
    finally:
        process.kill()
        process.join()


async def _ask(port: int, recording: Recorded, buyers: int, seconds: float) -> int:
    """Send the operations' requests again and again; returns the number of operations."""
    base = f"http://127.0.0.1:{port}"
    plans = []
    number = 0
    for operation in recording.kept:
        plans.append([(each, {**each.headers, "x-answer": str(number + place)}) for place, each in enumerate(operation)])
        number += len(operation)
    end = time.perf_counter() + seconds
    done = 0

    async def buyer(session: aiohttp.ClientSession, place: int) -> None:
        nonlocal done
        while time.perf_counter() < end:
            place += 1
            for each, headers in plans[place % len(plans)]:
                async with session.request(each.method, base + each.path, json=each.body, headers=headers) as response:
                    if len(await response.read()) != len(each.answer):
                        raise Refused("another answer than the one recorded")
            done += 1

    connector = aiohttp.TCPConnector(limit=0)
    said = {"accept-encoding": "identity"}
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=said) as session:
        await asyncio.gather(*(buyer(session, place * len(plans) // buyers) for place in range(buyers)))
    return done


def serve_answers(answers: list[tuple[int, dict[str, str], bytes]], parent: Pipe) -> None:
    """A server that only reads requests and sends the answers that they name. Runs until it is killed."""

    async def handle(request: web.BaseRequest) -> web.Response:
        if request.body_exists:
            await request.read()
        status, headers, body = answers[int(request.headers["x-answer"])]
        return web.Response(status=status, headers=headers, body=body)

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(handle, access_log=None, keepalive_timeout=75))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        parent.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    uvloop.run(serve())
