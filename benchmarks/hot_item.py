#!/usr/bin/env python3
"""One item that all buyers want: how many decisions a second one stock row takes, and whether every unit is sold once.

    python benchmarks/hot_item.py                          # 10,000 buyers for 100 units, 64 at a time
    python benchmarks/hot_item.py --buyers 50000 --units 1000 --at-once 256

The inventory module by itself, on an embedded PostgreSQL of its own: it measures `reserve`, with its message recorded as in a
checkout, so that a repetition gets the same answer.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import psutil
import uvloop
from rich.console import Console
from rich.progress import Progress

from velella.actors.cluster.postgres import DATABASE, EmbeddedPostgres
from velella.actors.host import local_host
from velella.core.errors import InsufficientInventory
from velella.core.message import CallContext, call_context
from velella.core.service import migrations
from velella.core.settings import Settings


async def sell(buyers: int, units: int, at_once: int) -> int:
    with tempfile.TemporaryDirectory(prefix="velella-hot-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        await postgres.start()
        try:
            settings = Settings(database_url=postgres.url(DATABASE), data_dir=Path(folder) / "data").with_secrets()
            await migrations.migrate_all(settings)
            return await _measure(settings, postgres, buyers, units, at_once)
        finally:
            await postgres.stop()


async def _measure(settings: Settings, postgres: EmbeddedPostgres, buyers: int, units: int, at_once: int) -> int:
    sold = refused = 0
    async with local_host(settings, ["inventory"]) as host:
        inventory = host.modules.inventory
        level = {"location_id": "sloc_1", "stocked_quantity": units}
        item = (await inventory.create_items([{"sku": "hot", "location_levels": [level]}]))[0]["id"]
        queue = iter(range(buyers))

        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("Selling", total=buyers)

            async def buyer() -> None:
                nonlocal sold, refused
                for number in queue:
                    call_context.set(CallContext().scoped(f"checkout_{number}"))
                    try:
                        await inventory.reserve([{"inventory_item_id": item, "location_id": "sloc_1", "quantity": 1}])
                        sold += 1
                    except InsufficientInventory:
                        refused += 1
                    progress.advance(bar)

            before, started = _cpu(postgres), time.perf_counter()
            await asyncio.gather(*(buyer() for _ in range(at_once)))
            seconds, spent = time.perf_counter() - started, _cpu(postgres) - before
        kept = await inventory.count("reservation_item", {"inventory_item_id": item})
    print(f"{buyers:,} buyers, {units:,} units, {at_once} at a time: {sold:,} sold, {refused:,} refused, {kept:,} reservations kept")
    print(f"{buyers / seconds:,.0f} decisions a second, {1000 * spent / buyers:.3f} ms of CPU each (this process and PostgreSQL)")
    return 0 if sold == kept == min(units, buyers) and sold + refused == buyers else 1


def _cpu(postgres: EmbeddedPostgres) -> float:
    assert postgres.pid is not None
    backends = [sum(process.cpu_times()[:2]) for process in psutil.Process(postgres.pid).children()]
    return time.process_time() + sum(backends)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--buyers", type=int, default=10_000)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=64, help="buyers whose decision is awaited at the same time")
    given = parser.parse_args()
    uvloop.install()
    return asyncio.run(sell(given.buyers, given.units, given.at_once))


if __name__ == "__main__":
    sys.exit(main())
