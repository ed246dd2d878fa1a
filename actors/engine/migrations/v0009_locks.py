"""Executions that wait for a lock."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("workflow_execution", sa.Column("locked_since", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True))
