"""One open change an order, and what actions put into orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index(
        "uq_order_change_open",
        "order_change",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('pending', 'requested') AND deleted_at IS NULL"),
    )
    op.add_column("order_change_action", sa.Column("line", postgresql.JSONB(), nullable=True))
