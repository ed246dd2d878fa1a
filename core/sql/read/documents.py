"""Documents: rows that hold what belongs to them, read, shown and written as a whole.

    cart = documents.opened(SCHEMA["cart"], row)       # as the database has it → everything in its place, amounts as Decimal
    documents.stored(SCHEMA["cart"], cart)             # and back: what the document's columns hold

A document is JSON text (`json`, which keeps the text as it was written: `jsonb` takes up to half as much again to write and twice as much
to read). Rows inside it look as the API shows them, in the order of their keys, except that amounts are decimal strings, and that what
follows from a row's position isn't written: the key of the row it belongs to, and when the whole was deleted.

A document written by an older version is brought up to date when it is read, step by step (`Document.steps`). A document written by a
newer version is never guessed at: the request gets 503, and another process, or the next release, answers. While processes of two
versions run at the same time, the newer ones write the older schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from types import NoneType
from typing import Any

from sqlalchemy.sql.schema import ScalarElementColumnDefault

from ... import numbers
from ...errors import InvalidData, Unavailable
from ...json import dumps
from ...kept import kept
from ...rows import Row
from ..schema.catalog import Catalog
from ..schema.columns import LEAST, OF_ROOT, ROOT
from ..schema.document_views import DELETED, kept_columns
from ..schema.entity import DocumentPart, Entity
from ..schema.fields import FieldTree
from ..schema.query import Query
from ..schema.values import Field
from .outline import Outline, Related, outlined

Show = Callable[[Row, tuple[Row, ...]], Row]
"""Shows a row. The second argument: the rows that it lies in, from the root down."""
PLANS = 4 * 1024 * 1024
"""Bytes of memory for how rows are shown."""
ODD = 256
"""How many combinations of value types are remembered for each kind of row."""
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The NUL character, but not the same letters after an escaped backslash."""
_TYPES: Mapping[str, type] = {"text": str, "boolean": bool, "integer": int, "time": str, "number": Decimal}
"""The Python type of values that need no conversion, by kind."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A column of rows inside a document."""

    name: str
    field: Field
    exactly: type | None
    """The type of values that are written as they are; None: any type."""
    amount: bool
    required: bool
    least: int | None
    default: Any
    """The value for a row that doesn't name the column."""

    def takes(self, given: type) -> bool:
        """Whether a value of that type is written as it is."""
        if given is NoneType:
            return not self.required and self.default is None
        return self.exactly is None or given is self.exactly


@dataclass(frozen=True, slots=True)
class _Branch:
    """A part of a document, with what reading and writing it needs."""

    name: str
    many: bool
    entity: Entity
    key: str
    """The column that holds the key of the row above, if there is one."""
    root_keys: tuple[str, ...]
    """Columns that hold the key of the root."""
    deleted_alone: bool
    columns: tuple[_Kept, ...]
    names: tuple[str, ...]
    """Names of the columns."""
    amounts: tuple[str, ...]
    bounded: tuple[_Kept, ...]
    """Columns whose values are checked in each row: amounts, and numbers with a least value."""
    branches: tuple[_Branch, ...]
    odd: dict[tuple[type, ...], tuple[_Kept, ...]]
    """The types of a row's values, in the order of the columns → the columns whose values must be converted. Most rows have the same
    types."""


@dataclass(frozen=True, slots=True)
class Showing:
    """How rows are shown from their documents."""

    show: Show
    beside: tuple[Related, ...]
    """What the database must show besides the document: relations of the root to rows outside of it."""
    inside: bool
    """Whether anything is shown that lies in the document."""


@dataclass(frozen=True, slots=True)
class Within:
    """How the rows of a query are shown that one document holds."""

    root: str
    """The entity of the row whose document it is."""
    key: str
    show: Callable[[Row], list[Row]]
    """Shows the rows of a root that `opened` gave."""


