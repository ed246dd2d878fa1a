"""Tax regions, their rates, and what each rate applies to."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Numeric, Table, Text, false, true

from ...core.sql.schema.columns import identity, metadata_column, module_metadata, timestamps
from ...core.sql.schema.entity import Entity, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

tax_provider = Table(
    "tax_provider",
    metadata,
    identity(),
    Column("is_enabled", Boolean, nullable=False, server_default=true()),
    *timestamps(),
)

# A country, or a province of one. Codes are stored in lower case. Only countries name a provider.
tax_region = Table(
    "tax_region",
    metadata,
    identity(),
    Column("country_code", Text, nullable=False),
    Column("province_code", Text),
    Column("parent_id", Text, ForeignKey("tax_region.id", ondelete="CASCADE"), index=True),
    Column("provider_id", Text, ForeignKey("tax_provider.id", ondelete="SET NULL")),
    Column("created_by", Text),
    metadata_column(),
    *timestamps(),
    CheckConstraint("parent_id IS NULL OR provider_id IS NULL", name="provider_top_level"),
    CheckConstraint("parent_id IS NULL OR province_code IS NOT NULL", name="country_top_level"),
)
Index(
    "uq_tax_region_country_province",
    tax_region.c.country_code,
    tax_region.c.province_code,
    unique=True,
    postgresql_where=tax_region.c.deleted_at.is_(None),
)
Index(
    "uq_tax_region_country",
    tax_region.c.country_code,
    unique=True,
    postgresql_where=tax_region.c.province_code.is_(None) & tax_region.c.deleted_at.is_(None),
)

tax_rate = Table(
    "tax_rate",
    metadata,
    identity(),
    Column("rate", Numeric),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    Column("is_combinable", Boolean, nullable=False, server_default=false()),
    Column("tax_region_id", Text, ForeignKey("tax_region.id", ondelete="CASCADE"), nullable=False),
    Column("created_by", Text),
    metadata_column(),
    *timestamps(),
)
Index("ix_tax_rate_tax_region_id", tax_rate.c.tax_region_id, postgresql_where=tax_rate.c.deleted_at.is_(None))
Index(
    "uq_tax_rate_default",
    tax_rate.c.tax_region_id,
    unique=True,
    postgresql_where=tax_rate.c.is_default & tax_rate.c.deleted_at.is_(None),
)

# `reference` says what `reference_id` refers to: product, product_type or shipping_option.
tax_rate_rule = Table(
    "tax_rate_rule",
    metadata,
    identity(),
    Column("tax_rate_id", Text, ForeignKey("tax_rate.id", ondelete="CASCADE"), nullable=False),
    Column("reference", Text, nullable=False),
    Column("reference_id", Text, nullable=False),
    Column("created_by", Text),
    metadata_column(),
    *timestamps(),
)
Index(
    "uq_tax_rate_rule_rate_reference",
    tax_rate_rule.c.tax_rate_id,
    tax_rate_rule.c.reference_id,
    unique=True,
    postgresql_where=tax_rate_rule.c.deleted_at.is_(None),
)
Index("ix_tax_rate_rule_reference_id", tax_rate_rule.c.reference_id, postgresql_where=tax_rate_rule.c.deleted_at.is_(None))

SCHEMA = Schema(
    "tax",
    Entity(
        "tax_provider",
        tax_provider,
        label="Tax provider",
        relations={"regions": many("tax_region", "provider_id")},
    ),
    Entity(
        "tax_region",
        tax_region,
        prefix="txreg",
        label="Tax region",
        relations={
            "provider": one("tax_provider", "provider_id"),
            "parent": one("tax_region", "parent_id"),
            "children": many("tax_region", "parent_id", cascade=True),
            "tax_rates": many("tax_rate", "tax_region_id", cascade=True),
        },
        searchable=("country_code", "province_code"),
    ),
    Entity(
        "tax_rate",
        tax_rate,
        prefix="txr",
        label="Tax rate",
        relations={
            "tax_region": one("tax_region", "tax_region_id"),
            "rules": many("tax_rate_rule", "tax_rate_id", cascade=True),
        },
        translatable=("name",),
        searchable=("code", "name"),
    ),
    Entity(
        "tax_rate_rule",
        tax_rate_rule,
        prefix="txrule",
        label="Tax rate rule",
        relations={"tax_rate": one("tax_rate", "tax_rate_id")},
        bare=True,
    ),
)
