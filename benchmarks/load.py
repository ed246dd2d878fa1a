#!/usr/bin/env python3
"""Put a served shop under load and report latencies and throughput.

Closed loop: a number of buyers, each sends the next request when the last one is answered. It shows the throughput.
Open loop: operations begin at a fixed rate whether or not earlier ones are answered, and each is timed from the moment it
was due. It shows how long buyers would wait: a server that stalls doesn't slow down new buyers.

Examples:
  benchmarks/load.py                                     every scenario, 16 buyers, 5 seconds each
  benchmarks/load.py checkout --buyers 1 16 64
  benchmarks/load.py products mixed --rate 100 200 400 --seconds 10 --out results.json --picture results.png

Load goes to this machine only. Results are a table, and JSON and a picture where asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import uvloop
from measuring import turning
from rich.console import Console
from rich.table import Table
from scenarios import FURTHER, SCENARIOS, Scenario
from shop import Refused, Shop, opened

FAILURES = (Refused, aiohttp.ClientError, TimeoutError, KeyError, IndexError)


@dataclass
class Run:
    """One scenario under one load."""

    scenario: str
    loop: str
    load: float
    """Buyers (closed) or operations begun a second (open)."""
    seconds: float
    done: int
    per_second: float
    errors: dict[str, int]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    latencies_ms: list[float] = field(default_factory=list)


def run_of(scenario: str, loop: str, load: float, seconds: float, latencies: list[float], errors: Counter[str]) -> Run:
    ordered = sorted(1000 * value for value in latencies)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else float("nan")

    rate = round(len(ordered) / seconds, 1)
    thinned = ordered[:: max(1, len(ordered) // 500)]
    return Run(scenario, loop, load, round(seconds, 2), len(ordered), rate, dict(errors), at(0.5), at(0.95), at(0.99), at(1), thinned)


async def closed(shop: Shop, name: str, scenario: Scenario, buyers: int, seconds: float, seed: int) -> Run:
    """`buyers` at once, for `seconds`; waits for every operation that was begun."""
    latencies: list[float] = []
    errors: Counter[str] = Counter()
    began = time.perf_counter()

    async def buyer(number: int) -> None:
        rng = random.Random(f"{seed}/{number}")
        while (start := time.perf_counter()) < began + seconds:
            try:
                await scenario(shop, rng)
                latencies.append(time.perf_counter() - start)
            except FAILURES as error:
                errors[f"{type(error).__name__}: {error}"[:120]] += 1

    await asyncio.gather(*(buyer(number) for number in range(buyers)))
    return run_of(name, "closed", buyers, time.perf_counter() - began, latencies, errors)


async def opened_loop(shop: Shop, name: str, scenario: Scenario, rate: float, seconds: float, seed: int) -> Run:
    """`rate` operations begin every second at random moments (a Poisson process); each is timed from when it was due."""
    latencies: list[float] = []
    errors: Counter[str] = Counter()
    rng = random.Random(seed)
    running: set[asyncio.Task[None]] = set()
    began = time.perf_counter()

    async def operation(due: float, number: int) -> None:
        try:
            await scenario(shop, random.Random(f"{seed}/{number}"))
            latencies.append(time.perf_counter() - due)
        except FAILURES as error:
            errors[f"{type(error).__name__}: {error}"[:120]] += 1

    due, number = began, 0
    while (due := due + rng.expovariate(rate)) < began + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(operation(due, number := number + 1))
        running.add(task)
        task.add_done_callback(running.discard)
        if len(running) > 5000:
            errors["given up: 5000 operations wait for an answer"] += 1
            break
    await asyncio.gather(*running)
    return run_of(name, "open", rate, time.perf_counter() - began, latencies, errors)


def table_of(runs: list[Run]) -> Table:
    table = Table("scenario", "load", "a second", "p50 ms", "p95 ms", "p99 ms", "max ms", "errors")
    for run in runs:
        load = f"{run.load:g} buyers" if run.loop == "closed" else f"{run.load:g} a second"
        figures = (f"{value:,.1f}" for value in (run.per_second, run.p50_ms, run.p95_ms, run.p99_ms, run.max_ms))
        table.add_row(run.scenario, load, *figures, str(sum(run.errors.values())))
    return table


def picture_of(runs: list[Run], path: Path) -> None:
    """Latency by share of operations, a curve for each run; the further left and the steeper, the better."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(run.scenario for run in runs))
    figure, panels = pyplot.subplots(1, len(names), figsize=(4.5 * len(names), 4), squeeze=False, sharey=True)
    for panel, name in zip(panels[0], names, strict=True):
        for run in (run for run in runs if run.scenario == name and run.latencies_ms):
            shares = [(index + 1) / len(run.latencies_ms) for index in range(len(run.latencies_ms))]
            label = f"{run.load:g} {'buyers' if run.loop == 'closed' else 'begun/s'}: {run.per_second:g}/s"
            panel.plot(run.latencies_ms, shares, label=label)
        panel.set(title=name, xlabel="milliseconds", xscale="log")
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8, loc="lower right")
    panels[0][0].set_ylabel("share of operations answered within")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


