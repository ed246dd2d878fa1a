"""Tokens and sessions are checked against the secret that they were made with. Earlier sessions don't record it: they end."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("auth_identity", sa.Column("secret_version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.execute("DELETE FROM auth_session")
    op.add_column("auth_session", sa.Column("auth_identity_id", sa.Text(), nullable=False))
    op.add_column("auth_session", sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False))
    op.create_index("ix_auth_session_auth_identity_id", "auth_session", ["auth_identity_id"], unique=False)
