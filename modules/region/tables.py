"""Regions: countries that share a currency and how taxes are shown."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text, true

from ...core.sql.schema.columns import identity, metadata_column, module_metadata, timestamps
from ...core.sql.schema.entity import Entity, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

region = Table(
    "region",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("currency_code", Text, nullable=False),
    Column("automatic_taxes", Boolean, nullable=False, server_default=true()),
    metadata_column(),
    *timestamps(),
)

# All countries of the world are rows from the start. A country has one region or none.
region_country = Table(
    "region_country",
    metadata,
    Column("iso_2", Text, primary_key=True),
    Column("iso_3", Text, nullable=False),
    Column("num_code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("region_id", Text, ForeignKey("region.id", ondelete="SET NULL")),
    metadata_column(),
    *timestamps(),
)
Index("ix_region_country_region_id", region_country.c.region_id, postgresql_where=region_country.c.deleted_at.is_(None))

SCHEMA = Schema(
    "region",
    Entity(
        "region",
        region,
        prefix="reg",
        label="Region",
        relations={"countries": many("region_country", "region_id")},
        translatable=("name",),
        searchable=("name", "currency_code"),
    ),
    Entity(
        "region_country",
        region_country,
        label="Country",
        key="iso_2",
        bare=True,
        relations={"region": one("region", "region_id")},
        searchable=("iso_2", "name"),
    ),
)
