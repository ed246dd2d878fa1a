"""Email addresses in lower case. Two that are one person's now are refused: which of them stays is the merchant's to say."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute('UPDATE "user" SET email = lower(email) WHERE email <> lower(email)')
    op.execute("UPDATE invite SET email = lower(email) WHERE email <> lower(email)")
