"""Statements that change rows: any number of rows in one statement, whose text doesn't depend on the number.

Rows are sent as one jsonb parameter that `jsonb_to_recordset` turns into typed columns; numbers keep all their digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    Table,
    any_,
    bindparam,
    case,
    column,
    delete,
    func,
    literal_column,
    select,
    type_coerce,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.schema import Column, DefaultClause

from ... import json
from ...errors import InvalidData
from ...ids import new_id
from ...kept import BoundedCache, weight
from ...rows import Row, Rows, Typed, TypedRows
from ..db.compiled import DIALECT, Compiled, SelfRecording, answering, compiled
from ..schema.catalog import Catalog
from ..schema.columns import GUARD, MERGED
from ..schema.entity import Entity, Relation
from ..schema.values import Field
from .merging import check_merged, merged_in_place

_EMPTY_LIST: ColumnElement[Any] = literal_column("'[]'::json")
_SHAPES = 4096
"""For how many sets of columns the prepared form of an insert, or its statement, is kept."""
UPDATE_BYTES = 4 * 1024 * 1024
"""Bytes of the statements of updates that are kept: clients choose the columns that they name, in any combination."""
_FEW = 4
_SEEN = "seen_"
"""Prefix of parameters."""
_ABSENT = "-"
"""Prefix of a column's name: marks a row that leaves the column out, where that differs from null."""


