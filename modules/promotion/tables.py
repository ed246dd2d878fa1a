"""Promotions: their discounts, conditions (rules) and limits, and the campaigns that they belong to."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, false, func

from ...core.sql.schema.columns import Json, Money, Timestamp, identity, metadata_column, module_metadata, timestamps
from ...core.sql.schema.entity import Entity, Relation, many, one, through
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

campaign = Table(
    "promotion_campaign",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("campaign_identifier", Text, nullable=False),
    Column("starts_at", Timestamp),
    Column("ends_at", Timestamp),
    *timestamps(),
)
_living = campaign.c.deleted_at.is_(None)
Index("uq_promotion_campaign_identifier", campaign.c.campaign_identifier, unique=True, postgresql_where=_living)

# What a campaign may spend, or how often its promotions may be used; in total, or for each value of an attribute of carts.
budget = Table(
    "promotion_campaign_budget",
    metadata,
    identity(),
    Column("type", Text, nullable=False),
    Column("currency_code", Text),
    Column("limit", Money),
    Column("used", Money, nullable=False, server_default="0"),
    Column("attribute", Text),
    Column("campaign_id", Text, ForeignKey("promotion_campaign.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
    CheckConstraint("type IN ('spend', 'usage', 'use_by_attribute', 'spend_by_attribute')", name="type"),
)
Index("uq_promotion_campaign_budget_campaign_id", budget.c.campaign_id, unique=True, postgresql_where=budget.c.deleted_at.is_(None))

budget_usage = Table(
    "promotion_campaign_budget_usage",
    metadata,
    identity(),
    Column("attribute_value", Text, nullable=False),
    Column("used", Money, nullable=False, server_default="0"),
    Column("budget_id", Text, ForeignKey("promotion_campaign_budget.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
)
Index(
    "uq_promotion_campaign_budget_usage_value",
    budget_usage.c.budget_id,
    budget_usage.c.attribute_value,
    unique=True,
    postgresql_where=budget_usage.c.deleted_at.is_(None),
)

promotion = Table(
    "promotion",
    metadata,
    identity(),
    Column("code", Text, nullable=False),
    Column("campaign_id", Text, ForeignKey("promotion_campaign.id", ondelete="SET NULL")),
    Column("is_automatic", Boolean, nullable=False, server_default=false()),
    Column("is_tax_inclusive", Boolean, nullable=False, server_default=false()),
    Column("limit", Integer),
    Column("used", Integer, nullable=False, server_default="0"),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="draft"),
    metadata_column(),
    *timestamps(),
    CheckConstraint("type IN ('standard', 'buyget')", name="type"),
    CheckConstraint("status IN ('draft', 'active', 'inactive')", name="status"),
)
Index("uq_promotion_code", promotion.c.code, unique=True, postgresql_where=promotion.c.deleted_at.is_(None))
Index("ix_promotion_campaign_id", promotion.c.campaign_id, postgresql_where=promotion.c.deleted_at.is_(None))
Index("ix_promotion_is_automatic", promotion.c.id, postgresql_where=promotion.c.is_automatic & promotion.c.deleted_at.is_(None))

application_method = Table(
    "promotion_application_method",
    metadata,
    identity(),
    Column("value", Money),
    Column("currency_code", Text),
    Column("max_quantity", Integer),
    Column("apply_to_quantity", Integer),
    Column("buy_rules_min_quantity", Integer),
    Column("type", Text, nullable=False),  # percentage, fixed, or a plugin's benefit
    Column("target_type", Text, nullable=False),
    Column("allocation", Text),
    Column("promotion_id", Text, ForeignKey("promotion.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
    CheckConstraint("target_type IN ('order', 'shipping_methods', 'items')", name="target_type"),
    CheckConstraint("allocation IN ('each', 'across', 'once')", name="allocation"),
)
Index(
    "uq_promotion_application_method_promotion_id",
    application_method.c.promotion_id,
    unique=True,
    postgresql_where=application_method.c.deleted_at.is_(None),
)

rule = Table(
    "promotion_rule",
    metadata,
    identity(),
    Column("description", Text),
    Column("attribute", Text, nullable=False),
    Column("operator", Text, nullable=False),
    *timestamps(),
    CheckConstraint("operator IN ('gte', 'lte', 'gt', 'lt', 'eq', 'ne', 'in')", name="operator"),
)

rule_value = Table(
    "promotion_rule_value",
    metadata,
    identity(),
    Column("value", Text, nullable=False),
    Column("promotion_rule_id", Text, ForeignKey("promotion_rule.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
)
Index("ix_promotion_rule_value_promotion_rule_id", rule_value.c.promotion_rule_id, postgresql_where=rule_value.c.deleted_at.is_(None))


def _pivot(name: str, key: str, owner: Table) -> Table:
    table = Table(
        name,
        metadata,
        Column(key, Text, ForeignKey(f"{owner.name}.id", ondelete="CASCADE"), primary_key=True),
        Column("promotion_rule_id", Text, ForeignKey("promotion_rule.id", ondelete="CASCADE"), primary_key=True),
    )
    Index(f"ix_{name}_promotion_rule_id", table.c.promotion_rule_id)
    return table


promotion_rules = _pivot("promotion_promotion_rule", "promotion_id", promotion)
target_rules = _pivot("application_method_target_rules", "application_method_id", application_method)
buy_rules = _pivot("application_method_buy_rules", "application_method_id", application_method)

# What was counted for one order, under its key: so that it is counted once, and can be undone.
usage = Table(
    "promotion_usage",
    metadata,
    Column("key", Text, primary_key=True),
    Column("entries", Json),
    Column("created_at", Timestamp, nullable=False, server_default=func.now()),
)


def _rules(pivot: Table, key: str) -> Relation:
    return through("promotion_rule", pivot, key, "promotion_rule_id")


def _used_by(target: str, pivot: Table, key: str) -> Relation:
    return through(target, pivot, "promotion_rule_id", key)


SCHEMA = Schema(
    "promotion",
    Entity(
        "promotion",
        promotion,
        prefix="promo",
        label="Promotion",
        relations={
            "campaign": one("promotion_campaign", "campaign_id"),
            "application_method": one("promotion_application_method", "id", "promotion_id"),
            "rules": _rules(promotion_rules, "promotion_id"),
        },
        searchable=("code",),
    ),
    Entity(
        "promotion_application_method",
        application_method,
        prefix="proappmet",
        label="Application method",
        relations={
            "promotion": one("promotion", "promotion_id"),
            "target_rules": _rules(target_rules, "application_method_id"),
            "buy_rules": _rules(buy_rules, "application_method_id"),
        },
    ),
    Entity(
        "promotion_rule",
        rule,
        prefix="prorul",
        label="Promotion rule",
        bare=True,
        relations={
            "values": many("promotion_rule_value", "promotion_rule_id", cascade=True),
            "promotions": _used_by("promotion", promotion_rules, "promotion_id"),
            "method_target_rules": _used_by("promotion_application_method", target_rules, "application_method_id"),
            "method_buy_rules": _used_by("promotion_application_method", buy_rules, "application_method_id"),
        },
    ),
    Entity(
        "promotion_rule_value",
        rule_value,
        prefix="prorulval",
        label="Promotion rule value",
        bare=True,
        relations={"promotion_rule": one("promotion_rule", "promotion_rule_id")},
    ),
    Entity(
        "promotion_campaign",
        campaign,
        prefix="procamp",
        label="Campaign",
        relations={
            "budget": one("promotion_campaign_budget", "id", "campaign_id"),
            "promotions": many("promotion", "campaign_id"),
        },
        searchable=("name", "description"),
    ),
    Entity(
        "promotion_campaign_budget",
        budget,
        prefix="probudg",
        label="Campaign budget",
        relations={
            "campaign": one("promotion_campaign", "campaign_id"),
            "usages": many("promotion_campaign_budget_usage", "budget_id", cascade=True),
        },
    ),
    Entity(
        "promotion_campaign_budget_usage",
        budget_usage,
        prefix="probudgus",
        label="Campaign budget usage",
        relations={"budget": one("promotion_campaign_budget", "budget_id")},
    ),
)
