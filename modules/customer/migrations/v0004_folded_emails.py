"""Email addresses in lower case. Two that become equal are refused: the merchant must decide which of them stays."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("UPDATE customer SET email = lower(email) WHERE email <> lower(email)")
