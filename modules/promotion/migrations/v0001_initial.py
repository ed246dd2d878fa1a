"""Initial."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "promotion_campaign",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("campaign_identifier", sa.Text(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_campaign")),
    )
    op.create_index(
        "uq_promotion_campaign_identifier",
        "promotion_campaign",
        ["campaign_identifier"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "promotion_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_message")),
    )
    op.create_index(op.f("ix_promotion_message_created_at"), "promotion_message", ["created_at"], unique=False)
    op.create_table(
        "promotion_rule",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("operator IN ('gte', 'lte', 'gt', 'lt', 'eq', 'ne', 'in')", name=op.f("ck_promotion_rule_operator")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_rule")),
    )
    op.create_table(
        "promotion_usage",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("entries", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_promotion_usage")),
    )
    op.create_table(
        "promotion",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("is_automatic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_tax_inclusive", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'active', 'inactive')", name=op.f("ck_promotion_status")),
        sa.CheckConstraint("type IN ('standard', 'buyget')", name=op.f("ck_promotion_type")),
        sa.ForeignKeyConstraint(["campaign_id"], ["promotion_campaign.id"], name=op.f("fk_promotion_campaign_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion")),
    )
    op.create_index("ix_promotion_campaign_id", "promotion", ["campaign_id"], unique=False, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index(
        "ix_promotion_is_automatic", "promotion", ["id"], unique=False, postgresql_where=sa.text("is_automatic AND deleted_at IS NULL")
    )
    op.create_index("uq_promotion_code", "promotion", ["code"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_table(
        "promotion_campaign_budget",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("currency_code", sa.Text(), nullable=True),
        sa.Column("limit", sa.Numeric(), nullable=True),
        sa.Column("used", sa.Numeric(), server_default="0", nullable=False),
        sa.Column("attribute", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint(
            "type IN ('spend', 'usage', 'use_by_attribute', 'spend_by_attribute')", name=op.f("ck_promotion_campaign_budget_type")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["promotion_campaign.id"], name=op.f("fk_promotion_campaign_budget_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_campaign_budget")),
    )
    op.create_index(
        "uq_promotion_campaign_budget_campaign_id",
        "promotion_campaign_budget",
        ["campaign_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "promotion_rule_value",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("promotion_rule_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["promotion_rule_id"], ["promotion_rule.id"], name=op.f("fk_promotion_rule_value_promotion_rule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_rule_value")),
    )
    op.create_index(
        "ix_promotion_rule_value_promotion_rule_id",
        "promotion_rule_value",
        ["promotion_rule_id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "promotion_application_method",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=True),
        sa.Column("max_quantity", sa.Integer(), nullable=True),
        sa.Column("apply_to_quantity", sa.Integer(), nullable=True),
        sa.Column("buy_rules_min_quantity", sa.Integer(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("allocation", sa.Text(), nullable=True),
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("allocation IN ('each', 'across', 'once')", name=op.f("ck_promotion_application_method_allocation")),
        sa.CheckConstraint(
            "target_type IN ('order', 'shipping_methods', 'items')", name=op.f("ck_promotion_application_method_target_type")
        ),
        sa.CheckConstraint("type IN ('fixed', 'percentage')", name=op.f("ck_promotion_application_method_type")),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotion.id"], name=op.f("fk_promotion_application_method_promotion_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_application_method")),
    )
    op.create_index(
        "uq_promotion_application_method_promotion_id",
        "promotion_application_method",
        ["promotion_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "promotion_campaign_budget_usage",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("attribute_value", sa.Text(), nullable=False),
        sa.Column("used", sa.Numeric(), server_default="0", nullable=False),
        sa.Column("budget_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["budget_id"], ["promotion_campaign_budget.id"], name=op.f("fk_promotion_campaign_budget_usage_budget_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_campaign_budget_usage")),
    )
    op.create_index(
        "uq_promotion_campaign_budget_usage_value",
        "promotion_campaign_budget_usage",
        ["budget_id", "attribute_value"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "promotion_promotion_rule",
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("promotion_rule_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotion.id"], name=op.f("fk_promotion_promotion_rule_promotion_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["promotion_rule_id"], ["promotion_rule.id"], name=op.f("fk_promotion_promotion_rule_promotion_rule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("promotion_id", "promotion_rule_id", name=op.f("pk_promotion_promotion_rule")),
    )
    op.create_index("ix_promotion_promotion_rule_promotion_rule_id", "promotion_promotion_rule", ["promotion_rule_id"], unique=False)
    op.create_table(
        "application_method_buy_rules",
        sa.Column("application_method_id", sa.Text(), nullable=False),
        sa.Column("promotion_rule_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_method_id"],
            ["promotion_application_method.id"],
            name=op.f("fk_application_method_buy_rules_application_method_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["promotion_rule_id"], ["promotion_rule.id"], name=op.f("fk_application_method_buy_rules_promotion_rule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("application_method_id", "promotion_rule_id", name=op.f("pk_application_method_buy_rules")),
    )
    op.create_index(
        "ix_application_method_buy_rules_promotion_rule_id", "application_method_buy_rules", ["promotion_rule_id"], unique=False
    )
    op.create_table(
        "application_method_target_rules",
        sa.Column("application_method_id", sa.Text(), nullable=False),
        sa.Column("promotion_rule_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_method_id"],
            ["promotion_application_method.id"],
            name=op.f("fk_application_method_target_rules_application_method_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["promotion_rule_id"],
            ["promotion_rule.id"],
            name=op.f("fk_application_method_target_rules_promotion_rule_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("application_method_id", "promotion_rule_id", name=op.f("pk_application_method_target_rules")),
    )
    op.create_index(
        "ix_application_method_target_rules_promotion_rule_id", "application_method_target_rules", ["promotion_rule_id"], unique=False
    )
