"""Moving a module's tables, with their rows, to another database.

All rows arrive in one transaction, or none: after a crash at any moment the same move is begun anew. The tables that they come from are
locked against writers meanwhile, and stay as they are until they are dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import Table

from ..errors import Misconfigured, UnexpectedState
from ..settings import without_password
from ..sql.db.database import Database
from ..sql.schema.definition import drop_views
from ..sql.schema.deltas import deltas_of, trigger_stamps
from ..sql.write.outbox import ModuleOutbox, creation, function_of, table_of
from . import migrations
from .module import Module

PIECES = 16
"""Pieces of a table that are on their way at once."""
LEAVING_LOOKS = 50
"""How often, 0.1 s apart, it is looked whether others have left."""
_ALIKE = {"TimeZone": "UTC", "DateStyle": "ISO", "IntervalStyle": "postgres", "bytea_output": "hex", "extra_float_digits": "1"}
"""How both sides write values as text, so that the same rows have the same sum."""
_ARRIVED = "moved here with its rows by velella move"
"""Comment of the table of a module's migrations, written in the transaction in which the rows arrive."""
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


_Put = Callable[[bytes], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds: two with the same content hold the same rows."""

    rows: int
    total: int


async def move(module: Module, source: str, target: str, moved: Callable[[str, int], None]) -> dict[str, int]:
    """Copy all rows of a module from the database `source` to `target`, whose tables are made first. Returns the rows of each table.

    Calls `moved` with each table and its rows. May be repeated: rows that are there already, all of them and as they are, stay.
    Raises Misconfigured, before anything is copied, where other clients use `source`, where its tables are older than the code, and where
    `target` holds other rows of this module. Raises UnexpectedState where what arrived isn't what was sent; then nothing has arrived.
    """
    if module.service.tableless:
        raise Misconfigured(f"{module.name} has no tables.")
    if await migrations.pending(module, source):
        raise Misconfigured(f"The tables of {module.name} are older than this Velella.", hint="Run `velella migrate` first.")
    await migrations.migrate(module, target)
    tables = _tables(module)
    await refuse_others(source)
    await _announce(module, source, target)
    async with _connected(source) as old, _connected(target) as new, old.transaction(), new.transaction():
        await old.execute(f"LOCK TABLE {_listed(tables)} IN SHARE MODE")
        await new.execute(f"LOCK TABLE {_listed(tables)} IN ACCESS EXCLUSIVE MODE")
        contents = {table.name: await _content(old, table) for table in tables}
        there = {table.name: await _content(new, table) for table in tables}
        holds_rows = any(content.rows for content in there.values())
        await new.execute(f"COMMENT ON TABLE \"{migrations.version_table(module)}\" IS '{_ARRIVED}'")
        if holds_rows and there == contents:
            return {name: content.rows for name, content in contents.items()}
        if holds_rows:
            raise Misconfigured(f"There are other rows of {module.name} in that database.", hint="Name one without tables of that module.")
        for table in tables:
            await new.execute(f'ALTER TABLE "{table.name}" DISABLE TRIGGER USER')  # deltas begin empty: nobody has counted there yet
            await _copy(old, new, table)
            await new.execute(f'ALTER TABLE "{table.name}" ENABLE TRIGGER USER')
            if await _content(new, table) != contents[table.name]:
                raise UnexpectedState(f"What arrived of {table.name} isn't what was sent.")
            moved(table.name, contents[table.name].rows)
        await _copy_events(old, new, module.name)
        for sequence in module.schema.metadata._sequences.values():
            last, called = await old.fetchrow(f'SELECT last_value, is_called FROM "{sequence.name}"')  # type: ignore[misc]
            await new.execute("SELECT setval($1::text::regclass, $2, $3)", sequence.name, last, called)
    async with _connected(target) as new:
        await new.execute("ANALYZE")
    return {name: content.rows for name, content in contents.items()}


async def has_arrived(module: Module, url: str) -> bool:
    """Whether the module was moved to this database: its tables alone, which `velella migrate` makes too, don't say so."""
    async with _connected(url) as connection:
        table = f'"{migrations.version_table(module)}"'
        said = await connection.fetchval("SELECT obj_description(to_regclass($1), 'pg_class')", table)
    return bool(said == _ARRIVED)


async def drop(module: Module, url: str) -> None:
    """Drop the tables of a module, and all that belongs to them, from a database that it was moved from. May be repeated."""
    metadata = module.schema.metadata
    async with _connected(url) as connection, connection.transaction():
        for statement in drop_views(metadata):
            await connection.execute(statement)
        names = [*(f'"{table.name}"' for table in metadata.sorted_tables), f'"{migrations.version_table(module)}"']
        await connection.execute(f"DROP TABLE IF EXISTS {', '.join(names)}")
        await connection.execute(f"DROP TABLE IF EXISTS {table_of(module.name)}")
        for function in (*trigger_stamps(metadata), function_of(module.name)):
            await connection.execute(f"DROP FUNCTION IF EXISTS {function}")
        for sequence in metadata._sequences.values():
            await connection.execute(f'DROP SEQUENCE IF EXISTS "{sequence.name}"')


def _tables(module: Module) -> list[Table]:
    """Those with rows of their own, each after the ones that it refers to. Deltas say what transactions of one server have changed."""
    tables = module.schema.metadata.sorted_tables
    deltas = {found.name for table in tables if (found := deltas_of(table)) is not None}
    return [table for table in tables if table.name not in deltas]


def _listed(tables: list[Table]) -> str:
    return ", ".join(f'"{table.name}"' for table in tables)


def _columns(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.computed is None]


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, server_settings=_ALIKE)
    try:
        yield connection
    finally:
        await connection.close()


