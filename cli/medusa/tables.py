"""Rows of Medusa's tables that are rows here, too: the names of tables and columns are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import asyncpg
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from ...core.errors import InvalidData
from ...core.service.module import Module
from ...core.service.moving import piped
from ...modules import REBUILT

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
DOCUMENTS = frozenset(("cart", "order", "order_version", "payment_collection"))
"""What is one document here: `documents.py`."""
LEFT = frozenset((
    "auth_mfa_factor", "auth_mfa_recovery_code", "auth_password_reset_token", "auth_verification", "auth_state", "auth_session",
    "cart_promotion", "locale", "payment_operation", "user_preference", "view_configuration",
))  # fmt: skip
"""What stays behind: what is sealed under another key, of open carts, of the old dashboard, or made here."""
OURS = frozenset(("currency", "region_country", "payment_provider", "fulfillment_provider", "tax_provider", "notification_provider"))
"""Tables whose rows are the shop's already: theirs are added, and what links countries with regions is taken over."""
TAKEN_OVER = {"region_country": ("region_id", "metadata")}
AFTER_DOCUMENTS = frozenset((
    "order_change", "order_change_action", "order_claim", "order_claim_item", "order_claim_item_image", "order_exchange",
    "order_exchange_item", "return", "return_item", "payment", "capture", "refund", "payment_collection_payment_providers",
))  # fmt: skip
"""What belongs to documents."""
RENAMED = {("translation", "texts"): "translations"}
EMAILS = {"customer": "email", "user": "email", "invite": "email"}
ONLY = {"api_key": "type = 'publishable'", "provider_identity": "provider = 'emailpass'"}
"""Which rows come along: secret keys are digests of another kind, and identities of other providers belong to registered apps."""


@dataclass(frozen=True)
class Copied:
    """One table: how its rows are read there."""

    table: Table
    columns: tuple[str, ...]
    query: str


@dataclass(frozen=True)
class Target:
    """A module, and the connection on which its rows arrive."""

    module: Module
    connection: asyncpg.Connection

    @property
    def metadata(self) -> MetaData:
        return self.module.schema.metadata


@dataclass
class Counts:
    """Table → rows there and here."""

    rows: dict[str, tuple[int, int]] = field(default_factory=dict)
    totals: int = 0
    """Orders whose total is another here."""

    def differing(self) -> dict[str, tuple[int, int]]:
        return {name: counts for name, counts in self.rows.items() if counts[0] != counts[1]}


async def tables_of(source: asyncpg.Connection) -> dict[str, dict[str, str]]:
    """The tables of Medusa's database: column → its type. Raises InvalidData for a database that isn't Medusa's."""
    rows = await source.fetch(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    tables: dict[str, dict[str, str]] = {}
    for row in rows:
        tables.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
    if not {"product", "price_set", "order_line_item", "mikro_orm_migrations"} <= tables.keys():
        raise InvalidData("This is not the database of a Medusa v2.", hint="Its tables have to be in the schema that the URL opens.")
    return tables


def copied(target: Target, there: dict[str, dict[str, str]], *, after: bool) -> Iterator[Copied]:
    """The tables of a module that are copied, those that others refer to first. `after`: those of documents, else the others."""
    for table in target.metadata.sorted_tables if target.module.name not in REBUILT else ():
        if table.name not in there or table.name in DOCUMENTS | LEFT or (table.name in AFTER_DOCUMENTS) is not after:
            continue
        theirs = {column: RENAMED.get((table.name, column.name), column.name) for column in table.columns}
        columns = {column: name for column, name in theirs.items() if name in there[table.name]}
        shown = ", ".join(_read(table, column, name, there[table.name][name]) for column, name in columns.items())
        where = f" WHERE {ONLY[table.name]}" if table.name in ONLY else ""
        yield Copied(table, tuple(column.name for column in columns), f'SELECT {shown} FROM "{table.name}"{where}')


def _read(table: Table, column: Column[object], called: str, kind: str) -> str:
    """How a column is read, so that it has our type."""
    name = f'"{called}"'
    if EMAILS.get(table.name) == column.name or (table.name, column.name) == ("provider_identity", "entity_id"):
        return f"lower({name})"
    ours = _type(column.type)
    if kind in ("text", "character varying") and ours not in ("TEXT", "TEXT[]"):
        return f"nullif({name}, '')::{ours}"
    if ours.startswith("TIMESTAMP"):
        return f"date_trunc('milliseconds', {name})::{ours}"  # a cast alone rounds; what is shown is cut off
    return f"{name}::{ours}"


def _type(kind: TypeEngine[object]) -> str:
    return str(kind.compile(dialect=DIALECT))


async def empty(target: Target, there: dict[str, dict[str, str]]) -> None:
    """Remove the rows of a module's tables that come anew, and of those that hang on them or are made of them. Triggers rest: nobody counts
    or listens while a shop moves in."""
    tables = target.metadata.sorted_tables
    gone = [table for table in tables if _comes_anew(target.module.name, table, there)]
    if gone:
        await target.connection.execute(f"TRUNCATE {', '.join(_quoted(table.name) for table in gone)} CASCADE")
    await _triggers(target, "DISABLE")


async def enable_triggers(target: Target) -> None:
    await _triggers(target, "ENABLE")


async def _triggers(target: Target, state: str) -> None:
    for table in target.metadata.sorted_tables:
        await target.connection.execute(f"ALTER TABLE {_quoted(table.name)} {state} TRIGGER USER")


def _comes_anew(module: str, table: Table, there: dict[str, dict[str, str]]) -> bool:
    if module in REBUILT or table.name in DOCUMENTS | {"payment_operation"}:
        return True
    return table.name in there and table.name not in OURS | LEFT


async def copy(source: asyncpg.Connection, target: asyncpg.Connection, one: Copied) -> tuple[int, int]:
    """Copy the rows of a table, in the transaction that is open on the target. Returns how many there are there and here."""
    name, columns = _quoted(one.table.name), ", ".join(_quoted(column) for column in one.columns)
    await target.execute(f"CREATE TEMP TABLE moving ON COMMIT DROP AS SELECT {columns} FROM {name} WITH NO DATA")
    await piped(
        lambda put: source.copy_from_query(one.query, output=put),
        lambda pieces: target.copy_to_table("moving", source=pieces, columns=list(one.columns)),
    )
    there = await target.fetchval("SELECT count(*) FROM moving")
    await target.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM moving {_on_conflict(one)}")
    here = await target.fetchval(f"SELECT count(*) FROM {name} JOIN moving USING ({', '.join(_quoted(key) for key in _keys(one.table))})")
    await target.execute("DROP TABLE moving")
    return there, here


def _on_conflict(one: Copied) -> str:
    if one.table.name not in OURS:
        return ""
    over = TAKEN_OVER.get(one.table.name, ())
    keys = ", ".join(_quoted(key) for key in _keys(one.table))
    changed = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in over)
    return f"ON CONFLICT ({keys}) DO UPDATE SET {changed}" if over else "ON CONFLICT DO NOTHING"


def _keys(table: Table) -> Sequence[str]:
    return [str(column.name) for column in table.primary_key]


def _quoted(name: str) -> str:
    return f'"{name}"'
