"""The inventory module's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Rows
from ...core.service.module import Keys
from .sending import Sending
from .tables import SCHEMA


class InventoryService(Sending):
    """Stock at locations, and the reservations held against it."""

    name: ClassVar[str] = "inventory"
    schema = SCHEMA

    @writes(one_statement=lambda rows: not any(row.get("location_levels") for row in rows))
    async def create_items(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create inventory items; `location_levels` of a row are created with it.

        Raises InvalidData where another item has the same SKU.
        """
        items: Rows = [{"id": new_id("iitem"), **{name: value for name, value in row.items() if name != "location_levels"}} for row in rows]
        created = await self.create("inventory_item", items)
        levels: list[Any] = [
            {**level, "inventory_item_id": item["id"]}
            for item, row in zip(items, rows, strict=True)
            for level in row.get("location_levels") or ()
        ]
        if levels:
            await self.create_levels(levels)
        return created

    @writes
    async def delete_items(self, ids: Sequence[str]) -> Keys:
        """Delete items with their levels. Returns the ids that existed.

        Raises InvalidData where something of an item is reserved: nothing is deleted.
        """
        reserved = sorted(
            {level["inventory_item_id"] for level in await self._locked_levels(item_ids=ids) if level["reserved_quantity"] > 0}
        )
        if reserved:
            raise InvalidData(f"Cannot remove following inventory item(s) since they have reservations: [{', '.join(reserved)}].")
        return await self.delete("inventory_item", ids)
