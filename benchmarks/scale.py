#!/usr/bin/env python3
"""What more replicas gain, and what pools of their own cost.

One part is a pool whose only method takes a given time and handles one message after the other, like a module that waits for a third
party: so that a machine with few cores can show how it scales. A cluster of Velella's own runtime starts one replica, then makes more; the
same callers ask all along. The other is two equal shops, one served packed, one by the shipped cluster.yaml (a pool for each module), each
put under every scenario.

Examples:
  benchmarks/scale.py                                           both parts; tables come out
  benchmarks/scale.py --part replicas --replicas 1 2 4 8 --service-ms 50
  benchmarks/scale.py --part pools --scenarios products cart --buyers 4
  benchmarks/scale.py --out docs/figures/scale.json --picture docs/scale.svg --write docs/performance.md

`--write` puts the tables between the lines <!-- scale --> and <!-- /scale --> of a file. CPU is that of all replicas and PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from compare import Figure, measure
from load import run_of
from measuring import KNOWN, Processes, keep, noted, title_of, turning, write_into
from rich.console import Console
from rich.progress import Progress, TaskID
from served import fill, served
from shop import Refused

from velella.actors.cluster.reconcile import is_settled
from velella.actors.cluster.supervisor import Supervisor
from velella.actors.host import Host
from velella.actors.membership.directory import ReplicaAddress, ReplicaId
from velella.actors.topology import Pool, Topology
from velella.core import logs
from velella.core.errors import VelellaError
from velella.core.message import Service, reads
from velella.core.settings import Settings

CLUSTER = Path(__file__).parents[1] / "cluster.yaml"
POOL = Pool("desk", ("desk",))
START_SECONDS = 60.0
PARTS = ("replicas", "pools")


class Desk(Service):
    """Handles one message after the other."""

    name = "desk"

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    @reads
    async def serve(self, seconds: float) -> int:
        """Take this long; returns the process id."""
        async with self._one:
            await asyncio.sleep(seconds)
        return os.getpid()


def create(context: Any) -> Desk:
    return Desk()


@dataclass
class Step:
    """The pool with this many replicas."""

    replicas: int
    callers: int
    per_second: float
    p50_ms: float
    p95_ms: float
    least: float
    """Share of all messages of the replica with the fewest, times the replicas: 1 if all have as many."""


@asynccontextmanager
async def colony(folder: Path) -> AsyncIterator[tuple[Supervisor, Host]]:
    """A running pool of one replica, and a caller's host."""
    settings = Settings(modules={"desk": "scale:create"}, data_dir=folder, log_level="warning").with_secrets()
    logs.configure(settings)
    supervisor = Supervisor(settings, Topology("scale", (POOL,), settings))
    try:
        await supervisor.start_cluster()
        await supervisor.start_pools()
        client = Host(supervisor.settings, [], address=ReplicaAddress(ReplicaId("client", 0)), directory=supervisor.directory())
        await client.start()
        try:
            yield supervisor, client
        finally:
            await client.stop()
    finally:
        await supervisor.stop()


async def asked(serve: Callable[[float], Awaitable[int]], replicas: int, options: argparse.Namespace) -> Step:
    """Have all callers ask, each again when it has its answer. Answers within the measured time count, even if they were requested
    earlier."""
    latencies: list[float] = []
    answered: Counter[int] = Counter()
    began = time.perf_counter() + options.warm
    end = began + options.seconds

    async def caller() -> None:
        while (start := time.perf_counter()) < end:
            process = await serve(options.service_ms / 1000)
            if began <= (now := time.perf_counter()) < end:
                latencies.append(now - start)
                answered[process] += 1

    await asyncio.gather(*(caller() for _ in range(options.callers)))
    run = run_of("serve", "closed", options.callers, options.seconds, latencies, Counter())
    least = min(answered.values()) * replicas / answered.total() if len(answered) == replicas else 0.0
    return Step(replicas, options.callers, run.per_second, run.p50_ms, run.p95_ms, round(least, 2))


async def growing(folder: Path, progress: Progress, task: TaskID, options: argparse.Namespace) -> list[Step]:
    progress.update(task, description="Starting a pool")
    steps = []
    async with colony(folder) as (supervisor, client):
        there = 1
        for replicas in sorted(options.replicas):
            if replicas > there:
                progress.update(task, description=f"{replicas} replicas: starting")
                await supervisor.want([supervisor.wanted[POOL.name].resized(replace(POOL, replicas=replicas), replicas)])
                async with asyncio.timeout(START_SECONDS):
                    while not is_settled(supervisor.wanted[POOL.name], supervisor.all_members()):  # noqa: ASYNC110 it tells nobody
                        await asyncio.sleep(0.05)
                client.router.update(supervisor.directory())
                there = replicas
            progress.update(task, description=f"{replicas} replicas, {options.callers} callers")
            steps.append(await asked(client.modules.desk.serve, replicas, options))
    return steps


async def pooled(folder: Path, progress: Progress, task: TaskID, options: argparse.Namespace) -> list[tuple[Figure, Figure]]:
    """(packed, pooled) of each scenario, over equal shops."""
    figures: dict[str, list[Figure]] = {}
    for topology in ("packed", str(CLUSTER)):
        name = "packed" if topology == "packed" else "pooled"
        progress.update(task, description=f"{name}: filling a shop")
        data_dir = folder / name
        await fill(data_dir)
        progress.update(task, description=f"{name}: starting")
        async with served(data_dir, topology) as running:
            processes = Processes([*await running.replicas(), running.database])
            shop = await running.opened()
            try:
                for scenario in options.scenarios:
                    progress.update(task, description=f"{name}: {scenario}, {options.buyers} buyers")
                    figures.setdefault(scenario, []).append(await measure(shop, processes, name, scenario, options.buyers, options))
            finally:
                await shop.session.close()
    return [(packed, pools) for packed, pools in figures.values()]


