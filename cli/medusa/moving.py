"""A whole shop of Medusa's moves in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import asyncpg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table as Shown

from ...actors.host import Host
from ...core.errors import InvalidData, NotAllowed
from ...core.service.migrations import load_module
from ...core.service.module import Module
from ...modules import NAMES
from ..output import console
from . import documents, tables
from .tables import Counts, copied, copy, empty, tables_of

COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
OWN = ("order", "product", "customer")
"""Tables by whose rows a shop of one's own is told from one that was filled by an earlier import, or is new."""
COMPARED = 10_000
"""Ids that are looked for at once."""
_IDS = 'SELECT id FROM "{}" WHERE id > $1 ORDER BY id LIMIT $2'


async def move_in(host: Host, url: str) -> Counts:
    """Bring everything over that `tables.py` and `documents.py` name; what was there is gone. May be repeated: then all of it comes anew.

    Reads one moment of Medusa's database, and writes nothing there. Raises NotAllowed where this shop has orders, products or customers
    that Medusa's hasn't: nothing has changed then. A failure in between leaves a shop that has to be begun anew.
    """
    counts = Counts()
    async with _snapshot(url) as source:
        there = await tables_of(source)
        modules = [load_module(name, host.settings) for name in NAMES]
        await _refuse_another_shop(host, source)
        with Progress(*COLUMNS, console=console, transient=True) as progress:
            task = progress.add_task("Reading", total=None)
            await _rows(host, source, modules, there, counts, progress, task, after=False)
            progress.update(task, description="Orders", total=await source.fetchval('SELECT count(*) FROM "order"'), completed=0)
            counts.rows["order"], counts.totals = await _orders(host, source, progress, task)
            counts.rows["payment_collection"] = await _collections(host, source)
            await _rows(host, source, modules, there, counts, progress, task, after=True)
    return counts


@asynccontextmanager
async def _snapshot(url: str) -> AsyncIterator[asyncpg.Connection]:
    """One moment of a database, read only."""
    source = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    try:
        async with source.transaction(isolation="repeatable_read", readonly=True):
            yield source
    finally:
        await source.close()


async def _refuse_another_shop(host: Host, source: asyncpg.Connection) -> None:
    for name in OWN:
        target = await asyncpg.connect(host.settings.database_of(name))
        try:
            last = ""
            while rows := await target.fetch(_IDS.format(name), last, COMPARED):
                mine = [row["id"] for row in rows]
                last = mine[-1]
                theirs = {row["id"] for row in await source.fetch(f'SELECT id FROM "{name}" WHERE id = ANY ($1::text[])', mine)}
                if others := [id for id in mine if id not in theirs]:
                    raise NotAllowed(
                        f"This shop has a {name} that Medusa's hasn't: {others[0]}. Moving in would remove it.",
                        hint="Move into a new one: velella migrate and velella seed --empty with a --data-dir of its own.",
                    )
        finally:
            await target.close()


async def _rows(
    host: Host,
    source: asyncpg.Connection,
    modules: list[Module],
    there: dict[str, dict[str, str]],
    counts: Counts,
    progress: Progress,
    task: TaskID,
    *,
    after: bool,
) -> None:
    """Copy what are rows here as well, in one transaction for each database."""
    by_database: dict[str, list[Module]] = defaultdict(list)
    for module in modules:
        by_database[host.settings.database_of(module.name)].append(module)
    for url, owned in by_database.items():
        target = await asyncpg.connect(url)
        try:
            async with target.transaction():
                if not after:
                    for module in owned:
                        await empty(target, module.schema.metadata, there)
                for module in owned:
                    for one in copied(module.schema.metadata, there, after=after):
                        progress.update(task, description=one.table.name)
                        counts.rows[one.table.name] = await _copied(source, target, one)
        finally:
            await target.close()


async def _copied(source: asyncpg.Connection, target: asyncpg.Connection, one: tables.Copied) -> tuple[int, int]:
    try:
        return await copy(source, target, one)
    except asyncpg.IntegrityConstraintViolationError as error:
        raise InvalidData(
            f"A row of Medusa's table {one.table.name} isn't taken here: {error}. {error.detail or ''}".strip(),
            hint="Mend it in Medusa and begin anew: nothing of it is kept.",
        ) from error


async def _orders(host: Host, source: asyncpg.Connection, progress: Progress, task: TaskID) -> tuple[tuple[int, int], int]:
    there = here = differing = 0
    async for some in documents.orders(source):
        costing = await host.modules.order.adopt(some)
        there, here = there + len(some), here + len(costing)
        for order, total in zip(some, costing, strict=True):
            theirs = order["total"]
            if theirs is not None and Decimal(theirs) != total:
                differing += 1
                which = f"Order {order['display_id']} ({order['id']})"
                console.print(f"{which} comes to {total} here, and to {theirs} at Medusa.", style="yellow")
        progress.update(task, completed=here)
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
