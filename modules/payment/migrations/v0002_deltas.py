"""Payments are counted by deltas."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "payment_deltas",
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=True),
        sa.Column("payment_session_id", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
    )
    op.create_index("ix_payment_deltas_xid", "payment_deltas", ["xid"], unique=False)
