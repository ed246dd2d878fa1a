"""`velella up`, `down`, `scale` and `roll`: a shop on a Ray cluster, and its pools while they run."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..core import logs
from ..core.errors import Misconfigured, VelellaError
from ..core.settings import Settings
from . import instance
from .data import DataDir
from .output import console
from .seeding import seed

if TYPE_CHECKING:
    from ..actors.cluster.control import SupervisorService
    from ..actors.topology import Topology

POLL_SECONDS = 0.3
FOLLOW_SECONDS = 5.0
LOSSES = 6
"""How often in a row `--follow` may get no answer."""

Address = typer.Option(None, help="The Ray cluster: host:port, or auto for the one of this node. Default: RAY_ADDRESS, else the last.")


def register(app: typer.Typer) -> None:
    @app.command(epilog="Examples:  velella up cluster.yaml  ·  velella up cluster.yaml --address 10.0.0.1:6379 --host node")
    def up(
        file: str = typer.Argument(..., help="packed, pooled, or a cluster.yaml."),
        address: str | None = Address,
        host: str | None = typer.Option(None, help="Address to listen on; node: each node's own. Default: 127.0.0.1."),
        port: int | None = typer.Option(None, help="Port to listen on. Default: 9000."),
        data_dir: Path | None = DataDir,
        database_url: str | None = typer.Option(None, help="postgresql://…, as every node reaches it."),
        demo: bool = typer.Option(False, "--demo", help="Fill a new shop with the demo shop."),
        follow: bool = typer.Option(False, "--follow", help="Stay until the shop is gone. Ending this command leaves it up."),
    ) -> None:
        """Start the pools of a file on a running Ray cluster, and leave them there. If they run already: change them to what the file
        says."""
        settings = instance.settings_to_run(host=host, port=port, data_dir=data_dir, database_url=database_url, topology=file)
        settings = settings.model_copy(update={"ray_address": address or _address(settings) or "auto"})
        logs.configure(settings)
        asyncio.run(_up(settings, demo, follow))

    @app.command(epilog="Example:  velella down --address 10.0.0.1:6379")
    def down(address: str | None = Address, data_dir: Path | None = DataDir) -> None:
        """End what `velella up` has started: the front ends first, then the services behind them. The Ray cluster stays."""
        asyncio.run(_down(cluster_of(address, data_dir)))

    @app.command(epilog="Examples:  velella scale product=4  ·  velella scale cart=2..6 http=3")
    def scale(
        pools: list[str] = typer.Argument(..., help="POOL=4, or POOL=2..6 to follow the queues between the two."),
        address: str | None = Address,
        data_dir: Path | None = DataDir,
    ) -> None:
        """Change how many replicas pools have, while they run. A restart of the shop goes back to its file."""
        wanted = dict(_count(pool) for pool in pools)
        asyncio.run(_change(address, data_dir, lambda supervisor: supervisor.scale(wanted)))

    @app.command(epilog="Examples:  velella roll  ·  velella roll product cart")
    def roll(
        pools: list[str] | None = typer.Argument(None, help="Default: all."),
        address: str | None = Address,
        data_dir: Path | None = DataDir,
    ) -> None:
        """Replace every process of pools, as after an upgrade: each new one runs before the old one finishes and ends."""
        asyncio.run(_change(address, data_dir, lambda supervisor: supervisor.roll(pools or [])))


# -- which shop a command means


@contextlib.asynccontextmanager
async def joined(settings: Settings) -> AsyncIterator[Settings]:
    """Join the Ray cluster that the settings name, for the duration of the block. Raises Unavailable when there is none."""
    from ..actors.cluster.ray_runtime import Cluster

    cluster = Cluster(settings, 0)
    await cluster.start()
    try:
        yield settings
    finally:
        await cluster.stop()
        cluster.close()


def cluster_of(address: str | None, data_dir: Path | None) -> Settings:
    """Settings with the cluster that a command names, or that was last used on the data directory; without one if there is none."""
    return of(instance.settings_of(data_dir=data_dir, ray_address=address), address)


def of(settings: Settings, address: str | None) -> Settings:
    """`cluster_of` for settings that were read already."""
    return settings.model_copy(update={"ray_address": address or _address(settings)})


def _address(settings: Settings) -> str | None:
    return settings.ray_address or os.environ.get("RAY_ADDRESS") or _remembered(settings)


@contextlib.asynccontextmanager
async def supervisor_of(address: str | None, data_dir: Path | None) -> AsyncIterator[SupervisorService]:
    """The supervisor that a command means: of the Velella that runs on the data directory, else of the cluster (see `cluster_of`).

    An address on the command line takes precedence. Raises Misconfigured when none runs.
    """
    settings = cluster_of(address, data_dir)
    if address is None and instance.holder(settings) is not None:
        from ..actors.cluster.supervisor import supervisor_handle

        async with supervisor_handle(settings) as supervisor:
            yield supervisor
        return
    if settings.ray_address is None:
        raise instance.nobody_there(settings)
    async with joined(settings), found(settings) as supervisor:
        yield supervisor


@contextlib.asynccontextmanager
async def found(settings: Settings) -> AsyncIterator[SupervisorService]:
    """The supervisor of the cluster that this process has joined. Raises Misconfigured when nothing is up there."""
    from ..actors.cluster import detached

    with detached.handle_of(await _found(settings)) as supervisor:
        yield supervisor


async def _found(settings: Settings) -> Any:
    from ..actors.cluster import detached

    actor = await asyncio.to_thread(detached.find)
    if actor is None:
        raise Misconfigured(
            f"No Velella is up on the Ray cluster {settings.ray_address}.", hint="Start one with `velella up cluster.yaml`."
        )
    return actor


def _note(settings: Settings) -> Path:
    return settings.data_dir / "cluster"


def _remembered(settings: Settings) -> str | None:
    note = _note(settings)
    return note.read_text().strip() if note.exists() else None


# -- what the commands do


async def _up(settings: Settings, demo: bool, follow: bool) -> None:
    from ..actors.topology import Topology

    topology = Topology.of(settings)  # first: a mistake in the file is reported before anything starts
    if settings.database_url is None:
        raise Misconfigured(
            "Nodes need a database that all of them reach.", hint="--database-url postgresql://… or VELELLA_DATABASE_URL; the embedded one "
            "is for one machine."
        )  # fmt: skip
    instance.ask_for_public_url(settings)
    settings = with_cluster_secrets(topology.settings)
    async with instance.database(settings):
        await instance.check_schema(settings)
        await seed(settings, demo=demo)
    async with joined(settings):
        from ..actors.cluster import detached

        supervisor = await asyncio.to_thread(detached.find)
        if supervisor is None:
            await _launch(settings, topology)
        else:
            await _apply(supervisor, topology)
        _note(settings).write_text(_gcs_address())
        while follow:
            await _look(await _found(settings))


def with_cluster_secrets(settings: Settings) -> Settings:
    """Use Ray's token for the sockets between nodes, where Ray requires one: a process that may join Ray may connect, no other."""
    from ..actors.cluster.ray_runtime import ray_token

    if settings.cluster_token is None and (token := ray_token()) is not None:
        settings = settings.model_copy(update={"cluster_token": sha256(f"velella sockets {token}".encode()).hexdigest()})
    return settings.with_secrets()


