"""Entities: what can be asked of a module, and how its tables hang together.

A table says how rows are stored; an entity says how they are seen: by which name, with which relations, what `q`
searches, what stays hidden. The kernel (`statements.py`) turns (entity, field tree, filters, order, page) into one
statement.

What is always read whole and changed by one at a time (a cart with its lines) is one row with a `Document`. The entities that lie inside
it have views for tables, which the kernel makes of the document (`document_views.py`), so that they are asked for like any others; whoever
asks for the whole gets it out of the document (`documents.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause, MetaData, Table

from ...errors import InvalidData
from .columns import ROOT, message_table
from .document_views import views_of


@dataclass(frozen=True, slots=True)
class Relation:
    """How rows of another entity of the same module belong to a row of this one."""

    kind: Literal["one", "many", "through"]
    target: str
    """Name of the other entity."""
    key: str
    """one: our column that holds the other's id. many: the other's column that holds ours. through: the pivot's column with our id."""
    other_key: str = "id"
    """one: the column matched on the far side. many: our column that is matched. through: the pivot's column with the other's id."""
    pivot: Table | None = None
    order: tuple[str, ...] = ()
    """Columns of the other entity; `-` in front means descending. Empty: the other entity's own order."""
    cascade: bool = False
    """Deleting a row deletes these too."""
    own_key: str | None = None
    """through: our column whose value the pivot holds, where that isn't the entity's key."""
    beside: bool = False
    """one: a whole row of ours that is shown in another says which one it is, and no more unless that is asked for."""
    root_key: str | None = None
    """Where the other lies in a document that isn't ours: our column that holds the key of the row whose document it is."""


def one(target: str, key: str, other_key: str = "id", *, beside: bool = False, root_key: str | None = None) -> Relation:
    """We hold the key: variant.product by product_id."""
    return Relation("one", target, key, other_key, beside=beside, root_key=root_key)


def many(target: str, key: str, *, our_key: str = "id", order: Iterable[str] = (), cascade: bool = False) -> Relation:
    """They hold the key: product.variants by product_variant.product_id, which holds `our_key` of product."""
    return Relation("many", target, key, our_key, None, tuple(order), cascade)


def through(target: str, pivot: Table, key: str, other_key: str, *, order: Iterable[str] = (), own_key: str | None = None) -> Relation:
    """A pivot table of the same module holds both keys: product.tags."""
    return Relation("through", target, key, other_key, pivot, tuple(order), own_key=own_key)


Expression = Callable[[FromClause], ColumnElement[object]]


@dataclass(frozen=True, slots=True)
class Step:
    """How documents changed from one schema to the next: pure functions, which may change and return what they are given."""

    up: Callable[[dict[str, Any]], dict[str, Any]]
    down: Callable[[dict[str, Any]], dict[str, Any]]
    """Back again, without what the former schema has no place for: as long as processes run that don't know the next one, documents are
    written so that these can read them."""


@dataclass(frozen=True, slots=True)
class Document:
    """That rows of an entity hold what belongs to them in one JSON document: relations to entities that lie `inside` it."""

    column: str = "document"
    number: str = "document_schema"
    """Column with the number of the document's schema: one more than `steps` had when it was written."""
    steps: tuple[Step, ...] = ()
    """What has changed since the first schema, the oldest first. Each stays for as long as there may be such documents."""
    found_by: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(entity inside, column of it) → column of the row with all values that the document has there (an array with an index): so that these
    are found without reading every document."""

    @property
    def newest(self) -> int:
        """The number of the schema in which documents are in hand, and written where all processes know it."""
        return len(self.steps) + 1


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of thing a module owns.

    Column types of `columns.py` decide how a value is shown: `Money` as a JSON number with a `raw_<name>` twin,
    `Timestamp` as ISO 8601 UTC with milliseconds, `Json` as it is.
    """

    name: str
    """Singular snake case, unique in the shop: `product_variant`. Also the tag under which caches know it."""
    table: Table
    prefix: str | None = None
    """Of its ids (`prod` → `prod_01J…`); None where the key is natural (currency code)."""
    label: str = ""
    """As error messages call it: `Product with id: … was not found`. Default: the name in words."""
    key: str = "id"
    relations: Mapping[str, Relation] = field(default_factory=dict)
    searchable: tuple[str, ...] = ()
    """What `q` looks through: columns, and names of relations (their searchable columns)."""
    computed: Mapping[str, Expression] = field(default_factory=dict)
    """Fields that are SQL expressions over the table, shown like columns."""
    hidden: frozenset[str] = frozenset()
    """Columns that are never shown (salts, hashes, foreign bookkeeping)."""
    unstarred: frozenset[str] = frozenset()
    """Columns that are shown only to whoever names them: keys of what lies in other modules and is asked for as a relation."""
    default_order: tuple[str, ...] = ()
    """Where a query asks for no order. Empty: by key, which for our ids is the order of creation and needs no index of its own."""
    told: frozenset[str] = frozenset()
    """Paths of relations (`variants`, `variants.options`) whose every change names a row in its notice: one that was shown there, or the
    row of this entity itself. A row shown with these alone can be remembered until one of the rows in it changes."""
    remembered: bool = False
    """Of a module whose changes caches aren't told of, as it is all trade: this is a setting, so they are told of it and remember it."""
    bare: bool = False
    """Whether its rows, shown in others, come without their key where that isn't asked for, and leave no trace of it in those others."""
    view_of: str | None = None
    """The entity whose rows these are, seen in another way: a change of one is a change of both."""
    document: Document | None = None
    """Where rows hold what belongs to them in a document. Its columns are hidden."""
    inside: str | None = None
    """The entity in whose document these rows lie. Then `table` is a view that the kernel makes, with a column `ROOT` beside its own."""
    deleted_alone: bool = False
    """Inside a document: rows are also deleted by themselves. They stay in it then, with a `deleted_at` of their own."""

    @property
    def called(self) -> str:
        """The label, or where none is given the name in words: `product_variant` → `Product variant`."""
        return self.label or self.name.replace("_", " ").capitalize()

    @property
    def belongs_by(self) -> tuple[str, ...]:
        """The columns that say what else in the module a row belongs to."""
        return tuple(relation.key for relation in self.relations.values() if relation.kind == "one")

    @property
    def soft(self) -> bool:
        """Whether deleting leaves the row behind, marked by `deleted_at`."""
        return "deleted_at" in self.table.c


