"""What claims claim and send."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("order_claim_item", sa.Column("claimed_by", sa.Text(), nullable=True))
    op.add_column("order_claim_item", sa.Column("added_by", sa.Text(), nullable=True))
    op.create_index(
        "ix_order_claim_item_added_by", "order_claim_item", ["added_by"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index(
        "ix_order_claim_item_claimed_by", "order_claim_item", ["claimed_by"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
    )
