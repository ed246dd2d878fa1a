"""Entities: what a query can ask of a module, and how its tables hang together.

A table says how rows are stored; an entity says how they are seen: under which name, with which relations, what `q`
searches, what stays hidden. The kernel (`statements.py`) turns (entity, field tree, filters, order, page) into one
statement.

What is always read whole and changed by one writer at a time (a cart with its lines) is one row with a `Document`. The entities inside
a document have views as their tables, which the kernel makes of the document (`document_views.py`), so that they are queried like any
others; a query for the whole is answered from the document itself (`documents.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause, Table


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
    """one: a whole row of this entity that is shown inside another row shows the key of this relation's row, and no more unless asked
    for."""
    root_key: str | None = None
    """Where the other entity lies in another row's document: our column that holds the key of that row."""


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
class SchemaStep:
    """How documents changed from one schema to the next: pure functions, which may change and return their argument."""

    up: Callable[[dict[str, Any]], dict[str, Any]]
    down: Callable[[dict[str, Any]], dict[str, Any]]
    """The way back, without what the former schema has no room for: while processes run that don't know the next schema, documents are
    written so that they can read them."""


@dataclass(frozen=True, slots=True)
class Document:
    """Makes rows of an entity hold what belongs to them in one JSON document: relations to entities that lie `inside` it."""

    column: str = "document"
    number: str = "document_schema"
    """Column with the number of the document's schema: one more than the number of `steps` when it was written."""
    steps: tuple[SchemaStep, ...] = ()
    """The changes since the first schema, the oldest first. A step stays for as long as documents of its schema may exist."""
    found_by: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(entity inside, column of it) → the row's column with all values that its document has there (an array with an index): so that
    documents are found by them without reading each."""

    @property
    def newest(self) -> int:
        """The number of the newest schema: documents in memory have it, and are written in it once all processes know it."""
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
    translatable: tuple[str, ...] = ()
    """Text columns that merchants may translate: readers who name a locale are shown the translation."""
    hidden: frozenset[str] = frozenset()
    """Columns that are never shown (salts, hashes, internal bookkeeping)."""
    unstarred: frozenset[str] = frozenset()
    """Columns that `*` doesn't include: keys of another module's rows, which are asked for as a relation."""
    default_order: tuple[str, ...] = ()
    """The order of queries that name none. Empty: by key, which for our ids is the order of creation and needs no index of its own."""
    noticed: frozenset[str] = frozenset()
    """Paths of relations (`variants`, `variants.options`) of which every change sends a row notice: it names a row that was shown there, or
    the row of this entity itself. A row shown with no other relations can be cached until one of the rows in it changes."""
    together: tuple[str, ...] = ()
    """Fields that are read and cached together where a row is wanted by its key with some of them: different places ask for different
    ones of the same row, one after the other. Needs `noticed`."""
    remembered: bool = False
    """For an entity of a module that sends no invalidation, because its rows are trade (carts, orders): this one is a setting, so it does
    and is cached."""
    bare: bool = False
    """Whether its rows, shown inside others, come without their key unless asked for, and the rows that show them without the key
    column."""
    view_of: str | None = None
    """The entity whose rows these are in another shape: a change of one is a change of both."""
    document: Document | None = None
    """Where rows hold what belongs to them in a document. Its columns are hidden."""
    inside: str | None = None
    """The entity in whose document these rows lie. Then `table` is a view that the kernel makes, with a column `ROOT` beside its own."""
    deleted_alone: bool = False
    """Inside a document: rows can be deleted individually. They stay in the document then, with a `deleted_at` of their own."""

    @property
    def called(self) -> str:
        """The label, or the name in words where there is none: `product_variant` → `Product variant`."""
        return self.label or self.name.replace("_", " ").capitalize()

    @property
    def belongs_by(self) -> tuple[str, ...]:
        """The columns that say which other rows of the module a row belongs to."""
        return tuple(relation.key for relation in self.relations.values() if relation.kind == "one")

    @property
    def soft(self) -> bool:
        """Whether deleting marks the row by `deleted_at` and leaves it there."""
        return "deleted_at" in self.table.c


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """One part of a document: a relation of the row above it, and the parts inside."""

    name: str
    relation: Relation
    entity: Entity
    parts: tuple[DocumentPart, ...]

    @property
    def many(self) -> bool:
        return self.relation.kind == "many"

    @property
    def owner_key(self) -> str:
        """The column of its rows that holds the key of the row above; empty where the row above holds their key instead."""
        if self.many:
            return self.relation.key
        return self.relation.other_key if self.relation.other_key != self.entity.key else ""
