"""Inventory items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.flow import Flow, step, workflow
from ..rows import release_ties, update_rows
from .levels import check_locations

Row = dict[str, Any]


async def _delete_items(flow: Flow, items: list[Row]) -> None:
    await flow.modules.inventory.delete("inventory_item", [item["id"] for item in items])


@step(undo=_delete_items)
async def insert_items(flow: Flow, items: Sequence[Row]) -> list[Row]:
    return await flow.modules.inventory.create_items(items)


@workflow("create-inventory-items-workflow")
async def create_inventory_items(flow: Flow, items: list[Row]) -> list[Row]:
    """Inventory items with their `location_levels`. Raises InvalidData for a SKU that is taken, NotFound for an unknown location."""
    await check_locations(flow, [level["location_id"] for item in items for level in item.get("location_levels") or ()])
    made = await flow.run(insert_items, items)
    for item in made:
        flow.emit("inventory-item.created", id=item["id"])
    return made


@workflow("update-inventory-items-workflow")
async def update_inventory_items(flow: Flow, updates: list[Row]) -> list[str]:
    """Change items, each by its id. The ids. Raises NotFound."""
    await flow.run(update_rows, "inventory_item", updates)
    for item in updates:
        flow.emit("inventory-item.updated", id=item["id"])
    return [item["id"] for item in updates]


async def _restore_items(flow: Flow, ids: list[str]) -> None:
    await flow.modules.inventory.restore("inventory_item", ids)


@step(undo=_restore_items)
async def remove_items(flow: Flow, ids: Sequence[str]) -> list[str]:
    return await flow.modules.inventory.delete_items(ids)


@workflow("delete-inventory-item-workflow")
async def delete_inventory_items(flow: Flow, ids: list[str]) -> list[str]:
    """Delete items with their levels. The ids that were there. Raises NotAllowed where something of one is reserved."""
    gone = await flow.run(remove_items, ids)
    await flow.run(release_ties, "inventory_item", gone)
    for id in gone:
        flow.emit("inventory-item.deleted", id=id)
    return gone
