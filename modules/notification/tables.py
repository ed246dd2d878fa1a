"""Notifications, and the providers that deliver them."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text, true
from sqlalchemy.dialects.postgresql import ARRAY

from ...core.sql.schema.columns import Json, Timestamp, identity, module_metadata, timestamps
from ...core.sql.schema.entity import Entity, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

notification_provider = Table(
    "notification_provider",
    metadata,
    identity(),
    Column("handle", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False, server_default=true()),
    Column("channels", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    *timestamps(),
)

notification = Table(
    "notification",
    metadata,
    identity(),
    Column("to", Text, nullable=False),
    Column("from", Text),
    Column("channel", Text, nullable=False),
    Column("template", Text),
    Column("data", Json),  # without secrets that only the receiver may know
    Column("provider_data", Json),
    Column("trigger_type", Text),
    Column("resource_id", Text),
    Column("resource_type", Text),
    Column("receiver_id", Text, index=True),
    Column("original_notification_id", Text),
    Column("idempotency_key", Text),
    Column("external_id", Text),  # the outside service's id
    Column("provider_id", Text, ForeignKey("notification_provider.id", ondelete="SET NULL"), index=True),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("failure", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # Until then the sending process is taken to be alive, and no other one sends it.
    Column("sending_until", Timestamp),
    *timestamps(),
    CheckConstraint("status IN ('pending', 'success', 'failure')", name="status"),
)
Index(
    "uq_notification_idempotency_key",
    notification.c.idempotency_key,
    unique=True,
    postgresql_where=notification.c.deleted_at.is_(None),
)
Index("ix_notification_created_at", notification.c.created_at)

SCHEMA = Schema(
    "notification",
    Entity(
        "notification",
        notification,
        prefix="noti",
        label="Notification",
        relations={"provider": one("notification_provider", "provider_id")},
        searchable=("to", "from", "resource_id"),
        hidden=frozenset({"attempts", "failure", "sending_until"}),
    ),
    Entity(
        "notification_provider",
        notification_provider,
        prefix="notpro",
        label="Notification provider",
        relations={"notifications": many("notification", "provider_id")},
    ),
)
