"""Find words."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index(
        "ix_inventory_item_words",
        "inventory_item",
        ["sku", "hs_code", "mid_code", "description", "title"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={
            "sku": "gin_trgm_ops",
            "hs_code": "gin_trgm_ops",
            "mid_code": "gin_trgm_ops",
            "description": "gin_trgm_ops",
            "title": "gin_trgm_ops",
        },
    )
