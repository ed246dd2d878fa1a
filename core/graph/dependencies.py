"""Which rows a JSON value shows, as notices of changes name them: what was made of nothing else is as fresh as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..sql.schema.fields import FieldTree
from .plan import Catalogue


@dataclass(frozen=True)
class Showing:
    """What a JSON value shows of an entity: its rows, and those of others in them."""

    names: tuple[str, ...]
    """Under which names its rows are told of."""
    key: str
    belongs: tuple[tuple[str, str], ...]
    """How notices call what belongs to one of these (`product_variant.product_id`), and our column that it goes by."""
    below: Mapping[str, Showing]

    def rows(self, shown: Any) -> Iterator[str]:
        """The rows in a JSON value, as notices name them."""
        for row in shown if isinstance(shown, list) else (shown,):
            if row is None:
                continue
            for name in self.names:
                yield f"{name}:{row[self.key]}"
            for name, column in self.belongs:
                yield f"{name}:{row[column]}"
            for relation, level in self.below.items():
                yield from level.rows(row[relation])


def showing(catalogue: Catalogue, entity: str, tree: FieldTree) -> Showing | None:
    """What these fields of an entity show of its own module; None where a change of that isn't told row by row (see `Entity.told`)."""
    told = catalogue.entity(entity).told
    return _below(catalogue, entity, tree, "", told) if told else None


def _below(catalogue: Catalogue, entity: str, tree: FieldTree, path: str, told: frozenset[str]) -> Showing | None:
    known = catalogue.entity(entity)
    if known.bare and path and not tree.whole and known.key not in tree:  # then nobody can tell whose rows these are
        return None
    below: dict[str, Showing] = {}
    belongs: list[tuple[str, str]] = []
    for name, child in tree:
        relation = known.relations.get(name)
        if relation is None:
            continue
        shown = _below(catalogue, relation.target, child, f"{path}{name}.", told) if f"{path}{name}" in told else None
        if shown is None:
            return None
        below[name] = shown
        if relation.kind == "many" and catalogue.entity(relation.target).view_of is None:
            if relation.other_key != known.key:  # only the key is always shown
                return None
            belongs.append((f"{relation.target}.{relation.key}", relation.other_key))
    names = (entity, known.view_of) if known.view_of is not None else (entity,)
    return Showing(names, known.key, tuple(belongs), below)
