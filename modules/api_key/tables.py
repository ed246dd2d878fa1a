"""API keys."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from ...core.sql.schema.columns import Timestamp, identity, module_metadata, timestamps
from ...core.sql.schema.entity import Entity
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

api_key = Table(
    "api_key",
    metadata,
    identity(),
    # What a client may see of the key: a publishable one is no secret, of a secret one only a digest is stored.
    Column("token", Text, nullable=False),
    Column("digest", Text),
    Column("salt", Text),
    Column("redacted", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("last_used_at", Timestamp),
    Column("created_by", Text, nullable=False),
    Column("revoked_by", Text),
    Column("revoked_at", Timestamp),
    *timestamps(),
    CheckConstraint("type IN ('publishable', 'secret')", name="type"),
    CheckConstraint("type = 'publishable' OR (token = '' AND digest IS NOT NULL AND salt IS NOT NULL)", name="secret_has_digest"),
)
Index("uq_api_key_token", api_key.c.token, unique=True, postgresql_where=api_key.c.type == "publishable")
Index("ix_api_key_redacted", api_key.c.redacted, postgresql_where=api_key.c.deleted_at.is_(None))

SCHEMA = Schema(
    "api_key",
    Entity(
        "api_key",
        api_key,
        prefix="apk",
        label="ApiKey",
        searchable=("redacted", "title"),
        hidden=frozenset(("digest", "salt")),
    ),
)
