"""What ships where and how: sets, zones, options with their rules, and the fulfilments themselves."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Table, Text, true

from ...commerce.addresses import address_columns
from ...core.sql.schema.columns import (
    Json,
    Quantity,
    Timestamp,
    identity,
    metadata_column,
    module_metadata,
    timestamps,
)
from ...core.sql.schema.entity import Entity, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()


def _live(table: Table, *columns: str, unique: bool = False) -> Index:
    """An index over the rows that are not deleted."""
    kind = "uq" if unique else "ix"
    return Index(
        f"{kind}_{table.name}_{'_'.join(columns)}",
        *(table.c[column] for column in columns),
        unique=unique,
        postgresql_where=table.c.deleted_at.is_(None),
    )


fulfillment_provider = Table(
    "fulfillment_provider",
    metadata,
    identity(),
    Column("is_enabled", Boolean, nullable=False, server_default=true()),
    *timestamps(),
)

fulfillment_set = Table(
    "fulfillment_set",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    metadata_column(),
    *timestamps(),
)
_live(fulfillment_set, "name", unique=True)

service_zone = Table(
    "service_zone",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("fulfillment_set_id", Text, ForeignKey("fulfillment_set.id", ondelete="CASCADE"), nullable=False),
    metadata_column(),
    *timestamps(),
)
_live(service_zone, "name", unique=True)
_live(service_zone, "fulfillment_set_id")

# Country, province and city are kept in lower case: that is how addresses are compared.
geo_zone = Table(
    "geo_zone",
    metadata,
    identity(),
    Column("type", Text, nullable=False, server_default="country"),
    Column("country_code", Text, nullable=False),
    Column("province_code", Text),
    Column("city", Text),
    Column("postal_expression", Json),
    Column("service_zone_id", Text, ForeignKey("service_zone.id", ondelete="CASCADE"), nullable=False),
    metadata_column(),
    *timestamps(),
    CheckConstraint("type IN ('country', 'province', 'city', 'zip')", name="type"),
)
_live(geo_zone, "country_code")
_live(geo_zone, "service_zone_id")

shipping_option_type = Table(
    "shipping_option_type",
    metadata,
    identity(),
    Column("label", Text, nullable=False),
    Column("description", Text),
    Column("code", Text, nullable=False),
    *timestamps(),
)

shipping_profile = Table(
    "shipping_profile",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    metadata_column(),
    *timestamps(),
)
_live(shipping_profile, "name", unique=True)

shipping_option = Table(
    "shipping_option",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("price_type", Text, nullable=False, server_default="flat"),
    Column("service_zone_id", Text, ForeignKey("service_zone.id", ondelete="CASCADE"), nullable=False),
    Column("shipping_profile_id", Text, ForeignKey("shipping_profile.id", ondelete="SET NULL")),
    Column("provider_id", Text, ForeignKey("fulfillment_provider.id", ondelete="SET NULL")),
    Column("shipping_option_type_id", Text, ForeignKey("shipping_option_type.id"), nullable=False),
    Column("data", Json),
    metadata_column(),
    *timestamps(),
    CheckConstraint("price_type IN ('calculated', 'flat')", name="price_type"),
)
for _column in ("service_zone_id", "shipping_profile_id", "provider_id", "shipping_option_type_id"):
    _live(shipping_option, _column)

shipping_option_rule = Table(
    "shipping_option_rule",
    metadata,
    identity(),
    Column("attribute", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("value", Json),
    Column("shipping_option_id", Text, ForeignKey("shipping_option.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
    CheckConstraint("operator IN ('in', 'eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'nin')", name="operator"),
)
_live(shipping_option_rule, "shipping_option_id")

fulfillment_address = Table(
    "fulfillment_address",
    metadata,
    identity(),
    *address_columns(),
    metadata_column(),
    *timestamps(),
)

fulfillment = Table(
    "fulfillment",
    metadata,
    identity(),
    Column("location_id", Text, nullable=False),
    Column("packed_at", Timestamp),
    Column("shipped_at", Timestamp),
    Column("marked_shipped_by", Text),
    Column("created_by", Text),
    Column("delivered_at", Timestamp),
    Column("canceled_at", Timestamp),
    Column("canceling_at", Timestamp),
    Column("canceling_key", Text),
    Column("data", Json),
    Column("requires_shipping", Boolean, nullable=False, server_default=true()),
    Column("provider_id", Text, ForeignKey("fulfillment_provider.id", ondelete="SET NULL")),
    Column("shipping_option_id", Text, ForeignKey("shipping_option.id", ondelete="SET NULL")),
    Column("delivery_address_id", Text, ForeignKey("fulfillment_address.id", ondelete="SET NULL")),
    metadata_column(),
    *timestamps(),
)
_live(fulfillment, "location_id")
_live(fulfillment, "shipping_option_id")

fulfillment_item = Table(
    "fulfillment_item",
    metadata,
    identity(),
    Column("title", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("barcode", Text, nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("line_item_id", Text),
    Column("inventory_item_id", Text),
    Column("fulfillment_id", Text, ForeignKey("fulfillment.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
)
for _column in ("line_item_id", "inventory_item_id", "fulfillment_id"):
    _live(fulfillment_item, _column)

fulfillment_label = Table(
    "fulfillment_label",
    metadata,
    identity(),
    Column("tracking_number", Text, nullable=False),
    Column("tracking_url", Text, nullable=False),
    Column("label_url", Text, nullable=False),
    Column("fulfillment_id", Text, ForeignKey("fulfillment.id", ondelete="CASCADE"), nullable=False),
    *timestamps(),
)
_live(fulfillment_label, "fulfillment_id")
_live(fulfillment_label, "tracking_number")


SCHEMA = Schema(
    "fulfillment",
    Entity("fulfillment_provider", fulfillment_provider, prefix="serpro", label="Fulfillment provider", bare=True, searchable=("id",)),
    Entity(
        "fulfillment_set",
        fulfillment_set,
        prefix="fuset",
        label="Fulfillment set",
        relations={"service_zones": many("service_zone", "fulfillment_set_id", cascade=True)},
    ),
    Entity(
        "service_zone",
        service_zone,
        prefix="serzo",
        label="Service zone",
        relations={
            "fulfillment_set": one("fulfillment_set", "fulfillment_set_id"),
            "geo_zones": many("geo_zone", "service_zone_id", cascade=True),
            "shipping_options": many("shipping_option", "service_zone_id", cascade=True),
        },
    ),
    Entity("geo_zone", geo_zone, prefix="fgz", label="Geo zone", relations={"service_zone": one("service_zone", "service_zone_id")}),
    Entity(
        "shipping_option_type",
        shipping_option_type,
        prefix="sotype",
        label="Shipping option type",
        bare=True,
        relations={"shipping_options": many("shipping_option", "shipping_option_type_id")},
        translatable=("label", "description"),
        searchable=("label", "description", "code"),
    ),
    Entity(
        "shipping_profile",
        shipping_profile,
        prefix="sp",
        label="Shipping profile",
        relations={"shipping_options": many("shipping_option", "shipping_profile_id")},
    ),
    Entity(
        "shipping_option",
        shipping_option,
        prefix="so",
        label="Shipping option",
        relations={
            "service_zone": one("service_zone", "service_zone_id"),
            "shipping_profile": one("shipping_profile", "shipping_profile_id"),
            "provider": one("fulfillment_provider", "provider_id"),
            "type": one("shipping_option_type", "shipping_option_type_id"),
            "rules": many("shipping_option_rule", "shipping_option_id", cascade=True),
            "fulfillments": many("fulfillment", "shipping_option_id"),
        },
        translatable=("name",),
        searchable=("name",),
    ),
    Entity(
        "shipping_option_rule",
        shipping_option_rule,
        prefix="sorul",
        label="Shipping option rule",
        bare=True,
        relations={"shipping_option": one("shipping_option", "shipping_option_id")},
    ),
    Entity("fulfillment_address", fulfillment_address, prefix="fuladdr", label="Fulfillment address"),
    Entity(
        "fulfillment",
        fulfillment,
        prefix="ful",
        label="Fulfillment",
        relations={
            "items": many("fulfillment_item", "fulfillment_id", cascade=True),
            "labels": many("fulfillment_label", "fulfillment_id", cascade=True),
            "provider": one("fulfillment_provider", "provider_id"),
            "shipping_option": one("shipping_option", "shipping_option_id"),
            "delivery_address": one("fulfillment_address", "delivery_address_id"),
        },
        hidden=frozenset({"canceling_at", "canceling_key"}),
    ),
    Entity(
        "fulfillment_item",
        fulfillment_item,
        prefix="fulit",
        label="Fulfillment item",
        relations={"fulfillment": one("fulfillment", "fulfillment_id")},
    ),
    Entity(
        "fulfillment_label",
        fulfillment_label,
        prefix="fulla",
        label="Fulfillment label",
        relations={"fulfillment": one("fulfillment", "fulfillment_id")},
    ),
)
