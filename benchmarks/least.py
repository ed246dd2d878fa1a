#!/usr/bin/env python3
"""The least that each scenario could cost, and how far we are from that.

The limit of a scenario is what it sends and answers, done by nothing else: the same bytes to the same requests by a bare aiohttp server,
and the same statements in the same transactions by bare asyncpg on prepared statements, with all that PostgreSQL takes for them. No
checks, no JSON made or read, no log. Operations are recorded from a Velella within this process on a copy of the shop, after as many of the
same that aren't counted, and sent again to further copies. Then the shop is served, packed, and does the same operations.

Examples:
  benchmarks/least.py                                     a shop of its own; the table comes out
  benchmarks/least.py --scenarios cart checkout --operations 50 --repeat 5
  benchmarks/least.py --data-dir /tmp/shop                this one, filled where it is empty; must not be served meanwhile
  benchmarks/least.py --out docs/figures/limits.json --write docs/performance.md

`--write` puts the table between the lines <!-- limits --> and <!-- /limits --> of a file. compare.py takes its last columns from `--out`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import asyncpg
import uvloop
from measuring import KNOWN, Processes, keep, noted, title_of, turning, write_into
from replay import Plan, Spent, answers_again, carried_out, copied, recorded, statements_again
from rich.console import Console
from rich.progress import Progress, TaskID
from served import ADMIN, fill, served
from shop import Refused
from statements import Statements

from velella.actors.cluster.postgres import DATABASE, EmbeddedPostgres
from velella.cli import instance
from velella.core import logs
from velella.core.errors import VelellaError
from velella.core.settings import Settings

WRITE = ("changed", "open_cart", "cart", "checkout", "new_product")
CHEAP = 5
"""Factor for the number of operations in scenarios that only read."""


@dataclass
class Limit:
    """What an operation of a scenario sends, and what that takes by itself; CPU in milliseconds."""

    requests: float
    bytes: float
    statements: float
    commits: float
    http_ms: float
    client_ms: float
    """Of SQL, on the client's side."""
    database_ms: float
    disk_ms: float
    """Milliseconds that its commits wait for the disk, one after the other."""
    ours_ms: float = 0.0
    """CPU of Velella."""

    @property
    def limit_ms(self) -> float:
        return self.http_ms + self.client_ms + self.database_ms


def sync_milliseconds(folder: Path, times: int = 200) -> float:
    """Median time until a page of 8 KB is on disk."""
    path = folder / "sync.tmp"
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        os.pwrite(file, bytes(8192 * times), 0)
        os.fsync(file)
        took = []
        for place in range(times):
            began = time.perf_counter()
            os.pwrite(file, os.urandom(8192), 8192 * place)
            os.fdatasync(file)
            took.append(time.perf_counter() - began)
        return 1000 * statistics.median(took)
    finally:
        os.close(file)
        path.unlink()


def plan_of(name: str, options: argparse.Namespace) -> Plan:
    times = options.operations * (1 if name in WRITE else CHEAP)
    return Plan(times, times, options.seed)


async def limit_of(name: str, postgres: EmbeddedPostgres, settings: Settings, sync_ms: float, options: argparse.Namespace) -> Limit:
    password = instance.admin_password(settings)
    async with copied(postgres, "velella_recorded", DATABASE) as url:
        mine = settings.model_copy(update={"database_url": url, "port": 0})
        recording = await recorded(mine, name, (ADMIN, password), plan_of(name, options))
    server = Processes([postgres.pid or 0])
    runs: list[Spent] = []
    for _ in range(options.repeat):
        async with copied(postgres, "velella_again", DATABASE) as url:
            runs.append(await statements_again(url, recording, server))
    client, database = (statistics.median(getattr(run, part) for run in runs) for part in ("client", "server"))
    http = await answers_again(recording, options.buyers, options.seconds)
    kept = recording.kept
    requests = sum(map(len, kept)) / len(kept)
    size = sum(len(each.answer) for exchanges in kept for each in exchanges) / len(kept)
    statements, commits = (
        recording.each(lambda each: Statements(each.sent).count),
        recording.each(lambda each: Statements(each.sent).commits),
    )
    figures = (requests, size, statements, commits)
    spent = (http, client, database, commits * sync_ms)
    return Limit(*(round(value, 2) for value in figures), *(round(value, 3) for value in spent))


