"""Commands on a running Velella: status, stop, topology, cache, workflows; and on its settings."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import typer
from pydantic import TypeAdapter
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from ..actors.host import local_host
from ..core.settings import Settings, without_password
from ..core.settings_sources import DEFAULT, origin_of, origins_of
from . import colony, instance
from .data import DatabaseUrl, DataDir, with_database
from .output import console

R = TypeVar("R")

SECRET = ("secret", "token", "password", "api_key", "access_key", "private_key")
SET = "(set)"


def register(app: typer.Typer) -> None:
    @app.command(epilog="Examples:  velella status  ·  velella status --json  ·  kill -0 $(velella status --pids)")
    def status(
        data_dir: Path | None = DataDir,
        address: str | None = colony.Address,
        as_json: bool = typer.Option(False, "--json", help="The same as JSON."),
        pids: bool = typer.Option(False, "--pids", help="Only the ids of all processes but PostgreSQL's, for scripts."),
    ) -> None:
        """Show pools, replicas, processes, queues and restarts of the Velella that runs on the data directory or on a cluster."""
        report = _ask(address, data_dir, lambda supervisor: supervisor.status())
        if pids:
            print(" ".join(str(pid) for pid in report["pids"]))
        elif as_json:
            print(json.dumps(report, indent=2))
        else:
            console.print(_status_table(report))

    @app.command(epilog="Example:  velella stop --data-dir shop2")
    def stop(data_dir: Path | None = DataDir) -> None:
        """Stop the Velella that runs on the data directory, and wait until all of its processes have ended."""
        pid = instance.stop(instance.settings_of(data_dir=data_dir))
        console.print(f"Stopped (process {pid}).")

    @app.command(epilog="Examples:  velella topology cluster.yaml  ·  velella topology packed")
    def topology(file: str = typer.Argument("packed", help="packed, pooled, or a cluster.yaml.")) -> None:
        """Show the processes and database connections of a topology before anything starts."""
        from ..actors.topology import Topology

        plan = Topology.of(instance.settings_of(topology=file))
        table = Table("pool", "replicas", "services", "connections", "placement", title=plan.name)
        for pool in plan.pools:
            table.add_row(pool.name, pool.replicas_shown, ", ".join(pool.services), str(pool.connections_in_all), pool.placement_shown)
        console.print(table)
        console.print(f"{plan.processes} processes")
        for database, connections in plan.connections_by_database.items():
            console.print(f"{connections} database connections at most to {database}")

    cache = typer.Typer(help="What processes remember of earlier answers.", no_args_is_help=True)
    app.add_typer(cache, name="cache")

    @cache.callback()
    def group() -> None:
        pass

    @cache.command(epilog="Example:  velella cache clear")
    def clear(data_dir: Path | None = DataDir, address: str | None = colony.Address) -> None:
        """Make every process drop its cache."""
        _ask(address, data_dir, lambda supervisor: supervisor.clear_cache())
        console.print("Every process has forgotten what it held.")

    _workflows(app)

    @app.command(epilog="Examples:  velella config  ·  velella config port cache  ·  VELELLA_PORT=9001 velella config --changed")
    def config(
        names: list[str] | None = typer.Argument(None, help="Only settings with one of these in their names."),
        changed: bool = typer.Option(False, "--changed", help="Only settings that were given somewhere."),
        secrets: bool = typer.Option(False, "--secrets", help="Show secrets too."),
    ) -> None:
        """Print every setting with its value, where that comes from, and what it means."""
        settings, origins = instance.settings_to_run(), origins_of({})
        table = Table("setting", "value", "from", "meaning", box=SIMPLE, padding=(0, 1, 0, 0))
        table.columns[1].overflow = table.columns[2].overflow = "fold"
        for name, field in Settings.model_fields.items():
            source = origin_of(name, origins)
            if (changed and source == DEFAULT) or (names and not any(part in name for part in names)):
                continue
            value = getattr(settings, name)
            shown = value if secrets else _without_secrets(name, _plain(value))
            text = SET if shown == SET else json.dumps(_plain(shown))
            table.add_row(name, *(Text(each) for each in (text, source, field.description or "")))
        console.print(table)
        console.print(
            "Set them in the environment (VELELLA_PORT=9001), in .env (the same), or in velella.toml (port = 9001); the first wins."
        )


def _plain(value: Any) -> Any:
    """A setting as a JSON value."""
    return TypeAdapter(Any).dump_python(value, mode="json")


def _without_secrets(name: str, value: Any) -> Any:
    """A setting without the secrets inside it, including those in providers' options."""
    if value is not None and (name in Settings.SECRETS or any(word in name.lower() for word in SECRET)):
        return SET
    if isinstance(value, dict):
        return {key: _without_secrets(key, each) for key, each in value.items()}
    if isinstance(value, str) and "://" in value:
        return without_password(value)
    return [_without_secrets(name, each) for each in value] if isinstance(value, list) else value


