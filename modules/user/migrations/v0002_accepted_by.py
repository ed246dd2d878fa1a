"""The identity that an invitation was accepted with."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("invite", sa.Column("accepted_by", sa.Text(), nullable=True))
