"""Views of lists."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "view_configuration",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("is_system_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("configuration", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("is_system_default = (user_id IS NULL)", name=op.f("ck_view_configuration_somebodys")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view_configuration")),
    )
    op.create_index(
        "ix_view_configuration_entity_user_id",
        "view_configuration",
        ["entity", "user_id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_view_configuration_default",
        "view_configuration",
        ["entity"],
        unique=True,
        postgresql_where=sa.text("is_system_default AND deleted_at IS NULL"),
    )
