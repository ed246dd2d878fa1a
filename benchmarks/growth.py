#!/usr/bin/env python3
"""Send the same requests to shops of several sizes, and report how the cost of an answer grows with the shop.

Shops are generated if they don't exist yet (a million variants: some minutes, 8 GB), then all are served at once and asked in turn, so
that other load of the machine affects all. CPU is that of the server and its database. One request at a time. Answers aren't cached
(`velella serve --no-cache`), else a small shop would win by fitting into memory; `--remembering` serves as usual.

Examples:
  benchmarks/growth.py --folder /tmp/growth
  benchmarks/growth.py --folder /tmp/growth --variants 1000 100_000 --requests 20          quicker
  benchmarks/growth.py --folder /tmp/growth --only deep orders search_orders
  benchmarks/growth.py --folder /tmp/growth --out growth.json --picture growth.svg --write docs/performance.md

A shop has a tenth as many orders as variants, at least 1,000, and --price-lists price lists; one more of the smallest size has none.
`--write` puts the table between the lines <!-- growth --> and <!-- /growth --> of a file.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import aiohttp
import uvloop
from asked import LINES, REQUESTS, Asked
from measuring import Processes, keep, write_into
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from served import served
from shop import Refused

HERE = Path(__file__).parent
ROUNDS = 4
"""How often every shop gets its turn with a request."""
WARM = 5
GOAL = 1.5


@dataclass(frozen=True)
class Size:
    variants: int
    orders: int
    price_lists: int

    @property
    def name(self) -> str:
        return f"{self.variants:,}" + ("" if self.price_lists else " without price lists")

    def folder(self, parent: Path) -> Path:
        return parent / f"{self.variants}-{self.orders}-{self.price_lists}"


@dataclass
class Figure:
    """The result of one request to one shop."""

    request: str
    shop: str
    p50_ms: float
    cpu_ms: float
    """For one request, server and database."""


def sizes_of(options: argparse.Namespace) -> list[Size]:
    sizes = [Size(variants, max(1000, variants // 10), options.price_lists) for variants in sorted(options.variants)]
    return [*sizes, Size(sizes[0].variants, sizes[0].orders, 0)] if options.price_lists else sizes


def generate(size: Size, parent: Path, console: Console) -> None:
    """Make the shop, unless it was made before."""
    folder = size.folder(parent)
    made = folder / "generated"
    if made.exists():
        return
    given = {"data-dir": folder, "variants": size.variants, "orders": size.orders, "price-lists": size.price_lists}
    console.print(f"Generating {size.name} variants …")
    subprocess.run([sys.executable, HERE / "generate.py", *(f"--{name}={value}" for name, value in given.items())], check=True)
    made.touch()


@asynccontextmanager
async def ready(size: Size, options: argparse.Namespace) -> AsyncIterator[tuple[Asked, Processes]]:
    """The shop, served by processes of its own, and ready for requests."""
    async with served(size.folder(options.folder), "packed", *(() if options.remembering else ("--no-cache",))) as running:
        shop = await running.opened()
        try:
            asked = Asked(shop, size.variants, random.Random(options.seed))
            await asked.prepare()
            yield asked, Processes(await running.processes())
        finally:
            await shop.session.close()


async def measure(name: str, shops: dict[str, tuple[Asked, Processes]], requests: int) -> list[Figure]:
    """Measure one request on every shop, a few times each in turn."""
    took: dict[str, list[float]] = {shop: [] for shop in shops}
    spent = dict.fromkeys(shops, 0.0)
    ask = REQUESTS[name]
    for asked, _ in shops.values():
        for _ in range(WARM):
            await ask(asked)
    for _ in range(ROUNDS):
        for shop, (asked, processes) in shops.items():
            before = processes.seconds()
            for _ in range(max(1, requests // ROUNDS)):
                started = time.perf_counter()
                await ask(asked)
                took[shop].append(1000 * (time.perf_counter() - started))
            spent[shop] += processes.seconds() - before
    return [Figure(name, shop, round(median(took[shop]), 2), round(1000 * spent[shop] / len(took[shop]), 2)) for shop in shops]


# -- output


def by_request(figures: list[Figure]) -> dict[str, dict[str, Figure]]:
    rows: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        rows.setdefault(figure.request, {})[figure.shop] = figure
    return rows


def title_of(name: str) -> str:
    return (REQUESTS[name].__doc__ or name).rstrip(".").lower()


def table_of(figures: list[Figure], sizes: list[Size]) -> str:
    """CPU and median milliseconds at each size, and the ratio of the largest to the smallest."""
    names = [size.name for size in sizes]
    grown = [size.name for size in sizes if size.price_lists == sizes[0].price_lists]
    heads = ["CPU ms a request (ms in the middle)", *names, f"× from {grown[0]} to {grown[-1]}"]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " --: |" * (len(names) + 1)]
    for name, row in by_request(figures).items():
        cells = [f"{row[shop].cpu_ms:.1f} ({row[shop].p50_ms:.1f})" for shop in names]
        times = row[grown[-1]].cpu_ms / max(row[grown[0]].cpu_ms, 0.01)
        lines.append(f"| {title_of(name)} | {' | '.join(cells)} | {times:.1f} |")
    return "\n".join(lines)


def picture_of(figures: list[Figure], sizes: list[Size], path: Path) -> None:
    """The cost of each request at each size, relative to the smallest; and of carts by their lines."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    grown = [size for size in sizes if size.price_lists == sizes[0].price_lists]
    figure, (growth, carts) = pyplot.subplots(1, 2, figsize=(13, 6), width_ratios=(2, 1))
    rows = by_request(figures)
    shown = [name for name in rows if not name.startswith(("add_", "look_"))]
    colours = pyplot.get_cmap("tab20")
    for number, name in enumerate(shown):
        first = max(rows[name][grown[0].name].cpu_ms, 0.01)
        costs = [rows[name][size.name].cpu_ms / first for size in grown]
        growth.plot([size.variants for size in grown], costs, marker="o", label=title_of(name), color=colours(number % 20))
    growth.axhline(GOAL, color="#888888", linestyle="--", linewidth=1)
    growth.set(xscale="log", yscale="log", xlabel="variants", ylabel=f"CPU of a request ÷ the same at {grown[0].name} variants")
    growth.set_yticks([0.5, 1, GOAL, 2, 4, 8], ["0.5", "1", f"{GOAL:g}", "2", "4", "8"])
    growth.set_xticks([size.variants for size in grown], [size.name for size in grown])
    growth.minorticks_off()
    growth.legend(fontsize=7, ncols=2, loc="upper left")
    for kind, label in (("add", "a line is added"), ("look", "looked at")):
        for size in grown:
            lines = [count for count in LINES if f"{kind}_{count}" in rows]
            costs = [rows[f"{kind}_{count}"][size.name].cpu_ms for count in lines]
            carts.plot(lines, costs, marker="o", linestyle="-" if kind == "add" else ":", label=f"{label}, {size.name}")
    carts.set(xscale="log", yscale="log", xlabel="lines of the cart", ylabel="CPU of a request, ms")
    carts.set_xticks(LINES, [str(count) for count in LINES])
    carts.set_yticks([5, 10, 20, 40, 80], ["5", "10", "20", "40", "80"])
    carts.minorticks_off()
    carts.legend(fontsize=7)
    for panel in (growth, carts):
        panel.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)


