"""Locales, translations of single rows of any module, and which columns are translated."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    Index,
    Table,
    Text,
    column,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.sql.selectable import NamedFromClause

from ...core.sql.schema.columns import MERGED, Json, identity, module_metadata, timestamps
from ...core.sql.schema.entity import Entity
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

locale = Table("locale", metadata, identity(), Column("code", Text, nullable=False), Column("name", Text, nullable=False), *timestamps())
Index("uq_locale_code", locale.c.code, unique=True, postgresql_where=locale.c.deleted_at.is_(None))

# What one row (`reference_id`, of the entity `reference`) says in one locale: its columns, by name, as texts. What of these is shown, as
# `translations`, is what is translated today.
translation = Table(
    "translation",
    metadata,
    identity(),
    Column("reference_id", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("locale_code", Text, nullable=False),
    Column("texts", Json, nullable=False, info={MERGED: None}),
    *timestamps(),
)
Index(
    "uq_translation_reference_id_locale_code",
    translation.c.reference_id,
    translation.c.locale_code,
    unique=True,
    postgresql_where=translation.c.deleted_at.is_(None),
)
Index("ix_translation_reference_locale_code", translation.c.reference, translation.c.locale_code)

# What a merchant has decided for an entity. One without a row is translated, with all columns that it declares; one whose row is deleted
# isn't.
translation_settings = Table(
    "translation_settings",
    metadata,
    identity(),
    Column("entity_type", Text, nullable=False, unique=True),
    Column("fields", ARRAY(Text), nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    *timestamps(),
)


def _texts(row: FromClause) -> NamedFromClause:
    """The columns that a translation names, each with its text."""
    return func.jsonb_each(row.c.texts).table_valued(column("key", Text), column("value", Json)).render_derived(name="said")


def _shown(row: FromClause, said: NamedFromClause) -> ColumnElement[bool]:
    """Whether a column of a translation is one that is translated today."""
    settings = translation_settings.alias("decided")
    off = or_(settings.c.deleted_at.is_not(None), not_(settings.c.is_active), said.c.key != func.all(settings.c.fields))
    return ~exists().where(settings.c.entity_type == row.c.reference, off).correlate(row, said)


def _translations(row: FromClause) -> ColumnElement[Any]:
    said = _texts(row)
    together = select(func.jsonb_object_agg(said.c.key, said.c.value)).where(_shown(row, said)).correlate(row).scalar_subquery()
    return func.coalesce(together, literal_column("'{}'::jsonb"), type_=Json)


def _count(row: FromClause) -> ColumnElement[Any]:
    said = _texts(row)
    empty: ColumnElement[Any] = literal_column("""ARRAY['""', 'null', '"null"']::jsonb[]""")
    counted = select(func.count()).select_from(said).where(_shown(row, said), said.c.value != func.all(empty))
    return counted.correlate(row).scalar_subquery()


SCHEMA = Schema(
    "translation",
    Entity("locale", locale, label="Locale", key="code", searchable=("code", "name")),
    Entity(
        "translation",
        translation,
        prefix="trans",
        label="Translation",
        computed={"translations": _translations, "translated_field_count": _count},
        hidden=frozenset({"texts"}),
        searchable=("translations",),
    ),
    Entity("translation_settings", translation_settings, prefix="trset", label="TranslationSettings", searchable=("entity_type",)),
)
