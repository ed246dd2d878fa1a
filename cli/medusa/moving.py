"""A whole shop of Medusa's moves in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal

import asyncpg
from rich.table import Table as Shown

from ...actors.host import Host
from ...core.errors import InvalidData, NotAllowed, Unavailable
from ...core.service.migrations import load_module
from ...modules import NAMES
from ..output import console, progress
from . import documents
from .tables import Copied, Counts, Target, copied, copy, empty, enable_triggers, tables_of

OWN = ("order", "product", "customer")
"""Tables by whose rows a shop of one's own is told from one that was filled by an earlier import, or is new."""
COMPARED = 10_000
"""Ids that are looked for at once."""
_IDS = 'SELECT id FROM "{}" WHERE id > $1 ORDER BY id LIMIT $2'


async def move_in(host: Host, url: str) -> Counts:
    """Bring everything over that `tables.py` and `documents.py` name; what was there is gone. May be repeated: then all of it comes anew.

    Reads one moment of Medusa's database, and writes nothing there. All of it arrives, or nothing: in one transaction, or one for each
    database where modules have their own, which are committed one after the other at the end. Nobody is told of what arrives: no event is
    written, and nobody may use the shop meanwhile. Raises NotAllowed where this shop has orders, products or customers that Medusa's
    hasn't, InvalidData for a database that isn't Medusa's, and for rows that aren't taken here.
    """
    counts = Counts()
    async with _snapshot(url) as source, AsyncExitStack() as transactions:
        there = await tables_of(source)
        modules = [module for name in NAMES if not (module := load_module(name, host.settings)).service.tableless]
        targets = [Target(module, await _begun(host, module.name, transactions)) for module in modules]
        await _refuse_another_shop(targets, source)
        bars = transactions.enter_context(progress(remaining=False))
        task = bars.add_task("Reading", total=None)
        for target in targets:
            await empty(target, there)
        for target in targets:
            for one in copied(target, there, after=False):
                bars.update(task, description=one.table.name)
                counts.rows[one.table.name] = await _copied(source, target, one)
        bars.update(task, description="Orders", total=await source.fetchval('SELECT count(*) FROM "order"'), completed=0)
        counts.rows["order"], counts.totals = await _orders(host, source, lambda done: bars.update(task, completed=done))
        counts.rows["payment_collection"] = await _collections(host, source)
        for target in targets:
            for one in copied(target, there, after=True):
                counts.rows[one.table.name] = await _copied(source, target, one)
        for target in targets:
            await enable_triggers(target)
    return counts


async def _begun(host: Host, name: str, transactions: AsyncExitStack) -> asyncpg.Connection:
    """The connection of the transaction in the database of a module, which what its service does joins."""
    running = await transactions.enter_async_context(host.database(name).transaction())
    await running.connection.execute("SET LOCAL statement_timeout = 0")  # long tables are one statement
    return running.connection


@asynccontextmanager
async def _snapshot(url: str) -> AsyncIterator[asyncpg.Connection]:
    """One moment of a database, read only."""
    try:
        source = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    except (OSError, asyncpg.PostgresError, ValueError) as error:
        raise Unavailable(f"Medusa's database can't be reached: {error}", hint="--from postgres://user:password@host/database") from error
    try:
        async with source.transaction(isolation="repeatable_read", readonly=True):
            yield source
    finally:
        await source.close()


async def _refuse_another_shop(targets: Sequence[Target], source: asyncpg.Connection) -> None:
    for target, name in ((target, name) for target in targets for name in OWN if name in target.metadata.tables):
        last = ""
        while rows := await target.connection.fetch(_IDS.format(name), last, COMPARED):
            mine = [row["id"] for row in rows]
            last = mine[-1]
            theirs = {row["id"] for row in await source.fetch(f'SELECT id FROM "{name}" WHERE id = ANY ($1::text[])', mine)}
            if others := [id for id in mine if id not in theirs]:
                raise NotAllowed(
                    f"This shop has a {name} that Medusa's hasn't: {others[0]}. Moving in would remove it.",
                    hint="Move into a new one: velella migrate and velella seed --empty with a --data-dir of its own.",
                )


async def _copied(source: asyncpg.Connection, target: Target, one: Copied) -> tuple[int, int]:
    try:
        return await copy(source, target.connection, one)
    except asyncpg.IntegrityConstraintViolationError as error:
        raise InvalidData(
            f"A row of Medusa's table {one.table.name} isn't taken here: {error}. {error.detail or ''}".strip(),
            hint="Mend it in Medusa and begin anew: nothing has changed here.",
        ) from error


async def _orders(host: Host, source: asyncpg.Connection, done: Callable[[int], None]) -> tuple[tuple[int, int], int]:
    there = here = differing = 0
    async for some in documents.orders(source):
        costing = await host.modules.order.adopt(some)
        there, here = there + len(some), here + len(costing)
        for order, total in zip(some, costing, strict=True):
            theirs = order["total"]
            if theirs is not None and order["deleted_at"] is None and Decimal(theirs) != total:
                differing += 1
                which = f"Order {order['display_id']} ({order['id']})"
                console.print(f"{which} comes to {total} here, and to {theirs} at Medusa.", style="yellow")
        done(here)
    return (there, here), differing


async def _collections(host: Host, source: asyncpg.Connection) -> tuple[int, int]:
    there = here = 0
    async for some in documents.collections(source):
        there += len(some)
        here += await host.modules.payment.adopt(some)
    return there, here


def report(counts: Counts) -> Shown:
    """What came, for people."""
    shown = Shown("table", "rows there", "rows here")
    for name, (there, here) in counts.rows.items():
        if there or here:
            shown.add_row(name, f"{there:,}", f"{here:,}" if there == here else f"[red]{here:,}[/]")
    return shown
