#!/usr/bin/env python3
"""Fill a shop with any number of variants and orders, by COPY straight into the tables.

For measuring how cost grows with the shop. The goods are linked to the demo shop's channel, warehouse and regions (created if they
are missing). The same seed makes the same rows. A seed can be loaded once: a second load into the same shop needs another one.

Examples:
  benchmarks/generate.py --data-dir /tmp/big --variants 1_000_000 --orders 100_000      a new shop; some minutes
  benchmarks/generate.py --data-dir /tmp/small --variants 1000 --orders 0 --price-lists 0
  benchmarks/generate.py --database-url postgresql://shop@localhost/bench --variants 100_000
  velella serve --data-dir /tmp/big                                                     then serves it

The shop must not be served meanwhile: its caches would become stale. Indexes are dropped, and made again before anything is committed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
from goods import OWNERS, Goods, Size, Surroundings, TableRows
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from velella.actors.host import local_host
from velella.cli import instance
from velella.cli.seeding import seed_defaults, seed_demo
from velella.core import logs
from velella.core.errors import VelellaError
from velella.core.settings import Settings

MODULES = ("product", "pricing", "inventory", "link", "customer", "order", "payment")


async def generate(settings: Settings, size: Size, seed: int, console: Console) -> float:
    """Load the goods into the shop of `settings`, which gets its schema and the demo shop if it has none. Returns seconds.

    All or nothing, unless modules have databases of their own and one of them fails to commit.
    """
    await instance.migrate(settings)
    await seed_defaults(settings)
    await seed_demo(settings)
    around = await surroundings(settings)
    began = time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Planning", total=max(1, size.variants + size.orders))
        goods = Goods(size, around, seed)
        async with loading(settings, progress, task) as connections:
            for rows in goods.chunks():
                await asyncio.gather(*(copy(connection, owned(rows, module)) for module, connection in connections.items()))
                variants = sum(len(each) for table, _, each in rows if table.name == "product_variant")
                placed = sum(len(each) for table, _, each in rows if table.name == "order")
                progress.update(task, advance=variants + placed, description="Orders" if placed else "Goods")
            last = await connections["order"].fetchval(
                "SELECT setval('order_display_id_seq', $1, false)", around.first_display_id + size.orders
            )
            assert last == around.first_display_id + size.orders
        progress.update(task, description="Statistics")
        for url in {settings.database_of(module) for module in MODULES}:
            connection = await asyncpg.connect(url)
            await connection.execute("VACUUM (ANALYZE)")
            await connection.close()
    return time.perf_counter() - began


@asynccontextmanager
async def loading(settings: Settings, progress: Progress, task: TaskID) -> AsyncIterator[dict[str, asyncpg.Connection]]:
    """A connection for each module, in a transaction in which the module's tables have no indexes; they are back at the end."""
    async with AsyncExitStack() as stack:
        connections: dict[str, asyncpg.Connection] = {}
        for module in MODULES:
            connection = await asyncpg.connect(settings.database_of(module))
            stack.push_async_callback(connection.close)
            connections[module] = connection
        transactions = [connection.transaction() for connection in connections.values()]
        for transaction in transactions:
            await transaction.start()
        dropped = {module: await without_indexes(connection, module) for module, connection in connections.items()}
        yield connections
        progress.update(task, description="Indexes")
        await asyncio.gather(*(with_indexes(connections[module], made) for module, made in dropped.items()))
        for module, connection in connections.items():  # the shop isn't served, so no invalidation is needed
            for name in tables_of(module):
                if name.endswith("_deltas"):
                    await connection.execute(f"TRUNCATE {name}")
        for transaction in transactions:
            await transaction.commit()


