"""Every statement of the promotion module beyond what the kernel makes. Promotions are locked before budgets, both by id."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.compiled import compiled

NEW_USAGE = compiled(text("INSERT INTO promotion_usage (key) VALUES (:key) ON CONFLICT DO NOTHING RETURNING key"))
KEEP_ENTRIES = compiled(text("UPDATE promotion_usage SET entries = CAST(:entries AS jsonb) WHERE key = :key"))
DROP_USAGE = compiled(text("DELETE FROM promotion_usage WHERE key = :key RETURNING entries"))
HOLD_PROMOTIONS = compiled(
    text("""
    SELECT id, code, "limit", used, campaign_id FROM promotion WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
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
