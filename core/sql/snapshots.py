"""Rows as they were, so that an update can be taken back.

    before = await ROWS.take(database, ids)      # inside the update's transaction, before it changes anything
    await ROWS.put_back(database, ids, before)   # later, when the flow that asked for it fails

A snapshot is JSON: it travels in the reply of the update and waits in the flow's memory until the flow has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, text

from .compiled import DIALECT, Compiled, compiled
from .database import Database

Snapshot = dict[str, list[dict[str, Any]]]
"""Rows by table, as the database writes them in JSON."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table that belong to the things a snapshot is of."""

    table: Table
    where: str
    """SQL condition on the table's rows; `:ids` is the list of ids."""
    counting: tuple[str, ...] = ()
    """Columns that others count in meanwhile: of rows that are still there these stay as they are."""


class Rows:
    """What belongs to a thing, over several tables."""

    def __init__(self, *parts: Part) -> None:
        """`parts`: what others refer to comes before those that refer to it, and their foreign keys cascade."""
        self._parts = {part.table.name: part for part in parts}
        self._take = _take(parts)
        self._put = {part.table.name: _put(part) for part in parts}
        self._drop = {part.table.name: _drop(part) for part in parts}

    async def take(self, database: Database, ids: Sequence[str]) -> Snapshot:
        """All rows that belong to these things now, deleted ones included."""
        found: Snapshot = await database.fetch_value(self._take, {"ids": list(ids)})
        return found

    async def put_back(self, database: Database, ids: Sequence[str], before: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Make the rows of these things what they were: changed ones are changed back, new ones go, lost ones come again.

        Repeating it changes nothing more. Has to run inside a transaction.
        """
        for name, part in self._parts.items():  # whoever goes takes along those that refer to it
            keys = [[row[column.name] for column in part.table.primary_key] for row in before[name]]
            await database.execute(self._drop[name], {"ids": list(ids), "kept": keys})
        for name in self._parts:
            if before[name]:
                await database.execute(self._put[name], {"rows": list(before[name])})


def _take(parts: Sequence[Part]) -> Compiled:
    lists = ", ".join(
        f"'{part.table.name}', coalesce((SELECT jsonb_agg(to_jsonb({part.table.name})) FROM {part.table.name} WHERE {part.where}), '[]')"
        for part in parts
    )
    return compiled(text(f"SELECT jsonb_build_object({_cast(lists)})"))


def _drop(part: Part) -> Compiled:
    key = ", ".join(f"{part.table.name}.{column.name}" for column in part.table.primary_key)
    kept = f"NOT (CAST(:kept AS jsonb) @> jsonb_build_array(jsonb_build_array({key})))"
    return compiled(text(_cast(f"DELETE FROM {part.table.name} WHERE ({part.where}) AND {kept}")))


def _put(part: Part) -> Compiled:
    table = part.table
    key = ", ".join(column.name for column in table.primary_key)
    others = [_quoted(column.name) for column in table.columns if not column.primary_key and column.name not in part.counting]
    change = f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in others)}" if others else "NOTHING"
    return compiled(
        text(
            f"INSERT INTO {table.name} SELECT * FROM jsonb_populate_recordset(NULL::{table.name}, CAST(:rows AS jsonb)) "
            f"ON CONFLICT ({key}) DO {change}"
        )
    )


def _quoted(name: str) -> str:
    return DIALECT.identifier_preparer.quote(name)


def _cast(sql: str) -> str:
    return sql.replace(":ids", "CAST(:ids AS text[])")