class WriteStatements:
    """The writing statements of one module's entities, made when they are first needed."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._made: dict[tuple[Any, ...], Compiled] = {}
        self._updates: BoundedCache[Compiled] = BoundedCache(UPDATE_BYTES)
        self._inserts: dict[tuple[Any, ...], SelfRecording] = {}
        self._defaults: dict[str, list[Column[Any]]] = {}
        self._merged: dict[str, dict[str, int]] = {}
        """Entity → its columns that are changed key by key, and how many bytes they may have."""
        self._columns: dict[tuple[str, frozenset[str]], tuple[tuple[str, ...], tuple[str, ...]]] = {}

    # -- rows on their way in

    def new_rows(self, entity: Entity, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Rows to insert, checked and with their keys. Raises InvalidData for a name that isn't a column of the entity."""
        made = []
        defaults = self._defaults.get(entity.name)
        if defaults is None:
            defaults = self._defaults[entity.name] = [col for col in entity.table.columns if col.default is not None]
        for row in rows:
            checked = self.checked(entity, row)
            if checked.get(entity.key) is None and entity.prefix is not None:
                checked[entity.key] = new_id(entity.prefix)
            for col in defaults:
                if col.name not in checked:
                    checked[str(col.name)] = _python_default(col)
            made.append(checked)
        return made

    def checked(self, entity: Entity, row: Mapping[str, Any]) -> Row:
        """The row with its values converted to the columns' types."""
        if entity.document is not None or entity.inside is not None:
            raise TypeError(f"{entity.called} lies in a document, which its module writes as a whole")
        fields = self._catalog.fields(entity)
        checked: Row = {}
        for name, value in row.items():
            field = fields.get(name)
            if field is None or field.column != name:
                if name in entity.relations:
                    raise InvalidData(f"{entity.called} takes no '{name}' here: it is a relation")
                raise InvalidData(f"{entity.called} has no field '{name}'")
            checked[name] = value if value is None else field.taken(value)
        return checked

    def check_merged(self, entity: Entity, rows: Sequence[Row], stored: Sequence[Mapping[str, Any]]) -> None:
        """Check the rows that an update gave, as they are `stored` now. Raises what `merging.check_merged` raises."""
        merged = self._merged.get(entity.name)
        if merged is None:
            limits = {str(col.name): col.info.get(MERGED) for col in entity.table.columns}
            merged = self._merged[entity.name] = {name: most for name, most in limits.items() if most is not None}
        changed = [row for row in rows if any(row.get(name) for name in merged)]
        after = {row[entity.key]: row for row in stored} if changed else {}
        for row in changed:
            for name, most in merged.items():
                check_merged(after[row[entity.key]].get(name), row.get(name), most)

    # -- statements; each gives one value: the JSON of the rows it touched, unless said otherwise

    def insert(self, entity: Entity, rows: Sequence[Row], *, or_nothing: bool = False) -> tuple[Compiled, dict[str, Any]]:
        """Insert rows. `or_nothing`: rows whose key is taken are left out."""
        names, rows = self._prepared(entity, rows)
        key = ("insert", entity.name, names, or_nothing)
        statement = self._made.get(key) or self._keep(key, self._insert(entity, names, or_nothing))
        return statement, {"rows": json.dumps(rows)}

    def insert_all(
        self,
        parts: Sequence[tuple[Entity, Sequence[Row]]],
        pairs: Sequence[tuple[Table, Sequence[tuple[str, str]]]] = (),
        seen: tuple[Entity, Row] | None = None,
    ) -> tuple[SelfRecording, dict[str, Any]]:
        """Insert rows of several entities that may refer to each other, and pairs for tables of two keys. Gives the JSON of a list of
        lists; null, and nothing is inserted, where no row of an entity is as it was `seen` (see `_as_seen`)."""
        prepared = [self._prepared(entity, rows) for entity, rows in parts]
        shape = tuple((parts[i][0].name, names) for i, (names, _) in enumerate(prepared)), tuple(t.name for t, _ in pairs)
        key = (*shape, *((seen[0].name, *seen[1]) if seen is not None else ()))
        statement = self._inserts.get(key)
        if statement is None:
            lists = []
            as_seen = _as_seen(*seen) if seen is not None else None
            for number, (entity, _) in enumerate(parts):
                inserted = self._inserted(entity, prepared[number][0], f"_{number}", as_seen).returning(*entity.table.columns)
                lists.append(self._list(entity, inserted.cte(f"made_{number}"), f"shown_{number}").scalar_subquery())
            made = func.json_build_array(*lists)
            query = select(made if as_seen is None else case((as_seen, made)))
            for number, (table, _) in enumerate(pairs):
                columns = list(table.columns)[:2]
                given = _recordset([column(col.name, col.type) for col in columns], f"_pairs_{number}")
                taken = select(*given.c) if as_seen is None else select(*given.c).where(as_seen)
                paired = pg_insert(table).from_select(columns, taken).on_conflict_do_nothing()
                query = query.add_cte(paired.cte(f"paired_{number}"))
            statement = answering(query)
            if len(self._inserts) < _SHAPES:
                self._inserts[key] = statement
        params: dict[str, Any] = {f"rows_{number}": json.dumps(rows) for number, (_, rows) in enumerate(prepared)}
        params |= {f"{_SEEN}{name}": value for name, value in (seen[1].items() if seen is not None else ())}
        for number, (table, each) in enumerate(pairs):
            left, right = [str(col.name) for col in table.columns][:2]
            params[f"rows_pairs_{number}"] = json.dumps([{left: one, right: other} for one, other in each])
        return statement, params

    def update(self, entity: Entity, names: tuple[str, ...], rows: Sequence[Row]) -> tuple[Compiled, dict[str, Any]]:
        """Update rows. `names`: the columns that all rows name, the key among them."""
        few = len(rows) <= _FEW
        key = ("update", entity.name, names, few)
        statement = self._updates.get(key) or self._keep_update(key, self._shown(entity, self._updated(entity, names, few).cte("made")))
        return statement, {"rows": json.dumps(rows)}

    def update_kept(self, entity: Entity, names: tuple[str, ...], rows: Sequence[Row]) -> tuple[Compiled, dict[str, Any]]:
        """`update` that gives a second value: the JSON of pairs of the rows' columns, as they were and as they are (see `undo.Change`)."""
        few = len(rows) <= _FEW
        key = ("update kept", entity.name, names, few)
        statement = self._updates.get(key) or self._keep_update(key, self._update_kept(entity, names, few))
        return statement, {"rows": json.dumps(rows)}

    def lock(self, entity: Entity, keys: Sequence[Any]) -> tuple[Compiled, dict[str, Any]]:
        """Lock rows in the order of their keys, so that two transactions with the same rows can't deadlock. Gives the keys as rows."""
        made = self._made.get(("lock", entity.name))
        if made is None:
            key = entity.table.c[entity.key]
            query = select(key).where(_keys(entity)).order_by(key).with_for_update()
            if entity.soft:
                query = query.where(entity.table.c.deleted_at.is_(None))
            made = self._keep(("lock", entity.name), compiled(query))
        return made, {"keys": list(keys)}

    def delete(self, entity: Entity, by: str, *, kept: bool = False) -> Compiled:
        """Delete rows by a column that is any of `keys`: softly where the table can, else for good. Gives the keys as rows; `kept`: also
        the time of deletion, or all of a row that is deleted for good.
        """
        made = self._made.get(("delete", entity.name, by, kept))
        if made is None:
            if entity.inside is not None:
                raise TypeError(f"{entity.called} lies in a document, which its module writes as a whole")
            table = entity.table
            condition = table.c[by] == any_(bindparam("keys", type_=ARRAY(table.c[by].type)))
            if entity.soft:
                # now() is the same in the whole transaction: restoring finds by it the rows that were deleted together
                statement: Any = update(table).where(condition, table.c.deleted_at.is_(None)).values(deleted_at=func.now())
            else:
                statement = delete(table).where(condition)
            further = [_whole(table) if not entity.soft else func.to_jsonb(table.c.deleted_at)] if kept else []
            made = self._keep(("delete", entity.name, by, kept), compiled(statement.returning(table.c[entity.key], *further)))
        return made

    def children(self, entity: Entity, by: str) -> Compiled:
        """The keys of rows whose column is any of `keys`."""
        made = self._made.get(("children", entity.name, by))
        if made is None:
            table = entity.table
            query = select(table.c[entity.key]).where(table.c[by] == any_(bindparam("keys", type_=ARRAY(table.c[by].type))))
            made = self._keep(("children", entity.name, by), compiled(query))
        return made

    def restore(self, entity: Entity, by: str | None) -> Compiled:
        """Undo a soft delete: of the rows with the `keys`, or of rows by a column and the time of deletion (`keys` and `times`, pairwise).

        Gives (key, time of deletion) as rows.
        """
        made = self._made.get(("restore", entity.name, by))
        if made is None:
            table = entity.table
            if by is None:
                gone = select(table.c[entity.key].label("key"), table.c.deleted_at.label("time")).where(_keys(entity))
            else:
                pairs = (
                    func.unnest(bindparam("keys", type_=ARRAY(table.c[by].type)), bindparam("times", type_=ARRAY(table.c.deleted_at.type)))
                    .table_valued(column("key", table.c[by].type), column("time", table.c.deleted_at.type))
                    .render_derived(name="pairs")
                )
                gone = select(table.c[entity.key].label("key"), table.c.deleted_at.label("time")).where(
                    table.c[by] == pairs.c.key, table.c.deleted_at == pairs.c.time
                )
            found = gone.where(table.c.deleted_at.is_not(None)).with_for_update(of=table).cte("gone")
            statement = update(table).where(table.c[entity.key] == found.c.key).values(deleted_at=None).returning(found.c.key, found.c.time)
            made = self._keep(("restore", entity.name, by), compiled(statement))
        return made

    # -- making them

    def _keep(self, key: tuple[Any, ...], statement: Compiled) -> Compiled:
        self._made[key] = statement
        return statement

    def _keep_update(self, key: tuple[Any, ...], statement: Compiled) -> Compiled:
        self._updates.keep(key, statement, weight(key) + weight(statement.names) + weight(statement.sql))
        return statement

    def _prepared(self, entity: Entity, rows: Sequence[Row]) -> tuple[tuple[str, ...], Sequence[Row]]:
        """The columns that rows are inserted with, and the rows with marks for the columns that they leave out."""
        key = (entity.name, frozenset().union(*rows))
        found = self._columns.get(key)
        if found is None:
            columns = [col for col in entity.table.columns if col.computed is None and (col.identity is None or col.name in key[1])]
            found = tuple(str(col.name) for col in columns), tuple(str(col.name) for col in _partial(columns))
            if len(self._columns) < _SHAPES:
                self._columns[key] = found
        names, partial = found
        if partial:
            rows = [row | {_ABSENT + name: True for name in partial if name not in row} for row in rows]
        return names, rows

    def _insert(self, entity: Entity, names: tuple[str, ...], or_nothing: bool) -> Compiled:
        statement = self._inserted(entity, names)
        if or_nothing:
            statement = statement.on_conflict_do_nothing(index_elements=[entity.key])
        return self._shown(entity, statement.returning(*entity.table.columns).cte("made"))

    @staticmethod
    def _inserted(entity: Entity, names: tuple[str, ...], suffix: str = "", only_if: ColumnElement[bool] | None = None) -> Any:
        """The insert of a parameter's rows; the parameter is called `rows` plus the suffix."""
        columns = [entity.table.c[name] for name in names]
        partial = _partial(columns)
        rows = _recordset(
            [column(col.name, col.type) for col in columns] + [column(_ABSENT + col.name, Boolean) for col in partial], suffix
        )
        values = []
        for col in columns:
            value: ColumnElement[Any] = rows.c[col.name]
            default = _server_default(col)
            if default is not None and col.nullable:
                value = case((rows.c[_ABSENT + col.name], default), else_=value)
            elif default is not None:
                value = func.coalesce(value, default)
            values.append(value)
        taken = select(*values).select_from(rows)
        return pg_insert(entity.table).from_select([col.name for col in columns], taken if only_if is None else taken.where(only_if))

    def _update_kept(self, entity: Entity, names: tuple[str, ...], few: bool) -> Compiled:
        table = entity.table
        kept = [col for col in table.columns if col.name in names or col.primary_key or col.name == "updated_at"]
        rows = _given(table, names, few)
        # the rows are locked before they are changed, so that these old values are the ones changed, also beside concurrent updates
        held = select(*kept).where(table.c[entity.key] == rows.c[entity.key]).with_for_update(key_share=True, of=table).cte("held")
        was = select(*held.c).subquery("was")
        made = self._updated(entity, names, few, held).cte("made")
        left = select(*(made.c[col.name] for col in kept)).subquery("lft")
        pair = func.jsonb_build_array(func.to_jsonb(was.table_valued()), func.to_jsonb(left.table_valued()))
        pairs = select(func.jsonb_agg(pair)).select_from(was.join(left, was.c[entity.key] == left.c[entity.key]))
        return compiled(select(self._list(entity, made, "shown").scalar_subquery(), pairs.scalar_subquery()))

    @staticmethod
    def _updated(entity: Entity, names: tuple[str, ...], few: bool, held: CTE | None = None) -> Any:
        """The update of a parameter's rows; after they are locked by `held`, where that is given."""
        table = entity.table
        rows = _given(table, names, few)
        guard = next((col for col in table.columns if GUARD in col.info), None)
        values: dict[str, Any] = {
            name: merged_in_place(table.c[name], rows.c[name]) if MERGED in table.c[name].info else rows.c[name]
            for name in names
            if name != entity.key
        }
        statement = update(table).where(table.c[entity.key] == rows.c[entity.key])
        if guard is not None:
            if guard.name in names:
                statement = statement.where(guard == rows.c[guard.name])
            values[guard.name] = guard + 1
        if "updated_at" in table.c and "updated_at" not in names:
            values["updated_at"] = func.clock_timestamp()
        if not values:
            values[entity.key] = rows.c[entity.key]
        if entity.soft:
            statement = statement.where(table.c.deleted_at.is_(None))
        if held is not None:
            statement = statement.where(table.c[entity.key] == held.c[entity.key])
        return statement.values(values).returning(*table.columns)

    def _shown(self, entity: Entity, made: FromClause) -> Compiled:
        return compiled(self._list(entity, made, "shown"))

    def _list(self, entity: Entity, made: FromClause, name: str) -> Select[Any]:
        """One value: the JSON of all rows."""
        shown = [field.shown(made) for field in stored(self._catalog.fields(entity).values())]
        rows = select(*shown).select_from(made).subquery(name)
        return select(func.coalesce(func.json_agg(func.row_to_json(rows.table_valued())), _EMPTY_LIST))


