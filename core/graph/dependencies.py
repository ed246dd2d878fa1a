"""The rows that a JSON value shows, as row notices name them: a value made of nothing else stays right until one of them changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..sql.schema.fields import FieldTree
from .plan import Catalogue


@dataclass(frozen=True)
class Dependencies:
    """The rows of an entity that a JSON value shows, and the rows of others inside them."""

    names: tuple[str, ...]
    """The entity's names in row notices."""
    key: str
    belongs: tuple[tuple[str, str], ...]
    """The name in row notices for rows that belong to one of these (`product_variant.product_id`), and our column with its value."""
    below: Mapping[str, Dependencies]

    @property
    def entities(self) -> frozenset[str]:
        """The entities of all these rows."""
        return frozenset(self.names).union(*(level.entities for level in self.below.values()))

    def rows(self, shown: Any) -> Iterator[str]:
        """The rows in a JSON value, as row notices name them."""
        for row in shown if isinstance(shown, list) else (shown,):
            if row is None:
                continue
            for name in self.names:
                yield f"{name}:{row[self.key]}"
            for name, column in self.belongs:
                yield f"{name}:{row[column]}"
            for relation, level in self.below.items():
                yield from level.rows(row[relation])


def dependencies(catalogue: Catalogue, entity: str, tree: FieldTree) -> Dependencies | None:
    """What these fields of an entity show of its own module; None where its changes send no row notices (see `Entity.noticed`)."""
    noticed = catalogue.entity(entity).noticed
    return _below(catalogue, entity, tree, "", noticed) if noticed else None


def _below(catalogue: Catalogue, entity: str, tree: FieldTree, path: str, noticed: frozenset[str]) -> Dependencies | None:
    known = catalogue.entity(entity)
    if known.bare and path and not tree.whole and known.key not in tree:  # the rows in it can't be identified
        return None
    below: dict[str, Dependencies] = {}
    belongs: list[tuple[str, str]] = []
    for name, child in tree:
        relation = known.relations.get(name)
        if relation is None:
            continue
        shown = _below(catalogue, relation.target, child, f"{path}{name}.", noticed) if f"{path}{name}" in noticed else None
        if shown is None:
            return None
        below[name] = shown
        if relation.kind == "many" and catalogue.entity(relation.target).view_of is None:
            if relation.other_key != known.key:  # only the key is always shown
                return None
            belongs.append((f"{relation.target}.{relation.key}", relation.other_key))
    names = (entity, known.view_of) if known.view_of is not None else (entity,)
    return Dependencies(names, known.key, tuple(belongs), below)
