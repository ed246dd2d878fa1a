"""Indexes with their versions and how these were filled; what waits to be indexed; and the documents of the PostgreSQL provider."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from ...core.sql.schema.columns import Json, Timestamp, identity, module_metadata, timestamps
from ...core.sql.schema.entity import Entity, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

search_index = Table(
    "search_index",
    metadata,
    identity(),
    Column("name", Text, nullable=False, unique=True),
    Column("active_version", Integer),
    *timestamps(),
)

search_index_version = Table(
    "search_index_version",
    metadata,
    identity(),
    Column("version", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("physical_name", Text, nullable=False),
    Column("definition_hash", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("search_index_id", Text, ForeignKey("search_index.id", onupdate="CASCADE"), nullable=False),
    *timestamps(),
    CheckConstraint("status IN ('pending', 'building', 'ready', 'error')", name="status"),
    UniqueConstraint("search_index_id", "version"),
)

search_index_sync = Table(
    "search_index_sync",
    metadata,
    identity(),
    Column("job_id", Text, index=True),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("filters", Json),
    Column("last_key", Text),
    Column("resumable", Boolean, nullable=False, server_default=true()),
    Column("documents_synced", Integer, nullable=False, server_default="0"),
    Column("started_at", Timestamp),
    Column("completed_at", Timestamp),
    Column("error", Text),
    Column("search_index_version_id", Text, ForeignKey("search_index_version.id", onupdate="CASCADE"), nullable=False, index=True),
    *timestamps(),
    CheckConstraint("status IN ('pending', 'processing', 'done', 'failed', 'canceled')", name="status"),
)

# What has changed since it was indexed, oldest first: products (`whole`), and things that products are made of. `kept`: worked off, and to
# be once more when what is filled now is full.
search_pending = Table(
    "search_pending",
    metadata,
    Column("key", Text, primary_key=True),
    Column("whole", Boolean, primary_key=True),
    Column("position", BigInteger, Identity(), nullable=False, unique=True),
    Column("kept", Boolean, nullable=False, server_default=false()),
)

# -- the PostgreSQL provider's

# `ticket`: a document that was read later has a higher one, and is never replaced by one with a lower. `fields` is null for what isn't
# there any more: else a late writer would bring it back. `parts` are the keys of what the document was made of.
search_document = Table(
    "search_document",
    metadata,
    Column("version_id", Text, primary_key=True),
    identity(),
    Column("ticket", BigInteger, nullable=False),
    Column("words", TSVECTOR),
    Column("fields", Json),
    Column("parts", ARRAY(Text), nullable=False),
)
Index("ix_search_document_words", search_document.c.words, postgresql_using="gin")
Index(
    "ix_search_document_fields",
    search_document.c.fields,
    postgresql_using="gin",
    postgresql_ops={"fields": "jsonb_path_ops"},
)
Index("ix_search_document_parts", search_document.c.parts, postgresql_using="gin")

# The words of an index, each with all that is left of it without one of its letters: what a misspelt word was meant to be is found by
# what both have in common.
search_word = Table(
    "search_word",
    metadata,
    Column("version_id", Text, primary_key=True),
    Column("word", Text, primary_key=True),
    Column("spellings", ARRAY(Text), nullable=False),
)
Index("ix_search_word_spellings", search_word.c.spellings, postgresql_using="gin")

SCHEMA = Schema(
    "search",
    Entity(
        "search_index",
        search_index,
        prefix="srhidx",
        label="SearchIndex",
        relations={"versions": many("search_index_version", "search_index_id")},
    ),
    Entity(
        "search_index_version",
        search_index_version,
        prefix="srhver",
        label="SearchIndexVersion",
        relations={"search_index": one("search_index", "search_index_id"), "syncs": many("search_index_sync", "search_index_version_id")},
    ),
    Entity(
        "search_index_sync",
        search_index_sync,
        prefix="srhsync",
        label="SearchIndexSync",
        relations={"search_index_version": one("search_index_version", "search_index_version_id")},
    ),
    metadata=metadata,
)
