"""Inventory items."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.rows import Row
from ..kit import Flow, Kept, keep, step, take_back, unchanged, workflow
from ..links import unlink_all
from ..plain import Plain
from .levels import check_locations


@step(undo=take_back)
async def insert_items(flow: Flow, items: Sequence[Row]) -> Kept[list[Row]]:
    """Raises InvalidData for a SKU that another item has."""
    return await keep(flow.modules.inventory.create_items, items) if items else unchanged([])


@workflow("create-inventory-items-workflow", emits=("inventory-item.created",))
async def create_inventory_items(flow: Flow, items: list[Row]) -> list[Row]:
    """Create inventory items with their `location_levels`. Raises InvalidData for a taken SKU, NotFound for an unknown location."""
    await check_locations(flow, [level["location_id"] for item in items for level in item.get("location_levels") or ()])
    made = (await flow.run(insert_items, items))["answer"]
    for item in made:
        flow.emit("inventory-item.created", id=item["id"])
    return made


INVENTORY_ITEMS = Plain("inventory_item", update="update-inventory-items-workflow", event="inventory-item")


@step(undo=take_back)
async def remove_items(flow: Flow, ids: Sequence[str]) -> Kept[list[str]]:
    """Raises InvalidData where something of an item is reserved."""
    return await keep(flow.modules.inventory.delete_items, ids) if ids else unchanged([])


async def drop_items(flow: Flow, ids: Sequence[str]) -> list[str]:
    """Delete items with their levels, then their links. Returns the ids of those that existed. Raises InvalidData where something is
    reserved."""
    done = await flow.run(remove_items, ids)
    await unlink_all(flow, done["change"])
    return done["answer"]


@workflow("delete-inventory-item-workflow", durable=True)
async def delete_inventory_items(flow: Flow, ids: list[str]) -> list[str]:
    """Delete items with their levels. Returns the ids of those that existed. Raises InvalidData where something is reserved."""
    gone = await drop_items(flow, ids)
    for id in gone:
        flow.emit("inventory-item.deleted", id=id)
    return gone
