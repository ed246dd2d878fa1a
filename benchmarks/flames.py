#!/usr/bin/env python3
"""Where the time of each scenario goes: a flame graph for each, and the share of each layer and library.

Serves a shop of its own, packed, unless --base names one that runs, and puts one scenario after the other under load while py-spy
(pip install py-spy) looks at every process that answers, 100 times a second. Samples are of our processes while they run, not of
PostgreSQL and not of time that is waited. Needs to be root, or a machine that lets processes look at others of the same user
(sysctl kernel.yama.ptrace_scope=0).

Examples:
  benchmarks/flames.py                                              every scenario, 10 seconds each, into flames/
  benchmarks/flames.py cart checkout --seconds 20 --top 25          and our 25 functions that take most
  benchmarks/flames.py --base http://127.0.0.1:9000                 a served shop (packed: those that listen on the port)
  benchmarks/flames.py --folder docs/flames --out docs/figures/flames.json --write docs/performance.md
  benchmarks/flames.py checkout --out after.json --before before.json    shares as they were before in brackets

`--write` puts the table between the lines <!-- flames --> and <!-- /flames --> of a file. --python leaves compiled libraries out: less
to stop for on a slow machine, but what they do then counts as their callers'.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import uvloop
from flame_svg import drawn
from load import closed
from measuring import KNOWN, Processes, keep, listeners, noted, title_of, turning, write_into
from rich.console import Console
from rich.table import Table
from served import ADMIN, fill, served
from shop import Refused, Shop, opened
from stacks import LAYERS, OURS, Stacks, functions, shares, stacks_of

HINT = "py-spy is not installed: pip install py-spy"
Figures = dict[str, dict[str, Any]]


@asynccontextmanager
async def target(options: argparse.Namespace) -> AsyncIterator[tuple[Shop, list[int]]]:
    """The shop to measure, and its processes that answer."""
    if options.base:
        shop = await opened(options.base, options.email, options.password)
        try:
            yield shop, options.pids or sorted(listeners(urlsplit(options.base).port or 80))
        finally:
            await shop.session.close()
        return
    with tempfile.TemporaryDirectory(prefix="velella-flames-") as folder:
        data_dir = options.data_dir or Path(folder) / "shop"
        await fill(data_dir)
        async with served(data_dir) as running:
            shop = await running.opened()
            try:
                yield shop, await running.replicas()
            finally:
                await shop.session.close()


def _py_spy() -> str | None:
    """The path of py-spy: beside this Python, or anywhere on the path."""
    return shutil.which("py-spy", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))


async def looked_at(pid: int, file: Path, options: argparse.Namespace) -> Stacks:
    """The samples that py-spy takes of a process."""
    words = [_py_spy() or "py-spy", "record", "--pid", str(pid), "--format", "raw", "--output", str(file)]
    words += ["--rate", str(options.rate), "--duration", str(options.seconds), "--function", "--full-filenames"]
    words += [] if options.python else ["--native"]
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    if process.returncode != 0:
        raise Refused(f"py-spy can't look at process {pid}: {errors.decode().strip()[-300:]}")
    return stacks_of(await asyncio.to_thread(lambda: file.read_text().splitlines()))


async def measured(shop: Shop, pids: list[int], name: str, folder: Path, options: argparse.Namespace) -> tuple[Stacks, float]:
    """Stacks of all processes under the scenario, and the milliseconds of CPU for one operation without a profiler."""
    scenario = KNOWN[name]
    await closed(shop, name, scenario, options.buyers, options.warm, options.seed)
    processes = Processes(pids)
    before = processes.seconds()
    alone = await closed(shop, name, scenario, options.buyers, max(1.0, options.seconds / 4), options.seed + 1)
    cpu = 1000 * (processes.seconds() - before) / max(1, alone.done)
    load = asyncio.create_task(closed(shop, name, scenario, options.buyers, options.seconds + 1, options.seed + 2))
    seen = await asyncio.gather(*(looked_at(pid, folder / f"{name}-{pid}.raw", options) for pid in pids))
    run = await load
    if alone.errors or run.errors:
        raise Refused(f"{name}: {alone.errors | run.errors}")
    return sum(seen, Counter()), round(cpu, 3)


def table_of(figures: Figures, before: Figures, pictures: str | None = None) -> str:
    """Layers in rows, scenarios in columns; CPU first, then shares in per cent, with earlier ones in brackets.

    `pictures`: the folder that the columns' heads link to.
    """
    heads = {name: name.replace("_", " ") for name in figures}
    lines = [
        "| | " + " | ".join(f"[{head}]({pictures}/{name}.svg)" if pictures else head for name, head in heads.items()) + " |",
        "| --- |" + " --: |" * len(figures),
        "| CPU ms an operation |" + "".join(f" {_beside(name, figures, before, _cpu)} |" for name in figures),
    ]
    for layer in LAYERS:
        cells = [_beside(name, figures, before, partial(_share, layer)) for name in figures]
        title = f"`{layer}/`" if layer in OURS else layer
        lines.append(f"| {title} |" + "".join(f" {cell} |" for cell in cells))
    return "\n".join(lines)


def _share(layer: str, row: dict[str, Any]) -> str:
    return f"{100 * row['shares'][layer]:.1f}"


def _cpu(row: dict[str, Any]) -> str:
    return f"{row['cpu_ms']:.2f}"


def _beside(name: str, figures: Figures, before: Figures, told: Callable[[dict[str, Any]], str]) -> str:
    return told(figures[name]) + (f" ({told(before[name])})" if name in before else "")


def top_of(stacks: Stacks, name: str, count: int) -> Table:
    table = Table("within %", "alone %", "function", "file", title=f"{name} (alone: itself, with libraries that it calls)")
    for frame, within, itself in functions(stacks)[:count]:
        table.add_row(f"{100 * within:.1f}", f"{100 * itself:.1f}", frame.name, frame.where)
    return table


async def main(options: argparse.Namespace) -> None:
    console = Console()
    before: Figures = json.loads(options.before.read_text())["figures"] if options.before else {}
    figures: Figures = {}
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="velella-stacks-") as temporary, turning(console) as progress:
        task = progress.add_task("Starting a shop" if not options.base else "Asking the shop")
        async with target(options) as (shop, pids):
            for name in options.scenarios or KNOWN:
                progress.update(task, description=f"{name}: {options.buyers} buyers, {len(pids)} processes looked at")
                stacks, cpu = await measured(shop, pids, name, options.raw or Path(temporary), options)
                if not stacks:
                    raise Refused(f"{name}: no sample in {options.seconds} s")
                samples = sum(stacks.values())
                figures[name] = {"samples": samples, "cpu_ms": cpu, "shares": {k: round(v, 4) for k, v in shares(stacks).items()}}
                title = f"{title_of(name)}: {samples:,} samples, {cpu:.2f} ms of CPU an operation"
                (options.folder / f"{name}.svg").write_text(drawn(stacks, title))
                if options.top:
                    console.print(top_of(stacks, name, options.top))
    table = table_of(figures, before)
    console.print(table, soft_wrap=True, markup=False)
    if options.out:
        said = {"buyers": options.buyers, "seconds": options.seconds, "rate": options.rate, "seed": options.seed}
        keep(options.out, said | {"figures": figures})
    if options.write:
        write_into(options.write, noted(table_of(figures, before, options.pictures)), "flames")


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"of: {', '.join(KNOWN)} (default: all)")
    parser.add_argument("--base", help="a served shop, instead of one of its own")
    parser.add_argument("--pids", type=int, nargs="+", help="its processes to look at (default: those that listen on its port)")
    parser.add_argument("--email", default=ADMIN, help="admin login (default: %(default)s)")
    parser.add_argument("--password", default=os.environ.get("VELELLA_ADMIN_PASSWORD"), help="(default: $VELELLA_ADMIN_PASSWORD)")
    parser.add_argument("--data-dir", type=Path, help="serve this one, filled where it is empty (default: a new one, removed at the end)")
    parser.add_argument("--buyers", type=int, default=8, help="at once (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=10, help="looked at, a scenario (default: %(default)s)")
    parser.add_argument("--warm", type=float, default=2, help="seconds before (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=100, help="samples a second (default: %(default)s)")
    parser.add_argument("--python", action="store_true", help="only frames of Python")
    parser.add_argument("--seed", type=int, default=1, help="of the scenarios' choices (default: %(default)s)")
    parser.add_argument("--top", type=int, default=0, metavar="N", help="also print our N functions that take most")
    parser.add_argument("--folder", type=Path, default=Path("flames"), help="for the pictures (default: %(default)s)")
    parser.add_argument("--raw", type=Path, help="keep py-spy's files in this folder")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--before", type=Path, help="such a file of an earlier run, to be put beside")
    parser.add_argument("--write", type=Path, help="put the table into this file")
    options = parser.parse_args(arguments)
    unknown = set(options.scenarios) - set(KNOWN)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))} (there are: {', '.join(KNOWN)})")
    if options.base and urlsplit(options.base).hostname not in ("127.0.0.1", "localhost", "::1"):
        parser.error("load goes to this machine only")
    if options.base and options.password is None:
        parser.error("the admin's password is needed: --password or VELELLA_ADMIN_PASSWORD")
    if _py_spy() is None:
        parser.error(HINT)
    options.pictures = os.path.relpath(options.folder, options.write.parent) if options.write else None
    for folder in (options.data_dir, options.raw):
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    try:
        uvloop.run(main(options_of(sys.argv[1:])))
    except (Refused, aiohttp.ClientConnectionError) as error:
        sys.exit(f"✗ {error}")
