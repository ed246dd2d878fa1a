"""Find words."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index(
        "ix_order_words",
        "order",
        [sa.literal_column("CAST(display_id AS TEXT)").label("display_id"), "custom_display_id", "email"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"display_id": "gin_trgm_ops", "custom_display_id": "gin_trgm_ops", "email": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_order_address_words",
        "order_address",
        ["company", "first_name", "last_name", "address_1", "address_2", "city", "province", "postal_code", "phone"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={
            "company": "gin_trgm_ops",
            "first_name": "gin_trgm_ops",
            "last_name": "gin_trgm_ops",
            "address_1": "gin_trgm_ops",
            "address_2": "gin_trgm_ops",
            "city": "gin_trgm_ops",
            "province": "gin_trgm_ops",
            "postal_code": "gin_trgm_ops",
            "phone": "gin_trgm_ops",
        },
    )
