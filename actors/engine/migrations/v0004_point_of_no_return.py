"""Executions have a point of no return, and wait in the table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("workflow_execution", sa.Column("waits_at", sa.Text(), nullable=True))
    op.add_column("workflow_execution", sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("workflow_execution", sa.Column("failing_since", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True))
    op.drop_index("ix_workflow_execution_live", "workflow_execution")
    op.create_index(
        "ix_workflow_execution_live",
        "workflow_execution",
        ["owner"],
        unique=False,
        postgresql_where=sa.text("state IN ('invoking', 'finishing', 'compensating')"),
    )
    op.drop_index("uq_workflow_execution_key", "workflow_execution")
    op.create_index(
        "uq_workflow_execution_key",
        "workflow_execution",
        ["workflow", "key"],
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL AND state IN ('invoking', 'finishing', 'compensating', 'done')"),
    )
