"""`velella serve`: a shop on this machine, from nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from ..core import logs
from ..core.settings import Settings
from . import instance
from .output import console
from .seeding import seed
from .stopping import Stop, stoppable

if TYPE_CHECKING:
    from ..actors.cluster.supervisor import Supervisor
    from ..actors.topology import Topology

EXAMPLES = """Examples:  velella serve  ·  velella serve --topology pooled  ·  velella serve --empty --data-dir shop2 --port 9001  ·
velella serve --database-url postgresql://shop@db.internal/shop --host 0.0.0.0"""


def register(app: typer.Typer) -> None:
    @app.command(epilog=EXAMPLES)
    def serve(
        host: str | None = typer.Option(None, help="Address to listen on. Default: 127.0.0.1, this machine only."),
        port: int | None = typer.Option(None, help="Port to listen on. Default: 9000."),
        data_dir: Path | None = typer.Option(None, help="Where data, sockets, secrets and logs lie. Default: .velella"),
        database_url: str | None = typer.Option(None, help="postgresql://… Default: an embedded PostgreSQL in the data directory."),
        topology: str | None = typer.Option(None, help="packed (a process a core), pooled (a pool a module), or a cluster.yaml."),
        empty: bool = typer.Option(False, "--empty", help="Leave out the demo shop."),
        no_cache: bool = typer.Option(False, "--no-cache", help="Answer every request from the database."),
    ) -> None:
        """Serve a shop. Ctrl-C stops it; started again it continues where it was."""
        settings = instance.settings_to_run(
            host=host, port=port, data_dir=data_dir, database_url=database_url, topology=topology, cache=False if no_cache else None
        )
        logs.configure(settings)
        with instance.held(settings):
            code = asyncio.run(_serve(settings, demo=not empty))
        raise typer.Exit(code)


async def _serve(settings: Settings, demo: bool) -> int:
    """Serve until a stop is asked for. Returns the exit code: 0, also where that came during the start, and 128 + its number for a
    second signal, after which nothing was waited for."""
    with stoppable() as stop:
        await _serve_until(stop, settings, demo)
    console.print("Stopped. Nothing is left running; the data stays.")
    return 0 if stop.hurried_by is None else 128 + stop.hurried_by


async def _serve_until(stop: Stop, settings: Settings, demo: bool) -> None:
    from ..actors.topology import Topology

    topology = Topology.of(settings)  # first: a mistake in the file is reported before anything starts
    instance.ask_for_public_url(settings)
    with instance.port_held(settings):
        await _serve_on_port(stop, topology, demo)


async def _serve_on_port(stop: Stop, topology: Topology, demo: bool) -> None:
    from ..actors.cluster.supervisor import Supervisor

    settings = topology.settings.with_secrets()  # with the databases that the file gives to pools
    embedded = settings.database_url is None
    if not embedded:
        async with instance.database(settings):
            await instance.make_current(settings, embedded=False)
    supervisor = Supervisor(settings.model_copy(update={"database_url": instance.database_url(settings)}), topology)
    stop.on_hurry = supervisor.hurry
    # Ray takes seconds to start: it does so while the database is prepared and filled
    cluster = asyncio.create_task(supervisor.start_cluster())
    try:
        async with instance.database(settings) as settings:
            try:
                filled = await _prepare(settings, embedded, demo)
                with console.status(f"Starting {topology.processes} processes …"):
                    await cluster
                    await supervisor.start_pools()
                await introduce(settings, topology.name, filled)
                await stop.asked.wait()
            finally:  # before the database stops
                await _end(supervisor, cluster)
    finally:
        await _end(supervisor, cluster)


async def _prepare(settings: Settings, embedded: bool, demo: bool) -> bool:
    """Prepare the database for this code and fill it on the first start. Returns whether it was filled with the demo shop now."""
    with console.status("Preparing the database …"):
        if embedded:
            await instance.make_current(settings, embedded=True)
    return await seed(settings, demo=demo)


async def _end(supervisor: Supervisor, cluster: asyncio.Task[None]) -> None:
    """Stop what was started, even half-way. May be repeated."""
    await asyncio.wait([cluster])
    if not cluster.cancelled():
        cluster.exception()  # it is known, or nobody waits for the start any more
    await supervisor.stop()


async def introduce(settings: Settings, topology: str, filled: bool) -> None:
    """Print what a new user needs next: the shop's URL, and how to log in. `filled`: the demo shop was created just now."""
    from ..actors.host import local_host

    async with local_host(settings, ["api_key", "user"], visits=True) as host:
        keys = await host.modules.api_key.list("api_key", {"type": "publishable", "revoked_at": None}, limit=1)
        users = await host.modules.user.list("user", {}, fields=("email",), limit=1)
    url = settings.url
    built = (settings.dashboard_dir / "site" / "index.html").is_file()
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    table.add_row("store API", f"{url}/store/products")
    table.add_row("admin API", f"{url}/admin")
    table.add_row("dashboard", settings.admin_url or f"{url}/app")
    if not built:
        table.add_row("", f"built once by: {instance.command('velella admin build')}")
    if keys:
        table.add_row("publishable key", str(keys[0]["token"]))
    table.add_row("admin login", login(settings, [str(user["email"]) for user in users], shown=filled and console.is_terminal))
    table.add_row("data", str(settings.data_dir))
    table.add_row("topology", topology)
    console.print(f"\n[bold]Velella serves[/bold] {url}   [dim](Ctrl-C stops it)[/dim]\n")
    console.print(table)
    console.print()


def login(settings: Settings, emails: Sequence[str], *, shown: bool) -> str:
    """How the merchant logs in. The demo shop's password is `shown` once, on a terminal only, because other output is kept in logs."""
    if not emails:
        return f"none yet: {instance.command('velella user create --email you@example.com')}"
    path = instance.admin_password_file(settings)
    if emails[0] != instance.DEMO_ADMIN or not path.exists():
        return emails[0]
    return f"{emails[0]}  {path.read_text()}  (shown this once; kept in {path})" if shown else f"{emails[0]}  (its password is in {path})"
