"""What a service that lives in a host gets to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..core.graph.graph import Graph
from ..core.metrics import Meters
from ..core.settings import Settings
from .membership.directory import ReplicaId

if TYPE_CHECKING:
    from ..core.sql.db.database import Database
    from .messaging.admission import Admission
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
    modules: Any
    """One handle a module, by its name."""
    workflows: Any
    """The handle of the coordinators."""
    router: Router
    """For messages that handles can't express: to every replica of a service."""
    admission: Admission
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
    make_graph: Callable[[HostContext], Graph]
    make_memory: Callable[[HostContext], Any]
    visits: bool = False
    """This process is no part of the shop, but a command of its operator's: it does what it is asked, and none of the shop's chores."""

    @cached_property
    def graph(self) -> Graph:
        """Queries across the modules of this cluster."""
        return self.make_graph(self)

    @cached_property
    def memory(self) -> Any:
        """What this process remembers of rows: a `caching.Cache`."""
        return self.make_memory(self)
