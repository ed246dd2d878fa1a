"""A shop at hand: what `velella exec` gives to a script, and `velella shell` to a person."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ..actors.host import local_host
from ..core import logs
from ..core.errors import Misconfigured
from ..core.ids import ulid
from ..core.settings import Settings, without_password
from ..modules import Modules
from ..workflows.kit import Workflow
from . import colony, instance
from .data import database

if TYPE_CHECKING:
    from ..actors.cluster.control import SupervisorService
    from ..actors.engine.coordinator import Coordinator
    from ..actors.host import Host
    from ..core.graph.graph import Graph

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class ShopHandle:
    """A shop, for code that isn't a part of it. What it asks a running shop is carried out by that shop's processes."""

    host: Host
    running: str | None
    """Where it is served; None: it isn't, and this process carries out everything."""
    arguments: list[str] = field(default_factory=list)
    """What stands after the script on the command line."""

    @property
    def settings(self) -> Settings:
        return self.host.settings

    @property
    def modules(self) -> Modules:
        """Handles of the modules: `await shop.modules.product.list("product", {"status": "draft"}, limit=10)`."""
        modules: Modules = self.host.modules
        return modules

    @property
    def graph(self) -> Graph:
        """Queries across modules: `await shop.graph.one("product", id, ("title", "variants.sku"))`."""
        return self.host.graph

    @property
    def workflows(self) -> Coordinator:
        """The coordinators: executions, jobs, steps that wait, workflows by their names."""
        return self.host.workflows

    async def run(self, workflow: Workflow[P, R], /, *args: P.args, **input: P.kwargs) -> R:
        """Run a workflow to its end and return its result; its errors are raised here.

        A durable one has 30 s, then GoesOn is raised, and the shop goes on with it; of all runs under one key one is carried out.
        """
        given = workflow.bind(*args, **input)
        if workflow.durable:
            once: R = await self.workflows.run_once(workflow.name, given, workflow.key_of(given) or ulid())
            return once
        result: R = await self.workflows.run(workflow.name, given)
        return result

    async def start(self, workflow: Workflow[P, R], /, *args: P.args, **input: P.kwargs) -> str:
        """Start a durable workflow without waiting for it; returns the id of its execution. A shop that is served carries it out."""
        return await self.workflows.start_durable(workflow.name, workflow.bind(*args, **input))

    def names(self) -> dict[str, Any]:
        """What stands at the top of a script, and of the shell."""
        return {"shop": self, "modules": self.modules, "graph": self.graph, "workflows": self.workflows, "run": self.run}


def chosen_settings(data_dir: Path | None, database_url: str | None) -> Settings:
    """The settings for `at_hand`, with logs set up. Raises Misconfigured."""
    from ..actors.topology import Topology

    settings = Topology.of(instance.settings_to_run(data_dir=data_dir, database_url=database_url)).settings
    logs.configure(settings)
    return settings


@contextlib.asynccontextmanager
async def at_hand(
    settings: Settings, address: str | None = None, database_url: str | None = None, arguments: Sequence[str] = ()
) -> AsyncIterator[ShopHandle]:
    """The shop that runs on the data directory, or is up on the cluster of this address, or of RAY_ADDRESS, or that was last used; else
    the one in the database, which this process then carries out alone.

    `database_url`: as it stands on the command line. Raises Misconfigured where there is no shop, and where the one that is served has a
    database of another URL: whether it is the same database can't be told from that, and beside a shop this process would change what the
    shop's processes remember. Raises Unavailable where a cluster can't be joined.
    """
    async with contextlib.AsyncExitStack() as open_:
        found = await open_.enter_async_context(running(settings, address))
        if found is not None:
            supervisor, where = found
            report = await supervisor.status()
            if database_url is not None and address is None and report["database"] != without_password(database_url):
                raise Misconfigured(
                    f"The shop that is served at {report['url']} has the database {report['database']}, not "
                    f"{without_password(database_url)}.",
                    hint="Leave out --database-url if it is that shop; else name the data directory of the other one by --data-dir.",
                )
            from ..actors.cluster.visiting import visitor

            joined = where.ray_address is not None
            known = colony.with_cluster_secrets(where) if joined else where
            host = await open_.enter_async_context(visitor(known, supervisor, joined=joined))
            yield ShopHandle(host, report["url"], list(arguments))
            return
        ready = await open_.enter_async_context(database(settings))
        host = await open_.enter_async_context(local_host(ready, visits=True))
        yield ShopHandle(host, None, list(arguments))


@contextlib.asynccontextmanager
async def running(settings: Settings, address: str | None = None) -> AsyncIterator[tuple[SupervisorService, Settings] | None]:
    """The supervisor of the shop that runs, and the settings by which it is reached; with a `ray_address` where it is on a cluster."""
    if address is None and instance.holder(settings) is not None:
        from ..actors.cluster.control import supervisor_handle

        async with supervisor_handle(settings) as supervisor:
            yield supervisor, settings.model_copy(update={"ray_address": None})
    elif (cluster := colony.of(settings, address)).ray_address is not None:
        async with colony.joined(cluster), colony.found(cluster) as supervisor:
            yield supervisor, cluster
    else:
        yield None
