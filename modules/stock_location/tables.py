"""Stock locations and their addresses."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from ...core.sql.schema.columns import identity, metadata_column, module_metadata, timestamps
from ...core.sql.schema.entity import Entity, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

stock_location_address = Table(
    "stock_location_address",
    metadata,
    identity(),
    Column("address_1", Text, nullable=False),
    Column("address_2", Text),
    Column("company", Text),
    Column("city", Text),
    Column("country_code", Text, nullable=False),
    Column("phone", Text),
    Column("province", Text),
    Column("postal_code", Text),
    metadata_column(),
    *timestamps(),
)

stock_location = Table(
    "stock_location",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("address_id", Text, ForeignKey("stock_location_address.id", ondelete="CASCADE")),
    metadata_column(),
    *timestamps(),
)
Index(
    "uq_stock_location_address_id",
    stock_location.c.address_id,
    unique=True,
    postgresql_where=stock_location.c.deleted_at.is_(None),
)

SCHEMA = Schema(
    "stock_location",
    Entity(
        "stock_location",
        stock_location,
        prefix="sloc",
        label="StockLocation",
        relations={"address": one("stock_location_address", "address_id")},
        searchable=("name", "address"),
    ),
    Entity(
        "stock_location_address",
        stock_location_address,
        prefix="laddr",
        label="StockLocationAddress",
        bare=True,
        relations={"stock_locations": many("stock_location", "address_id", cascade=True)},
        searchable=("address_1", "address_2", "city", "country_code", "province", "postal_code"),
    ),
)
