"""The catalogue of a shop, from what its modules declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..errors import Misconfigured
from ..graph.links import Link, Side
from ..graph.plan import Catalogue
from ..sql.schema.schema import Schema
from .module import Module


def catalogue_of(modules: Iterable[Module], *others: Schema, together: Callable[[str, str], bool] = lambda one, other: False) -> Catalogue:
    """All entities of the modules, and the edges between them; `others` are entities of services that aren't modules.

    Raises Misconfigured where two modules use the same name, or a plugin's link goes with nothing that there is.
    """
    modules = tuple(modules)
    catalogue = Catalogue(
        (*(module.schema for module in modules), *others),
        links=[link for module in modules for link in module.links],
        references=[reference for module in modules for reference in module.references],
        kept=[module.name for module in modules if module.caching == "rows"],
        quiet=[module.name for module in modules if module.caching == "none"] + [other.module for other in others],
        together=together,
    )
    for link in (link for module in modules for link in module.links if link.name in module.unversioned):
        for side in (link.left, link.right):
            _check(catalogue, link, side)
    return catalogue


def _check(catalogue: Catalogue, link: Link, side: Side) -> None:
    """Raises Misconfigured where a plugin's link leads to nothing, or calls it as something else is called."""
    if side.entity not in catalogue.entities_of(side.module):
        raise Misconfigured(f"The link {link.name} leads to {side.module}.{side.entity}, which there isn't.")
    entity = catalogue.entity(side.entity)
    if "id" not in entity.table.c or entity.inside is not None:
        raise Misconfigured(f"The link {link.name} leads to {side.module}.{side.entity}, which has no ids of its own.")
    if taken := [name for name in (side.rows, *side.names) if catalogue.owns(side.entity, name)]:
        raise Misconfigured(f"The link {link.name} calls something {side.entity}.{taken[0]}, which there is.", hint="End(…, name=…)")
