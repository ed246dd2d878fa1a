"""Addresses that providers vouch for."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("provider_identity", sa.Column("verified_email", sa.Text(), nullable=True))
