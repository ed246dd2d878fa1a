"""Email addresses in lower case. Two that are one person's now are refused: which of them stays is the merchant's to say."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("UPDATE customer SET email = lower(email) WHERE email <> lower(email)")
