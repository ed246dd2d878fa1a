"""What happens to an order after it was placed: changes with their actions, returns, claims and exchanges.

An order has one change at most that is worked on: the database holds that.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Sequence,
    Table,
    Text,
    false,
    literal_column,
)
from sqlalchemy.sql.schema import SchemaItem

from ...core.sql.schema.columns import (
    GUARD,
    Json,
    Money,
    Quantity,
    Timestamp,
    identity,
    index_on,
    metadata_column,
    timestamps,
)
from ...core.sql.schema.deltas import keep_deltas
from .tables import metadata


def _of_order() -> tuple[SchemaItem, ...]:
    return (Column("order_id", Text, ForeignKey("order.id", ondelete="CASCADE"), nullable=False),)


def _of_cause() -> tuple[SchemaItem, ...]:
    """What may have brought a change about."""
    return Column("return_id", Text), Column("claim_id", Text), Column("exchange_id", Text)


def _indexed(table: Table, *columns: str) -> None:
    for name in columns:
        index_on(table, name)


order_change = Table(
    "order_change",
    metadata,
    identity(),
    *_of_order(),
    *_of_cause(),
    Column("version", Integer, nullable=False),
    Column("change_type", Text),
    Column("description", Text),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("internal_note", Text),
    Column("created_by", Text),
    Column("requested_by", Text),
    Column("requested_at", Timestamp),
    Column("confirmed_by", Text),
    Column("confirmed_at", Timestamp),
    Column("declined_by", Text),
    Column("declined_reason", Text),
    Column("declined_at", Timestamp),
    Column("canceled_by", Text),
    Column("canceled_at", Timestamp),
    Column("carry_over_promotions", Boolean),
    Column("no_notification", Boolean),
    Column("revision", BigInteger, nullable=False, server_default="1", info={GUARD: True}),  # rises with each write of its actions, too
    metadata_column(),
    *timestamps(),
    CheckConstraint("status IN ('confirmed', 'declined', 'requested', 'pending', 'canceled')", name="status"),
)
_indexed(order_change, "order_id")
OPEN = ("pending", "requested")
"""Statuses of a change that is worked on, or waits to be confirmed."""
Index(
    "uq_order_change_open",
    order_change.c.order_id,
    unique=True,
    postgresql_where=order_change.c.status.in_([literal_column(f"'{status}'") for status in OPEN]) & order_change.c.deleted_at.is_(None),
)

order_change_action = Table(
    "order_change_action",
    metadata,
    identity(),
    Column("order_change_id", Text, ForeignKey("order_change.id", ondelete="CASCADE")),
    Column("order_id", Text),
    *_of_cause(),
    Column("version", Integer),
    Column("ordering", BigInteger, Identity(), nullable=False),
    Column("reference", Text),
    Column("reference_id", Text),
    Column("action", Text, nullable=False),
    Column("details", Json),
    Column("line", Json),  # what it puts into the order: a document with that and nothing else
    Column("amount", Money),
    Column("internal_note", Text),
    Column("applied", Boolean, nullable=False, server_default=false()),
    *timestamps(),
)
_indexed(order_change_action, "order_change_id", "order_id")

# `return` is a word of Python, not of SQL.
return_ids = Sequence("return_display_id_seq", metadata=metadata)
return_ = Table(
    "return",
    metadata,
    identity(),
    *_of_order(),
    Column("claim_id", Text),
    Column("exchange_id", Text),
    Column("order_version", Integer, nullable=False),
    Column("display_id", Integer, nullable=False, server_default=return_ids.next_value()),
    Column("status", Text, nullable=False, server_default="open"),
    Column("location_id", Text),
    Column("no_notification", Boolean),
    Column("refund_amount", Money),
    Column("created_by", Text),
    Column("requested_at", Timestamp),
    Column("received_at", Timestamp),
    Column("canceled_at", Timestamp),
    metadata_column(),
    *timestamps(),
    CheckConstraint("status IN ('open', 'requested', 'received', 'partially_received', 'canceled')", name="status"),
)
_indexed(return_, "order_id")
keep_deltas(return_, "order_id", "created_at")

return_item = Table(
    "return_item",
    metadata,
    identity(),
    Column("return_id", Text, ForeignKey("return.id", ondelete="CASCADE"), nullable=False),
    Column("reason_id", Text, ForeignKey("return_reason.id", ondelete="SET NULL")),
    Column("item_id", Text, nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("received_quantity", Quantity, nullable=False, server_default="0"),
    Column("damaged_quantity", Quantity, nullable=False, server_default="0"),
    Column("note", Text),
    metadata_column(),
    *timestamps(),
)
_indexed(return_item, "return_id", "reason_id", "item_id")

claim_ids = Sequence("order_claim_display_id_seq", metadata=metadata)
order_claim = Table(
    "order_claim",
    metadata,
    identity(),
    *_of_order(),
    Column("return_id", Text),
    Column("order_version", Integer, nullable=False),
    Column("display_id", Integer, nullable=False, server_default=claim_ids.next_value()),
    Column("type", Text, nullable=False),
    Column("no_notification", Boolean),
    Column("refund_amount", Money),
    Column("created_by", Text),
    Column("canceled_at", Timestamp),
    metadata_column(),
    *timestamps(),
    CheckConstraint("type IN ('refund', 'replace')", name="type"),
)
_indexed(order_claim, "order_id")
keep_deltas(order_claim, "order_id", "created_at")

order_claim_item = Table(
    "order_claim_item",
    metadata,
    identity(),
    Column("claim_id", Text, ForeignKey("order_claim.id", ondelete="CASCADE"), nullable=False),
    Column("claimed_by", Text),  # the claim, of what was wrong
    Column("added_by", Text),  # the claim, of what is sent instead
    Column("item_id", Text, nullable=False),
    Column("is_additional_item", Boolean, nullable=False, server_default=false()),
    Column("reason", Text),
    Column("quantity", Quantity, nullable=False),
    Column("note", Text),
    metadata_column(),
    *timestamps(),
    CheckConstraint("reason IN ('missing_item', 'wrong_item', 'production_failure', 'other')", name="reason"),
)
_indexed(order_claim_item, "claim_id", "claimed_by", "added_by", "item_id")

order_claim_item_image = Table(
    "order_claim_item_image",
    metadata,
    identity(),
    Column("claim_item_id", Text, ForeignKey("order_claim_item.id", ondelete="CASCADE"), nullable=False),
    Column("url", Text, nullable=False),
    metadata_column(),
    *timestamps(),
)
_indexed(order_claim_item_image, "claim_item_id")

exchange_ids = Sequence("order_exchange_display_id_seq", metadata=metadata)
order_exchange = Table(
    "order_exchange",
    metadata,
    identity(),
    *_of_order(),
    Column("return_id", Text),
    Column("order_version", Integer, nullable=False),
    Column("display_id", Integer, nullable=False, server_default=exchange_ids.next_value()),
    Column("no_notification", Boolean),
    Column("allow_backorder", Boolean, nullable=False, server_default=false()),
    Column("difference_due", Money),
    Column("created_by", Text),
    Column("canceled_at", Timestamp),
    metadata_column(),
    *timestamps(),
)
_indexed(order_exchange, "order_id")
keep_deltas(order_exchange, "order_id", "created_at")

order_exchange_item = Table(
    "order_exchange_item",
    metadata,
    identity(),
    Column("exchange_id", Text, ForeignKey("order_exchange.id", ondelete="CASCADE"), nullable=False),
    Column("item_id", Text, nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("note", Text),
    metadata_column(),
    *timestamps(),
)
_indexed(order_exchange_item, "exchange_id", "item_id")
