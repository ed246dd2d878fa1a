"""Marks of parts are kept while an index is filled."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("search_pending", sa.Column("kept", sa.Boolean(), server_default=sa.text("false"), nullable=False))
