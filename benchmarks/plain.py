#!/usr/bin/env python3
"""Ask two served shops for each plain list and each single thing of the admin API, and report what an answer costs each of them.

Examples:
  benchmarks/plain.py --peer http://127.0.0.1:9001 --peer-also 1234,1250 --ours http://127.0.0.1:9000 --ours-also 4321
  benchmarks/plain.py … --requests 100 --out plain.json --write docs/performance.md

For each route the peer is asked first and ours at once after it, a few requests at a time: `--requests` and on until they have taken half a
second of CPU, so that a tick of the processor's clock (10 ms) is 2 % of a figure; no more after 10,000 requests or 20 seconds. CPU is that
of the processes that listen on the port, their descendants, and the named ones. `--write` puts the table between the lines <!-- plain -->
and <!-- /plain --> of a file, or those that `--mark` names.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import uvloop
from compare import SIDES, both_shops, parsed, parser_of, processes_of
from measuring import Processes, keep, write_into
from rich.console import Console
from rich.progress import track
from shop import Refused, Shop

from velella.core.rows import Row

LISTS = (
    "api-keys", "campaigns", "claims", "collections", "currencies", "customer-groups", "customers", "draft-orders", "exchanges",
    "fulfillment-providers", "inventory-items", "invites", "notifications", "orders", "payments", "price-lists", "price-preferences",
    "product-categories", "product-options", "product-tags", "product-types", "product-variants", "products", "promotions",
    "refund-reasons", "regions", "reservations", "return-reasons", "returns", "sales-channels", "shipping-option-types", "shipping-options",
    "shipping-profiles", "stock-locations", "stores", "tax-providers", "tax-rates", "tax-regions", "users",
)  # fmt: skip
WITHOUT_ONE = ("fulfillment-providers", "tax-providers", "product-variants")
"""Resources that are only listed."""
OF_ORDERS = ("changes", "line-items", "preview")
"""What is shown of one order besides itself."""
AT_ONCE = 4
WARM = 40
"""Requests that go first and aren't counted: each process, and each connection to it, makes what it keeps by then."""
ENOUGH = 0.5
"""Seconds of CPU that a figure rests on."""
MOST = 10_000
LONGEST = 20.0
"""Requests to one route, and seconds for them, after which a figure rests on less."""


async def paths_of(shop: Shop, lists: Sequence[str]) -> dict[str, str]:
    """Name → path, for each list and the first thing in it, if there is one."""
    found = {}
    for name in lists:
        path = f"/admin/{name}"
        rows = next(value for value in (await shop.call("GET", path, headers=shop.admin)).values() if isinstance(value, list))
        found[path] = path
        if rows and name not in WITHOUT_ONE:
            key = rows[0]["code"] if name == "currencies" else rows[0]["id"]
            found[f"{path}/:{'code' if name == 'currencies' else 'id'}"] = f"{path}/{key}"
            if name == "orders":
                found |= {f"{path}/:id/{part}": f"{path}/{key}/{part}" for part in OF_ORDERS}
    return found


async def cost(shop: Shop, processes: Processes, path: str, least: int) -> Row:
    """Milliseconds of CPU of one answer, its median milliseconds, its bytes, and after how many answers: `least` or more (see `ENOUGH`)."""
    took: list[float] = []
    size = 0

    async def ask(times: int) -> None:
        nonlocal size
        for _ in range(times):
            started = time.perf_counter()
            async with shop.session.get(shop.base + path, headers=shop.admin) as answer:
                size = len(await answer.read())
                if answer.status != 200:
                    raise Refused(f"GET {path}: {answer.status}")
            took.append((time.perf_counter() - started) * 1000)

    async def ask_at_once(requests: int) -> None:
        await asyncio.gather(*(ask(-(-requests // AT_ONCE)) for _ in range(AT_ONCE)))

    await ask_at_once(WARM)
    took.clear()
    before, began, spent = processes.seconds(), time.perf_counter(), 0.0
    while not took or (spent < ENOUGH and len(took) < MOST and time.perf_counter() - began < LONGEST):
        await ask_at_once(len(took) or least)  # twice as many in all, so that nobody waits often for the clock to be read
        spent = processes.seconds() - before
    middle = sorted(took)[len(took) // 2]
    return {"cpu_ms": round(1000 * spent / len(took), 3), "p50_ms": round(middle, 2), "bytes": size, "requests": len(took)}


def table_of(figures: dict[str, dict[str, Row]], names: tuple[str, str]) -> str:
    lines = [f"| GET | CPU ms: {names[0]} | {names[1]} | × | bytes |", "| --- | --: | --: | --: | --: |"]
    for name, sides in figures.items():
        peer, ours = (sides[side]["cpu_ms"] for side in SIDES)
        lines.append(f"| `{name}` | {peer:.1f} | {ours:.2f} | {peer / max(ours, 0.01):.0f} | {sides['ours']['bytes']:,} |")
    return "\n".join(lines)


async def main(options: argparse.Namespace) -> None:
    console = Console()
    async with both_shops(options) as shops:
        processes = processes_of(options)
        paths = {side: await paths_of(shop, options.lists) for side, shop in shops.items()}
        figures: dict[str, dict[str, Row]] = {}
        for name in track([name for name in paths["peer"] if name in paths["ours"]], "Asking", console=console, transient=True):
            figures[name] = {side: await cost(shops[side], processes[side], paths[side][name], options.requests) for side in SIDES}
    table = table_of(figures, (options.peer_name, options.ours_name))
    console.print(table, soft_wrap=True, markup=False)
    if options.out:
        keep(options.out, {"requests": options.requests, "figures": figures})
    if options.write:
        write_into(options.write, table, options.mark)


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--requests", type=int, default=40, help="of each route, to either at least (default: %(default)s)")
    parser.add_argument("--lists", nargs="+", default=list(LISTS), choices=LISTS, metavar="NAME", help="these only")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--write", type=Path, help="put the table into this file")
    parser.add_argument("--mark", default="plain", help="between which lines of it (default: %(default)s)")
    return parsed(parser, arguments)


if __name__ == "__main__":
    try:
        uvloop.run(main(options_of(sys.argv[1:])))
    except (Refused, aiohttp.ClientConnectionError) as error:
        sys.exit(f"✗ {error}")
