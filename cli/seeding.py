"""Filling a new shop: what Medusa has after its first start, and optionally the demo shop."""

from __future__ import annotations

import contextlib
import importlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import asyncpg

from ..actors.host import local_host
from ..actors.services import service_names
from ..core.settings import Settings
from . import instance
from .accounts import create_admin
from .output import console, progress

if TYPE_CHECKING:
    from ..actors.host import Host


FILLING = {"demo_shop": "being filled"}
"""Metadata of the store of a new shop until the demo shop is complete: whatever ends its filling, the next start goes on with it."""
TURN = 0x53454544
"""Number of the advisory lock under which a shop is filled."""


async def seed(settings: Settings, *, demo: bool) -> bool:
    """Fill a new shop with what every store needs, and with the demo shop if `demo`. Returns whether it was filled with that now.

    An interrupted filling is finished.
    """
    async with turn(settings) as connection:
        with console.status("Preparing the database …"):
            await seed_defaults(settings, FILLING if demo else None)
            unfinished = demo and await connection.fetchval("SELECT true FROM store WHERE metadata @> $1", json.dumps(FILLING))
        if unfinished:
            await seed_demo(settings)
            await analyze(settings)
        return bool(unfinished)


@contextlib.asynccontextmanager
async def turn(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Who fills a shop does so alone: servers that start on one database at once, and `velella seed` beside them, take turns."""
    with console.status("Preparing the database …"):
        connection = await asyncpg.connect(settings.database_of("store"))
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", TURN)
        except BaseException:
            connection.terminate()
            raise
    try:
        yield connection
    finally:
        connection.terminate()  # the server then lets go of the lock


async def seed_defaults(settings: Settings, metadata: Mapping[str, Any] | None = None) -> None:
    """Create currencies, countries, one store (with this metadata) with its default sales channel, publishable key and shipping profile.

    May be repeated, also by several processes at once.
    """
    defaults: Any = importlib.import_module("velella.workflows.defaults")
    async with local_host(settings, visits=True) as host:
        await defaults.seed_defaults(host.modules, metadata)


async def seed_demo(settings: Settings, *, visits: bool = False) -> None:
    """Create the demo shop: regions, shipping, stock, a small catalogue and an admin user. What exists is left alone.

    A temporary front end on a free loopback port takes the requests, so it doesn't matter whether a server runs. `visits`: the shop may be
    served with other settings than these (see `HostContext`).
    """
    from . import demo  # here: only this needs an HTTP client

    private = settings.model_copy(update={"host": "127.0.0.1", "port": 0, "log_requests": False})
    async with local_host(private, service_names(settings), visits=visits) as host:
        password = instance.admin_password(settings)
        await _admin(host, password)
        with progress(remaining=False) as bars:
            task = bars.add_task("Filling the demo shop", total=demo.STEPS)

            def step(what: str) -> None:
                bars.update(task, advance=1, description=f"Demo shop: {what}")

            front_end: Any = host.services["http"]
            await demo.fill(f"http://127.0.0.1:{front_end.port}", instance.DEMO_ADMIN, password, step)
        for store in await host.modules.store.list("store", {}, fields=("id", "metadata")):
            rest = {name: value for name, value in (store["metadata"] or {}).items() if name not in FILLING}
            await host.modules.store.update_stores([{"id": store["id"], "metadata": rest or None}])


async def analyze(settings: Settings) -> None:
    """Run ANALYZE in every database: without it, statements are planned as if the tables were empty."""
    from ..core.service import migrations  # here: most commands don't need Alembic, which is slow to import

    for url in migrations.databases(settings):
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("ANALYZE")
        finally:
            await connection.close()


async def _admin(host: Host, password: str) -> None:
    if not await host.modules.user.list("user", {"email": instance.DEMO_ADMIN}, fields=("id",)):
        await create_admin(host.modules, instance.DEMO_ADMIN, password)
