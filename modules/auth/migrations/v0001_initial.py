"""Initial."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "auth_identity",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("app_metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_identity")),
    )
    op.create_index("ix_auth_identity_app_metadata", "auth_identity", ["app_metadata"], unique=False, postgresql_using="gin")
    op.create_table(
        "auth_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_message")),
    )
    op.create_index(op.f("ix_auth_message_created_at"), "auth_message", ["created_at"], unique=False)
    op.create_table(
        "auth_session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_session")),
    )
    op.create_index(op.f("ix_auth_session_expires_at"), "auth_session", ["expires_at"], unique=False)
    op.create_table(
        "provider_identity",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("auth_identity_id", sa.Text(), nullable=False),
        sa.Column("user_metadata", postgresql.JSONB(), nullable=True),
        sa.Column("provider_metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["auth_identity_id"], ["auth_identity.id"], name=op.f("fk_provider_identity_auth_identity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_identity")),
    )
    op.create_index(op.f("ix_provider_identity_auth_identity_id"), "provider_identity", ["auth_identity_id"], unique=False)
    op.create_index(
        "uq_provider_identity_entity",
        "provider_identity",
        ["entity_id", "provider"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "auth_password_reset_token",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("auth_identity_id", sa.Text(), nullable=False),
        sa.Column("provider_identity_id", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["auth_identity_id"], ["auth_identity.id"], name=op.f("fk_auth_password_reset_token_auth_identity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["provider_identity_id"],
            ["provider_identity.id"],
            name=op.f("fk_auth_password_reset_token_provider_identity_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_password_reset_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_auth_password_reset_token_token_hash")),
    )
    op.create_index(op.f("ix_auth_password_reset_token_auth_identity_id"), "auth_password_reset_token", ["auth_identity_id"], unique=False)
    op.create_index(op.f("ix_auth_password_reset_token_expires_at"), "auth_password_reset_token", ["expires_at"], unique=False)
    op.create_index(
        op.f("ix_auth_password_reset_token_provider_identity_id"), "auth_password_reset_token", ["provider_identity_id"], unique=False
    )