async def without_indexes(connection: asyncpg.Connection, module: str) -> list[str]:
    """Drop the indexes of the module's tables, except those of constraints; returns the statements that make them again.

    Foreign keys aren't checked on this connection, if it may skip that: the rows are consistent by construction.
    """
    if (await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")) is True:
        await connection.execute("SET session_replication_role = replica")
    await connection.execute("SET LOCAL synchronous_commit = off")
    await connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
    rows = await connection.fetch(
        """
        SELECT index.indexrelid::regclass::text AS name, pg_get_indexdef(index.indexrelid) AS definition
        FROM pg_index AS index
        WHERE index.indrelid = ANY ($1::text[]::regclass[])
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = index.indexrelid)
        """,
        [f'"{table}"' for table in tables_of(module)],
    )
    for row in rows:
        await connection.execute(f"DROP INDEX {row['name']}")
    return [row["definition"] for row in rows]


async def with_indexes(connection: asyncpg.Connection, definitions: list[str]) -> None:
    for definition in definitions:
        await connection.execute(definition)


def tables_of(module: str) -> set[str]:
    """Tables of the module that goods are written to."""
    return {name for name, owner in OWNERS.items() if owner == module}


def owned(rows: list[TableRows], module: str) -> list[TableRows]:
    return [each for each in rows if OWNERS[each[0].name] == module]


async def copy(connection: asyncpg.Connection, rows: list[TableRows]) -> None:
    for table, columns, records in rows:
        if records:
            await connection.copy_records_to_table(table.name, records=records, columns=columns)


async def surroundings(settings: Settings) -> Surroundings:
    """What the goods are linked to: the demo shop's first region, channel and warehouse."""
    async with local_host(settings) as host:
        modules = host.modules
        [store] = await modules.store.list("store", {}, limit=1)
        [profile] = await modules.fulfillment.list("shipping_profile", {"type": "default"}, limit=1)
        [region] = await modules.region.list("region", {"currency_code": "eur"}, limit=1)
        [other] = await modules.region.list("region", {"currency_code": "usd"}, limit=1)
        [country, *_] = await modules.region.list("region_country", {"region_id": region["id"]})
        [place] = await modules.tax.list("tax_region", {"country_code": country["iso_2"]}, limit=1)
        [rate, *_] = await modules.tax.list("tax_rate", {"tax_region_id": place["id"]})
        [option, *_] = await modules.fulfillment.list("shipping_option", {"name": "Standard Shipping"}, limit=1)
        [location] = await modules.stock_location.list("stock_location", {}, limit=1)
    connection = await asyncpg.connect(settings.database_of("order"))
    first = await connection.fetchval("SELECT nextval('order_display_id_seq')")
    await connection.close()
    return Surroundings(
        store["default_sales_channel_id"], profile["id"], location["id"], region["id"], region["currency_code"], other["currency_code"],
        country["iso_2"], option["id"], rate["id"], first,
    )  # fmt: skip


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=100_000, help="four a product (default: 100,000)")
    parser.add_argument("--orders", type=int, default=10_000, help="each of one to three lines (default: 10,000)")
    parser.add_argument("--price-lists", type=int, default=50, help="active ones, at most 60; 20 products are in all of them (default: 50)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same rows (default: 1)")
    parser.add_argument("--data-dir", type=Path, help="of the shop, whose embedded PostgreSQL is used (default: .velella)")
    parser.add_argument("--database-url", help="postgresql://… instead of the embedded one")
    options = parser.parse_args(arguments)
    if not 0 <= options.price_lists <= 60:
        parser.error("at most 60 price lists")
    if options.variants < 0 or options.orders < 0 or (options.orders and options.variants < 4):
        parser.error("orders need something to be bought: at least 4 variants")
    return options


async def main(options: argparse.Namespace, settings: Settings) -> None:
    console = Console()
    size = Size(options.variants // 4 * 4, options.orders, options.price_lists)
    async with instance.database(settings.with_secrets()) as ready:
        seconds = await generate(ready, size, options.seed, console)
    console.print(f"{size.variants:,} variants and {size.orders:,} orders in {seconds:.0f} s.")


if __name__ == "__main__":
    options = options_of(sys.argv[1:])
    try:
        settings = instance.settings_of(data_dir=options.data_dir, database_url=options.database_url, log_level="warning")
        logs.configure(settings)
        with instance.held(settings):
            asyncio.run(main(options, settings))
    except asyncpg.UniqueViolationError as error:
        sys.exit(f"✗ The shop holds goods of this seed already: give another --seed. ({error})")
    except VelellaError as error:
        sys.exit(f"✗ {error}")
