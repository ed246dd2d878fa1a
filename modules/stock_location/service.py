"""The stock location module's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Row, Rows
from ...core.service.module import ModuleService
from .tables import SCHEMA

ADDRESS = "stock_location_address"


class StockLocationService(ModuleService):
    """Stock locations and their addresses."""

    name: ClassVar[str] = "stock_location"
    schema = SCHEMA

    @writes
    async def create_locations(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create locations. `address` of a row is created with it; `address_id` names an existing one."""
        locations: Rows = []
        addresses: Rows = []
        for row in rows:
            location = {key: value for key, value in row.items() if key != "address"}
            if row.get("address"):
                location["address_id"] = new_id("laddr")
                addresses.append({**row["address"], "id": location["address_id"]})
            locations.append(location)
        await self.create(ADDRESS, addresses)
        return await self.create("stock_location", locations)

    @writes
    async def update_locations(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Update locations, each named by its id. `address` changes the location's address, or creates one.

        Raises NotFound if a location is missing: nothing changes.
        """
        moving = [row["id"] for row in rows if row.get("address")]
        current: dict[str, str | None] = {}
        if moving:
            found = await self.list("stock_location", {"id": moving}, fields=("id", "address_id"))
            current = {row["id"]: row["address_id"] for row in found}
        locations: Rows = []
        addresses: Rows = []
        for row in rows:
            location: Row = {key: value for key, value in row.items() if key != "address"}
            if row.get("address"):
                address_id = location.get("address_id") or current.get(row["id"]) or new_id("laddr")
                location["address_id"] = address_id
                addresses.append({**row["address"], "id": address_id})
            locations.append(location)
        await self.upsert(ADDRESS, addresses)
        return await self.update("stock_location", locations)