def stored(fields: Iterable[Field]) -> list[Field]:
    """The fields that are columns of their own and may be shown."""
    return [field for field in fields if field.column == field.name and not field.hidden]


def cascades(entity: Entity) -> list[Relation]:
    """Relations whose rows are deleted with a row of the entity."""
    return [relation for relation in entity.relations.values() if relation.cascade]


def guard_of(entity: Entity) -> str | None:
    """The column that counts updates, or None."""
    return next((col.name for col in entity.table.columns if GUARD in col.info), None)


def _as_seen(entity: Entity, seen: Row) -> ColumnElement[bool]:
    """Whether a row has these values, and keeps them until the transaction is over. A column that counts updates is raised by this one:
    whoever has seen the same row comes too late."""
    table, guard = entity.table, guard_of(entity)
    alike = [table.c[name] == bindparam(f"{_SEEN}{name}", type_=table.c[name].type) for name in seen]
    if entity.soft:
        alike.append(table.c.deleted_at.is_(None))
    if guard is None:
        held = select(table.c[entity.key]).where(*alike).with_for_update(read=True).cte("as_seen")
    else:
        raised = update(table).where(*alike).values({guard: table.c[guard] + 1})
        held = raised.returning(table.c[entity.key]).cte("as_seen")
    return select(held.c[entity.key]).exists()


