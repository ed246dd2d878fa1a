"""Where, in the rows of a query, texts lie that are shown in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..rows import Row
from ..sql.schema.fields import FieldTree
from .plan import Catalogue

Said = tuple[str, tuple[str, ...], Row]
"""The key of a row, its translatable columns, and the row itself."""


@dataclass(eq=False)
class Translatable:
    """The translatable columns of rows, and the relations below them that lead to more."""

    key: str
    columns: tuple[str, ...]
    below: dict[str, Translatable] = field(default_factory=dict)

    def rows(self, shown: Any) -> Iterator[Said]:
        """The rows in a JSON value that can be translated: those that show their key."""
        for row in shown if isinstance(shown, list) else (shown,):
            if row is None:
                continue
            if self.columns and row.get(self.key) is not None:
                yield row[self.key], self.columns, row
            for name, level in self.below.items():
                if name in row:
                    yield from level.rows(row[name])


def translatable(catalogue: Catalogue, entity: str, tree: FieldTree) -> Translatable:
    """What these fields of an entity show. Relations of an entity to itself are followed as deep as rows show them: answers show trees."""
    found = _nothing_of(catalogue, entity)
    _add(catalogue, found, entity, tree)
    return found


def _nothing_of(catalogue: Catalogue, entity: str) -> Translatable:
    known = catalogue.entity(entity)
    return Translatable(known.key, known.translatable)


def _add(catalogue: Catalogue, found: Translatable, entity: str, tree: FieldTree) -> None:
    """Add what these fields show to a level. All rows of a tree are one level: it shows what is asked for at any depth."""
    for name, child in tree:
        target = catalogue.target(entity, name)
        if target is None:
            continue
        level = found if target == entity else found.below.get(name) or _nothing_of(catalogue, target)
        _add(catalogue, level, target, child)
        if level.columns or level.below:
            found.below[name] = level
    if tree.whole:  # a whole row may show what it belongs to without being asked
        for name, relation in catalogue.entity(entity).relations.items():
            if relation.kind == "one" and name not in found.below and (level := _nothing_of(catalogue, relation.target)).columns:
                found.below[name] = level


def put_texts(found: Iterable[Said], texts: Mapping[str, Mapping[str, str]]) -> None:
    """Put translations (key → column → text) into rows: in the place of a text, and never an empty one."""
    for key, columns, row in found:
        said = texts.get(key)
        if said is None:
            continue
        for column in columns:
            if isinstance(row.get(column), str) and said.get(column, "").strip():
                row[column] = said[column]
