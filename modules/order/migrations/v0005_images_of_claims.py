"""Pictures of what was wrong."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "order_claim_item_image",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("claim_item_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["claim_item_id"], ["order_claim_item.id"], name=op.f("fk_order_claim_item_image_claim_item_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_claim_item_image")),
    )
    op.create_index(
        "ix_order_claim_item_image_claim_item_id", "order_claim_item_image", ["claim_item_id"], unique=False, postgresql_where=None
    )