async def main(options: argparse.Namespace) -> int:
    console = Console()
    sizes = sizes_of(options)
    for size in sizes:
        generate(size, options.folder, console)
    figures: list[Figure] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    async with AsyncExitStack() as stack:
        with Progress(*columns, console=console, transient=True) as progress:
            starting = progress.add_task("Serving", total=len(sizes))
            shops: dict[str, tuple[Asked, Processes]] = {}
            for size in sizes:
                shops[size.name] = await stack.enter_async_context(ready(size, options))
                progress.advance(starting)
            task = progress.add_task("", total=len(options.only))
            for name in options.only:
                progress.update(task, description=title_of(name))
                figures += await measure(name, shops, options.requests)
                progress.advance(task)
    table = table_of(figures, sizes)
    console.print(table, soft_wrap=True, markup=False)
    if options.out:
        shops_of = [asdict(size) for size in sizes]
        rows = [asdict(figure) for figure in figures]
        given = {name: getattr(options, name) for name in ("seed", "requests", "remembering")}
        keep(options.out, {**given, "shops": shops_of, "figures": rows})
    if options.picture:
        picture_of(figures, sizes, options.picture)
    if options.write:
        write_into(options.write, table, "growth")
    return 0


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the shops lie, a data directory each")
    parser.add_argument("--variants", type=int, nargs="+", default=[1000, 100_000, 1_000_000], help="sizes (default: 1000 100000 1000000)")
    parser.add_argument("--price-lists", type=int, default=50, help="in each shop but one (default: %(default)s)")
    parser.add_argument("--only", nargs="+", default=list(REQUESTS), choices=list(REQUESTS), metavar="NAME", help=", ".join(REQUESTS))
    parser.add_argument("--requests", type=int, default=40, help="of each kind to each shop (default: %(default)s)")
    parser.add_argument("--remembering", action="store_true", help="serve as usual, with answers remembered")
    parser.add_argument("--seed", type=int, default=1, help="repeat a run's random choices (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--picture", type=Path, help="draw the curves as PNG or SVG (needs matplotlib)")
    parser.add_argument("--write", type=Path, help="put the table into this file")
    options = parser.parse_args(arguments)
    if min(options.variants) < 1000:
        parser.error("at least 1,000 variants: a page near the start has to be there")
    return options


if __name__ == "__main__":
    try:
        sys.exit(uvloop.run(main(options_of(sys.argv[1:]))))
    except (Refused, aiohttp.ClientConnectionError) as error:
        sys.exit(f"✗ {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"✗ generate.py ended with {error.returncode}")
