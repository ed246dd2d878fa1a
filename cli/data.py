"""The shop's database, for commands, and `velella migrate`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import typer

from ..core import logs
from ..core.settings import Settings, check_database_url
from . import instance
from .output import console

R = TypeVar("R")

DataDir = typer.Option(None, help="The data directory. Default: .velella")
DatabaseUrl = typer.Option(None, help="postgresql://… Default: the embedded PostgreSQL of the data directory.")


def unseen(value: str | None) -> str | None:
    """Callback of options with a password: everybody on the machine can read the arguments of a process. `-` asks for it, or reads one line
    of a pipe. Raises BadParameter where there is none."""
    if value != "-":
        return value
    given = str(typer.prompt("Its value (not shown)", hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise typer.BadParameter("- reads it from standard input, and there is nothing in it")
    return given


def readable_url(url: str | None) -> str | None:
    """Callback of options that name another database than the settings do; see `unseen`. Raises BadParameter."""
    url = unseen(url)
    if url is not None:
        try:
            check_database_url("it", url)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return url


def with_database(
    data_dir: Path | None,
    database_url: str | None,
    work: Callable[[Settings], Awaitable[R]],
    *,
    current: bool = True,
    topology: str | None = None,
) -> R:
    """Run `work` with settings whose database answers (and, unless `current` is false, has the schema of this code).

    The embedded database is started for as long as this takes, if it isn't running. Raises Misconfigured where there is no shop.
    """
    from ..actors.topology import Topology

    # with the databases that the file gives to pools
    settings = Topology.of(instance.settings_to_run(data_dir=data_dir, database_url=database_url, topology=topology)).settings
    logs.configure(settings)

    async def run() -> R:
        async with database(settings, current=current) as ready:
            return await work(ready)

    return asyncio.run(run())


@contextlib.asynccontextmanager
async def database(settings: Settings, *, current: bool = True) -> AsyncIterator[Settings]:
    """`instance.database`; unless `current` is false, one that is there and has the schema of this code. Raises Misconfigured."""
    if current:
        instance.must_be_there(settings)
    async with instance.database(settings) as ready:
        if current:
            await instance.check_schema(ready)
        yield ready


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example:  velella migrate --database-url postgresql://shop@db.internal/shop")
    def migrate(
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
        topology: str | None = typer.Option(None, help="A cluster.yaml whose pools name databases for themselves."),
    ) -> None:
        """Bring the tables of every module up to date. May be repeated, and run by several processes at once."""
        changed = with_database(data_dir, database_url, instance.migrate, current=False, topology=topology)
        console.print(f"Migrated: {', '.join(changed)}." if changed else "Everything is up to date.")
