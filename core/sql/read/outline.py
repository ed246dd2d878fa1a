"""What is shown of rows: which columns, and which rows of relations, worked out from a field tree.

The database shows rows by it (`pages.py`), and so does code that has rows read from a document (`documents.py`): one rule for both.

Rows of the root come with their key. Business code gets the fields that it names, and the key. Clients get what Medusa's API shows:
the key column behind each relation to one row that is shown; for a whole row below the root, the other rows that it refers to as `{id}`, or
with their columns where rows of that entity are shown whole anyway; nothing for unknown names, so that a newer client still gets the
rest; no key of `bare` rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...budget import DEPTH
from ...errors import InvalidData
from ..schema.catalog import Catalog
from ..schema.entity import Entity, Relation
from ..schema.fields import FieldTree
from ..schema.values import Field

_WHOLE = FieldTree(all=True)


@dataclass(frozen=True, slots=True)
class Related:
    """What is shown of a relation's rows."""

    name: str
    relation: Relation
    outline: Outline | None
    """None: only the key of the one row, as `{id}`."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What is shown of an entity's rows."""

    entity: Entity
    columns: tuple[Field, ...]
    related: tuple[Related, ...]


def outlined(catalog: Catalog, entity: Entity, tree: FieldTree, *, hidden: bool, twins: bool) -> Outline:
    """`hidden`: hidden columns may be named, and unknown ones raise InvalidData (business code). `twins`: `*` includes raw_ twins."""
    return _Outlining(catalog, hidden, twins, frozenset(_shown_whole(catalog, entity, tree))).of(entity, tree, 0, frozenset())


class _Outlining:
    def __init__(self, catalog: Catalog, hidden: bool, twins: bool, wholes: frozenset[str]) -> None:
        """`wholes`: entities whose rows are shown with all their columns below the root."""
        self._catalog = catalog
        self._hidden = hidden
        self._twins = twins
        self._wholes = wholes

    def of(self, entity: Entity, tree: FieldTree, depth: int, above: frozenset[str]) -> Outline:
        """`above`: the entities whose rows contain these."""
        if depth > DEPTH:
            raise InvalidData("Fields are nested too deeply")
        fields = self._catalog.fields(entity)
        whole = tree.all if depth == 0 else tree.whole
        columns = tuple(fields[name] for name in self._columns(entity, tree, fields, whole=whole, root=depth == 0))
        related: list[Related] = []
        for name, relation in entity.relations.items():
            subtree = tree.children.get(name)
            beside = subtree is None and whole and bool(above) and not self._hidden
            if beside and relation.beside and relation.target not in above:
                related.append(Related(name, relation, None))
                continue
            if beside and _leads_elsewhere(relation, entity, above):
                if relation.target not in self._wholes - {entity.name}:
                    related.append(Related(name, relation, None))
                    continue
                subtree = _WHOLE
            if subtree is not None:
                target = self._catalog.schema[relation.target]
                related.append(Related(name, relation, self.of(target, subtree, depth + 1, above | _names(entity))))
        return Outline(entity, columns, tuple(related))

    def _columns(self, entity: Entity, tree: FieldTree, fields: Mapping[str, Field], *, whole: bool, root: bool) -> list[str]:
        """Names of the columns that are shown: in the table's order for whole rows, else in the order in which the tree names them."""
        named: list[str] = []
        for name, child in tree.children.items():
            field = fields.get(name)
            if name in entity.relations:
                relation = entity.relations[name]
                target = self._catalog.schema[relation.target]
                if relation.kind == "one" and not target.bare and not self._hidden and relation.key not in entity.hidden:
                    named.append(relation.key)
            # a path below a JSON column shows all of the column
            elif field is not None and (self._hidden or not field.hidden) and (not child.children or field.kind == "json"):
                named.append(name)
            elif self._hidden:
                below = f".{next(iter(child.children))}" if child.children else ""
                raise InvalidData(f"{entity.called} has no field '{name}{below}'")
        if whole:
            starred = (
                name
                for name, field in fields.items()
                if not field.hidden and name not in entity.unstarred and (self._twins or field.kind != "raw")
            )
            return list(dict.fromkeys((*starred, *named)))
        if root or self._hidden or not entity.bare:
            named.append(entity.key)
        return list(dict.fromkeys(named))


def _shown_whole(catalog: Catalog, entity: Entity, tree: FieldTree) -> Iterator[str]:
    """Entities whose rows the tree shows with all their columns, below the root."""
    for name, child in tree:
        if name in entity.relations:
            target = catalog.schema[entity.relations[name].target]
            if child.whole:
                yield from _names(target)
            yield from _shown_whole(catalog, target, child)


def _names(entity: Entity) -> frozenset[str]:
    """The entity, and the one of which it is a view."""
    return frozenset((entity.name, entity.view_of or entity.name))


def _leads_elsewhere(relation: Relation, entity: Entity, above: frozenset[str]) -> bool:
    """Whether the relation leads from a row of the entity to one other row, which isn't among the rows that contain it."""
    return relation.kind == "one" and relation.key != entity.key and relation.target not in above