def _recordset(columns: list[Any], suffix: str = "") -> Any:
    rows = func.jsonb_to_recordset(bindparam(f"rows{suffix}", type_=JSONB))
    return rows.table_valued(*columns).render_derived(name=f"given{suffix}", with_types=True)


def _given(table: Table, names: Sequence[str], few: bool) -> Any:
    """The rows of an update. `few`: `_FEW` at most, which the planner has to see: it takes any list for a hundred rows, for which it would
    rather read the table from one end to the other."""
    rows = _recordset([column(name, table.c[name].type) for name in names])
    return select(*rows.c).limit(literal_column(str(_FEW))).subquery("given_few") if few else rows


def _partial(columns: Iterable[Column[Any]]) -> list[Column[Any]]:
    """Columns with a default that may also be null: leaving them out differs from giving null."""
    return [col for col in columns if col.nullable and col.server_default is not None]


def _whole(table: Table) -> ColumnElement[Any]:
    """A row as JSON, exactly."""
    return func.to_jsonb(literal_column(DIALECT.identifier_preparer.quote(table.name)))


def _keys(entity: Entity) -> ColumnElement[bool]:
    key = entity.table.c[entity.key]
    return key == any_(bindparam("keys", type_=ARRAY(key.type)))


def _server_default(col: Column[Any]) -> ColumnElement[Any] | None:
    if not isinstance(col.server_default, DefaultClause):
        return None
    default = col.server_default.arg
    if isinstance(default, str):
        quoted = default.replace("'", "''")
        return sql_cast(literal_column(f"'{quoted}'"), col.type)
    return type_coerce(default, col.type)


def _python_default(col: Column[Any]) -> Any:
    default: Any = col.default
    if default.is_scalar:
        return default.arg
    if default.is_callable:
        return default.arg(None)
    raise TypeError(f"The default of {col.table.name}.{col.name} has to be a value, a function, or the server's")


def by_columns(rows: Rows) -> dict[tuple[str, ...], Rows]:
    """Rows grouped by the columns that they name: one statement for each group."""
    groups: dict[tuple[str, ...], Rows] = {}
    for row in rows:
        groups.setdefault(tuple(sorted(row)), []).append(row)
    return groups


def in_order(kind: Entity, given: Rows, stored: Any) -> TypedRows[Typed]:
    """Stored rows in the order in which they were given; where the database made the keys, in the order in which it returned them."""
    rows: TypedRows[Typed] = stored
    by_key = {row[kind.key]: row for row in rows}
    if any(row.get(kind.key) not in by_key for row in given):
        return rows
    return [by_key[row[kind.key]] for row in given]
