"""Price sets and their prices, price lists, and whether prices include tax."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, false

from ...core.sql.schema.columns import (
    Json,
    Money,
    Quantity,
    Timestamp,
    identity,
    index_on,
    metadata_column,
    module_metadata,
    timestamps,
)
from ...core.sql.schema.entity import Entity, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

price_set = Table("price_set", metadata, identity(), *timestamps())

price_list = Table(
    "price_list",
    metadata,
    identity(),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="draft"),
    Column("type", Text, nullable=False, server_default="sale"),
    Column("starts_at", Timestamp),
    Column("ends_at", Timestamp),
    Column("rules_count", Integer, server_default="0"),
    metadata_column(),
    *timestamps(),
    CheckConstraint("status IN ('active', 'draft')", name="status"),
    CheckConstraint("type IN ('sale', 'override')", name="type"),
)

price_list_rule = Table(
    "price_list_rule",
    metadata,
    identity(),
    Column("attribute", Text, nullable=False, server_default=""),
    Column("value", Json),
    Column("price_list_id", Text, ForeignKey("price_list.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
)
index_on(price_list_rule, "price_list_id")

# `rules_count` is the number of the price's rules: a calculation sorts by it without reading the rules themselves.
price = Table(
    "price",
    metadata,
    identity(),
    Column("title", Text),
    Column("currency_code", Text, nullable=False),
    Column("amount", Money, nullable=False),
    Column("min_quantity", Quantity),
    Column("max_quantity", Quantity),
    Column("rules_count", Integer, nullable=False, server_default="0"),
    Column("price_set_id", Text, ForeignKey("price_set.id", ondelete="CASCADE"), nullable=False),
    Column("price_list_id", Text, ForeignKey("price_list.id", ondelete="CASCADE")),
    *timestamps(),
)
Index("ix_price_price_set_id_currency_code", price.c.price_set_id, price.c.currency_code, postgresql_where=price.c.deleted_at.is_(None))
Index("ix_price_price_list_id", price.c.price_list_id, postgresql_where=price.c.deleted_at.is_(None))

price_rule = Table(
    "price_rule",
    metadata,
    identity(),
    Column("attribute", Text, nullable=False, server_default=""),
    Column("operator", Text, nullable=False, server_default="eq"),
    Column("value", Text, nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("price_id", Text, ForeignKey("price.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
    CheckConstraint("operator IN ('gte', 'lte', 'gt', 'lt', 'eq')", name="operator"),
)
Index(
    "uq_price_rule_price_id_attribute_operator",
    price_rule.c.price_id,
    price_rule.c.attribute,
    price_rule.c.operator,
    unique=True,
    postgresql_where=price_rule.c.deleted_at.is_(None),
)

index_on(price_rule, "price_id")
Index("ix_price_rule_attribute", price_rule.c.attribute, postgresql_where=price_rule.c.deleted_at.is_(None))

price_preference = Table(
    "price_preference",
    metadata,
    identity(),
    Column("attribute", Text, nullable=False),
    Column("value", Text),
    Column("is_tax_inclusive", Boolean, nullable=False, server_default=false()),
    *timestamps(),
)
Index(
    "uq_price_preference_attribute_value",
    price_preference.c.attribute,
    price_preference.c.value,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=price_preference.c.deleted_at.is_(None),
)

SCHEMA = Schema(
    "pricing",
    Entity(
        "price_set",
        price_set,
        prefix="pset",
        label="PriceSet",
        relations={"prices": many("price", "price_set_id", cascade=True)},
    ),
    Entity(
        "price",
        price,
        prefix="price",
        label="Price",
        relations={
            "price_set": one("price_set", "price_set_id"),
            "price_rules": many("price_rule", "price_id", cascade=True),
            "price_list": one("price_list", "price_list_id"),
        },
    ),
    Entity(
        "price_rule",
        price_rule,
        bare=True,
        prefix="prule",
        label="PriceRule",
        relations={"price": one("price", "price_id")},
    ),
    Entity(
        "price_list",
        price_list,
        prefix="plist",
        label="PriceList",
        relations={
            "prices": many("price", "price_list_id", cascade=True),
            "price_list_rules": many("price_list_rule", "price_list_id", cascade=True),
        },
        searchable=("title", "description"),
    ),
    Entity(
        "price_list_rule",
        price_list_rule,
        prefix="prule",
        label="PriceListRule",
        relations={"price_list": one("price_list", "price_list_id")},
    ),
    Entity("price_preference", price_preference, prefix="prpref", label="PricePreference"),
)
