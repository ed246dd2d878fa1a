"""A shop at hand: what `velella exec` gives to a script, and `velella shell` to a person."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ..actors.host import local_host
from ..core import logs
from ..core.ids import ulid
from ..core.settings import Settings
from ..modules import Modules
from ..workflows.kit import Workflow
from . import colony, instance
from .data import database

if TYPE_CHECKING:
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
async def at_hand(settings: Settings, address: str | None = None, arguments: list[str] | None = None) -> AsyncIterator[ShopHandle]:
    """The shop that runs on the data directory, or is up on the cluster of this address, or of RAY_ADDRESS, or that was last used; else
    the one in the database, which this process then carries out alone.

    Raises Misconfigured where there is none; Unavailable where a cluster can't be joined.
    """
    if address is None and instance.holder(settings) is not None:
        from ..actors.cluster.control import supervisor_handle

        async with supervisor_handle(settings) as supervisor, _visited(settings, supervisor, False, arguments) as shop:
            yield shop
    elif (cluster := colony.of(settings, address)).ray_address is not None:
        async with colony.joined(cluster), colony.found(cluster) as supervisor, _visited(cluster, supervisor, True, arguments) as shop:
            yield shop
    else:
        async with database(settings) as ready, local_host(ready, visits=True) as host:
            yield ShopHandle(host, None, arguments or [])


@contextlib.asynccontextmanager
async def _visited(settings: Settings, supervisor: Any, joined: bool, arguments: list[str] | None) -> AsyncIterator[ShopHandle]:
    from ..actors.cluster.visiting import visitor

    url = (await supervisor.status())["url"]
    async with visitor(colony.with_cluster_secrets(settings) if joined else settings, supervisor, joined=joined) as host:
        yield ShopHandle(host, url, arguments or [])
