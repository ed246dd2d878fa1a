"""Rows as they were, so that an update can be taken back.

    before = await ROWS.take(database, ids)      # inside the update's transaction, before it changes anything
    …
    await ROWS.mark(database, ids, before)       # at its end: how it leaves them

    await ROWS.put_back(database, before)        # later, when the flow that asked for it fails

A snapshot is JSON: it travels in the reply of the update and waits in the flow's memory until the flow has ended. Meanwhile others may
change or delete the same rows: what isn't as the update left it stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, text

from ..json import dumps
from .compiled import DIALECT, Compiled, compiled
from .database import Database

Snapshot = dict[str, Any]
"""By table its rows, as the database writes them in JSON; under `LEFT` by table and key how the update left those that it changed (null: it
deleted them)."""

LEFT = "left"
HELD = "SELECT id, deleted_at IS NOT NULL AS gone FROM {} WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table that belong to the things a snapshot is of."""

    table: Table
    where: str
    """SQL condition on the table's rows; `:ids` is the list of ids."""
    counting: tuple[str, ...] = ()
    """Columns that others count in meanwhile: of rows that are still there these stay as they are."""

    @property
    def keys(self) -> list[str]:
        return [column.name for column in self.table.primary_key]

    def by_key(self, rows: Sequence[Row]) -> dict[str, Row]:
        """Rows by the text of their key, a JSON array."""
        return {dumps([row[name] for name in self.keys]).decode(): row for row in rows}


class Rows:
    """What belongs to a thing, over several tables."""

    def __init__(self, *parts: Part) -> None:
        """`parts`: the things themselves, then what belongs to them; what others refer to comes first. Foreign keys cascade."""
        self._parts = {part.table.name: part for part in parts}
        self._root = parts[0]
        soft = "deleted_at" in self._root.table.c
        self._held = compiled(text(HELD.format(self._root.table.name))) if soft else None
        self._take = _take(parts)
        self._change = {part.table.name: _change(part) for part in parts}
        self._insert = {part.table.name: _insert(part) for part in parts}
        self._drop = {part.table.name: _drop(part) for part in parts}

    async def take(self, database: Database, ids: Sequence[str]) -> Snapshot:
        """All rows that belong to these things now, deleted ones included."""
        found: Snapshot = await database.fetch_value(self._take, {"ids": list(ids)})
        return found

    async def mark(self, database: Database, ids: Sequence[str], before: Snapshot) -> None:
        """Write into a snapshot how the update leaves the rows that it has changed."""
        after = await self.take(database, ids)
        before[LEFT] = {}
        for name, part in self._parts.items():
            was, left = part.by_key(before[name]), part.by_key(after[name])
            before[LEFT][name] = {key: left.get(key) for key in was | left if was.get(key) != left.get(key)}

    async def put_back(self, database: Database, before: Mapping[str, Any]) -> None:
        """Make the rows of these things what they were: changed columns are changed back, new rows go, lost ones come again.

        What somebody else has changed since the update stays as it is, column by column. Repeating it changes nothing more. Has to run
        inside a transaction. Raises KeyError for a snapshot that was not marked.
        """
        was = {name: part.by_key(before[name]) for name, part in self._parts.items()}
        for name in self._parts:  # whoever goes takes along those that refer to it
            if new := [left for key, left in before[LEFT][name].items() if key not in was[name]]:
                await database.execute(self._drop[name], {"rows": new})
        gone = await self._gone(database, before) if any(None in before[LEFT][name].values() for name in self._parts) else set()
        for name in self._parts:
            changes = before[LEFT][name]
            lost = [was[name][key] for key, left in changes.items() if left is None]
            if lost := [row for row in lost if gone.isdisjoint(value for value in row.values() if isinstance(value, str))]:
                await database.execute(self._insert[name], {"rows": lost})
            if changed := {key: left for key, left in changes.items() if left is not None and key in was[name]}:
                rows = [was[name][key] for key in changed]
                await database.execute(self._change[name], {"rows": rows, "left": list(changed.values())})

    async def _gone(self, database: Database, before: Mapping[str, Any]) -> set[str]:
        """Of the things that the snapshot is of, those that somebody has deleted since: nothing of them comes again.

        The others are held, so that nobody deletes them before what comes again is there to be deleted along.
        """
        if self._held is None:
            return set()
        ids = [row["id"] for row in before[self._root.table.name] if row["deleted_at"] is None]
        return {row["id"] for row in await database.fetch(self._held, {"ids": ids}) if row["gone"]}


def _take(parts: Sequence[Part]) -> Compiled:
    lists = ", ".join(
        f"'{part.table.name}', coalesce((SELECT jsonb_agg(to_jsonb({part.table.name})) FROM {part.table.name} WHERE {part.where}), '[]')"
        for part in parts
    )
    return compiled(text(f"SELECT jsonb_build_object({lists})".replace(":ids", "CAST(:ids AS text[])")))


def _drop(part: Part) -> Compiled:
    name = part.table.name
    return compiled(text(f"DELETE FROM {name} USING {_given(part, 'rows')} AS made WHERE {_same(part, name, 'made')}"))


def _insert(part: Part) -> Compiled:
    """What the update deleted comes again; softly deleted it is there still."""
    name = part.table.name
    columns = [_quoted(column.name) for column in part.table.columns if not column.primary_key]
    revive = f"UPDATE SET {', '.join(f'{each} = excluded.{each}' for each in columns)} WHERE {name}.deleted_at IS NOT NULL"
    otherwise = revive if "deleted_at" in part.table.c else "NOTHING"
    rows = _given(part, "rows")
    return compiled(text(f"INSERT INTO {name} SELECT * FROM {rows} ON CONFLICT ({', '.join(part.keys)}) DO {otherwise}"))


def _change(part: Part) -> Compiled:
    """Column by column: what is as the update left it becomes what it was."""
    name = part.table.name
    others = [_quoted(column.name) for column in part.table.columns if not column.primary_key and column.name not in part.counting]
    back = [f"{each} = CASE WHEN {name}.{each} IS NOT DISTINCT FROM lost.{each} THEN was.{each} ELSE {name}.{each} END" for each in others]
    nothing = [f"{key} = {name}.{key}" for key in part.keys]
    return compiled(
        text(
            f"UPDATE {name} SET {', '.join(back or nothing)} FROM {_given(part, 'rows')} AS was "
            f"JOIN {_given(part, 'left')} AS lost ON {_same(part, 'was', 'lost')} WHERE {_same(part, name, 'was')}"
        )
    )


def _given(part: Part, parameter: str) -> str:
    return f"jsonb_populate_recordset(NULL::{part.table.name}, CAST(:{parameter} AS jsonb))"


def _same(part: Part, one: str, other: str) -> str:
    return " AND ".join(f"{one}.{key} = {other}.{key}" for key in part.keys)


def _quoted(name: str) -> str:
    return DIALECT.identifier_preparer.quote(name)
