"""Statements of the fulfillment module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import answering_text, compiled

# The geo zones that could hold an address: all of its country. `matching` says which do.
GEO_ZONES = compiled(
    text("""
    SELECT service_zone_id, type, country_code, province_code, city, postal_expression
    FROM geo_zone
    WHERE country_code = CAST(:country AS text) AND deleted_at IS NULL
""")
)

# Who replaces the geo zones of a zone, or the rules of an option, holds the zone or option.
LOCK_ZONES = compiled(
    text("SELECT id FROM service_zone WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE")
)
LOCK_OPTIONS = compiled(
    text("""
    SELECT id, shipping_option_type_id FROM shipping_option
    WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
""")
)

GEO_ZONES_OF = compiled(
    text("SELECT id, service_zone_id FROM geo_zone WHERE service_zone_id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id")
)
RULES_OF = compiled(
    text("""
    SELECT id, shipping_option_id FROM shipping_option_rule
    WHERE shipping_option_id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL
    ORDER BY id
""")
)

# Profiles are locked against options that are being created for them: their foreign key waits for this lock.
LOCK_PROFILES = compiled(text("SELECT id FROM shipping_profile WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE"))
PROFILES_IN_USE = compiled(
    text("""
    SELECT DISTINCT shipping_profile_id FROM shipping_option
    WHERE shipping_profile_id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL
""")
)

LOCK_TYPES = compiled(text("SELECT id FROM shipping_option_type WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE"))
TYPES_IN_USE = compiled(
    text("""
    SELECT DISTINCT shipping_option_type_id FROM shipping_option
    WHERE shipping_option_type_id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL
""")
)

LOCK_FULFILLMENT = compiled(
    text("""
    SELECT id, provider_id, data, shipped_at, delivered_at, canceled_at, canceling_at, canceling_key FROM fulfillment
    WHERE id = CAST(:id AS text) AND deleted_at IS NULL FOR NO KEY UPDATE
""")
)

# The provider's data of a fulfillment. Gives whether it was cancelled meanwhile, and when this was.
CARRIED_OUT = compiled(
    text("""
    UPDATE fulfillment SET data = CAST(:data AS jsonb), updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text) AND deleted_at IS NULL
    RETURNING canceling_at IS NOT NULL OR canceled_at IS NOT NULL AS called_off,
              to_char(timezone('UTC', updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at
""")
)

# A cancellation that has begun and not ended: it is cancelled, or nobody cancels it any more.
END_CANCELING = compiled(
    text("""
    UPDATE fulfillment
    SET canceling_at = NULL, canceled_at = CASE WHEN CAST(:canceled AS boolean) THEN now() END, updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text) AND deleted_at IS NULL AND canceling_at IS NOT NULL AND canceled_at IS NULL
""")
)

# The beginning of a cancellation: whether it had begun before (`again`). No row for one that is shipped, delivered or cancelled, or being
# cancelled under another key.
BEGIN_CANCELING = compiled(
    text("""
    WITH held AS (
        SELECT id, canceling_at IS NOT NULL AS again FROM fulfillment
        WHERE id = CAST(:id AS text) AND deleted_at IS NULL AND canceled_at IS NULL AND shipped_at IS NULL AND delivered_at IS NULL
          AND (CAST(:key AS text) IS NULL OR canceling_at IS NULL OR canceling_key = CAST(:key AS text))
        FOR NO KEY UPDATE
    )
    UPDATE fulfillment SET canceling_at = now(), canceling_key = CAST(:key AS text), updated_at = clock_timestamp()
    FROM held WHERE fulfillment.id = held.id
    RETURNING canceled_at, provider_id, data, held.again
""")
)

# A fulfillment is shipped, or delivered. They give what they set; no row for one that is (being) cancelled, or marked so already.
_MARKED = """
    UPDATE fulfillment SET {set}, updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text) AND deleted_at IS NULL AND canceling_at IS NULL AND canceled_at IS NULL AND {moment} IS NULL
    RETURNING json_build_object({gives}'{moment}', to_char(timezone('UTC', {moment}), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) AS marked
"""
SHIP = answering_text(
    marked=_MARKED.format(
        set="shipped_at = now(), marked_shipped_by = CAST(:by AS text)",
        moment="shipped_at",
        gives="'marked_shipped_by', marked_shipped_by, ",
    )
)
DELIVER = answering_text(marked=_MARKED.format(set="delivered_at = now()", moment="delivered_at", gives=""))
