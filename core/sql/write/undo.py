"""What a write changed, and undoing it.

A write that may have to be undone keeps the rows that it changes, as they were before and as it left them, in the order in which it changed
them (`ModuleService.kept`). That is a `Change`. It is JSON: it travels in the reply of the write and stays with the flow that asked for it,
in memory or in the journal. Meanwhile other writes may change or delete the same rows. A change is undone from its end to its beginning:

- of a row that was changed, each column that still holds the value that the write left there gets its old value back; any other column, and
  one whose old value another row has taken since, stays as it is;
- a column that counts (`COUNTED`) gets the difference back, whatever it holds by now;
- a row that was created is deleted; a row that was deleted is restored, unless the row that it belongs to has been deleted since.

Statements of the kernel keep what they change. A write with statements of its own says what these changed
(`ModuleService.keep`), or is kept as a whole: all rows of an aggregate are read before and after it (`Aggregate`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Table, select, text
from sqlalchemy.schema import ColumnCollectionConstraint
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.visitors import iterate

from ...errors import InvalidData, NotFound, VelellaError
from ...json import dumps
from ...logs import logger
from ...rows import Row
from ..db.compiled import DIALECT, Compiled, any_of, compiled
from ..db.database import Database
from ..schema.columns import COUNTED, GUARD

log = logger("velella.sql")

_MOMENT = "now()"
WITH_COLUMNS = (Index, ColumnCollectionConstraint)
Pair = tuple[Row | None, Row | None]
"""A row as it was (None: it didn't exist) and as the write left it (None: it was deleted), with its keys. Of a changed row only the changed
columns; a created row is deleted if the columns named here still hold what the write left.
"""
Change = list[tuple[str, list[Pair]]]
"""Tables and their pairs, in the order in which they were changed."""


@dataclass(frozen=True, slots=True)
class AggregatePart:
    """The rows of one table that belong to an aggregate."""

    table: Table
    where: str
    """SQL condition on the table's rows; `:ids` is the list of ids."""


class Aggregate:
    """Rows of several tables that belong together."""

    def __init__(self, *parts: AggregatePart) -> None:
        """`parts`: the root rows, then what belongs to them; a table comes before the tables that refer to it."""
        self._tables = [part.table for part in parts]
        rows = "SELECT jsonb_agg(to_jsonb(part)) FROM {} AS part WHERE {}"
        lists = ", ".join(f"'{part.table.name}', coalesce(({rows.format(_quoted(part.table.name), part.where)}), '[]')" for part in parts)
        moment = f"'{_MOMENT}', CAST(now() AS timestamptz(3))"
        self._rows = compiled(text(f"SELECT jsonb_build_object({moment}, {lists})".replace(":ids", "CAST(:ids AS text[])")))

    async def rows(self, database: Database, ids: Sequence[str]) -> dict[str, Any]:
        """All rows that belong to the aggregates with these ids now, by table; and the time of the transaction."""
        found: dict[str, Any] = await database.fetch_value(self._rows, {"ids": list(ids)})
        return found

    def change(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
        """What a write changed between two readings. A row that is missing from the second was deleted, softly or for good."""
        changed: Change = []
        created: Change = []
        for table in self._tables:
            was, left = (_by_key(table, rows[table.name]) for rows in (before, after))
            new: list[Pair] = [(None, {name: row[name] for name in keys_of(table)}) for key, row in left.items() if key not in was]
            gone: list[Pair] = [(row, None) for key, row in was.items() if key not in left]
            pairs = [_narrowed(table, row, left[key]) for key, row in was.items() if key in left and row != left[key]]
            if "deleted_at" in table.c:
                pairs += [_narrowed(table, row, row | {"deleted_at": after[_MOMENT]}) for row, _ in gone if row is not None]
            created += [(table.name, new)] if new else []
            changed += [(table.name, kept)] if (kept := [*gone, *(pair for pair in pairs if pair is not None)]) else []
        # undone from the end: first created rows are deleted, parts before the whole; then changed and deleted rows are restored, the whole
        # first
        return [*reversed(changed), *created]


def _by_key(table: Table, rows: Sequence[Row]) -> dict[bytes, Row]:
    return {dumps([row[name] for name in keys_of(table)]): row for row in rows}


def _narrowed(table: Table, was: Row, left: Row) -> Pair | None:
    """The columns that changed, with the keys. Counted columns are left out: other writes change them meanwhile."""
    counted = {column.name for column in table.columns if COUNTED in column.info}
    names = [name for name in was if was[name] != left[name] and name not in counted]
    if not names:
        return None
    names += keys_of(table)
    return {name: was[name] for name in names}, {name: left[name] for name in names}


def keys_of(table: Table) -> list[str]:
    return [str(column.name) for column in table.primary_key]


class TakingBack:
    """Undoes a change of one table. Must run inside a transaction."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        self._table = table

    async def changed(self, pairs: Sequence[Pair]) -> None:
        """Give columns their old values back."""
        groups: dict[tuple[str, ...], list[tuple[Row, Row]]] = {}
        for was, left in pairs:
            if was is not None and left is not None:
                groups.setdefault(tuple(sorted(was)), []).append((was, left))
        for names, group in groups.items():
            if "deleted_at" in names:
                await self._hold_owners_of([was for was, _ in group])
            await self._change(names, group)

    async def deleted(self, rows: Sequence[Row]) -> None:
        """Restore deleted rows, where nothing has taken their place and what they belong to exists."""
        if rows:
            await self._hold_owners(rows)
            await self._database.execute(_insert(self._table), {"rows": list(rows)})

    async def created(self, rows: Sequence[Row]) -> None:
        """Delete created rows for good."""
        for names, group in _by_columns(rows).items():
            await self._database.execute(_drop(self._table, names), {"rows": group})

    async def standing(self, rows: Sequence[Row]) -> list[Row]:
        """Lock and return the rows that still are as the write left them."""
        found: list[Row] = []
        for names, group in _by_columns(rows).items():
            there = {dumps(row["found"]) for row in await self._database.fetch(_standing(self._table, names), {"rows": group})}
            found += [row for row in group if dumps([row[name] for name in keys_of(self._table)]) in there]
        return found

    async def used(self, key: str, keys: Sequence[Any], cascading: Collection[tuple[str, str]]) -> set[Any]:
        """The created rows that others refer to by now, except through rows that are deleted along with them (`cascading`: tables and
        columns). These rows stay: the writer of the reference was told that it worked.
        """
        used: set[Any] = set()
        for table in self._table.metadata.sorted_tables:
            for foreign in table.foreign_keys:
                column = foreign.parent
                if foreign.column is self._table.c[key] and "deleted_at" in table.c and (table.name, column.name) not in cascading:
                    users = select(column).where(any_of(column, "keys"), table.c.deleted_at.is_(None)).distinct()
                    used.update(row[0] for row in await self._database.fetch(users, {"keys": list(keys)}))
        if used:
            log.warning("what was created stays: others use it", table=self._table.name, keys=sorted(used))
        return used

    async def _change(self, names: tuple[str, ...], pairs: Sequence[tuple[Row, Row]]) -> None:
        """Change all rows at once; if a constraint refuses that, one by one, without the columns that it is about."""
        params = {"rows": [was for was, _ in pairs], "left": [left for _, left in pairs]}
        try:
            async with self._database.savepoint():
                await self._database.execute(_change(self._table, names), params)
        except (InvalidData, NotFound) as error:
            if len(pairs) > 1:
                for pair in pairs:
                    await self._change(names, [pair])
                return
            log.warning("what others did stays: a row is not put back as it was", table=self._table.name, error=str(error))
            if names := _unblocked(self._table, names, error):
                was, left = pairs[0]
                await self._change(names, [({name: was[name] for name in names}, {name: left[name] for name in names})])

    async def _hold_owners_of(self, rows: Sequence[Row]) -> None:
        if owners := _owners(self._table):
            columns = ", ".join(f"now.{_quoted(column.name)}" for column, _ in owners)
            table = self._table
            given = f"{_quoted(table.name)} AS now JOIN {_given(table, 'rows')} AS was ON {_same(table, 'now', 'was')}"
            statement = compiled(text(f"SELECT {columns} FROM {given}"))
            await self._hold_owners([dict(row) for row in await self._database.fetch(statement, {"rows": list(rows)})])

    async def _hold_owners(self, rows: Sequence[Row]) -> None:
        """Lock what rows belong to, so that it can't be deleted before the rows are restored and would be deleted along."""
        for column, owner in _owners(self._table):
            keys = sorted({row[column.name] for row in rows if row[column.name] is not None})
            name, key = _quoted(owner.table.name), _quoted(owner.name)
            statement = f"SELECT FROM {name} WHERE {key} = ANY(CAST(:keys AS text[])) ORDER BY {key} FOR SHARE"
            await self._database.execute(compiled(text(statement)), {"keys": keys})


def _unblocked(table: Table, names: tuple[str, ...], error: VelellaError) -> tuple[str, ...]:
    """The columns that can be restored although a constraint refused the row as a whole; none where no column can."""
    constraint = getattr(error.__cause__, "constraint_name", None)
    blocking = [each for each in (*table.indexes, *table.constraints) if isinstance(each, WITH_COLUMNS) and each.name == constraint]
    blocked = {"deleted_at"} | {column.name for each in blocking for column in (*each.columns, *_condition(each))}
    left = tuple(name for name in names if name in keys_of(table) or name not in blocked)
    return left if len(keys_of(table)) < len(left) < len(names) else ()


def _condition(index: Index | ColumnCollectionConstraint) -> list[Column[Any]]:
    """The columns that decide which rows a partial index covers."""
    where = index.dialect_options["postgresql"].get("where") if isinstance(index, Index) else None
    return [part for part in iterate(where) if isinstance(part, Column)] if isinstance(where, ClauseElement) else []


def _owners(table: Table) -> list[tuple[Column[Any], Column[Any]]]:
    """Columns that name the row that a row belongs to, where that can be softly deleted; and the columns that they refer to."""
    keys = (key for key in _references(table) if key.ondelete == "CASCADE" and "deleted_at" in key.column.table.c)
    return [(key.parent, key.column) for key in keys]


def _references(table: Table) -> list[ForeignKey]:
    return sorted(table.foreign_keys, key=lambda key: str(key.parent.name))


def _by_columns(rows: Sequence[Row]) -> dict[tuple[str, ...], list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(sorted(row)), []).append(row)
    return groups


@lru_cache(maxsize=512)
def _drop(table: Table, names: tuple[str, ...]) -> Compiled:
    where = f"{_same(table, 'now', 'made')} AND {_stands(names)}"
    return compiled(text(f"DELETE FROM {_quoted(table.name)} AS now USING {_given(table, 'rows')} AS made WHERE {where}"))


@lru_cache(maxsize=512)
def _standing(table: Table, names: tuple[str, ...]) -> Compiled:
    keys = ", ".join(f"now.{_quoted(key)}" for key in keys_of(table))
    rows = f"{_quoted(table.name)} AS now JOIN {_given(table, 'rows')} AS made ON {_same(table, 'now', 'made')}"
    return compiled(text(f"SELECT jsonb_build_array({keys}) AS found FROM {rows} WHERE {_stands(names)} ORDER BY {keys} FOR UPDATE OF now"))


def _stands(names: tuple[str, ...]) -> str:
    return " AND ".join(f"now.{_quoted(name)} IS NOT DISTINCT FROM made.{_quoted(name)}" for name in names)


@lru_cache(maxsize=512)
def _insert(table: Table) -> Compiled:
    references = [(f"was.{_quoted(key.parent.name)}", key) for key in _references(table)]
    there = [f"({value} IS NULL OR {_there(key.column, value, alive=key.ondelete == 'CASCADE')})" for value, key in references]
    where = " AND ".join(there or ["true"])
    insert = f"INSERT INTO {_quoted(table.name)} SELECT was.* FROM {_given(table, 'rows')} AS was WHERE {where} ON CONFLICT DO NOTHING"
    return compiled(text(insert))


@lru_cache(maxsize=2048)
def _change(table: Table, names: tuple[str, ...]) -> Compiled:
    values = [f"{_quoted(each)} = {_put_back(table, table.c[each])}" for each in names if each not in keys_of(table)]
    values += [f"{_quoted(guard.name)} = now.{_quoted(guard.name)} + 1" for guard in table.columns if GUARD in guard.info]
    given = f"{_given(table, 'rows')} AS was JOIN {_given(table, 'left')} AS lost ON {_same(table, 'was', 'lost')}"
    update = f"UPDATE {_quoted(table.name)} AS now SET {', '.join(values)} FROM {given} WHERE {_same(table, 'now', 'was')}"
    return compiled(text(update))


def _put_back(table: Table, column: Column[Any]) -> str:
    now, was, left = (f"{row}.{_quoted(column.name)}" for row in ("now", "was", "lost"))
    if COUNTED in column.info:
        return f"{now} + {was} - {left}"
    condition = f"{now} IS NOT DISTINCT FROM {left}"
    if column.name == "deleted_at":
        for reference, owner in _owners(table):
            value = f"now.{_quoted(reference.name)}"
            along = f" OR {value} IN (SELECT {_quoted(owner.name)} FROM {_given(table, 'rows')})" if owner.table is table else ""
            condition += f" AND ({was} IS NOT NULL OR {value} IS NULL OR {_there(owner, value)}{along})"
    return f"CASE WHEN {condition} THEN {was} ELSE {now} END"


def _there(key: Column[Any], value: str, *, alive: bool = True) -> str:
    living = " AND owner.deleted_at IS NULL" if alive and "deleted_at" in key.table.c else ""
    return f"EXISTS (SELECT FROM {_quoted(key.table.name)} AS owner WHERE owner.{_quoted(key.name)} = {value}{living})"


def _given(table: Table, parameter: str) -> str:
    return f"jsonb_populate_recordset(NULL::{_quoted(table.name)}, CAST(:{parameter} AS jsonb))"


def _same(table: Table, one: str, other: str) -> str:
    return " AND ".join(f"{one}.{_quoted(key)} = {other}.{_quoted(key)}" for key in keys_of(table))


def _quoted(name: str) -> str:
    return DIALECT.identifier_preparer.quote(name)
