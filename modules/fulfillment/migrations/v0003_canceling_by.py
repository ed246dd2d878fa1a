"""Who is cancelling a fulfilment: the same one may ask again, and nobody else."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("fulfillment", sa.Column("canceling_key", sa.Text(), nullable=True))
