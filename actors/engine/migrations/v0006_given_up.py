"""Operators can give executions up."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("workflow_execution", sa.Column("given_up", postgresql.JSONB(), nullable=True))
