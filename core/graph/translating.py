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
    known = catalogue.entity(entity)
    found = Translatable(known.key, known.translatable)
    for name, child in tree:
        target = catalogue.target(entity, name)
        if target is None:
            continue
        level = found if target == entity else translatable(catalogue, target, child)
        if level.columns or level.below:
            found.below[name] = level
    if tree.whole:  # a whole row may show what it belongs to without being asked
        for name, relation in known.relations.items():
            if relation.kind == "one" and name not in tree.children and (columns := catalogue.entity(relation.target).translatable):
                found.below[name] = Translatable(catalogue.entity(relation.target).key, columns)
    return found


def put_texts(found: Iterable[Said], texts: Mapping[str, Mapping[str, str]]) -> None:
    """Put translations (key → column → text) into rows: in the place of a text, and never an empty one."""
    for key, columns, row in found:
        said = texts.get(key)
        if said is None:
            continue
        for column in columns:
            if isinstance(row.get(column), str) and said.get(column, "").strip():
                row[column] = said[column]
