"""Email addresses in lower case. Two that become equal are refused: the merchant must decide which of them stays."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute('UPDATE "user" SET email = lower(email) WHERE email <> lower(email)')
    op.execute("UPDATE invite SET email = lower(email) WHERE email <> lower(email)")
