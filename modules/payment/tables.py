"""Payment collections, the sessions in which buyers pay, and the payments with their captures and refunds.

A collection with its sessions is one row: the columns it is found by, its `version`, and one document with every session that it ever had,
dropped ones included. A writer names the version that it read. Payments, captures and refunds are rows of their own.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, Table, Text, false, text, true

from ...core.sql.schema.columns import (
    ROOT,
    Json,
    Money,
    Timestamp,
    document_columns,
    email_column,
    identity,
    metadata_column,
    module_metadata,
    root_column,
    timestamps,
    version,
)
from ...core.sql.schema.deltas import keep_deltas
from ...core.sql.schema.entity import Document, Entity, many, one, through
from ...core.sql.schema.schema import Schema

metadata = module_metadata()
inside = MetaData()
"""Metadata of the view."""

payment_provider = Table(
    "payment_provider",
    metadata,
    identity(),
    Column("is_enabled", Boolean, nullable=False, server_default=true()),
    *timestamps(),
)

# What one cart or order has to be paid. The amounts and the status follow from the sessions, payments, captures and refunds: every
# writer of these writes them in the same statement or transaction, guarded by the version or with the row locked.
payment_collection = Table(
    "payment_collection",
    metadata,
    identity(),
    Column("currency_code", Text, nullable=False),
    Column("amount", Money, nullable=False),
    Column("authorized_amount", Money),
    Column("captured_amount", Money),
    Column("refunded_amount", Money),
    Column("completed_at", Timestamp),
    Column("status", Text, nullable=False, server_default="not_paid"),
    Column("payer_key", Text, unique=True),  # `cart:<id>`: a cart has one collection, however often it asks for one
    Column("order_id", Text),  # the order that it pays for
    metadata_column(),
    version(),
    *timestamps(),
    *document_columns(),
    Column("session_ids", ARRAY(Text), nullable=False),
    Column("settle_at", Timestamp),  # the earliest of its sessions that no execution handles
    CheckConstraint("amount >= 0", name="amount_not_negative"),
    CheckConstraint(
        "status IN ('not_paid', 'awaiting', 'authorized', 'partially_authorized', 'canceled', 'failed', 'partially_captured', 'completed')",
        name="status",
    ),
    postgresql_with={"fillfactor": 60},  # a change finds room for the row's next version in its page
)
Index("ix_payment_collection_order_id", payment_collection.c.order_id, postgresql_where=payment_collection.c.order_id.is_not(None))
# Without fastupdate: a look-up of a session would have to scan the list of pending entries.
Index("ix_payment_collection_session_ids", payment_collection.c.session_ids, postgresql_using="gin", postgresql_with={"fastupdate": "off"})
Index("ix_payment_collection_settle_at", payment_collection.c.settle_at, postgresql_where=payment_collection.c.settle_at.is_not(None))

payment_collection_payment_providers = Table(
    "payment_collection_payment_providers",
    metadata,
    Column("payment_collection_id", Text, ForeignKey("payment_collection.id", ondelete="CASCADE"), primary_key=True),
    Column("payment_provider_id", Text, ForeignKey("payment_provider.id", ondelete="CASCADE"), primary_key=True),
)

payment_session = Table(
    "payment_session",
    inside,
    root_column(),
    identity(),
    Column("currency_code", Text, nullable=False),
    Column("amount", Money, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("data", Json, nullable=False),
    Column("context", Json),
    Column("status", Text, nullable=False),
    Column("authorized_at", Timestamp),
    Column("payment_collection_id", Text, nullable=False),
    Column("payment_id", Text),  # the payment in it: at most one
    # Rises when the provider has definitely declined: the next attempt goes to it under another idempotency key.
    Column("attempt", Integer, nullable=False),
    # When the session has to be checked for money that no order claims (see settling.py). NULL: nothing is due.
    Column("settle_at", Timestamp),
    Column("settle_begun", Timestamp),  # the `settle_at` that an execution handles
    # When the provider was last asked for the money and didn't answer. A status that it returns soon afterwards may not be final.
    Column("doubted_at", Timestamp),
    Column("request_key", Text),  # the client's own key: a repetition with it gets the same session
    metadata_column(),
    *timestamps(),
)

payment = Table(
    "payment",
    metadata,
    identity(),
    Column("amount", Money, nullable=False),
    Column("currency_code", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("data", Json),
    Column("captured_at", Timestamp),
    Column("canceled_at", Timestamp),
    Column("payment_collection_id", Text, ForeignKey("payment_collection.id", ondelete="CASCADE"), nullable=False),
    Column("payment_session_id", Text, nullable=False),
    metadata_column(),
    *timestamps(),
)
keep_deltas(payment, "payment_session_id", "created_at")
Index("uq_payment_session", payment.c.payment_session_id, unique=True, postgresql_where=payment.c.deleted_at.is_(None))
Index("ix_payment_payment_collection_id", payment.c.payment_collection_id)  # also of those that were deleted: what they captured counts

capture = Table(
    "capture",
    metadata,
    identity(),
    Column("amount", Money, nullable=False),
    Column("payment_id", Text, ForeignKey("payment.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_by", Text),
    metadata_column(),
    *timestamps(),
    CheckConstraint("amount > 0", name="amount_positive"),
)

refund_reason = Table(
    "refund_reason",
    metadata,
    identity(),
    Column("label", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("description", Text),
    metadata_column(),
    *timestamps(),
)

refund = Table(
    "refund",
    metadata,
    identity(),
    Column("amount", Money, nullable=False),
    Column("payment_id", Text, ForeignKey("payment.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("refund_reason_id", Text, ForeignKey("refund_reason.id", ondelete="SET NULL")),
    Column("note", Text),
    Column("created_by", Text),
    metadata_column(),
    *timestamps(),
    CheckConstraint("amount > 0", name="amount_positive"),
)

account_holder = Table(
    "account_holder",
    metadata,
    identity(),
    Column("provider_id", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    email_column(),
    Column("data", Json, nullable=False, server_default=text("'{}'::jsonb")),
    metadata_column(),
    *timestamps(),
)
Index(
    "uq_account_holder_provider_external",
    account_holder.c.provider_id,
    account_holder.c.external_id,
    unique=True,
    postgresql_where=account_holder.c.deleted_at.is_(None),
)

# The journal of operations on a payment. The row is committed before the provider is asked, and its
# id is the idempotency key there; it counts against what may still be captured or refunded until the answer is known.
# A process that dies in between leaves the row `pending`: the next request takes it up under the same key.
payment_operation = Table(
    "payment_operation",
    metadata,
    identity(),
    Column("payment_id", Text, ForeignKey("payment.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("amount", Money, nullable=False),
    Column("request_key", Text),  # the caller's own key: a repetition with it is the same operation
    Column("details", Json, nullable=False, server_default=text("'{}'::jsonb")),
    Column("failure", Text),
    # Whether a merchant was shown the result: a request after that is another operation (see `presses`).
    Column("shown", Boolean, nullable=False, server_default=false()),
    *timestamps(),
    CheckConstraint("kind IN ('capture', 'refund', 'cancel')", name="kind"),
    CheckConstraint("state IN ('pending', 'done', 'failed')", name="state"),
)
Index("ix_payment_operation_pending", payment_operation.c.payment_id, postgresql_where=payment_operation.c.state == "pending")
Index(
    "uq_payment_operation_request",
    payment_operation.c.payment_id,
    payment_operation.c.kind,
    payment_operation.c.request_key,
    unique=True,
    postgresql_where=payment_operation.c.state != "failed",
)

BOOKKEEPING = ("payment_id", "attempt", "settle_at", "settle_begun", "doubted_at", "request_key")
"""Columns of a session that are never shown."""

SCHEMA = Schema(
    "payment",
    Entity(
        "payment_provider",
        payment_provider,
        label="Payment provider",
        remembered=True,
        relations={
            "payment_collections": through(
                "payment_collection", payment_collection_payment_providers, "payment_provider_id", "payment_collection_id"
            )
        },
    ),
    Entity(
        "payment_collection",
        payment_collection,
        prefix="pay_col",
        label="Payment collection",
        relations={
            "payment_providers": through(
                "payment_provider", payment_collection_payment_providers, "payment_collection_id", "payment_provider_id"
            ),
            "payment_sessions": many("payment_session", "payment_collection_id"),
            "payments": many("payment", "payment_collection_id", cascade=True),
        },
        hidden=frozenset({"payer_key", "version", "document", "document_schema", "session_ids", "settle_at"}),
        unstarred=frozenset({"order_id"}),
        document=Document(found_by={("payment_session", "id"): "session_ids"}),
    ),
    Entity(
        "payment_session",
        payment_session,
        prefix="payses",
        label="Payment session",
        relations={
            "payment_collection": one("payment_collection", "payment_collection_id"),
            "payment": one("payment", "payment_id", beside=True),
        },
        hidden=frozenset({ROOT, *BOOKKEEPING}),
        inside="payment_collection",
        deleted_alone=True,
    ),
    Entity(
        "payment",
        payment,
        prefix="pay",
        label="Payment",
        relations={
            "payment_collection": one("payment_collection", "payment_collection_id"),
            "payment_session": one("payment_session", "payment_session_id", root_key="payment_collection_id"),
            "captures": many("capture", "payment_id", cascade=True),
            "refunds": many("refund", "payment_id", cascade=True),
        },
    ),
    Entity("capture", capture, prefix="capt", label="Capture", relations={"payment": one("payment", "payment_id")}),
    Entity(
        "refund",
        refund,
        prefix="ref",
        label="Refund",
        relations={"payment": one("payment", "payment_id"), "refund_reason": one("refund_reason", "refund_reason_id")},
    ),
    Entity(
        "refund_reason",
        refund_reason,
        prefix="refr",
        label="Refund reason",
        remembered=True,
        relations={"refunds": many("refund", "refund_reason_id")},
        translatable=("label", "description"),
        searchable=("label", "code", "description"),
    ),
    Entity("account_holder", account_holder, prefix="acchld", label="Account holder"),
)
