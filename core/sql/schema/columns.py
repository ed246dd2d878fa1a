"""The columns that every module's tables are made of.

    product = Table("product", metadata, *identity(), Column("title", Text, nullable=False), *metadata_column(), *timestamps())

Money is `numeric` without a scale: exact, whatever the currency's decimals. Times are timestamptz.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, MetaData, Numeric, SmallInteger, Table, Text, cast, func
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeDecorator

from ...budget import METADATA


class Money(TypeDecorator[Any]):
    """An exact amount in major units. Shown as a JSON number, with a `raw_<name>` twin {value, precision}."""

    impl = Numeric
    cache_ok = True


class Quantity(TypeDecorator[Any]):
    """An exact quantity, with a `raw_<name>` twin like `Money`."""

    impl = Numeric
    cache_ok = True


class Timestamp(TypeDecorator[Any]):
    """An instant, UTC. Shown as ISO 8601 with milliseconds, and stored to the millisecond: the shown time finds the row again."""

    impl = TIMESTAMP(timezone=True, precision=3)
    cache_ok = True


Json = JSONB(none_as_null=True)

ROOT = "root_id"
"""Column of the views over documents (`document_views.py`): the key of the row with the document."""

GUARD = "velella_guard"
"""Key in a column's info: the kernel counts the column up with every update. A column that is merely called version is left alone."""
MERGED = "velella_merged"
"""Key in a column's info: an update changes the JSON object there key by key (see `merging.py`), to at most as many bytes; None: its keys
are few."""
EMAIL = "velella_email"
"""Key in a column's info: the column takes email addresses only."""

OF_ROOT = "velella_of_root"
"""Key in a column's info, inside documents: the column holds the key of the root row, so it isn't written."""
LEAST = "velella_least"
"""Key in a column's info, inside documents: the least number that the column takes (a table has constraints for that)."""

COUNTED = "velella_counted"
"""Key in a column's info: concurrent writes add to the column and subtract from it, so undoing a write gives back the difference."""


def module_metadata() -> MetaData:
    """Metadata of one module, with the naming convention of constraints that migrations rely on."""
    return MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def identity(name: str = "id") -> Column[str]:
    return Column(name, Text, primary_key=True)


def timestamps() -> tuple[Column[Any], Column[Any], Column[Any]]:
    """created_at, updated_at (set by the kernel on every update) and deleted_at (soft delete)."""
    return (
        Column("created_at", Timestamp, nullable=False, server_default=func.now()),
        Column("updated_at", Timestamp, nullable=False, server_default=func.now()),
        Column("deleted_at", Timestamp, nullable=True),
    )


def metadata_column() -> Column[Any]:
    return Column("metadata", Json, nullable=True, info={MERGED: METADATA})


def email_column(name: str = "email", *, nullable: bool = True) -> Column[str]:
    """An email address: the kernel refuses any other value, and stores and compares it in lower case."""
    return Column(name, Text, nullable=nullable, info={EMAIL: True})


def version() -> Column[int]:
    """Rises with every update; an update that names the version it read raises Conflict if another update came first."""
    return Column("version", BigInteger, nullable=False, server_default="1", info={GUARD: True})


def document_columns(column: str = "document", number: str = "document_schema") -> tuple[Column[Any], Column[int]]:
    """The columns for a row's document and its schema number (see `documents.py`)."""
    return Column(column, JSON, nullable=False), Column(number, SmallInteger, nullable=False)


def root_column() -> Column[str]:
    """In a view over documents: the key of the row with the document. To be declared hidden."""
    return Column(ROOT, Text, nullable=False)


def trigrams(table: Table, *columns: str) -> Index:
    """An index by which `q` finds words inside these columns without reading every row. For tables that grow large.

    It must cover all searchable columns of the entity itself.
    """
    extensions: tuple[str, ...] = table.metadata.info.get("extensions", ())
    table.metadata.info["extensions"] = tuple(dict.fromkeys((*extensions, "pg_trgm")))
    return Index(
        f"ix_{table.name}_words",
        *(table.c[name] if isinstance(table.c[name].type, Text) else cast(table.c[name], Text).label(name) for name in columns),
        postgresql_using="gin",
        postgresql_ops={name: "gin_trgm_ops" for name in columns},
    )


def index_on(table: Table, column: str) -> Index:
    """An index to find rows of a table by a column. It covers the rows that aren't deleted; or all rows, where deleting the referenced row
    deletes or changes rows here, because PostgreSQL looks for these whether they are softly deleted or not.
    """
    refers = any(key.ondelete is not None for key in table.c[column].foreign_keys)
    where = None if refers or "deleted_at" not in table.c else table.c.deleted_at.is_(None)
    return Index(f"ix_{table.name}_{column}", table.c[column], postgresql_where=where)


def message_table(metadata: MetaData, module: str) -> Table:
    """The module's inbox: the record of writes that came as messages, with their replies (see `message.writes`).

    `Schema` adds it to the metadata of every module.
    """
    name = f"{module}_message"
    if name in metadata.tables:
        return metadata.tables[name]
    return Table(
        name,
        metadata,
        Column("id", Text, primary_key=True),
        Column("reply", LargeBinary, nullable=True),
        Column("created_at", Timestamp, nullable=False, server_default=func.now(), index=True),
    )
