"""Identities, their providers, and sessions."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from ...core.sql.schema.columns import Json, Timestamp, identity, module_metadata, timestamps
from ...core.sql.schema.entity import Entity, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

auth_identity = Table(
    "auth_identity",
    metadata,
    identity(),
    # actor type → actor: {"customer_id": "cus_…"}
    Column("app_metadata", Json),
    # rises when a secret of it changes: what was made with the old one is invalid from then on
    Column("secret_version", Integer, nullable=False, server_default="1"),
    *timestamps(),
)

Index("ix_auth_identity_app_metadata", auth_identity.c.app_metadata, postgresql_using="gin")

provider_identity = Table(
    "provider_identity",
    metadata,
    identity(),
    # the provider's name for the person: an email address, an account number
    Column("entity_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("auth_identity_id", Text, ForeignKey("auth_identity.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_metadata", Json),
    # the provider's private data: password hashes, tokens
    Column("provider_metadata", Json),
    *timestamps(),
)
Index(
    "uq_provider_identity_entity",
    provider_identity.c.entity_id,
    provider_identity.c.provider,
    unique=True,
    postgresql_where=provider_identity.c.deleted_at.is_(None),
)

auth_session = Table(
    "auth_session",
    metadata,
    # a digest of the id in the cookie: a reader of this table can't take over a session
    identity(),
    Column("auth_identity_id", Text, nullable=False, index=True),
    Column("data", Json, nullable=False),
    # when it ends unless it is used, and when it ends in any case
    Column("expires_at", Timestamp, nullable=False, index=True),
    Column("ends_at", Timestamp, nullable=False),
    Column("created_at", Timestamp, nullable=False),
)

auth_password_reset_token = Table(
    "auth_password_reset_token",
    metadata,
    identity(),
    Column("auth_identity_id", Text, ForeignKey("auth_identity.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("provider_identity_id", Text, ForeignKey("provider_identity.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("entity_id", Text, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("expires_at", Timestamp, nullable=False, index=True),
    *timestamps(),
)

auth_limit = Table(
    "auth_limit",
    metadata,
    # a digest of the limit's name and of the account or address
    identity(),
    Column("uses", Integer, nullable=False),
    Column("expires_at", Timestamp, nullable=False, index=True),
)

SCHEMA = Schema(
    "auth",
    Entity(
        "auth_identity",
        auth_identity,
        prefix="authid",
        hidden=frozenset(("secret_version",)),
        relations={"provider_identities": many("provider_identity", "auth_identity_id", cascade=True)},
    ),
    Entity(
        "provider_identity",
        provider_identity,
        relations={"auth_identity": one("auth_identity", "auth_identity_id")},
        prefix="provid",
        hidden=frozenset(("provider_metadata",)),
    ),
)
