"""The SQL that a database needs before it can hold a module's rows.

Besides tables a module may declare, in its metadata's `info`:

    metadata.info["extensions"] = ("pg_trgm",)
    metadata.info["views"] = {"name": "SELECT …"}      # may use the views before them; their Table objects live in other metadata

The delta tables of large tables (`deltas.py`) are made here, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy import MetaData
from sqlalchemy.schema import CreateIndex, CreateSequence, CreateTable

from ..db.compiled import DIALECT
from .deltas import create_triggers


def definition(metadata: MetaData) -> list[str]:
    """The statements that make all of it in an empty database. Tests use them; a shop's database is migrated."""
    statements = extensions(metadata)
    statements += [str(CreateSequence(sequence).compile(dialect=DIALECT)) for sequence in metadata._sequences.values()]
    for table in metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=DIALECT)))
        statements += [
            str(CreateIndex(index).compile(dialect=DIALECT)) for index in sorted(table.indexes, key=lambda index: str(index.name))
        ]
    return statements + create_views(metadata) + create_triggers(metadata)


def extensions(metadata: MetaData) -> list[str]:
    return [f"CREATE EXTENSION IF NOT EXISTS {name}" for name in metadata.info.get("extensions", ())]


def views(metadata: MetaData) -> Mapping[str, str]:
    """SQL of the module's views by name."""
    declared: Mapping[str, str] = metadata.info.get("views", {})
    return declared


def view_stamps(metadata: MetaData) -> dict[str, str]:
    """View → a stamp that changes with the view's text; stored as the view's comment in the database."""
    return {name: sha256(" ".join(sql.split()).encode()).hexdigest()[:16] for name, sql in views(metadata).items()}


def create_views(metadata: MetaData) -> list[str]:
    stamps = view_stamps(metadata)
    statements = []
    for name, sql in views(metadata).items():
        statements += [f"CREATE VIEW {name} AS {sql}", f"COMMENT ON VIEW {name} IS '{stamps[name]}'"]
    return statements


def drop_views(metadata: MetaData) -> list[str]:
    return [f"DROP VIEW IF EXISTS {name}" for name in reversed(list(views(metadata)))]
