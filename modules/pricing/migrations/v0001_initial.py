"""Initial."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "price_list",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("type", sa.Text(), server_default="sale", nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("rules_count", sa.Integer(), server_default="0", nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("status IN ('active', 'draft')", name=op.f("ck_price_list_status")),
        sa.CheckConstraint("type IN ('sale', 'override')", name=op.f("ck_price_list_type")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list")),
    )
    op.create_table(
        "price_preference",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("is_tax_inclusive", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_preference")),
    )
    op.create_index(
        "uq_price_preference_attribute_value",
        "price_preference",
        ["attribute", "value"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "price_set",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_set")),
    )
    op.create_table(
        "pricing_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pricing_message")),
    )
    op.create_index(op.f("ix_pricing_message_created_at"), "pricing_message", ["created_at"], unique=False)
    op.create_table(
        "price",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("min_quantity", sa.Numeric(), nullable=True),
        sa.Column("max_quantity", sa.Numeric(), nullable=True),
        sa.Column("rules_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("price_set_id", sa.Text(), nullable=False),
        sa.Column("price_list_id", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["price_list_id"], ["price_list.id"], name=op.f("fk_price_price_list_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["price_set_id"], ["price_set.id"], name=op.f("fk_price_price_set_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price")),
    )
    op.create_index("ix_price_price_list_id", "price", ["price_list_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index(
        "ix_price_price_set_id_currency_code",
        "price",
        ["price_set_id", "currency_code"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "price_list_rule",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("attribute", sa.Text(), server_default="", nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=True),
        sa.Column("price_list_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["price_list_id"], ["price_list.id"], name=op.f("fk_price_list_rule_price_list_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list_rule")),
    )
    op.create_index(
        "ix_price_list_rule_price_list_id",
        "price_list_rule",
        ["price_list_id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "price_rule",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("attribute", sa.Text(), server_default="", nullable=False),
        sa.Column("operator", sa.Text(), server_default="eq", nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("operator IN ('gte', 'lte', 'gt', 'lt', 'eq')", name=op.f("ck_price_rule_operator")),
        sa.ForeignKeyConstraint(["price_id"], ["price.id"], name=op.f("fk_price_rule_price_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_rule")),
    )
    op.create_index(
        "uq_price_rule_price_id_attribute_operator",
        "price_rule",
        ["price_id", "attribute", "operator"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
