"""Executions that ended without success are found by their keys."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index(
        "ix_workflow_execution_unsuccessful",
        "workflow_execution",
        ["workflow", "key"],
        unique=False,
        postgresql_where=sa.text("key IS NOT NULL AND state NOT IN ('invoking', 'finishing', 'compensating', 'done')"),
    )