class Documents:
    """The documents of one module."""

    def __init__(self, catalog: Catalog, known: Callable[[], Mapping[str, int]] = dict) -> None:
        """`known`: entity → the newest schema number of its documents that every reading process knows, for entities where that is older
        than ours."""
        self._catalog = catalog
        self._known = known
        self._branches = {root: tuple(map(self._branch, parts)) for root, parts in catalog.schema.parts.items()}
        self._showing = kept(PLANS)(self._make_showing)
        self._showing_within = kept(PLANS)(self._make_within)

    # -- reading

    def opened(self, entity: Entity, row: Row) -> Row:
        """A row of the database, with everything that its document holds in its place. Raises Unavailable for a document of a newer
        version."""
        document = entity.document
        assert document is not None
        held, number = row.pop(document.column), row.pop(document.number)
        if number > document.newest:
            raise Unavailable(f"{entity.called} {row[entity.key]} was written by a newer version of Velella than this process runs.")
        for step in document.steps[number - 1 :]:
            held = step.up(held)
        row.update(held)
        _fill(self._branches[entity.name], row, row[entity.key], row[entity.key], row.get(DELETED))
        return row

    def whole(self, entity: Entity, row: Row) -> Row:
        """A row to be written with `stored`, as reading it again would give it, changed in place; the columns of the root are the caller's.
        Raises what `stored` raises."""
        branches = self._branches[entity.name]
        row.update(_written(branches, row))
        _fill(branches, row, row[entity.key], row[entity.key], row.get(DELETED))
        return row

    def showing(self, query: Query, *, hidden: bool = False, twins: bool = True) -> Showing | None:
        """How the rows of a query are shown from their documents; None where the database shows all of them: entities without a document,
        queries for columns alone, and queries that lead from inside a document to rows outside. Raises InvalidData as the statement
        would."""
        parts = self._branches.get(query.entity)
        if parts is None or query.slots:
            return None
        if query.visible and any(self._catalog.schema.entities[name].inside for name in query.visible):
            return None
        showing = self._showing(query.entity, tuple(query.fields), hidden, twins, query.with_deleted)
        return showing if showing is not None and showing.inside else None

    def shown(self, entity: Entity, rows: Sequence[Row], fields: Sequence[str], *, twins: bool = True) -> list[Row] | None:
        """What a client's query for these fields would give of rows that `opened` gave; None where the query needs more than these rows."""
        showing = self._showing(entity.name, tuple(fields), False, twins, False)
        if showing is None or showing.beside:
            return None
        return [showing.show(row, (row,)) for row in rows]

    def within(self, query: Query) -> Within | None:
        """How the rows of a query are shown that asks for all rows of an entity inside one document, by a column that holds the root's key;
        None for other queries, and where the fields need more than the document."""
        entity = self._catalog.schema[query.entity]
        if entity.inside is None or query.order or query.limit is not None or query.offset or len(query.filters) != 1:
            return None
        if query.count or query.with_deleted or query.slots or query.visible or entity.default_order not in ((), (entity.key,)):
            return None
        ((column, key),) = query.filters.items()
        show = self._showing_within(query.entity, tuple(query.fields), column) if isinstance(key, str) else None
        return Within(entity.inside, key, show) if show is not None else None

    def _make_within(self, name: str, fields: tuple[str, ...], column: str) -> Callable[[Row], list[Row]] | None:
        entity = self._catalog.schema[name]
        assert entity.inside is not None
        way = _way(self._branches[entity.inside], name)
        if column not in way[-1].root_keys:
            return None
        outline = outlined(self._catalog, entity, FieldTree.parse(fields), hidden=False, twins=True)
        show = self._show(outline, way[-1].branches, (entity.inside, *(branch.entity.name for branch in way)), False)
        if show is None:
            return None

        def rows(root: Row) -> list[Row]:
            found: list[tuple[Row, ...]] = [(root,)]
            for branch in way:
                held = ((ups, ups[-1][branch.name]) for ups in found)
                found = [(*ups, row) for ups, rows in held for row in (rows if branch.many else (rows,)) if row is not None]
            found = [ups for ups in found if ups[-1][DELETED] is None]
            return [show(ups[-1], ups) for ups in sorted(found, key=lambda ups: str(ups[-1][entity.key]))]

        return rows

    def _make_showing(self, name: str, fields: tuple[str, ...], hidden: bool, twins: bool, with_deleted: bool) -> Showing | None:
        entity = self._catalog.schema[name]
        outline = outlined(self._catalog, entity, FieldTree.parse(fields), hidden=hidden, twins=twins)
        inner = tuple(related for related in outline.related if self._catalog.schema[related.relation.target].inside == name)
        beside = tuple(related for related in outline.related if related not in inner)
        show = self._show(Outline(entity, outline.columns, inner), self._branches[name], (name,), with_deleted, beside)
        return Showing(show, beside, bool(inner)) if show is not None else None

    def _show(
        self, outline: Outline, branches: Sequence[_Branch], trail: tuple[str, ...], with_deleted: bool, beside: tuple[Related, ...] = ()
    ) -> Show | None:
        """`trail`: entities from the root to these rows. None where part of it lies in no document."""
        if not all(_lies_there(outline.entity, field) for field in outline.columns):
            return None
        # plain str: names that SQL quotes are instances of a subclass
        columns = tuple((f"{field.name}", f"{field.column or field.name}", field.kind == "raw") for field in outline.columns)
        stubs = tuple((each.name, each.relation.key, each.relation.other_key) for each in outline.related if each.outline is None)
        below: list[tuple[str, bool, bool, Show]] = []
        above: list[tuple[str, int, Show]] = []
        by_name = {branch.name: branch for branch in branches}
        for related in outline.related:
            if related.outline is None:
                continue
            branch, target = by_name.get(related.name), related.relation.target
            if branch is not None:
                show = self._show(related.outline, branch.branches, (*trail, target), with_deleted)
                below += [(related.name, branch.many, branch.deleted_alone and not with_deleted, show)] if show is not None else []
            elif target in trail:
                up = trail[: trail.index(target) + 1]
                show = self._show(related.outline, self._branches_of(up), up, with_deleted)
                above += [(related.name, len(up), show)] if show is not None else []
            else:
                return None
            if show is None:
                return None
        return _showing_rows(columns, below, above, stubs, tuple(each.name for each in beside))

    def _branches_of(self, trail: tuple[str, ...]) -> Sequence[_Branch]:
        branches = self._branches[trail[0]]
        for name in trail[1:]:
            branches = next(branch.branches for branch in branches if branch.entity.name == name)
        return branches

    # -- writing

    def stored(self, entity: Entity, row: Mapping[str, Any]) -> dict[str, Any]:
        """The document of a row and its schema number, by the columns that hold them. Lists are sorted by key.
        Raises InvalidData for a value that a column doesn't take."""
        document = entity.document
        assert document is not None
        held, number = _written(self._branches[entity.name], row), min(document.newest, self._known().get(entity.name, document.newest))
        for step in reversed(document.steps[number - 1 :]):
            held = step.down(held)
        text = dumps(held)
        if rb"\u0000" in text and _NUL.search(text):
            raise InvalidData(f"{entity.called} holds a NUL character")
        return {document.column: text, document.number: number}

    def _branch(self, part: DocumentPart) -> _Branch:
        fields = self._catalog.fields(part.entity)
        columns = tuple(
            _Kept(
                f"{column.name}",
                fields[column.name],
                _TYPES.get(fields[column.name].kind),
                fields[column.name].kind == "number",
                not column.nullable,
                column.info.get(LEAST),
                column.default.arg if isinstance(column.default, ScalarElementColumnDefault) else None,
            )
            for column in kept_columns(part)
        )
        names, amounts = tuple(column.name for column in columns), tuple(column.name for column in columns if column.amount)
        bounded = tuple(column for column in columns if column.amount or column.least is not None)
        root_keys = tuple(f"{column.name}" for column in part.entity.table.columns if OF_ROOT in column.info)
        below, alone = tuple(map(self._branch, part.parts)), part.entity.deleted_alone
        return _Branch(part.name, part.many, part.entity, part.owner_key, root_keys, alone, columns, names, amounts, bounded, below, {})


