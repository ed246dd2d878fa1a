"""Drafts are found among orders."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index("ix_order_drafts", "order", ["id"], unique=False, postgresql_where=sa.text("is_draft_order AND deleted_at IS NULL"))
