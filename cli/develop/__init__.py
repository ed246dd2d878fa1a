"""`velella develop`: `velella serve` for authors of plugins. What they save is served about a second later.

Three kinds of processes have a part in it. The one that was started holds the data directory and the database, watches the files of the
plugins (`watching.py`), and says what happens (`keeper.py`). The nursery, forked from it before it does anything, has imported Velella and
what the plugins import of others, but nothing of theirs (`nursery.py`). For each change it forks a generation: a process that imports the
plugins and is a whole shop (`generation.py`). Once that listens, the one before finishes what is inside and ends; if it can't start it says
why, and the one before goes on.
"""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Any

import typer

from ...core import logs
from ...core.errors import Misconfigured
from ...core.settings import Settings
from .. import instance
from ..output import console
from ..stopping import stoppable
from .nursery import Nursery, opened


def register(app: typer.Typer) -> None:
    @app.command(epilog="Examples:  velella develop  ·  velella develop --empty --data-dir shop2 --port 9001")
    def develop(
        host: str | None = typer.Option(None, help="Address to listen on. Default: 127.0.0.1, this machine only."),
        port: int | None = typer.Option(None, help="Port to listen on. Default: 9000."),
        data_dir: Path | None = typer.Option(None, help="Where data, sockets and secrets lie. Default: .velella"),
        database_url: str | None = typer.Option(None, help="postgresql://… Default: an embedded PostgreSQL in the data directory."),
        empty: bool = typer.Option(False, "--empty", help="Leave out the demo shop."),
    ) -> None:
        """Serve a shop for those who write a plugin: its code and its settings are loaded anew whenever they are saved."""
        if importlib.util.find_spec("watchfiles") is None:
            raise Misconfigured("`velella develop` needs watchfiles, which isn't here.", hint="pip install 'velella[develop]'")
        given = {"host": host, "port": port, "data_dir": data_dir, "database_url": database_url}
        with opened() as nursery:  # first: a process is forked while it has no threads and nothing open
            settings = instance.settings_of(**given)
            logs.configure(settings)
            with instance.held(settings):
                code = asyncio.run(_develop(settings, given, nursery, demo=not empty))
        raise typer.Exit(code)


async def _develop(settings: Settings, given: dict[str, Any], nursery: Nursery, *, demo: bool) -> int:
    from .keeper import Keeper

    with stoppable() as stop, instance.port_held(settings):
        async with instance.database(settings) as ready:
            # with the database that runs by now, whatever the settings say later
            given |= {"data_dir": settings.data_dir, "database_url": ready.database_url}
            keeper = Keeper(ready, nursery, given, demo=demo, embedded=settings.database_url is None)
            stop.on_hurry = keeper.hurry
            try:
                await keeper.run()
            finally:
                await keeper.close()
    console.print("Stopped. Nothing is left running; the data stays.")
    return 0 if stop.hurried_by is None else 128 + stop.hurried_by
