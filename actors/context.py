"""What a service that lives in a host gets to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ..core.metrics import Meters
from ..core.service.module import Module
from ..core.settings import Settings
from .membership.directory import HOST, ReplicaId
from .services import ENGINE, load

if TYPE_CHECKING:
    from ..core.graph.graph import Graph
    from ..core.sql.db.database import Database
    from ..modules import Modules
    from .caching import Cache, CachingService
    from .engine.coordinator import Coordinator
    from .locking import LockingService
    from .messaging.admission import Mailbox
    from .messaging.router import Router

Changed = Callable[[frozenset[str] | None], None]
"""Called with the names of the entities that changed; None: forget everything."""
Away = Callable[[frozenset[ReplicaId]], None]
"""Called with the replicas that don't answer the supervisor any more."""


@dataclass(frozen=True)
class HostContext:
    """What the host hands to a service's `create(context)`. Handles may be kept; call them only from `start` on."""

    settings: Settings
    replica: ReplicaId
    modules: Modules
    """One handle a module."""
    locking: LockingService
    caching: CachingService
    workflows: Coordinator
    router: Router
    """For messages that handles can't express: to every replica of a service."""
    mailbox: Mailbox
    """What waits and runs in this process. A door lets nobody in when it is full."""
    database: Callable[[str], Database]
    """The database of a service by its name: one pool a process and URL, shared."""
    on_changed: Callable[[Changed], None]
    """Have a function called in this process whenever entities changed anywhere: what caches listen to."""
    on_away: Callable[[Away], None]
    """Have a function called when other replicas fall silent."""
    changed: Callable[[frozenset[str]], Awaitable[None]]
    """Tell every process that entities changed. Modules' services do it after each commit."""
    meters: Meters
    """What this process tells Prometheus. Services add their own figures."""
    visits: bool = False
    """This process is no part of the shop, but a command of its operator's: it does what it is asked, and none of the shop's chores."""

    @cached_property
    def graph(self) -> Graph:
        """Queries across the modules of this cluster."""
        from ..core.graph.graph import Graph  # here, because most services never ask it
        from ..core.graph.links import REFERENCES
        from ..core.graph.plan import Catalogue
        from .caching.source import CachedSource
        from .engine.tables import SCHEMA as EXECUTIONS

        made_by = [load(name, self.settings) for name in self.router.directory.services if name not in ENGINE and name != HOST]
        modules = [one for one in made_by if isinstance(one, Module)]
        references = (*REFERENCES, *(reference for module in modules for reference in module.references))
        database_of = self.settings.database_of
        schemas = [module.schema for module in modules]
        handles: object = self.modules
        if "workflows" in self.router.directory.services:  # coordinators answer for their executions as modules do for their rows
            schemas.append(EXECUTIONS)
            handles = SimpleNamespace(**vars(self.modules), **{EXECUTIONS.module: self.workflows})
        catalogue = Catalogue(
            schemas,
            references=references,
            together=lambda one, other: database_of(one) == database_of(other),
        )
        if not self.settings.cache:
            return Graph(handles, catalogue)
        return Graph(handles, catalogue, source=CachedSource(handles, catalogue, self.memory))

    @cached_property
    def memory(self) -> Cache:
        """What this process remembers of rows."""
        from .caching import Cache

        cache = Cache(self.settings.cache_bytes // 4, self.settings.longest_cached, enabled=self.settings.cache)
        self.on_changed(cache.changed)
        self.meters.add(lambda: cache.samples("rows"))
        return cache


Factory = Callable[[HostContext], Any]
