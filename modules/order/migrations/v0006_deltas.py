"""Returns, claims and exchanges are counted by deltas."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "order_claim_deltas",
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    )
    op.create_index("ix_order_claim_deltas_xid", "order_claim_deltas", ["xid"], unique=False)
    op.create_table(
        "order_exchange_deltas",
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    )
    op.create_index("ix_order_exchange_deltas_xid", "order_exchange_deltas", ["xid"], unique=False)
    op.create_table(
        "return_deltas",
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    )
    op.create_index("ix_return_deltas_xid", "return_deltas", ["xid"], unique=False)
