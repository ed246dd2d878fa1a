"""When a fulfilment was begun to be cancelled: its provider hasn't answered yet."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("fulfillment", sa.Column("canceling_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True))
