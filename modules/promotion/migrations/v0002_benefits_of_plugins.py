"""Benefits of plugins."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_promotion_application_method_type"), "promotion_application_method", type_="check")