def table_of(limits: dict[str, Limit]) -> str:
    lines = [
        "| | requests, bytes | statements, commits | CPU ms: HTTP | asyncpg | PostgreSQL | the limit | Velella | × of the limit "
        "| ms for the disk |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for name, each in limits.items():
        lines.append(
            f"| {title_of(name)} | {each.requests:.0f}, {each.bytes:,.0f} | {each.statements:.1f}, {each.commits:.1f} "
            f"| {each.http_ms:.2f} | {each.client_ms:.2f} | {each.database_ms:.2f} | {each.limit_ms:.2f} "
            f"| {each.ours_ms:.2f} | {each.ours_ms / max(each.limit_ms, 0.001):.1f} | {each.disk_ms:.1f} |"
        )
    return "\n".join(lines)


async def main(options: argparse.Namespace) -> None:
    console = Console()
    with tempfile.TemporaryDirectory(prefix="velella-limits-") as folder, turning(console) as progress:
        task = progress.add_task("Filling a shop")
        data_dir = options.data_dir or Path(folder) / "shop"
        await fill(data_dir)
        settings = instance.settings_of(data_dir=data_dir, log_level="warning").with_secrets()
        logs.configure(settings)
        sync_ms = sync_milliseconds(settings.data_dir)
        limits = await limits_of(settings, sync_ms, progress, task, options)
        await ours(limits, settings.data_dir, progress, task, options)
    table = table_of(limits)
    console.print(table, soft_wrap=True, markup=False)
    console.print(f"8 KB are on disk in {sync_ms:.2f} ms")
    if options.out:
        said = {name: getattr(options, name) for name in ("operations", "repeat", "buyers", "seconds", "seed")}
        figures = {name: asdict(each) | {"limit_ms": round(each.limit_ms, 3)} for name, each in limits.items()}
        keep(options.out, said | {"sync_ms": round(sync_ms, 3), "figures": figures})
    if options.write:
        write_into(options.write, noted(table), "limits")


async def limits_of(settings: Settings, sync_ms: float, progress: Progress, task: TaskID, options: argparse.Namespace) -> dict[str, Limit]:
    with instance.held(settings):
        postgres = EmbeddedPostgres(settings.data_dir / "postgres", {"autovacuum": "off"})  # else it would be measured, too
        await postgres.start()
        try:
            limits = {}
            for name in options.scenarios:
                progress.update(task, description=f"{name}: the limit")
                limits[name] = await limit_of(name, postgres, settings, sync_ms, options)
            return limits
        finally:
            await postgres.stop()


async def ours(limits: dict[str, Limit], data_dir: Path, progress: Progress, task: TaskID, options: argparse.Namespace) -> None:
    """Carry out the same operations on the served shop."""
    progress.update(task, description="Serving the shop")
    async with served(data_dir) as running:
        shop = await running.opened()
        processes = Processes([*await running.replicas(), running.database])
        try:
            for name, limit in limits.items():
                progress.update(task, description=f"{name}: Velella")
                plan = plan_of(name, options)
                await running.forget()  # the recorded process had nothing cached of other scenarios either
                await carried_out(shop, name, range(plan.warm), plan, options.buyers)
                before = processes.seconds()
                await carried_out(shop, name, range(plan.warm, plan.warm + plan.operations), plan, options.buyers)
                limit.ours_ms = round(1000 * (processes.seconds() - before) / plan.operations, 3)
        finally:
            await shop.session.close()


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", nargs="+", default=list(KNOWN), choices=list(KNOWN), metavar="NAME", help=", ".join(KNOWN))
    parser.add_argument("--data-dir", type=Path, help="of the shop (default: a new one, removed at the end)")
    parser.add_argument(
        "--operations", type=int, default=100, help="of scenarios that write; of others five times as many (default: %(default)s)"
    )
    parser.add_argument("--repeat", type=int, default=3, help="times that statements are sent; the middle counts (default: %(default)s)")
    parser.add_argument("--buyers", type=int, default=16, help="at once, for answers and for Velella (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4, help="of answers given again (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the scenarios' choices (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--write", type=Path, help="put the table into this file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        uvloop.run(main(options_of(sys.argv[1:])))
    except (Refused, VelellaError, aiohttp.ClientConnectionError, asyncpg.PostgresError) as error:
        sys.exit(f"✗ {error}")
