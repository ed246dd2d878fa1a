"""One statement a page: (entity, field tree, filters, order, page) → SQL whose result is the JSON text of the page.

    SELECT coalesce(json_agg(row_to_json(page)), '[]')
    FROM (SELECT p.id, p.title, (SELECT json_agg(…) FROM (SELECT … WHERE variant.product_id = p.id) …) AS variants
          FROM (SELECT * FROM product WHERE … ORDER BY … LIMIT …) AS p) AS page

The inner select finds the rows of the page, so that relations are made for those only. Statements are made once for each
shape of query and kept; a query of a known shape costs a look-up and its values.
"""

from __future__ import annotations

import itertools
from typing import Any

from cachetools import LRUCache
from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, bindparam, func, literal_column, select

from ..errors import InvalidData
from ..query.fields import FieldTree
from ..query.page import SLOT, Query
from .catalog import Catalog
from .compiled import Asked, Compiled, compiled
from .entity import Entity, Relation, Schema
from .filters import TRUE, FilterBuilder, FilterReader, Shape, join_on

_SHAPES = 2048
_SMALLEST, _LARGEST = 64, 2**20
"""Rows that a page is looked for in (see `_first_rows`)."""
_DEEPEST = 12
_EMPTY_LIST: ColumnElement[Any] = literal_column("'[]'::json")


class Numbered:
    """SQL whose parameters are places in a list of values."""

    __slots__ = ("_places", "sql")

    def __init__(self, sql: str, places: tuple[int, ...]) -> None:
        self.sql = sql
        self._places = places

    def arguments(self, values: list[Any]) -> list[Any]:
        return [values[place] for place in self._places]


class Statements:
    """The statements of one module's entities, made as they are asked for."""

    def __init__(self, schema: Schema) -> None:
        self.catalog = Catalog(schema)
        self._pages: LRUCache[Any, Numbered] = LRUCache(_SHAPES)

    def page(self, query: Query, *, hidden: bool = False, twins: bool = True, apart: bool = False) -> Asked:
        """The statement of a page. Its row: the JSON text of the page, and the count where it was asked for.

        `hidden`: hidden columns may be named (business code of the module). `twins`: `*` includes raw_ twins. `apart`: a row of the answer
        for each of the page, its key and its JSON text.
        Raises InvalidData for an unknown field, a value that doesn't fit its column, a page that isn't one.
        """
        entity = self.catalog.schema[query.entity]
        reader = FilterReader(self.catalog, hidden=hidden)
        shape = reader.read(entity, query.filters) if query.filters else TRUE
        values = reader.values
        limit, offset = _bounds(query)
        first = _first_rows(limit, offset)
        key = (
            query.entity, tuple(query.fields), shape, tuple(query.order), first, limit is not None,
            query.with_deleted, query.count, tuple(query.slots), hidden, twins, apart,
        )  # fmt: skip
        statement = self._pages.get(key)
        if statement is None:
            maker = _PageMaker(self.catalog, query, hidden=hidden, twins=twins)
            statement = self._pages[key] = maker.make(entity, shape, len(values), limited=limit is not None, first=first, apart=apart)
        values.append(offset)
        values.append(limit)
        return Asked(statement.sql, statement.arguments(values), _looks_for_words(shape))

    def count(self, entity_name: str, filters: Any, *, with_deleted: bool = False) -> Asked:
        """The statement that counts rows."""
        entity = self.catalog.schema[entity_name]
        reader = FilterReader(self.catalog, hidden=True)
        shape = reader.read(entity, filters) if filters else TRUE
        key = ("count", entity_name, shape, with_deleted)
        statement = self._pages.get(key)
        if statement is None:
            maker = _PageMaker(self.catalog, Query(entity_name, with_deleted=with_deleted), hidden=True, twins=False)
            statement = self._pages[key] = maker.make_count(entity, shape)
        return Asked(statement.sql, statement.arguments(reader.values), _looks_for_words(shape))


