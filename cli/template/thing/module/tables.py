"""How things are stored, and how they are seen."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text, text

from velella.core.sql.schema.columns import identity, metadata_column, module_metadata, timestamps
from velella.core.sql.schema.entity import Entity
from velella.core.sql.schema.schema import Schema

metadata = module_metadata()

thing = Table(
    "thing",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("product_id", Text, nullable=False, index=True),  # another module's: no foreign key, it may lie in another database
    Column("sold", Integer, nullable=False, server_default=text("0")),
    metadata_column(),
    *timestamps(),
)

SCHEMA = Schema("thing", Entity("thing", thing, prefix="thing", label="Thing", searchable=("name",)))
