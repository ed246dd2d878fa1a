"""The entities that a query meets besides its own: through fields, filters and orders, in any module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..sql.schema.fields import FieldTree
from .plan import Catalogue


def reached(catalogue: Catalogue, entity: str, paths: Iterable[str]) -> set[str]:
    """The entities that paths of an entity lead through. The entity itself is among them only where a path comes back to it."""
    return _below(catalogue, entity, FieldTree.parse(paths))


def paths_of(filters: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The paths of the fields that filters use."""
    for name, value in filters.items():
        if name.startswith("$"):
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    yield from paths_of(one, prefix)
        elif name != "q":
            yield f"{prefix}{name}"
            if isinstance(value, dict):
                yield from paths_of(value, f"{prefix}{name}.")


def _below(catalogue: Catalogue, entity: str, tree: FieldTree) -> set[str]:
    found: set[str] = set()
    for name, below in tree:
        alias = catalogue.alias(entity, name)
        if alias is not None:
            for step in reversed(alias.path):
                below = FieldTree({step: below})
            found |= _below(catalogue, entity, below)
            continue
        edge, relation = catalogue.edge(entity, name), catalogue.relation(entity, name)
        rows = catalogue.rows_with(entity, name)
        if edge is not None:
            found |= {edge.target} | _below(catalogue, edge.target, below)
        elif relation is not None:
            found |= {relation.target} | _below(catalogue, relation.target, below)
        elif rows is not None:
            found |= _below(catalogue, entity, FieldTree({rows: FieldTree()}))
    return found