class _PageMaker:
    """Makes one statement."""

    def __init__(self, catalog: Catalog, query: Query, *, hidden: bool, twins: bool) -> None:
        self._catalog = catalog
        self._query = query
        self._hidden = hidden
        self._twins = twins
        self._numbers = itertools.count()

    def make(self, entity: Entity, shape: Shape, values: int, *, limited: bool, first: int | None, apart: bool) -> Numbered:
        tree = FieldTree.parse(self._query.fields)
        rows = self._matching(entity, shape)
        for expression in self._order(entity, self._query.order or entity.default_order, rows):
            rows = rows.order_by(expression)
        if first is not None:
            rows = select(rows.limit(literal_column(str(first))).subquery(self._name()))
        if limited:
            rows = rows.limit(bindparam("limit", type_=BigInteger))
        rows = rows.offset(bindparam("offset", type_=BigInteger))
        found = rows.subquery(self._name())
        slots = FieldTree.parse(self._query.slots)
        page = self._shown(entity, tree, found, slots, depth=0).subquery(self._name())
        if apart:
            return _numbered(compiled(select(page.c[entity.key], func.row_to_json(page.table_valued()))), values)
        columns: list[ColumnElement[Any]] = [_listed(page).label("page")]
        if self._query.count:
            count = select(func.count()).select_from(self._matching(entity, shape).subquery(self._name()))
            columns.append(count.scalar_subquery().label("count"))
        return _numbered(compiled(select(*columns)), values)

    def make_count(self, entity: Entity, shape: Shape) -> Numbered:
        return _numbered(compiled(select(func.count()).select_from(self._matching(entity, shape).subquery(self._name()))), -1)

    # -- which rows

    def _matching(self, entity: Entity, shape: Shape) -> Select[Any]:
        source = self._alias(entity.table)
        names = (f"p{number}" for number in itertools.count())
        builder = FilterBuilder(self._catalog, names, self._alias, with_deleted=self._query.with_deleted)
        rows = select(source)
        if entity.soft and not self._query.with_deleted and not _asks_deleted(shape):
            rows = rows.where(source.c.deleted_at.is_(None))
        return rows if shape == TRUE else rows.where(builder.build(entity, source, shape))

    def _order(self, entity: Entity, order: tuple[str, ...], rows: Select[Any]) -> list[ColumnElement[Any]]:
        source = rows.get_final_froms()[0]
        return self._order_by(entity, source, order)

    def _order_by(self, entity: Entity, source: FromClause, order: tuple[str, ...], *, own: bool = False) -> list[ColumnElement[Any]]:
        """`own`: the schema's order, which may go by hidden columns, not a client's."""
        expressions: list[ColumnElement[Any]] = []
        keyed = False
        for name in order:
            descending, path = name.startswith("-"), name.removeprefix("-")
            expression = self._ordered(entity, source, path.split("."), descending, own=own)
            expressions.append(expression.desc() if descending else expression.asc())
            keyed = keyed or path == entity.key
        if not keyed:  # rows that are equal so far must not change places from page to page
            expressions.append(source.c[entity.key].asc())
        return expressions

    def _ordered(self, entity: Entity, source: FromClause, path: list[str], descending: bool, *, own: bool = False) -> ColumnElement[Any]:
        first, rest = path[0], path[1:]
        fields = self._catalog.fields(entity)
        if not rest and first in fields and (own or self._hidden or not fields[first].hidden) and fields[first].kind not in ("json", "raw"):
            return fields[first].of(source)
        relation = entity.relations.get(first)
        if relation is None or not rest or len(path) > _DEEPEST:
            raise InvalidData(f"{entity.called} can't be ordered by '{'.'.join(path)}'")
        target = self._catalog.schema[relation.target]
        other = self._alias(target.table)
        value = self._ordered(target, other, rest, descending)
        if relation.kind != "one":  # of many, the one that comes first
            value = func.max(value) if descending else func.min(value)
        query = select(value).where(*join_on(self._alias, entity, source, relation, target, other))
        if target.soft and not self._query.with_deleted:
            query = query.where(other.c.deleted_at.is_(None))
        return query.correlate(source).scalar_subquery()

    # -- what is shown of them

    def _shown(self, entity: Entity, tree: FieldTree, source: FromClause, slots: FieldTree, *, depth: int) -> Select[Any]:
        """A select of the wanted columns and relations over rows of the entity. The key is always among them."""
        if depth > _DEEPEST:
            raise InvalidData("Fields are nested too deeply")
        fields = self._catalog.fields(entity)
        whole = tree.all if depth == 0 else tree.whole
        for name, child in tree.children.items():
            field = fields.get(name)
            # what lies below a JSON column is shown with all of it
            known = field is not None and (self._hidden or not field.hidden) and (not child.children or field.kind == "json")
            if not known and name not in entity.relations:
                below = f".{next(iter(child.children))}" if child.children else ""
                raise InvalidData(f"{entity.called} has no field '{name}{below}'")
        columns: list[ColumnElement[Any]] = []
        for name, field in fields.items():
            named = name in tree.children and name not in entity.relations
            starred = whole and not field.hidden and (self._twins or field.kind != "raw")
            if named or starred or name == entity.key:
                columns.append(field.shown(source))
        for name, relation in entity.relations.items():
            subtree = tree.children.get(name)
            if subtree is not None:
                inner = slots.children.get(name) or FieldTree()
                columns.append(self._related(entity, source, relation, subtree, inner, depth + 1).label(name))
        for name, slot in slots.children.items():
            if not slot.children:
                columns.append(func.concat(literal_column(f"'{SLOT}'"), source.c[entity.key]).label(name))
        return select(*columns).select_from(source)

    def _related(
        self, entity: Entity, source: FromClause, relation: Relation, tree: FieldTree, slots: FieldTree, depth: int
    ) -> ColumnElement[Any]:
        """The JSON of a relation: an object or null for one, a list for many."""
        target = self._catalog.schema[relation.target]
        other = self._alias(target.table)
        rows = self._shown(target, tree, other, slots, depth=depth).where(*join_on(self._alias, entity, source, relation, target, other))
        if target.soft and not self._query.with_deleted:
            rows = rows.where(other.c.deleted_at.is_(None))
        if relation.kind != "one":
            rows = rows.order_by(*self._order_by(target, other, relation.order or target.default_order, own=True))
        inner = rows.correlate(source).subquery(self._name())
        shown = _listed(inner) if relation.kind != "one" else func.row_to_json(inner.table_valued())
        return select(shown).scalar_subquery()

    # -- names

    def _name(self) -> str:
        return f"t{next(self._numbers)}"

    def _alias(self, table: FromClause) -> Any:
        return table.alias(self._name())


