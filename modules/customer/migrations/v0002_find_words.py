"""Find words."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index(
        "ix_customer_words",
        "customer",
        ["company_name", "first_name", "last_name", "email", "phone"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={
            "company_name": "gin_trgm_ops",
            "first_name": "gin_trgm_ops",
            "last_name": "gin_trgm_ops",
            "email": "gin_trgm_ops",
            "phone": "gin_trgm_ops",
        },
    )
