"""Second factors and verified addresses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "auth_mfa_challenge",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("auth_identity_id", sa.Text(), nullable=False),
        sa.Column("auth_provider", sa.Text(), nullable=True),
        sa.Column("methods", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("completed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["auth_identity_id"], ["auth_identity.id"], name=op.f("fk_auth_mfa_challenge_auth_identity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_mfa_challenge")),
    )
    op.create_index(op.f("ix_auth_mfa_challenge_auth_identity_id"), "auth_mfa_challenge", ["auth_identity_id"], unique=False)
    op.create_index(op.f("ix_auth_mfa_challenge_expires_at"), "auth_mfa_challenge", ["expires_at"], unique=False)
    op.create_table(
        "auth_mfa_factor",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("auth_identity_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("provider_metadata", postgresql.JSONB(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'enabled', 'disabled')", name=op.f("ck_auth_mfa_factor_status")),
        sa.ForeignKeyConstraint(
            ["auth_identity_id"], ["auth_identity.id"], name=op.f("fk_auth_mfa_factor_auth_identity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_mfa_factor")),
    )
    op.create_index(op.f("ix_auth_mfa_factor_auth_identity_id"), "auth_mfa_factor", ["auth_identity_id"], unique=False)
    op.create_index(
        "uq_auth_mfa_factor_active",
        "auth_mfa_factor",
        ["auth_identity_id", "provider"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL AND status IN ('pending', 'enabled')"),
    )
    op.create_table(
        "auth_mfa_recovery_code",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("auth_identity_id", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["auth_identity_id"], ["auth_identity.id"], name=op.f("fk_auth_mfa_recovery_code_auth_identity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_mfa_recovery_code")),
        sa.UniqueConstraint("auth_identity_id", "code_hash", name="uq_auth_mfa_recovery_code"),
    )
    op.create_index(op.f("ix_auth_mfa_recovery_code_auth_identity_id"), "auth_mfa_recovery_code", ["auth_identity_id"], unique=False)
    op.create_table(
        "auth_verification",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("auth_identity_id", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("code_provider", sa.Text(), nullable=False),
        sa.Column("verified_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["auth_identity_id"], ["auth_identity.id"], name=op.f("fk_auth_verification_auth_identity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_verification")),
        sa.UniqueConstraint("auth_identity_id", "entity_id", "entity_type", name="uq_auth_verification"),
        sa.UniqueConstraint("code_hash", name=op.f("uq_auth_verification_code_hash")),
    )
    op.create_index(op.f("ix_auth_verification_auth_identity_id"), "auth_verification", ["auth_identity_id"], unique=False)
    op.add_column("auth_identity", sa.Column("mfa_enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False))
