"""Find words."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_product_created_at", "product", ["created_at"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("ix_product_title", "product", ["title"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index(
        "ix_product_words",
        "product",
        ["title", "subtitle", "description"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"title": "gin_trgm_ops", "subtitle": "gin_trgm_ops", "description": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_product_variant_words",
        "product_variant",
        ["title", "sku", "barcode", "ean", "upc"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={
            "title": "gin_trgm_ops",
            "sku": "gin_trgm_ops",
            "barcode": "gin_trgm_ops",
            "ean": "gin_trgm_ops",
            "upc": "gin_trgm_ops",
        },
    )
