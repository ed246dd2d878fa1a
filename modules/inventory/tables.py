"""Inventory items, their levels at locations, and the reservations held against the levels."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    FromClause,
    Index,
    Table,
    Text,
    false,
    func,
    literal_column,
    select,
    true,
)

from ...core.sql.schema.columns import COUNTED, Quantity, identity, metadata_column, module_metadata, timestamps, trigrams
from ...core.sql.schema.deltas import keep_deltas
from ...core.sql.schema.entity import Entity, Expression, many, one
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

inventory_item = Table(
    "inventory_item",
    metadata,
    identity(),
    Column("sku", Text),
    Column("origin_country", Text),
    Column("hs_code", Text),
    Column("mid_code", Text),
    Column("material", Text),
    Column("unit_of_measure", Text),
    Column("weight", Double),
    Column("length", Double),
    Column("height", Double),
    Column("width", Double),
    Column("requires_shipping", Boolean, nullable=False, server_default=true()),
    Column("description", Text),
    Column("title", Text),
    Column("thumbnail", Text),
    metadata_column(),
    *timestamps(),
)
Index("uq_inventory_item_sku", inventory_item.c.sku, unique=True, postgresql_where=inventory_item.c.deleted_at.is_(None))
trigrams(inventory_item, "sku", "hs_code", "mid_code", "description", "title")
keep_deltas(inventory_item, "sku", "title", "requires_shipping", "created_at")

# `reserved_quantity` is at every commit the sum of the level's reservations: every writer changes both in
# the same transaction. It may exceed `stocked_quantity` where back-orders are allowed, and stock itself may fall below
# zero when a back-order is fulfilled; a guarded reservation beyond what is available is never allowed.
inventory_level = Table(
    "inventory_level",
    metadata,
    identity(),
    Column("inventory_item_id", Text, ForeignKey("inventory_item.id", ondelete="CASCADE"), nullable=False),
    Column("location_id", Text, nullable=False),
    Column("stocked_quantity", Quantity, nullable=False, server_default="0", info={COUNTED: True}),
    Column("reserved_quantity", Quantity, nullable=False, server_default="0", info={COUNTED: True}),
    Column("incoming_quantity", Quantity, nullable=False, server_default="0", info={COUNTED: True}),
    metadata_column(),
    *timestamps(),
    CheckConstraint("reserved_quantity >= 0", name="reserved_not_negative"),
    # Leaves room in each page, so that the frequently changing counters are updated in place (HOT) without touching an index.
    postgresql_with={"fillfactor": 70},
)
Index(
    "uq_inventory_level_item_location",
    inventory_level.c.inventory_item_id,
    inventory_level.c.location_id,
    unique=True,
    postgresql_where=inventory_level.c.deleted_at.is_(None),
)
Index("ix_inventory_level_location_id", inventory_level.c.location_id, postgresql_where=inventory_level.c.deleted_at.is_(None))

reservation_item = Table(
    "reservation_item",
    metadata,
    identity(),
    Column("inventory_item_id", Text, ForeignKey("inventory_item.id", ondelete="CASCADE"), nullable=False),
    Column("location_id", Text, nullable=False),
    Column("line_item_id", Text),
    Column("quantity", Quantity, nullable=False),
    Column("allow_backorder", Boolean, nullable=False, server_default=false()),
    Column("external_id", Text),
    Column("description", Text),
    Column("created_by", Text),
    metadata_column(),
    *timestamps(),
    CheckConstraint("quantity > 0", name="quantity_positive"),
)
for _column in ("inventory_item_id", "location_id", "line_item_id"):
    Index(
        f"ix_reservation_item_{_column}",
        reservation_item.c[_column],
        postgresql_where=reservation_item.c.deleted_at.is_(None),
    )


def _sum_of_levels(column: str) -> Expression:
    """The sum over all locations of an item; 0 where it has no level."""

    def expression(item: FromClause) -> ColumnElement[object]:
        level = inventory_level.alias()
        total = select(func.sum(level.c[column])).where(level.c.inventory_item_id == item.c.id, level.c.deleted_at.is_(None))
        return func.coalesce(total.scalar_subquery(), literal_column("0"), type_=Quantity())

    return expression


def _available(level: FromClause) -> ColumnElement[object]:
    expression: ColumnElement[object] = level.c.stocked_quantity - level.c.reserved_quantity
    return expression


SCHEMA = Schema(
    "inventory",
    Entity(
        "inventory_item",
        inventory_item,
        prefix="iitem",
        label="Inventory item",
        relations={
            "location_levels": many("inventory_level", "inventory_item_id", cascade=True),
            "reservation_items": many("reservation_item", "inventory_item_id"),
        },
        searchable=("sku", "hs_code", "mid_code", "description", "title"),
        computed={"reserved_quantity": _sum_of_levels("reserved_quantity"), "stocked_quantity": _sum_of_levels("stocked_quantity")},
    ),
    Entity(
        "inventory_level",
        inventory_level,
        prefix="ilev",
        label="Inventory level",
        bare=True,
        relations={"inventory_item": one("inventory_item", "inventory_item_id")},
        computed={"available_quantity": _available},
    ),
    Entity(
        "reservation_item",
        reservation_item,
        prefix="resitem",
        label="Reservation item",
        relations={"inventory_item": one("inventory_item", "inventory_item_id")},
        searchable=("description", "inventory_item"),
    ),
)
