"""Initial."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "cart",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("region_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("sales_channel_id", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("shipping_address_id", sa.Text(), nullable=True),
        sa.Column("billing_address_id", sa.Text(), nullable=True),
        sa.Column("completed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("payment_collection_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("document", postgresql.JSON(), nullable=False),
        sa.Column("document_schema", sa.SmallInteger(), nullable=False),
        sa.Column("variant_ids", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart")),
        postgresql_with={"fillfactor": 60},
    )
    op.create_index(
        "ix_cart_customer_id",
        "cart",
        ["customer_id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL AND customer_id IS NOT NULL"),
    )
    op.create_index(
        "ix_cart_region_id", "cart", ["region_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL AND region_id IS NOT NULL")
    )
    op.create_index(
        "ix_cart_sales_channel_id",
        "cart",
        ["sales_channel_id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL AND sales_channel_id IS NOT NULL"),
    )
    op.create_index("uq_cart_order_id", "cart", ["order_id"], unique=True, postgresql_where=sa.text("order_id IS NOT NULL"))
    op.create_index(
        "uq_cart_payment_collection_id",
        "cart",
        ["payment_collection_id"],
        unique=True,
        postgresql_where=sa.text("payment_collection_id IS NOT NULL"),
    )
    op.create_index("ix_cart_variant_ids", "cart", ["variant_ids"], unique=False, postgresql_using="gin")
    op.create_table(
        "cart_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_message")),
    )
    op.create_index(op.f("ix_cart_message_created_at"), "cart_message", ["created_at"], unique=False)