async def main(options: argparse.Namespace) -> int:
    console = Console()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    shop = await opened(options.base, options.email, options.password)
    runs: list[Run] = []
    try:
        with turning(console) as progress:
            task = progress.add_task("")
            for name in options.scenarios or SCENARIOS:
                scenario = (SCENARIOS | FURTHER)[name]
                progress.update(task, description=f"{name}: warming up")
                await closed(shop, name, scenario, 4, options.warm, seed)
                for load in options.rate or options.buyers:
                    progress.update(task, description=f"{name}: {load:g} {'a second' if options.rate else 'buyers'}")
                    loop = (
                        opened_loop(shop, name, scenario, load, options.seconds, seed)
                        if options.rate
                        else closed(shop, name, scenario, int(load), options.seconds, seed)
                    )
                    runs.append(await loop)
    finally:
        await shop.session.close()
    console.print(table_of(runs))
    console.print(f"seed {seed}")
    for run in runs:
        for text, times in run.errors.items():
            console.print(f"[red]{run.scenario}: {times} × {text}[/red]")
    if options.out:
        conditions: dict[str, Any] = {
            "base": options.base,
            "cpus": os.cpu_count(),
            "seed": seed,
            "when": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
        options.out.write_text(json.dumps({**conditions, "runs": [asdict(run) for run in runs]}, indent=1))
    if options.picture:
        picture_of(runs, options.picture)
    return 1 if any(run.errors for run in runs) else 0


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "scenarios", nargs="*", metavar="scenario", help=f"of: {', '.join(SCENARIOS)} (default: all of these), {', '.join(FURTHER)}"
    )
    parser.add_argument("--base", default="http://127.0.0.1:9000", help="the served shop (default: %(default)s)")
    parser.add_argument("--email", default=os.environ.get("VELELLA_ADMIN_EMAIL", "admin@example.com"), help="admin login")
    parser.add_argument(
        "--password", default=os.environ.get("VELELLA_ADMIN_PASSWORD"), help="(default: $VELELLA_ADMIN_PASSWORD, or the demo shop's)"
    )
    parser.add_argument("--buyers", type=int, nargs="+", default=[16], help="closed loop: buyers at once (default: 16)")
    parser.add_argument("--rate", type=float, nargs="+", help="open loop: operations begun a second")
    parser.add_argument("--seconds", type=float, default=5, help="of each run (default: %(default)s)")
    parser.add_argument("--warm", type=float, default=1, help="seconds before, not counted (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="repeat a run's random choices")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    parser.add_argument("--picture", type=Path, help="draw the latencies as PNG or SVG")
    options = parser.parse_args(arguments)
    known = SCENARIOS | FURTHER
    unknown = set(options.scenarios) - set(known)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))} (there are: {', '.join(known)})")
    if urlsplit(options.base).hostname not in ("127.0.0.1", "localhost", "::1"):
        parser.error("load goes to this machine only")
    if options.password is None:
        kept = Path(".velella/secrets/admin_password")
        if not kept.exists():
            parser.error("the admin's password is needed: --password or VELELLA_ADMIN_PASSWORD")
        options.password = kept.read_text()
    return options


if __name__ == "__main__":
    try:
        sys.exit(uvloop.run(main(options_of(sys.argv[1:]))))
    except (Refused, aiohttp.ClientConnectionError) as error:
        sys.exit(f"✗ {error}")
