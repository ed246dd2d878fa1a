"""The store: its name, its currencies and locales, and its defaults."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text, false

from ...core.sql.schema.columns import identity, metadata_column, module_metadata, timestamps
from ...core.sql.schema.entity import Entity, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

store = Table(
    "store",
    metadata,
    identity(),
    Column("name", Text, nullable=False, server_default="Medusa Store"),
    Column("default_sales_channel_id", Text),
    Column("default_region_id", Text),
    Column("default_location_id", Text),
    metadata_column(),
    *timestamps(),
)

store_currency = Table(
    "store_currency",
    metadata,
    identity(),
    Column("currency_code", Text, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    Column("store_id", Text, ForeignKey("store.id", ondelete="CASCADE")),
    *timestamps(),
)
Index(
    "uq_store_currency_store_id_currency_code",
    store_currency.c.store_id,
    store_currency.c.currency_code,
    unique=True,
    postgresql_where=store_currency.c.deleted_at.is_(None),
)
# at most one default; the service makes sure that there is one
Index(
    "uq_store_currency_default",
    store_currency.c.store_id,
    unique=True,
    postgresql_where=store_currency.c.is_default & store_currency.c.deleted_at.is_(None),
)

store_locale = Table(
    "store_locale",
    metadata,
    identity(),
    Column("locale_code", Text, nullable=False),
    Column("store_id", Text, ForeignKey("store.id", ondelete="CASCADE")),
    *timestamps(),
)
Index(
    "uq_store_locale_store_id_locale_code",
    store_locale.c.store_id,
    store_locale.c.locale_code,
    unique=True,
    postgresql_where=store_locale.c.deleted_at.is_(None),
)

SCHEMA = Schema(
    "store",
    Entity(
        "store",
        store,
        prefix="store",
        label="Store",
        relations={
            "supported_currencies": many("store_currency", "store_id", cascade=True),
            "supported_locales": many("store_locale", "store_id", cascade=True),
        },
        searchable=("name",),
    ),
    Entity(
        "store_currency",
        store_currency,
        prefix="stocur",
        label="StoreCurrency",
        bare=True,
        relations={"store": one("store", "store_id")},
        searchable=("currency_code",),
    ),
    Entity(
        "store_locale",
        store_locale,
        prefix="stloc",
        label="StoreLocale",
        relations={"store": one("store", "store_id")},
        searchable=("locale_code",),
    ),
)