def _way(branches: Sequence[_Branch], name: str) -> tuple[_Branch, ...]:
    """The parts of a document that lead to the rows of an entity; none where they aren't below these."""
    for branch in branches:
        if branch.entity.name == name:
            return (branch,)
        if below := _way(branch.branches, name):
            return (branch, *below)
    return ()


def _lies_there(entity: Entity, field: Field) -> bool:
    """Whether the field is in rows read from a document: not where only the database computes it, or the document stands in for it."""
    if entity.document is not None:
        return field.column not in (entity.document.column, entity.document.number)
    return field.column not in (None, ROOT)


def _fill(branches: Sequence[_Branch], above: Row, key: str, root: str, deleted_at: Any) -> None:
    """Fill in what follows from the rows' position, and make amounts Decimal."""
    for branch in branches:
        held = above.get(branch.name)
        if held is None:
            above[branch.name] = [] if branch.many else None
            continue
        for row in held if branch.many else (held,):
            if branch.key:
                row[branch.key] = key
            for name in branch.root_keys:
                row[name] = root
            row[DELETED] = (row[DELETED] if branch.deleted_alone else None) or deleted_at
            for name in branch.amounts:
                if row[name] is not None:
                    row[name] = Decimal(row[name])
            if branch.branches:
                _fill(branch.branches, row, row[branch.entity.key], root, deleted_at)


