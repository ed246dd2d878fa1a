"""One statement a page: (entity, field tree, filters, order, page) → SQL whose result is the JSON text of the page.

    SELECT coalesce(json_agg(row_to_json(page)), '[]')
    FROM (SELECT p.id, p.title, (SELECT json_agg(…) FROM (SELECT … WHERE variant.product_id = p.id) …) AS variants
          FROM (SELECT * FROM product WHERE … ORDER BY … LIMIT …) AS p) AS page

The inner select finds the rows of the page, so that relations are made for those only. Statements are made once for each
shape of query and kept; a query of a known shape costs a look-up and its values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import InvalidData
from ...kept import BoundedCache, weight
from ..db.compiled import WIDE, BoundStatement
from ..schema.catalog import Catalog
from ..schema.query import Query
from ..schema.schema import Schema
from .anchors import Anchor
from .documents import Documents
from .filters import NOTHING_HIDDEN, TRUE, FilterReader, Shape, Visible, looks_for_words
from .pages import FARTHEST, UNKNOWN, Hints, Numbered, PageMaker

STATEMENT_BYTES = 4 * 1024 * 1024
"""Bytes of statement texts and of their shapes that a module keeps."""
_SMALLEST, _LARGEST = 64, 2**20
"""Bounds of the number of rows that a page is looked for in (see `_first_rows`)."""
_KEPT = "(kept)"
"""Stands in for the fields of rows that come as they are stored: no field has this name."""
_FURTHER = 8
"""Anchors are searched beyond the page by an eighth of the way to it, and by at least eight anchors."""


class Statements:
    """The statements of one module's entities, made when they are first needed."""

    def __init__(self, schema: Schema, known: Callable[[], Mapping[str, int]] = dict) -> None:
        """`known`: see `Documents`."""
        self.catalog = Catalog(schema)
        self.documents = Documents(self.catalog, known)
        self._pages: BoundedCache[Numbered] = BoundedCache(STATEMENT_BYTES)
        self._whole: dict[str, Numbered] = {}
        """By entity with a document: the statement that finds one row by its key."""

    def page(
        self, query: Query, *, hidden: bool = False, twins: bool = True, apart: bool = False, known: Hints | None = None
    ) -> BoundStatement:
        """The statement of a page. Its row: the JSON text of the page, and the count where the query wants it.

        Rows that are shown from their documents come as they are stored (`documents.showing` says which rows, and shows them): the page is
        a list of JSON texts then, one a row.

        `hidden`: hidden columns may be named (business code of the module). `twins`: `*` includes raw_ twins. `apart`: one row of the
        answer for each row of the page, with its key and its JSON text. `known`: what is known of the list; further columns are described
        in `Hints`. Raises InvalidData for an unknown field, a value that doesn't fit its column, or an invalid offset or limit.
        """
        entity = self.catalog.schema[query.entity]
        reader = FilterReader(self.catalog, hidden=hidden, visible=query.visible)
        shape = reader.read(entity, query.filters) if query.filters else TRUE
        visible = self._visible(query, reader) if query.visible else NOTHING_HIDDEN
        values = reader.values
        limit, offset = _bounds(query)
        known = known or UNKNOWN
        first = _first_rows(limit, offset if known.anchor is None else FARTHEST)
        showing = self.documents.showing(query, hidden=hidden, twins=twins)
        fields = tuple(query.fields) if showing is None else (_KEPT, *(query.fields if showing.beside else ()))
        key = (
            query.entity, fields, shape, tuple(query.order), first, limit is not None,
            query.with_deleted, query.count, tuple(query.slots), hidden, twins, apart, known.kind, tuple(visible.items()),
        )  # fmt: skip
        statement = self._pages.get(key)
        if statement is None:
            maker = PageMaker(self.catalog, query, hidden=hidden, twins=twins, visible=visible)
            limited = limit is not None
            statement = maker.make(entity, shape, len(values), limited=limited, first=first, apart=apart, known=known, showing=showing)
            self._keep(key, statement)
        values += (offset, limit, *known.values())
        return BoundStatement(statement.sql, statement.arguments(values), looks_for_words(shape))

    def whole(self, entity_name: str, key: Any) -> BoundStatement:
        """The statement of one row as it is stored, with its document and hidden columns. Its row: a list of that row's JSON text, or of
        none."""
        entity = self.catalog.schema[entity_name]
        statement = self._whole.get(entity_name)
        if statement is None:
            query = Query(entity_name, ("*", self.catalog.schema.parts[entity_name][0].name), {entity.key: key}, limit=1)
            shape = FilterReader(self.catalog, hidden=True).read(entity, query.filters)
            showing = self.documents.showing(query, hidden=True, twins=False)
            maker = PageMaker(self.catalog, query, hidden=True, twins=False)
            statement = self._whole[entity_name] = maker.make(
                entity, shape, 1, limited=True, first=_first_rows(1, 0), apart=False, known=UNKNOWN, showing=showing
            )
        return BoundStatement(statement.sql, statement.arguments([self.catalog.fields(entity)[entity.key].coerce(key), 0, 1]))

    def count(self, entity_name: str, filters: Any, *, known: Hints | None = None) -> BoundStatement:
        """The statement that counts rows. Its row: the count, and the columns that `Hints` describes."""
        entity = self.catalog.schema[entity_name]
        reader = FilterReader(self.catalog, hidden=True)
        shape = reader.read(entity, filters) if filters else TRUE
        known = known or UNKNOWN
        key = ("count", entity_name, shape, known.kind)
        statement = self._pages.get(key)
        if statement is None:
            maker = PageMaker(self.catalog, Query(entity_name), hidden=True, twins=False)
            statement = maker.make_count(entity, shape, len(reader.values), known)
            self._keep(key, statement)
        return BoundStatement(statement.sql, statement.arguments([*reader.values, 0, None, *known.values()]), looks_for_words(shape))

    def anchors(self, query: Query, every: int, anchor: Anchor | None) -> BoundStatement:
        """The statement that finds anchors of a list, one for every `every` rows: from a known anchor, or the first row, to the page and
        beyond.

        Its rows: number, snapshot, rows of the delta table that were read, whether the known anchor is outdated, values.
        """
        entity = self.catalog.schema[query.entity]
        reader = FilterReader(self.catalog, hidden=False, visible=query.visible)
        shape = reader.read(entity, query.filters) if query.filters else TRUE
        known = Hints(anchor=anchor)
        key = ("places", query.entity, shape, tuple(query.order), known.kind)
        statement = self._pages.get(key)
        if statement is None:
            maker = PageMaker(self.catalog, query, hidden=False, twins=False)
            statement = maker.make_anchors(entity, shape, len(reader.values), known)
            self._keep(key, statement)
        distance = query.offset - (anchor.number if anchor is not None else 0)
        most = distance + max(distance // _FURTHER, _FURTHER * every)  # the reader of this page is likely to turn to the next ones
        return BoundStatement(statement.sql, statement.arguments([*reader.values, every, most, *known.values()]), custom_plan=True)

    def _keep(self, key: Any, statement: Numbered) -> None:
        if len(statement.sql) <= WIDE:
            self._pages.keep(key, statement, len(statement.sql) + weight(key))

    def shape_of(self, query: Query) -> Shape:
        """The shape of a query's filters. Raises InvalidData."""
        entity = self.catalog.schema[query.entity]
        return FilterReader(self.catalog, hidden=False, visible=query.visible).read(entity, query.filters) if query.filters else TRUE

    def _visible(self, query: Query, reader: FilterReader) -> Visible:
        """The condition on rows below the root, by entity; its values follow those of the filters."""
        visible: dict[str, tuple[Shape, int]] = {}
        for name, filters in sorted(query.visible.items()):
            inner = FilterReader(self.catalog, hidden=False)
            visible[name] = (inner.read(self.catalog.schema[name], filters), len(reader.values))
            reader.values += inner.values
        return visible


def _first_rows(limit: int | None, offset: int) -> int | None:
    """A number of rows, among all that match, that is sure to contain the page. The planner sees this number; the page's own bounds it
    doesn't see, so it would guess a tenth of the table and sort all of it. There are few such numbers, so there are few statements."""
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
