"""Makes the statement of a page (see `statements.py`)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    table,
    true,
)

from ...budget import DEPTH
from ...errors import InvalidData
from ..db.compiled import Compiled, compiled
from ..schema.catalog import Catalog
from ..schema.deltas import NOW, deltas_of, unseen
from ..schema.entity import Entity, Relation
from ..schema.fields import FieldTree
from ..schema.query import SLOT, Query
from .anchors import (
    MOST_SORT_KEYS,
    Anchor,
    Counted,
    SortKey,
    before_anchor,
    from_anchor,
    pairs_in,
    sort_keys_of,
)
from .documents import Showing
from .filters import (
    NOTHING_HIDDEN,
    TRUE,
    FilterBuilder,
    Reach,
    Shape,
    Visible,
    join_on,
    looks_for_words,
)
from .outline import Outline, outlined

_EMPTY_LIST: ColumnElement[Any] = literal_column("'[]'::json")
_NO_TEXTS: ColumnElement[Any] = literal_column("'{}'::text[]")


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of a list, so that its statement needn't find it out: see `lists.py`.

    A statement with a known count or anchor says how many rows of the delta table it `looked` at, and whether the hints are `outdated`:
    then the answer is of no use. With an anchor it says how many rows it skipped from there to the page (`rest`): below zero the anchor
    lies behind the page, above `FARTHEST` it lies too far before it.
    """

    counted: Counted | None = None
    anchor: Anchor | None = None
    recount: bool = False
    """Return also the `snapshot` under which rows were counted."""

    @property
    def kind(self) -> tuple[bool, bool, bool]:
        """The part of the hints that the statement's text depends on."""
        return self.counted is not None, self.anchor is not None, self.recount

    def values(self) -> tuple[Any, ...]:
        counted = self.counted or (None, None)
        return (*counted, self.anchor.number, self.anchor.snapshot, *self.anchor.row) if self.anchor is not None else counted


UNKNOWN = Hints()
FARTHEST = 3000
"""Rows at most from an anchor to a page that begins there."""


class Numbered:
    """SQL whose parameters are positions in a list of values."""

    __slots__ = ("_positions", "sql")

    def __init__(self, sql: str, positions: tuple[int, ...]) -> None:
        self.sql = sql
        self._positions = positions

    def arguments(self, values: list[Any]) -> list[Any]:
        return [values[position] for position in self._positions]


