"""What is written to an open change raises its revision."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("order_change", sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False))
