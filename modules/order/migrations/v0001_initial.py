"""Initial."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE order_exchange_display_id_seq")
    op.execute("CREATE SEQUENCE order_claim_display_id_seq")
    op.execute("CREATE SEQUENCE return_display_id_seq")
    op.execute("CREATE SEQUENCE order_display_id_seq")
    op.create_table(
        "order",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("display_id", sa.Integer(), server_default=sa.text("nextval('order_display_id_seq')"), nullable=False),
        sa.Column("custom_display_id", sa.Text(), nullable=True),
        sa.Column("region_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("sales_channel_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("is_draft_order", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("shipping_address_id", sa.Text(), nullable=True),
        sa.Column("billing_address_id", sa.Text(), nullable=True),
        sa.Column("no_notification", sa.Boolean(), nullable=True),
        sa.Column("canceled_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("summary", postgresql.JSONB(), nullable=False),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("document", postgresql.JSON(), nullable=False),
        sa.Column("document_schema", sa.SmallInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("variant_ids", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("product_ids", sa.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'completed', 'draft', 'archived', 'canceled', 'requires_action')", name=op.f("ck_order_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("ix_order_created_at", "order", ["created_at"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("ix_order_customer_id", "order", ["customer_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("ix_order_display_id", "order", ["display_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("ix_order_product_ids", "order", ["product_ids"], unique=False, postgresql_using="gin")
    op.create_index("ix_order_region_id", "order", ["region_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index(
        "ix_order_sales_channel_id", "order", ["sales_channel_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index("ix_order_variant_ids", "order", ["variant_ids"], unique=False, postgresql_using="gin")
    op.create_index("ix_order_words", "order", ["search"], unique=False, postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"})
    op.create_index(
        "uq_order_custom_display_id", "order", ["custom_display_id"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_table(
        "order_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_message")),
    )
    op.create_index(op.f("ix_order_message_created_at"), "order_message", ["created_at"], unique=False)
    op.create_table(
        "order_tally",
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=True),
        sa.Column("display_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("is_draft_order", sa.Boolean(), nullable=True),
        sa.Column("region_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("sales_channel_id", sa.Text(), nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    )
    op.create_index("ix_order_tally_xid", "order_tally", ["xid"], unique=False)
    op.create_table(
        "return_reason",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("parent_return_reason_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["parent_return_reason_id"], ["return_reason.id"], name=op.f("fk_return_reason_parent_return_reason_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_reason")),
    )
    op.create_index(op.f("ix_return_reason_parent_return_reason_id"), "return_reason", ["parent_return_reason_id"], unique=False)
    op.create_index(op.f("ix_return_reason_value"), "return_reason", ["value"], unique=False)
    op.create_table(
        "order_change",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=True),
        sa.Column("claim_id", sa.Text(), nullable=True),
        sa.Column("exchange_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("change_type", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("internal_note", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("declined_by", sa.Text(), nullable=True),
        sa.Column("declined_reason", sa.Text(), nullable=True),
        sa.Column("declined_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("canceled_by", sa.Text(), nullable=True),
        sa.Column("canceled_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("carry_over_promotions", sa.Boolean(), nullable=True),
        sa.Column("no_notification", sa.Boolean(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("status IN ('confirmed', 'declined', 'requested', 'pending', 'canceled')", name=op.f("ck_order_change_status")),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_order_change_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_change")),
    )
    op.create_index("ix_order_change_order_id", "order_change", ["order_id"], unique=False, postgresql_where=None)
    op.create_table(
        "order_claim",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=True),
        sa.Column("order_version", sa.Integer(), nullable=False),
        sa.Column("display_id", sa.Integer(), server_default=sa.text("nextval('order_claim_display_id_seq')"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("no_notification", sa.Boolean(), nullable=True),
        sa.Column("refund_amount", sa.Numeric(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("canceled_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("type IN ('refund', 'replace')", name=op.f("ck_order_claim_type")),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_order_claim_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_claim")),
    )
    op.create_index("ix_order_claim_order_id", "order_claim", ["order_id"], unique=False, postgresql_where=None)
    op.create_table(
        "order_exchange",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=True),
        sa.Column("order_version", sa.Integer(), nullable=False),
        sa.Column("display_id", sa.Integer(), server_default=sa.text("nextval('order_exchange_display_id_seq')"), nullable=False),
        sa.Column("no_notification", sa.Boolean(), nullable=True),
        sa.Column("allow_backorder", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("difference_due", sa.Numeric(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("canceled_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_order_exchange_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_exchange")),
    )
    op.create_index("ix_order_exchange_order_id", "order_exchange", ["order_id"], unique=False, postgresql_where=None)
    op.create_table(
        "order_version",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fields", postgresql.JSON(), nullable=False),
        sa.Column("document", postgresql.JSON(), nullable=False),
        sa.Column("document_schema", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_order_version_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_id", "version", name=op.f("pk_order_version")),
    )
    op.create_table(
        "return",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=True),
        sa.Column("exchange_id", sa.Text(), nullable=True),
        sa.Column("order_version", sa.Integer(), nullable=False),
        sa.Column("display_id", sa.Integer(), server_default=sa.text("nextval('return_display_id_seq')"), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("location_id", sa.Text(), nullable=True),
        sa.Column("no_notification", sa.Boolean(), nullable=True),
        sa.Column("refund_amount", sa.Numeric(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("canceled_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("status IN ('open', 'requested', 'received', 'partially_received', 'canceled')", name=op.f("ck_return_status")),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_return_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return")),
    )
    op.create_index("ix_return_order_id", "return", ["order_id"], unique=False, postgresql_where=None)
    op.create_table(
        "order_change_action",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_change_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("return_id", sa.Text(), nullable=True),
        sa.Column("claim_id", sa.Text(), nullable=True),
        sa.Column("exchange_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("ordering", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("reference_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("internal_note", sa.Text(), nullable=True),
        sa.Column("applied", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_change_id"], ["order_change.id"], name=op.f("fk_order_change_action_order_change_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_change_action")),
    )
    op.create_index(
        "ix_order_change_action_order_change_id", "order_change_action", ["order_change_id"], unique=False, postgresql_where=None
    )
    op.create_index(
        "ix_order_change_action_order_id", "order_change_action", ["order_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_table(
        "order_claim_item",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("is_additional_item", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint(
            "reason IN ('missing_item', 'wrong_item', 'production_failure', 'other')", name=op.f("ck_order_claim_item_reason")
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["order_claim.id"], name=op.f("fk_order_claim_item_claim_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_claim_item")),
    )
    op.create_index("ix_order_claim_item_claim_id", "order_claim_item", ["claim_id"], unique=False, postgresql_where=None)
    op.create_index(
        "ix_order_claim_item_item_id", "order_claim_item", ["item_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_table(
        "order_exchange_item",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("exchange_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["exchange_id"], ["order_exchange.id"], name=op.f("fk_order_exchange_item_exchange_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_exchange_item")),
    )
    op.create_index("ix_order_exchange_item_exchange_id", "order_exchange_item", ["exchange_id"], unique=False, postgresql_where=None)
    op.create_index(
        "ix_order_exchange_item_item_id", "order_exchange_item", ["item_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_table(
        "return_item",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("reason_id", sa.Text(), nullable=True),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("received_quantity", sa.Numeric(), server_default="0", nullable=False),
        sa.Column("damaged_quantity", sa.Numeric(), server_default="0", nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["reason_id"], ["return_reason.id"], name=op.f("fk_return_item_reason_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["return_id"], ["return.id"], name=op.f("fk_return_item_return_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_item")),
    )
    op.create_index("ix_return_item_item_id", "return_item", ["item_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("ix_return_item_reason_id", "return_item", ["reason_id"], unique=False, postgresql_where=None)
    op.create_index("ix_return_item_return_id", "return_item", ["return_id"], unique=False, postgresql_where=None)