class PageMaker:
    """Makes the SQL of one statement."""

    def __init__(self, catalog: Catalog, query: Query, *, hidden: bool, twins: bool, visible: Visible = NOTHING_HIDDEN) -> None:
        self._visible = visible
        self._catalog = catalog
        self._query = query
        self._hidden = hidden
        self._twins = twins
        self._numbers = itertools.count()

    def make(
        self,
        entity: Entity,
        shape: Shape,
        values: int,
        *,
        limited: bool,
        first: int | None,
        apart: bool,
        known: Hints,
        showing: Showing | None = None,
    ) -> Numbered:
        """`showing`: how rows are shown from their documents after they are read."""
        offset: ColumnElement[Any] = bindparam("offset", type_=BigInteger)
        moved = self._since(entity, shape, known.anchor is not None and "anchor")
        keys = self._keys(entity, shape) if self._query.count and looks_for_words(shape) else None
        rows = self._matching(entity, shape, at_anchor=moved is not None) if keys is None else self._named(entity, keys)
        for expression in self._order(entity, self._query.order or entity.default_order, rows):
            rows = rows.order_by(expression)
        if first is not None:
            rows = select(rows.limit(literal_column(str(first))).subquery(self._name()))
        if limited:
            rows = rows.limit(bindparam("limit", type_=BigInteger))
        rest: ColumnElement[Any] | None = None
        if moved is not None:
            rest = offset - bindparam("number", type_=BigInteger) - select(moved.c.change).scalar_subquery()
            offset = func.greatest(rest, literal_column("0"))
        found = rows.offset(offset).subquery(self._name())
        page = self._page(entity, found, showing).subquery(self._name())
        if apart:
            shown = (page.c[entity.key], func.row_to_json(page.table_valued()))
            if moved is None or rest is None:
                return _numbered(compiled(select(*shown)), values)
            beside = select(*shown, *_validity(moved), rest.label("rest")).select_from(moved.outerjoin(page, true()))
            return _numbered(compiled(beside), values)
        columns: list[ColumnElement[Any]] = [(_listed if showing is None else _texts)(page).label("page")]
        if keys is not None:
            columns.append(select(func.count()).select_from(keys).scalar_subquery().label("count"))
        elif self._query.count:
            columns += self._counted(entity, shape, known)
        if moved is not None and rest is not None:
            columns += [*_validity(moved, "anchor_"), rest.label("rest")]
        return _numbered(compiled(select(*columns)), values)

    def make_count(self, entity: Entity, shape: Shape, values: int, known: Hints) -> Numbered:
        return _numbered(compiled(select(*self._counted(entity, shape, known))), values)

    def make_anchors(self, entity: Entity, shape: Shape, values: int, known: Hints) -> Numbered:
        sort_keys = self._sort_keys(entity)
        moved = self._since(entity, shape, known.anchor is not None and "anchor")
        rows = self._matching(entity, shape, at_anchor=moved is not None)
        source = rows.get_final_froms()[0]
        order = [sort_key.ordered(source) for sort_key in sort_keys]
        number = func.row_number().over(order_by=order) - literal_column("1")
        if moved is not None:
            number = number + bindparam("number", type_=BigInteger) + select(moved.c.change).scalar_subquery()
        names = [f"value_{at}" for at in range(len(sort_keys))]
        wanted = [sort_key.of(source).label(name) for sort_key, name in zip(sort_keys, names, strict=True)]
        numbered = rows.with_only_columns(number.label("number"), *wanted).order_by(*order)
        found = numbered.limit(bindparam("limit", type_=BigInteger)).subquery(self._name())
        validity = (
            _validity(moved) if moved is not None else (literal_column("0").label("looked"), literal_column("false").label("outdated"))
        )
        columns = (found.c.number, NOW.label("snapshot"), *validity, *(found.c[name] for name in names))
        # the offset of this statement is the distance between anchors
        where = func.mod(found.c.number, bindparam("offset", type_=BigInteger)) == literal_column("0")
        return _numbered(compiled(select(*columns).where(where).order_by(found.c.number)), values)

    def _keys(self, entity: Entity, shape: Shape) -> CTE:
        """The keys of all rows that match, found once for both the page and the count."""
        rows = self._matching(entity, shape)
        return rows.with_only_columns(rows.get_final_froms()[0].c[entity.key].label("key")).cte("matching")

    def _named(self, entity: Entity, keys: CTE) -> Select[Any]:
        source = self._alias(entity.table)
        return select(source).where(source.c[entity.key].in_(select(keys.c.key)))

    # -- what is known of the list

    def _counted(self, entity: Entity, shape: Shape, known: Hints) -> list[ColumnElement[Any]]:
        since = self._since(entity, shape, known.counted is not None and "counted")
        if since is not None:
            change = select(since.c.change).scalar_subquery()
            return [(bindparam("rows", type_=BigInteger) + change).label("count"), *_validity(since)]
        count = select(func.count()).select_from(self._matching(entity, shape).subquery(self._name())).scalar_subquery()
        return [count.label("count"), NOW.label("snapshot")] if known.recount else [count.label("count")]

    def _since(self, entity: Entity, shape: Shape, name: str | Literal[False]) -> CTE | None:
        """The deltas of the list since the snapshot of the anchor or of the count: `change` in the number of rows (before the anchor, or of
        all), how many rows of the delta table it `looked` at, and whether changed links make it `outdated`."""
        if not name:
            return None
        kept = deltas_of(entity.table)
        assert kept is not None  # hints exist only for tables with deltas
        deltas = self._alias(kept)
        snapshot: BindParameter[str] = bindparam(f"{name}_snapshot", type_=Text)
        counts = self._condition(entity, deltas, shape)
        if name == "anchor":
            counts = and_(counts, before_anchor(self._sort_keys(entity), deltas))
        outdated = [self._pairs_changed(entity, kept, link, key, snapshot) for link, key in pairs_in(shape)]
        return (
            select(
                func.coalesce(func.sum(deltas.c.change).filter(counts), literal_column("0")).label("change"),
                func.count().label("looked"),
                or_(false(), *outdated).label("outdated"),
            )
            .where(unseen(deltas, snapshot))
            .cte(f"since_{name}")
        )

    def _pairs_changed(self, entity: Entity, kept: Table, link: str, key: str, snapshot: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether links have changed of rows that the snapshot saw: the deltas don't say whether those rows counted then. Rows that the
        snapshot didn't see weren't counted, so the deltas hold all of their effect."""
        pairs = self._alias(table(f"{link}_deltas", column("xid", BigInteger), column(key)))
        deltas, rows = self._alias(kept), self._alias(entity.table)
        come = select(func.coalesce(func.sum(deltas.c.change), literal_column("0"))).where(
            unseen(deltas, snapshot), deltas.c[entity.key] == pairs.c[key]
        )
        there = select(func.count()).select_from(rows).where(rows.c[entity.key] == pairs.c[key])
        if entity.soft:
            there = there.where(rows.c.deleted_at.is_(None))
        seen = come.correlate(pairs).scalar_subquery() != there.correlate(pairs).scalar_subquery()
        return exists(select(1).select_from(pairs).where(unseen(pairs, snapshot), seen))

    def _sort_keys(self, entity: Entity) -> tuple[SortKey, ...]:
        sort_keys = sort_keys_of(self._catalog, entity, self._query.order)
        assert sort_keys is not None
        return sort_keys

    # -- which rows

    def _matching(self, entity: Entity, shape: Shape, *, at_anchor: bool = False) -> Select[Any]:
        """`at_anchor`: only rows at or after the anchor."""
        source = self._alias(entity.table)
        rows = select(source)
        if entity.soft and not self._query.with_deleted and not _asks_deleted(shape):
            rows = rows.where(source.c.deleted_at.is_(None))
        sort_keys = self._sort_keys(entity) if at_anchor else ()
        if sort_keys:
            rows = rows.where(from_anchor(sort_keys, source))
        # the links of these rows begin at the anchor, too: without this condition the planner reads them from the first one on
        first = next(iter(sort_keys), None)
        reach = (lambda other: first.reaches(other, bindparam("anchor_0", type_=first.field.type))) if first is not None else None
        if shape == TRUE:
            return rows
        return rows.where(self._condition(entity, source, shape, None if first is None or reach is None else (first.field.name, reach)))

    def _condition(self, entity: Entity, source: FromClause, shape: Shape, reach: Reach | None = None) -> ColumnElement[bool]:
        return self._builder(reach).build(entity, source, shape)

    def _builder(self, reach: Reach | None = None) -> FilterBuilder:
        names = (f"p{number}" for number in itertools.count())
        with_deleted = self._query.with_deleted
        return FilterBuilder(self._catalog, names, self._alias, with_deleted=with_deleted, reach=reach, visible=self._visible)

    def _order(self, entity: Entity, order: tuple[str, ...], rows: Select[Any]) -> list[ColumnElement[Any]]:
        source = rows.get_final_froms()[0]
        return self._order_by(entity, source, order)

    def _order_by(self, entity: Entity, source: FromClause, order: tuple[str, ...], *, own: bool = False) -> list[ColumnElement[Any]]:
        """`own`: the schema's own order, which may use hidden columns; a client's order may not."""
        expressions: list[ColumnElement[Any]] = []
        keyed = False
        for name in order:
            descending, path = name.startswith("-"), name.removeprefix("-")
            expression = self._ordered(entity, source, path.split("."), descending, own=own)
            expressions.append(expression.desc() if descending else expression.asc())
            keyed = keyed or path == entity.key
        if not keyed:  # rows with equal sort keys must keep their order from page to page
            expressions.append(source.c[entity.key].asc())
        return expressions

    def _ordered(self, entity: Entity, source: FromClause, path: list[str], descending: bool, *, own: bool = False) -> ColumnElement[Any]:
        first, rest = path[0], path[1:]
        fields = self._catalog.fields(entity)
        if not rest and first in fields and (own or self._hidden or not fields[first].hidden) and fields[first].kind not in ("json", "raw"):
            return fields[first].of(source)
        relation = entity.relations.get(first)
        if relation is None or not rest or len(path) > DEPTH:
            raise InvalidData(f"{entity.called} can't be ordered by '{'.'.join(path)}'")
        target = self._catalog.schema[relation.target]
        other = self._alias(target.table)
        value = self._ordered(target, other, rest, descending)
        if relation.kind != "one":  # of many rows, the first one counts
            value = func.max(value) if descending else func.min(value)
        query = select(value).where(*join_on(self._alias, entity, source, relation, target, other), *self._seen(target, other))
        if target.soft and not self._query.with_deleted:
            query = query.where(other.c.deleted_at.is_(None))
        return query.correlate(source).scalar_subquery()

    # -- what is shown of them

    def _page(self, entity: Entity, found: FromClause, showing: Showing | None) -> Select[Any]:
        if showing is None:
            tree, slots = FieldTree.parse(self._query.fields), FieldTree.parse(self._query.slots)
            return self._shown(outlined(self._catalog, entity, tree, hidden=self._hidden, twins=self._twins), found, slots)
        kept = tuple(field for field in self._catalog.fields(entity).values() if field.kind != "raw")
        whole = Outline(entity, kept, showing.beside)
        return self._shown(whole, found, FieldTree())

    def _shown(self, outline: Outline, source: FromClause, slots: FieldTree) -> Select[Any]:
        """A select of the shown columns and relations over rows of the entity."""
        columns = [field.shown(source) for field in outline.columns]
        for related in outline.related:
            if related.outline is None:
                columns.append(_stub(source.c[related.relation.key], related.relation.other_key).label(related.name))
            else:
                inner = slots.children.get(related.name) or FieldTree()
                columns.append(self._related(outline.entity, source, related.relation, related.outline, inner).label(related.name))
        for name, slot in slots.children.items():
            if not slot.children:
                columns.append(func.concat(literal_column(f"'{SLOT}'"), source.c[outline.entity.key]).label(name))
        return select(*columns).select_from(source)

    def _related(self, entity: Entity, source: FromClause, relation: Relation, outline: Outline, slots: FieldTree) -> ColumnElement[Any]:
        """The JSON of a relation: an object or null for one, a list for many."""
        target = outline.entity
        other = self._alias(target.table)
        joined = join_on(self._alias, entity, source, relation, target, other)
        rows = self._shown(outline, other, slots).where(*joined, *self._seen(target, other))
        if target.soft and not self._query.with_deleted:
            rows = rows.where(other.c.deleted_at.is_(None))
        if relation.kind != "one":
            rows = rows.order_by(*self._order_by(target, other, relation.order or target.default_order, own=True))
        inner = rows.correlate(source).subquery(self._name())
        shown = _listed(inner) if relation.kind != "one" else func.row_to_json(inner.table_valued())
        return select(shown).scalar_subquery()

    def _seen(self, entity: Entity, source: FromClause) -> tuple[ColumnElement[bool], ...]:
        """Further conditions on rows below the root."""
        return (self._builder().is_visible(entity, source),) if entity.name in self._visible else ()

    # -- names

    def _name(self) -> str:
        return f"t{next(self._numbers)}"

    def _alias(self, table: FromClause) -> Any:
        return table.alias(self._name())


def _stub(key: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """What is shown of a row that belongs to a whole one and wasn't asked for: its key."""
    there = func.json_build_object(literal_column(f"'{name}'"), key)
    return case((key.isnot(None), there))


def _listed(rows: Any) -> ColumnElement[Any]:
    return func.coalesce(func.json_agg(func.row_to_json(rows.table_valued())), _EMPTY_LIST)


def _texts(rows: Any) -> ColumnElement[Any]:
    """The rows one by one, each as its JSON text."""
    return func.coalesce(func.array_agg(cast(func.row_to_json(rows.table_valued()), Text)), _NO_TEXTS)


def _validity(since: CTE, prefix: str = "") -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return tuple(select(since.c[name]).scalar_subquery().label(f"{prefix}{name}") for name in ("looked", "outdated"))  # type: ignore[return-value]


def _numbered(statement: Compiled, values: int) -> Numbered:
    """SQL whose arguments come from a list: filter values, then offset and limit, then hints."""
    names = ("offset", "limit", "rows", "counted_snapshot", "number", "anchor_snapshot", *(f"anchor_{at}" for at in range(MOST_SORT_KEYS)))
    positions = {name: values + at for at, name in enumerate(names)}
    return Numbered(statement.sql, tuple(positions[name] if name in positions else int(name[1:]) for name in statement.names))


def _asks_deleted(shape: Shape) -> bool:
    """Whether a filter names `deleted_at`: then the usual condition on it is left out."""
    if shape[0] == "and":
        return any(_asks_deleted(part) for part in shape[1:])
    if shape[0] == "not":
        return _asks_deleted(shape[1])
    return len(shape) > 1 and shape[1] == "deleted_at"
