"""Statements of the tax module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled

# The regions that an address lies in and, in each, the rates that could apply to something in the cart: its default, and
# those with a rule about one of the given things. One row for each region and rate; a region without rates gives one row.
RATES = compiled(
    text("""
    SELECT region.id AS region_id, region.parent_id, region.province_code, region.provider_id,
           rate.id, trim_scale(coalesce(rate.rate, 0)) AS rate, rate.code, rate.name, rate.is_default, rate.is_combinable, rate.rules
    FROM tax_region AS region
    LEFT JOIN LATERAL (
        SELECT candidate.*, hits.rules
        FROM tax_rate AS candidate
        LEFT JOIN LATERAL (
            SELECT jsonb_agg(jsonb_build_array(rule.reference, rule.reference_id)) AS rules
            FROM tax_rate_rule AS rule
            WHERE rule.tax_rate_id = candidate.id AND rule.deleted_at IS NULL
              AND rule.reference_id = ANY(CAST(:reference_ids AS text[]))
        ) AS hits ON true
        WHERE candidate.tax_region_id = region.id AND candidate.deleted_at IS NULL
          AND (candidate.is_default OR hits.rules IS NOT NULL)
    ) AS rate ON true
    WHERE region.country_code = CAST(:country AS text) AND region.deleted_at IS NULL
      AND (region.province_code IS NULL OR region.province_code = ANY(CAST(:provinces AS text[])))
""")
)

HAS_RULES = compiled(
    text("""
    SELECT EXISTS (
        SELECT FROM tax_region AS region JOIN tax_rate AS rate ON rate.tax_region_id = region.id
        JOIN tax_rate_rule AS rule ON rule.tax_rate_id = rate.id
        WHERE region.country_code = CAST(:country AS text)
          AND region.deleted_at IS NULL AND rate.deleted_at IS NULL AND rule.deleted_at IS NULL
    )
""")
)

COUNTRY_REGIONS = compiled(
    text("""
    SELECT id, country_code FROM tax_region
    WHERE country_code = ANY(CAST(:countries AS text[])) AND province_code IS NULL AND deleted_at IS NULL
""")
)

REGIONS = compiled(
    text("SELECT id, country_code, province_code, parent_id FROM tax_region WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL")
)

# A writer of a rate's rules locks the rate.
LOCK_RATES = compiled(
    text("SELECT id FROM tax_rate WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE")
)

RULES_OF_RATES = compiled(
    text("SELECT id FROM tax_rate_rule WHERE tax_rate_id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id")
)
