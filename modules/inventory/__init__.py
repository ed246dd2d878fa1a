"""Inventory: items, their stock at locations, and the reservations held against it."""

from __future__ import annotations

from ...core.graph.links import Reference
from ...core.service.module import Module
from .service import InventoryService
from .tables import SCHEMA

MODULE = Module(
    name="inventory",
    schema=SCHEMA,
    service=InventoryService,
    package=__name__,
    references=(Reference("inventory_level", "stock_locations", "location_id", "stock_location", many=True),),
)
