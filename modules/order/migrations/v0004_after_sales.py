"""After sales."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE order_exchange_display_id_seq")
    op.execute("CREATE SEQUENCE order_claim_display_id_seq")
    op.execute("CREATE SEQUENCE return_display_id_seq")
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
    op.create_index("ix_order_change_order_id", "order_change", ["order_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
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
    op.create_index("ix_order_claim_order_id", "order_claim", ["order_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
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
    op.create_index(
        "ix_order_exchange_order_id", "order_exchange", ["order_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
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
    op.create_index("ix_return_order_id", "return", ["order_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
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
        "ix_order_change_action_order_change_id",
        "order_change_action",
        ["order_change_id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
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
        sa.ForeignKeyConstraint(["item_id"], ["order_line_item.id"], name=op.f("fk_order_claim_item_item_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_claim_item")),
    )
    op.create_index(
        "ix_order_claim_item_claim_id", "order_claim_item", ["claim_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
    )
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
        sa.ForeignKeyConstraint(["item_id"], ["order_line_item.id"], name=op.f("fk_order_exchange_item_item_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_exchange_item")),
    )
    op.create_index(
        "ix_order_exchange_item_exchange_id",
        "order_exchange_item",
        ["exchange_id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
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
        sa.ForeignKeyConstraint(["item_id"], ["order_line_item.id"], name=op.f("fk_return_item_item_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["reason_id"], ["return_reason.id"], name=op.f("fk_return_item_reason_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["return_id"], ["return.id"], name=op.f("fk_return_item_return_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_item")),
    )
    op.create_index("ix_return_item_item_id", "return_item", ["item_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("ix_return_item_reason_id", "return_item", ["reason_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("ix_return_item_return_id", "return_item", ["return_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
