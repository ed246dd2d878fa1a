"""Statements of the translation module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import Text, bindparam, func, select, text

from ...core.sql.db.compiled import any_of, compiled
from .tables import SCHEMA, translation

_said = SCHEMA["translation"].computed

KEEP_LOCALES = compiled(
    text("""
    INSERT INTO locale AS known (id, code, name)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:codes AS text[]), CAST(:names AS text[])) AS given (id, code, name) ORDER BY code
    ON CONFLICT (code) WHERE deleted_at IS NULL DO UPDATE SET name = excluded.name, updated_at = clock_timestamp()
    WHERE known.name IS DISTINCT FROM excluded.name
""")
)

TEXTS = compiled(
    select(translation.c.reference_id, _said["translations"](translation))
    .where(any_of(translation.c.reference_id, "ids"), translation.c.locale_code == bindparam("locale", type_=Text))
    .where(translation.c.deleted_at.is_(None))
)

COUNTS = compiled(
    select(translation.c.reference, translation.c.locale_code, func.sum(_said["translated_field_count"](translation)))
    .where(any_of(translation.c.reference, "entities"), any_of(translation.c.locale_code, "locales"))
    .where(translation.c.deleted_at.is_(None))
    .group_by(translation.c.reference, translation.c.locale_code)
)

DECIDE = compiled(text("SELECT pg_advisory_xact_lock(hashtext('velella.translation.settings'))"))
"""Decisions about what is translated are made one after the other."""

DECIDED = compiled(
    text("""
    INSERT INTO translation_settings AS known (id, entity_type, fields, is_active, deleted_at)
    SELECT id, entity_type, ARRAY(SELECT jsonb_array_elements_text(fields)), is_active, CASE WHEN deleted THEN now() END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id text, entity_type text, fields jsonb, is_active boolean, deleted boolean)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        fields = excluded.fields, is_active = excluded.is_active, deleted_at = excluded.deleted_at, updated_at = now()
""")
)
