"""Find fulfillments by the tracking number of their labels."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index(
        "ix_fulfillment_label_tracking_number",
        "fulfillment_label",
        ["tracking_number"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
