"""`velella top`: a live view of a running Velella."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from . import colony
from .data import DataDir
from .output import console
from .overview import Snapshot, overview

FRAME_LINES = 12
"""Lines besides the rows of tables: headings, borders, the prompt."""


def register(app: typer.Typer) -> None:
    @app.command(epilog="Examples:  velella top  ·  velella top --every 5  ·  velella top --once --json | jq .requests.p95_ms")
    def top(
        data_dir: Path | None = DataDir,
        address: str | None = colony.Address,
        every: float = typer.Option(1.0, min=0.1, help="Seconds between two looks."),
        once: bool = typer.Option(False, "--once", help="Look for one such time, print, and end."),
        as_json: bool = typer.Option(False, "--json", help="With --once: as JSON."),
    ) -> None:
        """Show requests, latencies, pools, queues and hit rates of the running Velella, live. Ctrl-C ends it."""
        if as_json and not once:
            raise typer.BadParameter("--json goes with --once.")
        try:
            asyncio.run(_watch(address, data_dir, every, once, as_json))
        except KeyboardInterrupt:
            return


async def _watch(address: str | None, data_dir: Path | None, every: float, once: bool, as_json: bool) -> None:
    async with colony.supervisor_of(address, data_dir) as supervisor:
        before = await Snapshot.at_cluster(supervisor)
        if once:
            await asyncio.sleep(every)
            seen = overview(before, await Snapshot.at_cluster(supervisor))
            if as_json:
                print(json.dumps(seen, indent=2))
            else:
                console.print(picture(seen))
            return
        with Live(Text("Looking …", style="dim"), console=console, screen=console.is_terminal, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(every)
                after = await Snapshot.at_cluster(supervisor)
                live.update(picture(overview(before, after), console), refresh=True)
                before = after


def picture(seen: dict[str, Any], fitting: Console | None = None) -> RenderableType:
    """The overview for a terminal; `fitting`: a console whose height limits it."""
    room = fitting.size.height - FRAME_LINES if fitting is not None else 1000
    pools, routes, workflows = seen["pools"], seen["routes"], seen["workflows"]
    if len(pools) > 4:
        pools = sorted(pools, key=lambda pool: (-pool["waiting"], -pool["cpu_percent"], pool["name"]))
    pools = pools[: max(4, room - min(6, len(routes)) - min(4, len(workflows)))]
    room -= len(pools)
    routes = routes[: max(2, room - min(4, len(workflows)))]
    return Group(_headline(seen), _pools(pools), _flows("requests", routes), _flows("workflows", workflows[: max(2, room - len(routes))]))


def _headline(seen: dict[str, Any]) -> Panel:
    requests, statements, hit_rate = seen["requests"], seen["statements"], seen["hit_rate"]
    grid = Table.grid(padding=(0, 3))
    grid.add_row(
        Text.assemble((f"{requests['per_second']:,.0f}", "bold cyan"), " requests/s"),
        Text.assemble("p50 ", (_ms(requests["p50_ms"]), "bold"), "  p95 ", (_ms(requests["p95_ms"]), "bold")),
        Text.assemble((f"{requests['errors_per_second']:,.1f}", "bold red" if requests["errors_per_second"] else "bold"), " errors/s"),
        Text.assemble((f"{statements['per_second']:,.0f}", "bold"), " statements/s, p95 ", (_ms(statements["p95_ms"]), "bold")),
        Text.assemble((f"{hit_rate:.0%}" if hit_rate is not None else "–", "bold green"), " from cache"),
    )
    return Panel(grid, title=f"[bold]velella[/bold] · {seen['topology']} · {seen['url']} · up {_duration(seen['up_seconds'])}", expand=True)


def _pools(pools: list[dict[str, Any]]) -> Table:
    table = _table(
        "pool", "replicas", "restarts", "waiting", "inside", "refused/s", "work/s", "p50", "p95", "SQL/s", "SQL p95", "CPU", "memory"
    )
    for pool in pools:
        work, statements = pool["work"], pool["statements"]
        well = pool["ready"] == pool["replicas"]
        table.add_row(
            Text(pool["name"], "cyan"),
            Text(f"{pool['ready']}/{pool['replicas']}", "" if well else "bold red"),
            Text(str(pool["restarts"]), "yellow" if pool["restarts"] else "dim"),
            Text(str(pool["waiting"]), "bold yellow" if pool["waiting"] else "dim"),
            str(pool["inside"]),
            Text(f"{pool['refused_per_second']:g}", "bold red" if pool["refused_per_second"] else "dim"),
            f"{work['per_second']:,.0f}",
            _ms(work["p50_ms"]),
            _ms(work["p95_ms"]),
            f"{statements['per_second']:,.0f}",
            _ms(statements["p95_ms"]),
            f"{pool['cpu_percent']:.0f}%",
            f"{pool['memory_bytes'] / 2**20:,.0f} MB",
        )
    return table


def _flows(name: str, rows: list[dict[str, Any]]) -> Table:
    table = _table(name, "a second", "errors/s", "p50", "p95")
    for row in rows:
        what = f"{row['method']:<6} {row['route']}" if "route" in row else row["workflow"]
        table.add_row(
            Text(what, "cyan"),
            f"{row['per_second']:,.1f}",
            Text(f"{row['errors_per_second']:g}", "bold red" if row["errors_per_second"] else "dim"),
            _ms(row["p50_ms"]),
            _ms(row["p95_ms"]),
        )
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, expand=True, header_style="dim", padding=(0, 1))
    table.add_column(first, no_wrap=True, ratio=1)
    for other in others:
        table.add_column(other, justify="right", no_wrap=True)
    return table


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} ms" if value < 10 else f"{value:,.0f} ms"


def _duration(seconds: float) -> str:
    minutes, hours = int(seconds // 60) % 60, int(seconds // 3600)
    return f"{hours // 24} d {hours % 24} h" if hours >= 24 else f"{hours} h {minutes} min" if hours else f"{minutes} min"
