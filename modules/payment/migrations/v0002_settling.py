"""Sessions say when they have to be settled, operations whether anybody was shown them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

OWED = sa.text("settle_at IS NOT NULL")


def upgrade() -> None:
    for name in ("settle_at", "settle_begun", "doubted_at"):
        op.add_column("payment_session", sa.Column(name, postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True))
    op.add_column("payment_session", sa.Column("request_key", sa.Text(), nullable=True))
    op.create_index("ix_payment_session_settle", "payment_session", ["settle_at"], postgresql_where=OWED)
    op.create_index("ix_payment_session_unsettled", "payment_session", ["payment_collection_id"], postgresql_where=OWED)
    op.add_column("payment_operation", sa.Column("shown", sa.Boolean(), server_default=sa.text("false"), nullable=False))