async def _launch(settings: Settings, topology: Topology) -> None:
    from ..actors.cluster import detached

    with console.status(f"Starting {topology.processes} replicas …"):
        supervisor = detached.launch(settings, topology)
        error = await supervisor.ready.remote()
    if error is not None:
        await asyncio.to_thread(detached.end, supervisor)
        raise VelellaError.from_wire(error)
    with detached.handle_of(supervisor) as answers:
        report = await answers.status()
    nodes = {replica["node"] for pool in report["pools"] for replica in pool["replicas"]}
    console.print(f"[bold]Velella is up[/bold] with {topology.processes} replicas on {len(nodes)} nodes: {report['url']}")
    console.print(f"[dim]{instance.command('velella status')} shows it, {instance.command('velella down')} ends it.[/dim]")


async def _apply(supervisor: Any, topology: Topology) -> None:
    from ..actors.cluster import detached

    error = await supervisor.apply.remote(detached.packed(topology.pools))
    if error is not None:
        raise VelellaError.from_wire(error)
    with detached.handle_of(supervisor) as answers:
        await _followed(answers)
    console.print("Velella was up; its pools are what the file says.")


async def _look(supervisor: Any) -> None:
    """One poll of `--follow`. Raises when the shop is unreachable for longer than a restart of its supervisor takes."""
    from ..actors.cluster import detached

    with detached.handle_of(supervisor) as answers:
        for misses in itertools.count(1):
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                await answers.status()
                return
            except VelellaError:
                if misses >= LOSSES:
                    raise


async def _down(settings: Settings) -> None:
    from ..actors.cluster import detached

    if settings.ray_address is None:
        settings = settings.model_copy(update={"ray_address": "auto"})
    async with joined(settings):
        supervisor = await _found(settings)
        with console.status("Stopping …"):
            await asyncio.to_thread(detached.end, supervisor)
    _note(settings).unlink(missing_ok=True)
    console.print("Stopped. The Ray cluster stays, and so does the data.")


async def _change(address: str | None, data_dir: Path | None, begin: Callable[[SupervisorService], Awaitable[None]]) -> None:
    async with supervisor_of(address, data_dir) as supervisor:
        await begin(supervisor)
        await _followed(supervisor)
        console.print("Done.")


async def _followed(supervisor: SupervisorService) -> None:
    """Show the progress of a change until it is over. Raises the error that it ended in."""
    shown = 0
    while True:
        report = await supervisor.change()
        for line in report["lines"][shown:]:
            console.print(line)
        shown = len(report["lines"])
        if report["error"] is not None:
            raise VelellaError.from_wire(report["error"])
        if not report["running"]:
            return
        await asyncio.sleep(POLL_SECONDS)


def _count(wish: str) -> tuple[str, list[int]]:
    """`product=4` or `product=2..6`: the pool, its minimum and its maximum."""
    found = re.fullmatch(r"([a-z][a-z0-9_-]*)=(\d+)(?:\.\.(\d+))?", wish)
    if found is None:
        raise Misconfigured(f"{wish!r} is no number of replicas.", hint="velella scale product=4, or product=2..6")
    name, least, most = found.groups()
    return name, [int(least), int(most or least)]


def _gcs_address() -> str:
    """The cluster's own address, by which later commands find it again."""
    import ray

    return str(ray.get_runtime_context().gcs_address)
