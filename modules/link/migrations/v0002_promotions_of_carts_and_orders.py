"""Promotions of carts and orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "cart_promotion",
        sa.Column("cart_id", sa.Text(), nullable=False),
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("cart_id", "promotion_id", name=op.f("pk_cart_promotion")),
    )
    op.create_index("ix_cart_promotion_promotion_id", "cart_promotion", ["promotion_id"], unique=False)
    op.create_index("uq_cart_promotion_id", "cart_promotion", ["id"], unique=True)
    op.create_table(
        "order_promotion",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "promotion_id", name=op.f("pk_order_promotion")),
    )
    op.create_index("ix_order_promotion_promotion_id", "order_promotion", ["promotion_id"], unique=False)
    op.create_index("uq_order_promotion_id", "order_promotion", ["id"], unique=True)
