"""Initial."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "tax_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_message")),
    )
    op.create_index(op.f("ix_tax_message_created_at"), "tax_message", ["created_at"], unique=False)
    op.create_table(
        "tax_provider",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_provider")),
    )
    op.create_table(
        "tax_region",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("country_code", sa.Text(), nullable=False),
        sa.Column("province_code", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("parent_id IS NULL OR provider_id IS NULL", name=op.f("ck_tax_region_provider_top_level")),
        sa.CheckConstraint("parent_id IS NULL OR province_code IS NOT NULL", name=op.f("ck_tax_region_country_top_level")),
        sa.ForeignKeyConstraint(["parent_id"], ["tax_region.id"], name=op.f("fk_tax_region_parent_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["provider_id"], ["tax_provider.id"], name=op.f("fk_tax_region_provider_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_region")),
    )
    op.create_index(op.f("ix_tax_region_parent_id"), "tax_region", ["parent_id"], unique=False)
    op.create_index(
        "uq_tax_region_country",
        "tax_region",
        ["country_code"],
        unique=True,
        postgresql_where=sa.text("province_code IS NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_tax_region_country_province",
        "tax_region",
        ["country_code", "province_code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "tax_rate",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_combinable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tax_region_id", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["tax_region_id"], ["tax_region.id"], name=op.f("fk_tax_rate_tax_region_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rate")),
    )
    op.create_index(
        "ix_tax_rate_tax_region_id", "tax_rate", ["tax_region_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index(
        "uq_tax_rate_default", "tax_rate", ["tax_region_id"], unique=True, postgresql_where=sa.text("is_default AND deleted_at IS NULL")
    )
    op.create_table(
        "tax_rate_rule",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tax_rate_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reference_id", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["tax_rate_id"], ["tax_rate.id"], name=op.f("fk_tax_rate_rule_tax_rate_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rate_rule")),
    )
    op.create_index(
        "ix_tax_rate_rule_reference_id", "tax_rate_rule", ["reference_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index(
        "uq_tax_rate_rule_rate_reference",
        "tax_rate_rule",
        ["tax_rate_id", "reference_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
