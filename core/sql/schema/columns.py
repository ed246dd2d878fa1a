"""The columns that every module's tables are made of.

    product = Table("product", metadata, *identity(), Column("title", Text, nullable=False), *metadata_column(), *timestamps())

Money is `numeric` without a scale: exact, whatever the currency's decimals. Times are timestamptz.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, MetaData, Numeric, SmallInteger, Table, Text, cast, func
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeDecorator


class Money(TypeDecorator[Any]):
    """An exact amount in major units. Shown as a JSON number, with a `raw_<name>` twin {value, precision}."""

    impl = Numeric
    cache_ok = True


class Quantity(TypeDecorator[Any]):
    """An exact amount of things, with a `raw_<name>` twin like `Money`."""

    impl = Numeric
    cache_ok = True


class Timestamp(TypeDecorator[Any]):
    """An instant, UTC. Shown as ISO 8601 with milliseconds, and kept to the millisecond: what was shown finds the row again."""

    impl = TIMESTAMP(timezone=True, precision=3)
    cache_ok = True


Json = JSONB(none_as_null=True)

ROOT = "root_id"
"""Column of the views of what lies in documents (`document_views.py`)."""

GUARD = "velella_guard"
"""Key in a column's info: the kernel counts it up. A column that is merely called version is left alone."""
MERGED = "velella_merged"
"""Key in a column's info: an update changes the JSON object there key by key (see `merging.py`)."""
EMAIL = "velella_email"
"""Key in a column's info: the kernel writes email addresses there, and nothing else."""

OF_ROOT = "velella_of_root"
"""Key in a column's info, of what lies in documents: the column holds the key of the row whose document it is, so that isn't written."""
LEAST = "velella_least"
"""Key in a column's info, of what lies in documents: the least number that it takes. Tables have constraints."""

COUNTED = "velella_counted"
"""Key in a column's info: others add to it and take from it meanwhile, so a write is taken back from it by the difference."""


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


def address_columns() -> list[Column[Any]]:
    """Who lives where, as everything with an address has it."""
    names = ("company", "first_name", "last_name", "address_1", "address_2", "city", "country_code", "province", "postal_code", "phone")
    return [Column(name, Text) for name in names]


def metadata_column() -> Column[Any]:
    return Column("metadata", Json, nullable=True, info={MERGED: True})


def email_column(name: str = "email", *, nullable: bool = True) -> Column[str]:
    """An email address: the kernel refuses to write anything else there, and keeps and compares it in lower case."""
    return Column(name, Text, nullable=nullable, info={EMAIL: True})


def version() -> Column[int]:
    """Rises with every update; an update that names the version it read is refused with Conflict where another was faster."""
    return Column("version", BigInteger, nullable=False, server_default="1", info={GUARD: True})


def document_columns(column: str = "document", number: str = "document_schema") -> tuple[Column[Any], Column[int]]:
    """The document of a row and the number of its schema (see `documents.py`)."""
    return Column(column, JSON, nullable=False), Column(number, SmallInteger, nullable=False)


def root_column() -> Column[str]:
    """Of a view of what lies in documents: the key of the row whose document it is. To be hidden."""
    return Column(ROOT, Text, nullable=False)


def trigrams(table: Table, *columns: str) -> Index:
    """An index by which `q` finds words inside these columns without reading every row. For tables that grow large.

    It has to have all that is searchable of the entity itself.
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
    """An index to find rows of a table by a column: of those that aren't deleted, or of all where deleting what the column refers to
    deletes or changes rows here, too. PostgreSQL looks for these without asking whether they are softly deleted.
    """
    refers = any(key.ondelete is not None for key in table.c[column].foreign_keys)
    where = None if refers or "deleted_at" not in table.c else table.c.deleted_at.is_(None)
    return Index(f"ix_{table.name}_{column}", table.c[column], postgresql_where=where)


def message_table(metadata: MetaData, module: str) -> Table:
    """The module's record of the writes that came over a wire, with their replies (see `message.writes`).

    `Schema` adds it to the metadata of every module by itself.
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
