"""What the host hands to a service that lives in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..core.graph.graph import Graph
from ..core.metrics import MetricSources
from ..core.settings import Settings
from .membership.directory import ReplicaId

if TYPE_CHECKING:
    from ..core.sql.db.database import Database
    from .messaging.admission import Admission
    from .messaging.router import Router

Changed = Callable[[frozenset[str] | None], None]
"""Called with the names of the entities that changed; None: drop everything."""
OnSuspects = Callable[[frozenset[ReplicaId]], None]
"""Called with the replicas that have become suspect: they don't answer the supervisor."""


@dataclass(frozen=True)
class HostContext:
    """What the host hands to a service's `create(context)`. Handles may be kept; they may be called only from `start` on."""

    settings: Settings
    replica: ReplicaId
    modules: Any
    """One handle for each module, by its name."""
    workflows: Any
    """The handle of the coordinators."""
    router: Router
    """For messages that handles can't express: to every replica of a service."""
    admission: Admission
    """What waits and runs in this process. A front end takes no request when it is full."""
    database: Callable[[str], Database]
    """The database of a service by its name: one pool for each process and URL, shared."""
    on_changed: Callable[[Changed], None]
    """Register a function to be called in this process whenever entities changed anywhere: caches need that."""
    on_suspects: Callable[[OnSuspects], None]
    """Register a function to be called when other replicas become suspect."""
    changed: Callable[[frozenset[str]], Awaitable[None]]
    """Send every process the invalidation of these entities. Modules' services do so after each commit."""
    metrics: MetricSources
    """The metrics of this process. Services add their own."""
    make_graph: Callable[[HostContext], Graph]
    make_memory: Callable[[HostContext], Any]
    shared: Any = None
    """The cache that this process shares with others, where the settings name one: a `caching.shared.SharedTier`, else None."""
    visits: bool = False
    """This process isn't part of the shop, but a command of its operator: it carries out messages, and none of the shop's chores."""

    @cached_property
    def graph(self) -> Graph:
        """Queries across the modules of this cluster."""
        return self.make_graph(self)

    @cached_property
    def memory(self) -> Any:
        """This process's cache of rows: a `caching.Cache`."""
        return self.make_memory(self)
