"""Users and invites."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, Text, false

from ...core.sql.schema.columns import Timestamp, email_column, identity, metadata_column, module_metadata, timestamps
from ...core.sql.schema.entity import Entity
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

user = Table(
    "user",
    metadata,
    identity(),
    Column("first_name", Text),
    Column("last_name", Text),
    email_column(nullable=False),
    Column("avatar_url", Text),
    metadata_column(),
    *timestamps(),
)
Index("uq_user_email", user.c.email, unique=True, postgresql_where=user.c.deleted_at.is_(None))

invite = Table(
    "invite",
    metadata,
    identity(),
    email_column(nullable=False),
    Column("accepted", Boolean, nullable=False, server_default=false()),
    Column("accepted_by", Text),
    Column("token", Text, nullable=False),
    Column("expires_at", Timestamp, nullable=False),
    metadata_column(),
    *timestamps(),
)
Index("uq_invite_email", invite.c.email, unique=True, postgresql_where=invite.c.deleted_at.is_(None))
Index("uq_invite_token", invite.c.token, unique=True, postgresql_where=invite.c.deleted_at.is_(None))

SCHEMA = Schema(
    "user",
    Entity("user", user, prefix="user", searchable=("first_name", "last_name", "email")),
    Entity("invite", invite, prefix="invite", searchable=("email",), hidden=frozenset({"accepted_by"})),
)
