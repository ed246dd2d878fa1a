"""Executions that need an operator are found and counted without reading the others."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index(
        "ix_workflow_execution_failed", "workflow_execution", ["started_at"], unique=False, postgresql_where=sa.text("state = 'failed'")
    )