def _listed(rows: Any) -> ColumnElement[Any]:
    return func.coalesce(func.json_agg(func.row_to_json(rows.table_valued())), _EMPTY_LIST)


def _numbered(statement: Compiled, values: int) -> Numbered:
    """Its arguments come out of a list: filter values, then offset, then limit."""
    places = {"offset": values, "limit": values + 1}
    return Numbered(statement.sql, tuple(places[name] if name in places else int(name[1:]) for name in statement.names))


def _asks_deleted(shape: Shape) -> bool:
    """Whether a filter itself says which rows it wants by `deleted_at`: then the usual one would only get in its way."""
    if shape[0] == "and":
        return any(_asks_deleted(part) for part in shape[1:])
    if shape[0] == "not":
        return _asks_deleted(shape[1])
    return len(shape) > 1 and shape[1] == "deleted_at"


def _looks_for_words(shape: Shape) -> bool:
    """Whether rows are found by words of which there is an index: for rare ones that is the way, for frequent ones the order of the page,
    and a planner that doesn't see the words walks through the whole table for what an index finds at once."""
    if shape[0] in ("and", "or", "not"):
        return any(_looks_for_words(part) for part in shape[1:])
    if shape[0] == "relation":
        return _looks_for_words(shape[2])
    return shape[0] == "q" and not all(shape[1:])


def _first_rows(limit: int | None, offset: int) -> int | None:
    """So many rows, of all that match, have a page among them: a number that the planner sees, which takes the page's own bounds, which it
    doesn't see, for a tenth of the table, and sorts all of it. There are few of them, so there are few statements."""
    rows = _SMALLEST
    while limit is not None and rows <= _LARGEST:
        if offset + limit <= rows:
            return rows
        rows *= 4
    return None


def _bounds(query: Query) -> tuple[int | None, int]:
    limit, offset = query.limit, query.offset
    if limit is not None and limit < 0:
        raise InvalidData("'limit' can't be negative")
    if offset < 0:
        raise InvalidData("'offset' can't be negative")
    return limit, offset
