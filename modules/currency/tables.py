"""Currencies: the world's, the same for every shop. The store says which of them the shop accepts."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text

from ...core.sql.schema.columns import Quantity, module_metadata, timestamps
from ...core.sql.schema.entity import Entity
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

currency = Table(
    "currency",
    metadata,
    Column("code", Text, primary_key=True),
    Column("symbol", Text, nullable=False),
    Column("symbol_native", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("decimal_digits", Integer, nullable=False, server_default="0"),
    Column("rounding", Quantity, nullable=False, server_default="0"),
    *timestamps(),
)

SCHEMA = Schema(
    "currency",
    Entity("currency", currency, label="Currency", key="code", searchable=("code", "name")),
)
