"""Measures of items like those of variants: any number."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name in ("weight", "length", "height", "width"):
        op.alter_column("inventory_item", name, type_=sa.Double(), existing_type=sa.Integer())
