"""Deltas of a large table: which of its rows came and went lately, so that rows counted once needn't be counted again.

    keep_deltas(order, "display_id", "status", "created_at")

A row that is inserted is a row with +1 here, a row that is deleted (also softly) a row with -1, each with the key and the columns that
lists are filtered and ordered by. An update of one of these columns is a -1 and a +1. Triggers write the deltas in the transaction of the
change, whatever client makes it. The rows of an earlier snapshot plus the deltas that it didn't see are the rows of now: see `lists.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    not_,
    select,
)
from sqlalchemy.types import UserDefinedType

from ..db.compiled import Compiled, compiled

_DELTAS = "deltas"
"""Key in a table's info: its delta table."""


class _PostgresType(UserDefinedType[str]):
    """A type of PostgreSQL that SQLAlchemy doesn't know."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


def keep_deltas(table: Table, *columns: str) -> Table:
    """Give a table a delta table of its key and these columns. To be called when the table is complete."""
    names = dict.fromkeys((*(column.name for column in table.primary_key), *columns))
    deltas = Table(
        f"{table.name}_deltas",
        table.metadata,
        Column("xid", BigInteger, nullable=False),
        Column("change", SmallInteger, nullable=False),
        *(Column(name, table.c[name].type) for name in names),
    )
    Index(f"ix_{deltas.name}_xid", deltas.c.xid)
    table.info[_DELTAS] = deltas
    return deltas


def deltas_of(table: Table) -> Table | None:
    """The delta table of a table, or None."""
    found: Table | None = table.info.get(_DELTAS)
    return found


_NEXT: ColumnElement[int] = cast(cast(func.pg_snapshot_xmax(func.pg_current_snapshot()), Text), BigInteger)
"""The first transaction of which a statement can't have seen anything."""


def unseen(deltas: FromClause, snapshot: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a delta was written by a transaction that a snapshot (as text) didn't see."""
    taken: ColumnElement[Any] = cast(snapshot, _PostgresType("pg_snapshot"))
    oldest = cast(cast(func.pg_snapshot_xmin(taken), Text), BigInteger)
    written: ColumnElement[Any] = cast(cast(deltas.c.xid, Text), _PostgresType("xid8"))
    return and_(deltas.c.xid >= oldest, deltas.c.xid < _NEXT, not_(func.pg_visible_in_snapshot(written, taken)))


NOW: ColumnElement[str] = cast(func.pg_current_snapshot(), Text)
"""The snapshot of the statement that this is part of."""
OLDEST = compiled(select(cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)))
"""Transactions before this one have ended: every snapshot taken from now on has seen them, or never will."""


def forgetting(deltas: Table) -> Compiled:
    """The statement that drops the deltas of transactions before `xid`."""
    return compiled(delete(deltas).where(deltas.c.xid < bindparam("xid", type_=BigInteger)))


def strangers(deltas: Table) -> Compiled:
    """The statement that drops deltas that no transaction of this cluster can have written: they came with the dump of another cluster,
    whose transaction ids mean nothing here."""
    return compiled(delete(deltas).where(deltas.c.xid >= _NEXT))


# -- triggers


def create_triggers(metadata: MetaData) -> list[str]:
    """The statements that create the triggers and their functions."""
    return [statement for table, deltas in _kept_deltas(metadata) for statement in (*_create(table, deltas), _stamped(table, deltas))]


def drop_triggers(metadata: MetaData) -> list[str]:
    """Drop the triggers during a migration: they block changes of the columns that they use."""
    return [f'DROP TRIGGER IF EXISTS {name} ON "{table.name}"' for table, deltas in _kept_deltas(metadata) for name in _triggers(deltas)]


def trigger_stamps(metadata: MetaData) -> dict[str, str]:
    """Trigger function → a stamp that changes with its text; stored as the function's comment in the database."""
    return {_function(deltas): _stamp(table, deltas) for table, deltas in _kept_deltas(metadata)}


def _kept_deltas(metadata: MetaData) -> Iterator[tuple[Table, Table]]:
    for table in metadata.sorted_tables:
        if (found := deltas_of(table)) is not None:
            yield table, found


def _function(deltas: Table) -> str:
    return f"write_{deltas.name}"


def _triggers(deltas: Table) -> tuple[str, str]:
    return f"{deltas.name}_rows", f"{deltas.name}_changes"


def _create(table: Table, deltas: Table) -> list[str]:
    names = [column.name for column in deltas.c if column.name not in ("xid", "change")]
    soft = "deleted_at" in table.c
    rows, changes = _triggers(deltas)

    def write(row: str, change: int) -> str:
        values = ", ".join(f'{row}."{name}"' for name in names)
        columns = ", ".join(f'"{name}"' for name in names)
        return f"INSERT INTO {deltas.name} (xid, change, {columns}) VALUES (now_xid, {change}, {values});"

    gone, there = (f" AND {row}.deleted_at IS NULL" if soft else "" for row in ("OLD", "NEW"))
    watched = [*names, *(("deleted_at",) if soft else ())]
    before, after = (", ".join(f'{row}."{name}"' for name in watched) for row in ("OLD", "NEW"))
    call = f"EXECUTE FUNCTION {_function(deltas)}()"
    return [
        f"""
        CREATE OR REPLACE FUNCTION {_function(deltas)}() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE now_xid bigint := pg_current_xact_id()::text::bigint;
        BEGIN
          IF TG_OP <> 'INSERT'{gone} THEN {write("OLD", -1)} END IF;
          IF TG_OP <> 'DELETE'{there} THEN {write("NEW", 1)} END IF;
          RETURN NULL;
        END $$
        """,
        f'CREATE OR REPLACE TRIGGER {rows} AFTER INSERT OR DELETE ON "{table.name}" FOR EACH ROW {call}',
        f'CREATE OR REPLACE TRIGGER {changes} AFTER UPDATE ON "{table.name}" FOR EACH ROW '
        f"WHEN (({before}) IS DISTINCT FROM ({after})) {call}",
    ]


def _stamp(table: Table, deltas: Table) -> str:
    return sha256(" ".join(" ".join(_create(table, deltas)).split()).encode()).hexdigest()[:16]


def _stamped(table: Table, deltas: Table) -> str:
    return f"COMMENT ON FUNCTION {_function(deltas)}() IS '{_stamp(table, deltas)}'"