def steps_table(steps: Sequence[Step], service_ms: float) -> str:
    lines = ["| replicas | callers | messages a second | of what is possible | p50 ms | p95 ms |", "| --: | --: | --: | --: | --: | --: |"]
    for step in steps:
        share = step.per_second / (step.replicas * 1000 / service_ms)
        lines.append(f"| {step.replicas} | {step.callers} | {step.per_second:,} | {share:.0%} | {step.p50_ms:,.0f} | {step.p95_ms:,.0f} |")
    return "\n".join(lines)


def pools_table(pairs: Sequence[tuple[Figure, Figure]]) -> str:
    lines = [
        "| | packed a second (p95 ms) | pooled | × | CPU ms an operation: packed | pooled | × |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for packed, pools in pairs:
        errors = f" ({packed.errors} / {pools.errors} errors)" if packed.errors or pools.errors else ""
        lines.append(
            f"| {title_of(packed.scenario)}{errors} "
            f"| {packed.per_second:,} ({packed.p95_ms:,.0f}) | {pools.per_second:,} ({pools.p95_ms:,.0f}) "
            f"| {pools.per_second / max(packed.per_second, 0.01):.2f} | {packed.cpu_ms:,.2f} | {pools.cpu_ms:,.2f} "
            f"| {pools.cpu_ms / max(packed.cpu_ms, 0.001):.1f} |"
        )
    return "\n".join(lines)


def picture_of(steps: Sequence[Step], service_ms: float, path: Path) -> None:
    """Throughput by replicas, beside the ideal line."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panel = pyplot.subplots(figsize=(5.5, 3.2))
    counts = [step.replicas for step in steps]
    panel.plot([0, max(counts)], [0, max(counts) * 1000 / service_ms], color="#9aa5b1", linestyle="--", label="possible")
    panel.plot(counts, [step.per_second for step in steps], "o-", color="#1f6feb", label="answered")
    for step in steps:
        panel.annotate(
            f"{step.per_second:.0f}/s, p95 {step.p95_ms:.0f} ms",
            (step.replicas, step.per_second),
            (6, -12),
            textcoords="offset points",
            fontsize=8,
        )
    panel.set(xlabel="replicas", ylabel="messages a second", xticks=counts, xlim=(0, max(counts) * 1.35), ylim=0)
    panel.set_title(f"one method of {service_ms:g} ms, one message at a time; {steps[0].callers} callers", fontsize=9)
    panel.legend(loc="upper left", fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


async def main(options: argparse.Namespace) -> int:
    console = Console()
    steps: list[Step] = []
    pairs: list[tuple[Figure, Figure]] = []
    with tempfile.TemporaryDirectory(prefix="vs-", ignore_cleanup_errors=True) as folder, turning(console) as progress:
        task = progress.add_task("")
        if "pools" in options.part:
            pairs = await pooled(options.data_dir or Path(folder), progress, task, options)
        if "replicas" in options.part:
            steps = await growing(Path(folder) / "colony", progress, task, options)
    tables = [*([steps_table(steps, options.service_ms)] if steps else []), *([pools_table(pairs)] if pairs else [])]
    console.print("\n\n".join(tables), soft_wrap=True, markup=False)
    if options.out:
        said = {name: getattr(options, name) for name in ("service_ms", "buyers", "seconds", "warm", "seed")}
        shops = [asdict(figure) for pair in pairs for figure in pair]
        keep(options.out, said | {"replicas": [asdict(step) for step in steps], "pools": shops})
    if options.picture and steps:
        picture_of(steps, options.service_ms, options.picture)
    if options.write:
        write_into(options.write, noted("\n\n".join(tables)), "scale")
    return 1 if any(figure.errors for pair in pairs for figure in pair) else 0


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS), help="(default: both)")
    parser.add_argument("--replicas", type=int, nargs="+", default=[1, 2, 4], help="(default: 1 2 4)")
    parser.add_argument("--service-ms", type=float, default=20, help="that a message takes (default: %(default)g)")
    parser.add_argument("--callers", type=int, default=32, help="at once (default: %(default)s)")
    parser.add_argument("--scenarios", nargs="+", default=list(KNOWN), choices=list(KNOWN), metavar="NAME", help=", ".join(KNOWN))
    parser.add_argument("--buyers", type=int, default=16, help="at once (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="of each run (default: %(default)g)")
    parser.add_argument("--warm", type=float, default=2, help="seconds before, not counted (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of the scenarios' choices (default: %(default)s)")
    parser.add_argument("--data-dir", type=Path, help="keep both shops in this folder (default: removed at the end)")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--picture", type=Path, help="draw what replicas give as PNG or SVG (needs matplotlib)")
    parser.add_argument("--write", type=Path, help="put the tables into this file")
    options = parser.parse_args(arguments)
    if min(options.replicas) < 1:
        parser.error("at least one replica")
    return options


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # the replicas find `scale:create`
    try:
        sys.exit(uvloop.run(main(options_of(sys.argv[1:]))))
    except (Refused, VelellaError, aiohttp.ClientConnectionError) as error:
        sys.exit(f"✗ {error}")