def _written(branches: Sequence[_Branch], above: Mapping[str, Any]) -> Row:
    made: Row = {}
    for branch in branches:
        held = above[branch.name]
        if branch.many:
            rows = sorted(held, key=lambda row: str(row[branch.entity.key])) if len(held) > 1 else held
            made[branch.name] = [_kept(branch, row) for row in rows]
        elif held is not None:
            made[branch.name] = _kept(branch, held)
    return made


def _kept(branch: _Branch, row: Mapping[str, Any]) -> Row:
    made: Row = dict(zip(branch.names, map(row.get, branch.names), strict=True))
    types = tuple(map(type, made.values()))
    odd = branch.odd.get(types)
    if odd is None:
        odd = tuple(column for column, given in zip(branch.columns, types, strict=True) if not column.takes(given))
        if len(branch.odd) < ODD:
            branch.odd[types] = odd
    for column in odd:
        value = made[column.name]
        if value is None:
            value = column.default
            if value is None:
                raise InvalidData(f"{branch.entity.called} needs a value for {column.name}")
        made[column.name] = value if column.takes(type(value)) else column.field.taken(value)
    for column in branch.bounded:
        value = made[column.name]
        if value is None:
            continue
        if column.amount and not numbers.is_narrow(value):
            column.field.taken(value)  # raises the error that says why not
        if column.least is not None and value < column.least:
            raise InvalidData(f"'{column.name}' can't be {value}")
        if column.amount:
            made[column.name] = numbers.digits(value)
    if branch.branches:
        made |= _written(branch.branches, row)
    return made


def _showing_rows(
    columns: tuple[tuple[str, str, bool], ...],
    below: Sequence[tuple[str, bool, bool, Show]],
    above: Sequence[tuple[str, int, Show]],
    stubs: Sequence[tuple[str, str, str]],
    beside: tuple[str, ...],
) -> Show:
    """`columns`: name, column, whether it is a raw_ twin. `below`: name, whether a list, whether without deleted rows. `beside`: names
    that the row holds already as they are shown."""

    names, raws = tuple(name for name, _, _ in columns), tuple(name for name, _, raw in columns if raw)
    values_of = _getter(tuple(column for _, column, _ in columns))

    def show(row: Row, ups: tuple[Row, ...]) -> Row:
        made = dict(zip(names, values_of(row), strict=True))
        for name in raws:
            made[name] = numbers.raw(made[name])
        for name, many, living, inner in below:
            held = row[name]
            if many:
                made[name] = [inner(each, (*ups, each)) for each in held if not living or each[DELETED] is None]
            else:
                made[name] = inner(held, (*ups, held)) if held is not None and not (living and held[DELETED] is not None) else None
        for name, at, outer in above:
            made[name] = outer(ups[at - 1], ups[:at])
        for name, key, other_key in stubs:
            made[name] = {other_key: row[key]} if row[key] is not None else None
        for name in beside:
            made[name] = row[name]
        return made

    return show


def _getter(columns: tuple[str, ...]) -> Callable[[Row], Sequence[Any]]:
    """Return a function that gives a row's values of these columns."""
    return itemgetter(*columns) if len(columns) > 1 else lambda row: [row[column] for column in columns]
