"""Layouts of the dashboard's pages, users' preferences, and names of properties."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Table, Text, false

from ...core.sql.schema.columns import Json, identity, module_metadata, timestamps
from ...core.sql.schema.entity import Entity
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

# The layout of a zone of the dashboard: for one user, or (without a user) for all users without a choice of their own.
layout_configuration = Table(
    "layout_configuration",
    metadata,
    identity(),
    Column("zone", Text, nullable=False),
    Column("user_id", Text),
    Column("is_system_default", Boolean, nullable=False, server_default=false()),
    Column("configuration", Json, nullable=False),
    *timestamps(),
    CheckConstraint("is_system_default = (user_id IS NULL)", name="somebodys"),
)
Index(
    "uq_layout_configuration_zone_user",
    layout_configuration.c.zone,
    layout_configuration.c.user_id,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=layout_configuration.c.deleted_at.is_(None),
)

# Columns, filters and order of a list of the dashboard: one user's, under a name, or (without a user) those of all who haven't chosen.
view_configuration = Table(
    "view_configuration",
    metadata,
    identity(),
    Column("entity", Text, nullable=False),
    Column("name", Text),
    Column("user_id", Text),
    Column("is_system_default", Boolean, nullable=False, server_default=false()),
    Column("configuration", Json, nullable=False),
    *timestamps(),
    CheckConstraint("is_system_default = (user_id IS NULL)", name="somebodys"),
)
_live = view_configuration.c.deleted_at.is_(None)
Index("ix_view_configuration_entity_user_id", view_configuration.c.entity, view_configuration.c.user_id, postgresql_where=_live)
Index(
    "uq_view_configuration_default",
    view_configuration.c.entity,
    unique=True,
    postgresql_where=view_configuration.c.is_system_default & _live,
)

user_preference = Table(
    "user_preference",
    metadata,
    identity(),
    Column("user_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Json, nullable=False),
    *timestamps(),
)
Index(
    "uq_user_preference_user_key",
    user_preference.c.user_id,
    user_preference.c.key,
    unique=True,
    postgresql_where=user_preference.c.deleted_at.is_(None),
)

property_label = Table(
    "property_label",
    metadata,
    identity(),
    Column("entity", Text, nullable=False),
    Column("property", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("description", Text),
    *timestamps(),
)
Index(
    "uq_property_label_entity_property",
    property_label.c.entity,
    property_label.c.property,
    unique=True,
    postgresql_where=property_label.c.deleted_at.is_(None),
)

SCHEMA = Schema(
    "settings",
    Entity("layout_configuration", layout_configuration, prefix="lyconf", label="LayoutConfiguration", searchable=("zone",)),
    Entity("view_configuration", view_configuration, prefix="vconf", label="View configuration", searchable=("entity", "name")),
    Entity("user_preference", user_preference, prefix="usrpref", label="UserPreference"),
    Entity(
        "property_label",
        property_label,
        prefix="plbl",
        label="PropertyLabel",
        translatable=("label", "description"),
        searchable=("entity", "property"),
    ),
)
