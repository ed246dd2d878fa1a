"""All payments of a collection are found by an index, deleted ones, too."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_payment_payment_collection_id", "payment", ["payment_collection_id"], unique=False)
    op.drop_index("ix_payment_collection", table_name="payment")
