"""The graph of a cluster's modules, with this process's cache of their rows."""

from __future__ import annotations

from types import SimpleNamespace

from ..core.graph.graph import Graph
from ..core.service.catalogue import catalogue_of
from ..core.service.module import Module
from .caching import Cache
from .caching.source import CachedSource
from .context import HostContext
from .engine.tables import SCHEMA as EXECUTIONS
from .membership.directory import HOST
from .services import ENGINE, load


def graph_of(context: HostContext) -> Graph:
    """Queries across the modules of the directory. Coordinators answer for their executions as modules do for their rows."""
    settings, services = context.settings, context.router.directory.services
    made_by = [load(name, settings) for name in services if name not in ENGINE and name != HOST]
    modules = [each for each in made_by if isinstance(each, Module)]
    executions = (EXECUTIONS,) if "workflows" in services else ()
    handles: object = context.modules
    if executions:
        handles = SimpleNamespace(**vars(context.modules), **{EXECUTIONS.module: context.workflows})
    tableless = {module.name for module in modules if module.service.tableless}

    def together(one: str, other: str) -> bool:
        return not {one, other} & tableless and settings.database_of(one) == settings.database_of(other)

    catalogue = catalogue_of(modules, *executions, together=together)
    if not settings.cache:
        return Graph(handles, catalogue)
    return Graph(handles, catalogue, source=CachedSource(handles, catalogue, context.memory))


def memory_of(context: HostContext) -> Cache:
    """The process's cache of rows: it receives every invalidation."""
    settings = context.settings
    cache = Cache(settings.cache_bytes // 4, settings.longest_cached, enabled=settings.cache)
    context.on_changed(cache.changed)
    context.metrics.add(lambda: cache.samples("rows"))
    return cache
