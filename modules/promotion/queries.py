"""Every statement of the promotion module beyond what the kernel makes. Promotions are locked before budgets, both by id."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled
from ...core.sql.write.undo import Aggregate, AggregatePart
from . import tables

NEW_USAGE = compiled(text("INSERT INTO promotion_usage (key) VALUES (:key) ON CONFLICT DO NOTHING RETURNING key"))
KEEP_ENTRIES = compiled(text("UPDATE promotion_usage SET entries = CAST(:entries AS jsonb) WHERE key = :key"))
DROP_USAGE = compiled(text("DELETE FROM promotion_usage WHERE key = :key RETURNING entries"))
# The campaign is null once it is deleted: promotions go on without it, and without what its budget says.
HOLD_PROMOTIONS = compiled(
    text("""
    SELECT promotion.id, promotion.code, promotion."limit", promotion.used, campaign.id AS campaign_id,
           promotion.status = 'active' AND coalesce(campaign.starts_at <= now(), true) AND coalesce(campaign.ends_at >= now(), true) AS runs
    FROM promotion LEFT JOIN promotion_campaign AS campaign ON campaign.id = promotion.campaign_id AND campaign.deleted_at IS NULL
    WHERE promotion.id = ANY(CAST(:ids AS text[])) AND promotion.deleted_at IS NULL
    ORDER BY promotion.id FOR NO KEY UPDATE OF promotion
""")
)
USE_PROMOTIONS = compiled(
    text("UPDATE promotion SET used = used + CAST(:more AS int), updated_at = now() WHERE id = ANY(CAST(:ids AS text[]))")
)
HOLD_BUDGETS = compiled(
    text("""
    SELECT id, campaign_id, type, "limit", attribute FROM promotion_campaign_budget
    WHERE campaign_id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE
""")
)
USE_BUDGET = compiled(
    text("""
    UPDATE promotion_campaign_budget SET used = used + CAST(:amount AS numeric), updated_at = now() WHERE id = :id RETURNING used
""")
)
USE_BY_ATTRIBUTE = compiled(
    text("""
    INSERT INTO promotion_campaign_budget_usage AS usage (id, budget_id, attribute_value, used)
    VALUES (:id, :budget_id, :value, CAST(:amount AS numeric))
    ON CONFLICT (budget_id, attribute_value) WHERE deleted_at IS NULL
    DO UPDATE SET used = usage.used + CAST(:amount AS numeric), updated_at = now()
    RETURNING used
""")
)
# What budgets have been used for under one value each.
USAGES = compiled(
    text("""
    SELECT usage.budget_id, usage.attribute_value, trim_scale(usage.used) AS used
    FROM promotion_campaign_budget_usage AS usage
    JOIN unnest(CAST(:budgets AS text[]), CAST(:values AS text[])) AS asked (budget_id, value)
      ON usage.budget_id = asked.budget_id AND usage.attribute_value = asked.value
    WHERE usage.deleted_at IS NULL
""")
)
DROP_VALUES = compiled(text("DELETE FROM promotion_rule_value WHERE promotion_rule_id = ANY(CAST(:ids AS text[]))"))
DROP_RULES = compiled(text("DELETE FROM promotion_rule WHERE id = ANY(CAST(:ids AS text[]))"))

# -- the tables that a change of rules may change

_METHODS = "SELECT id FROM promotion_application_method WHERE promotion_id = ANY(:ids)"
_RULES = (
    "SELECT promotion_rule_id FROM promotion_promotion_rule WHERE promotion_id = ANY(:ids) "
    f"UNION SELECT promotion_rule_id FROM application_method_target_rules WHERE application_method_id IN ({_METHODS}) "
    f"UNION SELECT promotion_rule_id FROM application_method_buy_rules WHERE application_method_id IN ({_METHODS})"
)
RULES_OF_PROMOTIONS = Aggregate(
    AggregatePart(tables.rule, f"id IN ({_RULES})"),
    AggregatePart(tables.rule_value, f"promotion_rule_id IN ({_RULES})"),
    AggregatePart(tables.promotion_rules, "promotion_id = ANY(:ids)"),
    AggregatePart(tables.target_rules, f"application_method_id IN ({_METHODS})"),
    AggregatePart(tables.buy_rules, f"application_method_id IN ({_METHODS})"),
)
