"""Links between things of different modules: those of `commerce/links.py`, and those that the plugins of a shop declare."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ...commerce.links import LINKS
from ...core.errors import Misconfigured
from ...core.graph.links import Link
from ...core.plugins import links_of
from ...core.service.module import Module
from ...core.settings import Settings
from .queries import LinkQueries
from .service import LinkService
from .tables import SCHEMA, schema_of


def _of_shop(settings: Settings) -> Module:
    return _with_links_of(tuple(settings.plugins))


@lru_cache
def _with_links_of(plugins: tuple[str, ...]) -> Module:
    further = links_of(plugins)
    return module_with(further) if further else MODULE


def module_with(further: Sequence[Link]) -> Module:
    """The module with these links besides those of Velella. Raises Misconfigured for a name that is taken."""
    if taken := {link.name for link in further} & SCHEMA.entities.keys():
        raise Misconfigured(f"Velella has a link {min(taken)} already.", hint="Give yours a name: link(…, name=…).")
    links = (*LINKS, *further)
    schema = schema_of(links)
    service = type("LinkService", (LinkService,), {"schema": schema, "queries": LinkQueries(links, schema.metadata)})
    return Module("link", schema, service, __name__, links=links, unversioned=tuple(link.name for link in further))


MODULE = Module(name="link", schema=SCHEMA, service=LinkService, package=__name__, links=LINKS, widened=_of_shop)
