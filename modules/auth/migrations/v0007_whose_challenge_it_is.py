"""Whose challenge it is."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("auth_mfa_challenge", sa.Column("actor_type", sa.Text(), nullable=True))