@dataclass(frozen=True, slots=True)
class Part:
    """One place in a document: a relation of the row above it, and what lies further inside."""

    name: str
    relation: Relation
    entity: Entity
    parts: tuple[Part, ...]

    @property
    def many(self) -> bool:
        return self.relation.kind == "many"

    @property
    def owner_key(self) -> str:
        """The column of its rows that holds the key of the row above; empty where that one names them instead."""
        if self.many:
            return self.relation.key
        return self.relation.other_key if self.relation.other_key != self.entity.key else ""


class Schema:
    """All entities of one module. The module's table of recorded messages joins their metadata by itself."""

    def __init__(self, module: str, *entities: Entity, metadata: MetaData | None = None) -> None:
        """`metadata`: only of a module that has no entities, or keeps further tables elsewhere."""
        if metadata is None:
            if not entities:
                raise TypeError(f"The schema of {module} has neither entities nor metadata")
            metadata = entities[0].table.metadata
        self.module = module
        self.metadata = metadata
        self.messages: Table = message_table(metadata, module)
        self.entities: dict[str, Entity] = {entity.name: entity for entity in entities}
        self.views = tuple((entity.name, entity.view_of) for entity in entities if entity.view_of is not None)
        for entity in entities:
            for name, relation in entity.relations.items():
                self._check(entity, name, relation)
        self.parts: dict[str, tuple[Part, ...]] = {
            entity.name: self._parts(entity, entity, ()) for entity in entities if entity.document is not None
        }
        """By entity with a document: what lies in it."""
        if self.parts:
            self.metadata.info["views"] = {**self.metadata.info.get("views", {}), **views_of(self)}
        self._check_documents()

    def __getitem__(self, name: str) -> Entity:
        """Raises InvalidData for a name that isn't of this module."""
        try:
            return self.entities[name]
        except KeyError:
            raise InvalidData(f"The {self.module} module has no entity {name}") from None

    def __contains__(self, name: str) -> bool:
        return name in self.entities

    def _parts(self, root: Entity, entity: Entity, above: tuple[str, ...]) -> tuple[Part, ...]:
        """What lies in a document below a row: relations to entities inside it that aren't what the row itself lies in."""
        above = (*above, entity.name)
        down = ((name, relation, self[relation.target]) for name, relation in entity.relations.items() if relation.target not in above)
        parts = tuple(
            Part(name, relation, target, self._parts(root, target, above)) for name, relation, target in down if target.inside == root.name
        )
        for part in parts:
            if part.owner_key and part.relation.key != entity.key and not part.many:
                raise TypeError(f"{part.entity.name} is found by {entity.name}.{entity.key} where it lies, not by {part.relation.key}")
        return parts

    def _check_documents(self) -> None:
        """The same for what lies in documents."""
        lying = {part.entity.name for parts in self.parts.values() for part in _all_of(parts)}
        for entity in self.entities.values():
            if (entity.inside is not None) != (entity.name in lying):
                raise TypeError(f"{entity.name} lies in a document only where relations lead to it from there, and it says so")
            if entity.inside is not None and ROOT not in entity.table.c:
                raise TypeError(f"{entity.name} needs the column {entity.table.name}.{ROOT}, which isn't there")
            if entity.document is not None:
                columns = {entity.document.column, entity.document.number, *entity.document.found_by.values()}
                if missing := columns - set(entity.table.c.keys()):
                    raise TypeError(f"{entity.name} needs the columns {', '.join(sorted(missing))}, which aren't there")

    def _check(self, entity: Entity, name: str, relation: Relation) -> None:
        """A slip in a relation is met when the module is imported, not by the first client who asks for it."""
        target = self.entities.get(relation.target)
        if target is None:
            raise TypeError(f"{entity.name}.{name} leads to {relation.target}, which is no entity of {self.module}")
        if relation.kind == "through":
            if relation.pivot is None:
                raise TypeError(f"{entity.name}.{name} needs its pivot table")
            columns = [(relation.pivot, relation.key), (relation.pivot, relation.other_key), (entity.table, relation.own_key or entity.key)]
        elif relation.kind == "one":
            columns = [(entity.table, relation.key), (target.table, relation.other_key)]
        else:
            columns = [(target.table, relation.key), (entity.table, relation.other_key)]
        columns += [(entity.table, relation.root_key)] if relation.root_key is not None else []
        for table, column in columns:
            if column not in table.c:
                raise TypeError(f"{entity.name}.{name} needs the column {table.name}.{column}, which isn't there")


def _all_of(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from _all_of(part.parts)
