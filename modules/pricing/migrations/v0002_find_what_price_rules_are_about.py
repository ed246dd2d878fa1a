"""Find the attributes of price rules."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_price_rule_attribute", "price_rule", ["attribute"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