async def refuse_others(url: str) -> None:
    """Raises Misconfigured where a database has clients; those that have just left take a moment."""
    async with _connected(url) as connection:
        for _ in range(LEAVING_LOOKS):
            if not await connection.fetchval(_OTHERS):
                return
            await asyncio.sleep(0.1)
    raise Misconfigured(f"Others are connected to the database {without_password(url)}.", hint="Stop the shop, and whoever else uses it.")


async def _content(connection: asyncpg.Connection, table: Table) -> Content:
    row = ", ".join(f'"{name}"' for name in _columns(table))
    sql = f'SELECT count(*), coalesce(sum(hashtextextended(ROW({row})::text, 0)::numeric), 0) FROM "{table.name}"'
    rows, total = await connection.fetchrow(sql)  # type: ignore[misc]
    return Content(rows, int(total))


async def _announce(module: Module, source: str, target: str) -> None:
    """Have `target` write the events that `source` writes: the shop changes things there before its coordinators come to announce them."""
    outbox = ModuleOutbox(module.schema)
    async with _opened(source) as old, _opened(target) as new:
        if events := await outbox.announced(old):
            await outbox.announce(new, events, await outbox.announced_at(old))


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, connections=1)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _copy_events(old: asyncpg.Connection, new: asyncpg.Connection, module: str) -> None:
    """The events that no coordinator has fetched yet."""
    if await old.fetchval("SELECT to_regclass($1) IS NULL", table_of(module)):
        return
    await new.execute(creation(module))
    rows = [tuple(row) for row in await old.fetch(f"SELECT id, name, data FROM {table_of(module)} ORDER BY position")]
    await new.executemany(f"INSERT INTO {table_of(module)} (id, name, data) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING", rows)


async def _copy(old: asyncpg.Connection, new: asyncpg.Connection, table: Table) -> None:
    await piped(
        lambda put: old.copy_from_table(table.name, columns=_columns(table), output=put),
        lambda pieces: new.copy_to_table(table.name, columns=_columns(table), source=pieces),
    )


async def piped(send: Callable[[_Put], Awaitable[object]], take: Callable[[AsyncIterator[bytes]], Coroutine[Any, Any, object]]) -> None:
    """Let one connection copy what another gives, at most `PIECES` pieces at a time in memory."""
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES)

    async def taken() -> AsyncIterator[bytes]:
        while (piece := await pieces.get()) is not None:
            yield piece

    async def sent() -> None:
        await send(pieces.put)
        await pieces.put(None)

    async with asyncio.TaskGroup() as both:
        both.create_task(sent())
        both.create_task(take(taken()))
