"""Coordinators record their process: a neighbour that sees its death needn't wait for the end of its lease."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("workflow_coordinator", sa.Column("machine", sa.Text(), nullable=True))
    op.add_column("workflow_coordinator", sa.Column("process", sa.Text(), nullable=True))
