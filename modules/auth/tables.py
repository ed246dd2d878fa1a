"""Identities, their providers, and sessions."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false
from sqlalchemy.dialects.postgresql import ARRAY

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
    # whether it has a second factor, so that signing in asks no further table
    Column("mfa_enabled", Boolean, nullable=False, server_default=false()),
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
    # the address that the provider has seen proven, folded: who has it may be a user of the shop
    Column("verified_email", Text),
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


def _identity_key() -> Column[str]:
    return Column("auth_identity_id", Text, ForeignKey("auth_identity.id", ondelete="CASCADE"), nullable=False, index=True)


auth_mfa_factor = Table(
    "auth_mfa_factor",
    metadata,
    identity(),
    _identity_key(),
    Column("provider", Text, nullable=False),
    Column("status", Text, nullable=False),
    # the sealed secret; the last time step whose code was used, which is never taken again
    Column("provider_metadata", Json),
    Column("metadata", Json),
    *timestamps(),
    CheckConstraint("status IN ('pending', 'enabled', 'disabled')", name="status"),
)
Index(
    "uq_auth_mfa_factor_active",
    auth_mfa_factor.c.auth_identity_id,
    auth_mfa_factor.c.provider,
    unique=True,
    postgresql_where=auth_mfa_factor.c.deleted_at.is_(None) & auth_mfa_factor.c.status.in_(("pending", "enabled")),
)

auth_mfa_recovery_code = Table(
    "auth_mfa_recovery_code",
    metadata,
    identity(),
    _identity_key(),
    Column("code_hash", Text, nullable=False),  # of 128 random bits: a plain digest can't be guessed from
    Column("created_at", Timestamp, nullable=False),
    UniqueConstraint("auth_identity_id", "code_hash", name="uq_auth_mfa_recovery_code"),
)

auth_mfa_challenge = Table(
    "auth_mfa_challenge",
    metadata,
    identity(),
    _identity_key(),
    # whom the sign-in is for, and by which provider
    Column("actor_type", Text),
    Column("auth_provider", Text),
    Column("methods", ARRAY(Text), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("max_attempts", Integer, nullable=False),
    Column("completed_at", Timestamp),
    Column("expires_at", Timestamp, nullable=False, index=True),
)

# attempts to sign in elsewhere that are under way, by a digest of the word that comes back
auth_state = Table(
    "auth_state",
    metadata,
    identity(),
    Column("provider", Text, nullable=False),
    Column("data", Json, nullable=False),
    Column("expires_at", Timestamp, nullable=False, index=True),
)

auth_verification = Table(
    "auth_verification",
    metadata,
    identity(),
    _identity_key(),
    Column("entity_id", Text, nullable=False),  # what is verified: an email address, folded
    Column("entity_type", Text, nullable=False),  # `email`
    Column("code_provider", Text, nullable=False),
    Column("verified_at", Timestamp),
    Column("requested_at", Timestamp, nullable=False),
    Column("code_hash", Text, unique=True),
    Column("metadata", Json),
    *timestamps(),
    UniqueConstraint("auth_identity_id", "entity_id", "entity_type", name="uq_auth_verification"),
)
Index("ix_auth_verification_open", auth_verification.c.requested_at, postgresql_where=auth_verification.c.verified_at.is_(None))

SCHEMA = Schema(
    "auth",
    Entity(
        "auth_identity",
        auth_identity,
        prefix="authid",
        hidden=frozenset(("secret_version", "mfa_enabled")),
        relations={"provider_identities": many("provider_identity", "auth_identity_id", cascade=True)},
    ),
    Entity(
        "provider_identity",
        provider_identity,
        relations={"auth_identity": one("auth_identity", "auth_identity_id")},
        prefix="provid",
        hidden=frozenset(("provider_metadata", "verified_email")),
    ),
    Entity("auth_mfa_factor", auth_mfa_factor, prefix="authmfa", hidden=frozenset(("provider_metadata",))),
    Entity("auth_verification", auth_verification, prefix="authver", hidden=frozenset(("code_hash",))),
)
