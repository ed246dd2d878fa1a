"""Deltas."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "product_sales_channel_tally",
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.SmallInteger(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=True),
        sa.Column("sales_channel_id", sa.Text(), nullable=True),
    )
    op.create_index("ix_product_sales_channel_tally_xid", "product_sales_channel_tally", ["xid"], unique=False)
