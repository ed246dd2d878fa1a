#!/usr/bin/env python3
"""Put two served shops under the same load, one after the other, and report what each costs.

Both have to be served and hold the same goods. For each scenario and each number of buyers the peer goes first and ours follows at once,
so that other load of the machine affects both. CPU is that of the processes that listen on the port and their descendants, and of those
whose ids are named (databases, caches); it says more than throughput where client and servers share the cores.

Examples:
  benchmarks/compare.py --peer http://127.0.0.1:9001 --peer-also 1234,1250 --ours http://127.0.0.1:9000 --ours-also 4321
  benchmarks/compare.py … --scenarios products cart --buyers 1 16 --out compare.json --picture compare.svg --write docs/performance.md

If least.py has left its results, the last columns say how far we are from the least that each operation takes.
`--write` puts the table between the lines <!-- compare --> and <!-- /compare --> of a file. Scenarios that we lose are shown like any
other.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import uvloop
from load import Run, closed
from measuring import KNOWN, Processes, keep, title_of, turning, write_into
from rich.console import Console
from shop import Refused, Shop, opened

SIDES = ("peer", "ours")
LIMITS = Path(__file__).parents[1] / "docs" / "figures" / "limits.json"


@dataclass
class Figure:
    """The result of one scenario on one server."""

    side: str
    scenario: str
    buyers: int
    per_second: float
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    """Milliseconds of CPU for one operation, server and named processes."""
    errors: int


async def measure(shop: Shop, processes: Processes, side: str, name: str, buyers: int, options: argparse.Namespace) -> Figure:
    await closed(shop, name, KNOWN[name], buyers, options.warm, options.seed)
    before = processes.seconds()
    run: Run = await closed(shop, name, KNOWN[name], buyers, options.seconds, options.seed + 1)
    spent = processes.seconds() - before
    errors = sum(run.errors.values())
    return Figure(side, name, buyers, run.per_second, run.p50_ms, run.p95_ms, round(1000 * spent / max(1, run.done), 3), errors)


def pairs(figures: list[Figure]) -> list[tuple[Figure, Figure]]:
    """(peer, ours) of one scenario and load."""
    by = {(figure.side, figure.scenario, figure.buyers): figure for figure in figures}
    return [(peer, by["ours", peer.scenario, peer.buyers]) for peer in figures if peer.side == "peer"]


def table_of(figures: list[Figure], names: tuple[str, str], limits: dict[str, float]) -> str:
    """`limits`: the least CPU that an operation takes, where it is known. See least.py."""
    heads = ["", "buyers", *(f"{name} a second (p95 ms)" for name in names), "×", f"CPU ms an operation: {names[0]}", names[1], "×"]
    heads += ["the limit", "× of it"] if limits else []
    lines = ["|" + "|".join(f" {head} " if head else " " for head in heads) + "|", "| --- |" + " --: |" * (len(heads) - 1)]
    for peer, ours in pairs(figures):
        title = title_of(peer.scenario)
        errors = f" ({peer.errors} / {ours.errors} errors)" if peer.errors or ours.errors else ""
        limit = limits.get(peer.scenario, 0.0)
        of_it = f" {limit:,.2f} | {ours.cpu_ms / limit:,.1f} |" if limit else "  |  |" if limits else ""
        lines.append(
            f"| {title}{errors} | {peer.buyers} "
            f"| {peer.per_second:,} ({peer.p95_ms:,.0f}) | {ours.per_second:,} ({ours.p95_ms:,.1f}) "
            f"| {ours.per_second / max(peer.per_second, 0.01):,.1f} "
            f"| {peer.cpu_ms:,.1f} | {ours.cpu_ms:,.2f} | {peer.cpu_ms / max(ours.cpu_ms, 0.001):,.0f} |{of_it}"
        )
    return "\n".join(lines)


def picture_of(figures: list[Figure], names: tuple[str, str], path: Path) -> None:
    """CPU of an operation, a bar for each server; shorter is better."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    most = max(figure.buyers for figure in figures)
    shown = [(peer, ours) for peer, ours in pairs(figures) if peer.buyers == most]
    figure, panel = pyplot.subplots(figsize=(9, 0.55 * len(shown) + 1.2))
    for index, (peer, ours) in enumerate(reversed(shown)):
        panel.barh(index + 0.2, peer.cpu_ms, 0.38, color="#9aa5b1", label=names[0] if index == 0 else None)
        panel.barh(index - 0.2, ours.cpu_ms, 0.38, color="#1f6feb", label=names[1] if index == 0 else None)
        panel.text(
            ours.cpu_ms * 1.1, index - 0.2, f"{ours.cpu_ms:.2g} ms, × {peer.cpu_ms / max(ours.cpu_ms, 0.001):.0f}", va="center", fontsize=8
        )
    panel.set_yticks(range(len(shown)), [peer.scenario.replace("_", " ") for peer, _ in reversed(shown)])
    panel.set(xscale="log", xlabel=f"milliseconds of CPU an operation, {most} buyers (server and database)")
    panel.legend(loc="lower right", fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


async def main(options: argparse.Namespace) -> int:
    console = Console()
    names = (options.peer_name, options.ours_name)
    figures: list[Figure] = []
    async with both_shops(options) as shops:
        processes = processes_of(options)
        with turning(console) as progress:
            task = progress.add_task("")
            for name in options.scenarios:
                for buyers in options.buyers:
                    for side in SIDES:
                        progress.update(task, description=f"{name}: {buyers} buyers, {side}")
                        figures.append(await measure(shops[side], processes[side], side, name, buyers, options))
    limits = {name: row["limit_ms"] for name, row in json.loads(options.limits.read_text())["figures"].items()} if options.limits else {}
    table = table_of(figures, names, limits)
    console.print(table, soft_wrap=True, markup=False)
    if options.out:
        said = {"seed": options.seed, "seconds": options.seconds, "peer": names[0], "ours": names[1]}
        keep(options.out, said | {"figures": [asdict(figure) for figure in figures]})
    if options.picture:
        picture_of(figures, names, options.picture)
    if options.write:
        write_into(options.write, table, options.mark)
    return 1 if any(figure.errors for figure in figures if figure.side == "ours") else 0


@asynccontextmanager
async def both_shops(options: argparse.Namespace) -> AsyncIterator[dict[str, Shop]]:
    """Each side's discovered shop. Their sessions end with the block, that of the first also where the second refuses."""
    async with AsyncExitStack() as sessions:
        shops = {}
        for side in SIDES:
            shops[side] = await opened(getattr(options, side), options.email, options.password)
            sessions.push_async_callback(shops[side].session.close)
        yield shops


def processes_of(options: argparse.Namespace) -> dict[str, Processes]:
    """The processes whose CPU counts, for either side."""
    ports = {side: urlsplit(getattr(options, side)).port or 80 for side in SIDES}
    return {side: Processes.listening(port, getattr(options, f"{side}_also")) for side, port in ports.items()}


def _pids(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options for both servers' addresses and logins."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for side, port in (("peer", 9001), ("ours", 9000)):
        parser.add_argument(f"--{side}", default=f"http://127.0.0.1:{port}", help="its address (default: %(default)s)")
        parser.add_argument(
            f"--{side}-also", type=_pids, default=[], metavar="PID,…", help="further processes of it, each with all below it"
        )
        parser.add_argument(f"--{side}-name", default={"peer": "Medusa", "ours": "Velella"}[side], help="(default: %(default)s)")
    parser.add_argument("--email", default="admin@example.com", help="admin login of both")
    parser.add_argument("--password", default=os.environ.get("VELELLA_ADMIN_PASSWORD"), help="(default: $VELELLA_ADMIN_PASSWORD)")
    return parser


def parsed(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    options = parser.parse_args(arguments)
    if any(urlsplit(getattr(options, side)).hostname not in ("127.0.0.1", "localhost", "::1") for side in SIDES):
        parser.error("load goes to this machine only")
    if options.password is None:
        parser.error("the admin's password is needed: --password or VELELLA_ADMIN_PASSWORD")
    return options


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--scenarios", nargs="+", default=list(KNOWN), choices=list(KNOWN), metavar="NAME", help=", ".join(KNOWN))
    parser.add_argument("--buyers", type=int, nargs="+", default=[1, 16], help="at once (default: 1 and 16)")
    parser.add_argument("--seconds", type=float, default=4, help="of each run (default: %(default)s)")
    parser.add_argument("--warm", type=float, default=1, help="seconds before, not counted (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), help="repeat a run's random choices")
    parser.add_argument(
        "--limits", type=Path, default=LIMITS if LIMITS.exists() else None, help="figures of least.py (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--picture", type=Path, help="draw the CPU of both as PNG or SVG (needs matplotlib)")
    parser.add_argument("--write", type=Path, help="put the table into this file")
    parser.add_argument("--mark", default="compare", help="between which lines of it (default: %(default)s)")
    return parsed(parser, arguments)


if __name__ == "__main__":
    try:
        sys.exit(uvloop.run(main(options_of(sys.argv[1:]))))
    except (Refused, aiohttp.ClientConnectionError) as error:
        sys.exit(f"✗ {error}")
