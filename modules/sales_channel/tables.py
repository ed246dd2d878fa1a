"""Sales channels: where products are offered."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Table, Text, false

from ...core.sql.schema.columns import identity, metadata_column, module_metadata, timestamps
from ...core.sql.schema.entity import Entity
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

sales_channel = Table(
    "sales_channel",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("is_disabled", Boolean, nullable=False, server_default=false()),
    metadata_column(),
    *timestamps(),
)

SCHEMA = Schema(
    "sales_channel",
    Entity(
        "sales_channel",
        sales_channel,
        prefix="sc",
        label="SalesChannel",
        searchable=("name", "description"),
    ),
)
