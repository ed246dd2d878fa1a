"""Steps that wait for somebody outside."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("workflow_execution", sa.Column("waits", postgresql.JSONB(), nullable=True))
