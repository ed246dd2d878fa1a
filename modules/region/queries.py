"""Statements of the region module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled

KEEP_COUNTRIES = compiled(
    text("""
    INSERT INTO region_country AS known (iso_2, iso_3, num_code, name, display_name)
    SELECT * FROM unnest(
        CAST(:iso_2 AS text[]), CAST(:iso_3 AS text[]), CAST(:num_codes AS text[]), CAST(:names AS text[]), CAST(:display_names AS text[])
    ) AS given (iso_2, iso_3, num_code, name, display_name)
    ORDER BY iso_2
    ON CONFLICT (iso_2) DO UPDATE SET
        iso_3 = excluded.iso_3, num_code = excluded.num_code, name = excluded.name, display_name = excluded.display_name,
        updated_at = clock_timestamp()
    WHERE (known.iso_3, known.num_code, known.name, known.display_name)
        IS DISTINCT FROM (excluded.iso_3, excluded.num_code, excluded.name, excluded.display_name)
""")
)

# Locked in the order of their codes, so that two regions that want the same countries can't deadlock.
COUNTRIES = compiled(
    text("""
    SELECT iso_2, region_id FROM region_country
    WHERE iso_2 = ANY(CAST(:codes AS text[])) AND deleted_at IS NULL ORDER BY iso_2 FOR UPDATE
""")
)

ASSIGN = compiled(
    text("""
    UPDATE region_country AS country SET region_id = given.region_id, updated_at = clock_timestamp()
    FROM unnest(CAST(:codes AS text[]), CAST(:regions AS text[])) AS given (iso_2, region_id)
    WHERE country.iso_2 = given.iso_2
""")
)

RELEASE = compiled(
    text("""
    WITH was AS (
        SELECT iso_2, region_id, updated_at FROM region_country
        WHERE region_id = ANY(CAST(:regions AS text[])) AND iso_2 <> ALL(CAST(:kept AS text[]))
        ORDER BY iso_2 FOR UPDATE
    ), stored AS (
        UPDATE region_country AS country SET region_id = NULL, updated_at = clock_timestamp()
        FROM was WHERE country.iso_2 = was.iso_2
        RETURNING country.iso_2, country.region_id, country.updated_at
    )
    SELECT to_jsonb(was) AS was, to_jsonb(stored) AS stored FROM was JOIN stored USING (iso_2)
""")
)