def _ask(address: str | None, data_dir: Path | None, question: Callable[[Any], Awaitable[R]]) -> R:
    """Ask the supervisor of the running Velella. Raises Misconfigured when none runs."""

    async def ask() -> R:
        async with colony.supervisor_of(address, data_dir) as supervisor:
            return await question(supervisor)

    return asyncio.run(ask())


def _status_table(report: dict[str, Any]) -> Table:
    nodes = {replica["node"] for pool in report["pools"] for replica in pool["replicas"]}
    several = len(nodes - {None}) > 1
    table = Table(
        "pool",
        "replica",
        *(["node"] if several else []),
        "process",
        "state",
        "waiting",
        "running",
        "restarts",
        title=f"{report['topology']} · {report['url']}",
    )
    for pool in report["pools"]:
        for replica in pool["replicas"]:
            table.add_row(
                pool["name"],
                str(replica["index"]),
                *([replica["node"] or ""] if several else []),
                str(replica["pid"] or ""),
                replica["state"],
                str(replica["waiting"]),
                str(replica["running"]),
                str(replica["restarts"]),
            )
    return table


def _workflows(app: typer.Typer) -> None:
    workflows = typer.Typer(help="Executions of durable workflows.", no_args_is_help=True)
    app.add_typer(workflows, name="workflows")

    @workflows.command("list", epilog="Example:  velella workflows list --state failed")
    def list_(
        state: str | None = typer.Option(None, help="invoking, finishing, compensating, done, failed or reverted."),
        limit: int = typer.Option(50, help="How many, newest first."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
    ) -> None:
        """List executions, newest first."""
        rows = with_coordinator(data_dir, database_url, lambda host: host.workflows.list(state=state, limit=limit))
        names = {"execution": "id", "waits at": "waits_at", "due": "resume_at", "started": "created_at"}
        titles = ("execution", "workflow", "key", "state", "attempts", "started", "waits at", "failures", "due", "error", "given up")
        table = Table(*titles)
        for row in rows:
            given_up = f"{row['given_up']['by']}: {row['given_up']['reason']}" if row["given_up"] else ""
            table.add_row(*(str(row[names.get(title, title)] or "") for title in titles[:-1]), given_up)
        console.print(table)

    @workflows.command(epilog="Example:  velella workflows show wfex_01J9…")
    def show(execution: str, data_dir: Path | None = DataDir, database_url: str | None = DatabaseUrl) -> None:
        """Show one execution with its steps."""
        console.print_json(data=with_coordinator(data_dir, database_url, lambda host: host.workflows.show(execution)), default=str)

    @workflows.command(epilog="Example:  velella workflows retry wfex_01J9…")
    def retry(execution: str, data_dir: Path | None = DataDir, database_url: str | None = DatabaseUrl) -> None:
        """Put a failed execution back in the queue; a running Velella continues it where it stopped."""
        with_coordinator(data_dir, database_url, lambda host: host.workflows.retry(execution))
        console.print("Put back in the queue.")

    @workflows.command("give-up", epilog="Example:  velella workflows give-up wfex_01J9… --reason 'refunded by hand at the provider'")
    def give_up(
        execution: str,
        reason: str = typer.Option(..., help="Why: kept with the execution."),
        by: str = typer.Option(getpass.getuser, help="Who: kept with the execution.", show_default="who runs this"),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
    ) -> None:
        """End an execution that waits, or has failed, as failed: no coordinator continues it. What it has done stays done."""
        with_coordinator(data_dir, database_url, lambda host: host.workflows.give_up(execution, by=by, reason=reason))
        console.print("Given up. `velella workflows retry` takes it up again.")


def with_coordinator(data_dir: Path | None, database_url: str | None, question: Callable[[Any], Awaitable[R]]) -> R:
    async def work(settings: Settings) -> R:
        async with local_host(settings, ["workflows"], visits=True) as host:
            return await question(host)

    return with_database(data_dir, database_url, work)
