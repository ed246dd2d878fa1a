"""The catalogue of a shop, from what its modules declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..graph.plan import Catalogue
from ..sql.schema.schema import Schema
from .module import Module


def catalogue_of(modules: Iterable[Module], *others: Schema, together: Callable[[str, str], bool] = lambda one, other: False) -> Catalogue:
    """All entities of the modules, and the edges between them; `others` are entities of services that aren't modules.

    Raises ValueError where two modules use the same name.
    """
    modules = tuple(modules)
    return Catalogue(
        (*(module.schema for module in modules), *others),
        links=[link for module in modules for link in module.links],
        references=[reference for module in modules for reference in module.references],
        absent={entity: names for module in modules for entity, names in module.absent.items()},
        kept=[module.name for module in modules if module.caching == "rows"],
        quiet=[module.name for module in modules if module.caching == "none"] + [other.module for other in others],
        together=together,
    )
