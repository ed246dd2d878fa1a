"""Verified addresses in lower case, of two the proven one; those that nobody proved in time are found by it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_FOLDED = "entity_type = 'email' AND octet_length(entity_id) = char_length(entity_id)"


def upgrade() -> None:
    op.execute(
        f"""
        DELETE FROM auth_verification WHERE id IN (
            SELECT id FROM (
                SELECT id, row_number() OVER (
                    PARTITION BY auth_identity_id, lower(entity_id) ORDER BY verified_at NULLS LAST, requested_at DESC, id
                ) AS place
                FROM auth_verification WHERE {_FOLDED}
            ) AS spelled WHERE place > 1
        )
        """
    )
    op.execute(f"UPDATE auth_verification SET entity_id = lower(entity_id) WHERE {_FOLDED} AND entity_id <> lower(entity_id)")
    op.create_index(
        "ix_auth_verification_open", "auth_verification", ["requested_at"], unique=False, postgresql_where=sa.text("verified_at IS NULL")
    )
