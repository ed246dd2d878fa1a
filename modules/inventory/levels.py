"""Stock at locations: levels and their changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Table

from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.message import reads, writes
from ...core.rows import Row
from ...core.service.module import Keys, ModuleService
from ...core.sql.write.undo import Pair
from .demand import exact
from .queries import AVAILABLE, CHANGE_LEVELS, LOCK_LEVELS
from .tables import inventory_level
from .types import Available, Level, LevelAdjustment, LevelChange, LevelsChanged, LockedLevel, NewLevel, WantedLine

_FIGURES = ("stocked_quantity", "incoming_quantity")


class Levels(ModuleService):
    """Quantities of items at locations. An item has at most one level at each location."""

    @reads
    async def available(self, inventory_item_ids: Sequence[str], location_ids: Sequence[str] | None = None) -> dict[str, Decimal]:
        """The quantity of each item that can still be sold at the given locations together; 0 for an item that isn't stocked there.

        Without `location_ids`: everywhere. Negative where more is reserved than stocked.
        """
        locations = await self.available_at(inventory_item_ids, location_ids)
        return {item: sum(quantities.values(), Decimal(0)) for item, quantities in locations.items()}

    @reads
    async def available_at(self, inventory_item_ids: Sequence[str], location_ids: Sequence[str] | None = None) -> Available:
        """The quantity of each item that can still be sold, by location. Locations where an item isn't stocked are left out."""
        available: Available = {item: {} for item in inventory_item_ids}
        params = {"item_ids": list(available), "location_ids": None if location_ids is None else list(location_ids)}
        for row in await self.database.fetch(AVAILABLE, params):
            available[row["inventory_item_id"]][row["location_id"]] = row["available"]
        return available

    @reads
    async def confirm(self, lines: Sequence[WantedLine]) -> bool:
        """Whether all lines together are available right now.

        Only a reservation guarantees it.
        """
        guarded = [line for line in lines if not line.get("allow_backorder")]
        stock = await self.available_at([line["inventory_item_id"] for line in guarded])
        wanted: dict[tuple[str, tuple[str, ...] | None], Decimal] = {}
        for line in guarded:
            locations = line.get("location_ids")
            key = line["inventory_item_id"], None if locations is None else tuple(sorted(locations))
            wanted[key] = wanted.get(key, Decimal(0)) + exact(line["quantity"], "quantity")
        return all(
            sum((there for location, there in stock[item].items() if locations is None or location in locations), Decimal(0)) >= quantity
            for (item, locations), quantity in wanted.items()
        )

    @writes
    async def create_levels(self, rows: Sequence[NewLevel]) -> list[Level]:
        """Stock items at locations. Raises InvalidData where an item is stocked there already, NotFound for an unknown item."""
        created: list[Level] = await self.create("inventory_level", [_new_level(row) for row in rows])
        self.touch("inventory_item")
        return created

    @writes
    async def update_levels(self, rows: Sequence[LevelChange]) -> list[Level]:
        """Set the stocked or incoming quantity of levels, each named by item and location.

        Stock may be set below what is reserved: then nothing more can be reserved. Raises NotFound for a missing level: nothing changes.
        """
        return await self._levels(await self._change("set", rows))

    @writes
    async def adjust(self, adjustments: Sequence[LevelAdjustment]) -> list[Level]:
        """Add to the stocked quantity, or subtract from it.

        Raises NotFound for a missing level: nothing changes.
        """
        return await self._levels(await self._add(adjustments))

    @writes
    async def delete_levels(self, ids: Sequence[str], *, force: bool = False) -> Keys:
        """Stop stocking items at locations. Returns the ids of the levels that existed.

        Raises NotAllowed where something is reserved there and, unless `force`, where something is stocked: nothing is
        deleted.
        """
        return await self._delete_levels(await self._locked_levels(ids=ids), force=force)

    @writes
    async def batch_levels(
        self,
        create: Sequence[NewLevel] = (),
        update: Sequence[LevelChange] = (),
        delete: Sequence[str] = (),
        *,
        force: bool = False,
    ) -> LevelsChanged:
        """Create, update and delete levels: all of it, or nothing."""
        deleted = await self.delete_levels(delete, force=force) if delete else []
        updated = await self.update_levels(update) if update else []
        created = await self.create_levels(create) if create else []
        return {"created": created, "updated": updated, "deleted": deleted}

    # -- inside

    async def _undo(self, table: Table, pairs: Sequence[Pair]) -> None:
        """A level that was created stays while something is reserved at it."""
        if table is inventory_level:
            created = [left["id"] for was, left in pairs if was is None and left is not None]
            reserved = {row["id"] for row in await self._locked_levels(ids=created) if row["reserved_quantity"] > 0} if created else set()
            pairs = [(was, left) for was, left in pairs if was is not None or left is None or left["id"] not in reserved]
        await super()._undo(table, pairs)

    async def _add(self, adjustments: Sequence[LevelAdjustment]) -> Keys:
        """`adjust`, which returns the ids of the levels."""
        summed: dict[tuple[str, str], Decimal] = {}
        for one in adjustments:
            key = one["inventory_item_id"], one["location_id"]
            summed[key] = summed.get(key, Decimal(0)) + exact(one["adjustment"], "adjustment")
        return await self._change(
            "add",
            [
                {"inventory_item_id": item, "location_id": location, "stocked_quantity": change}
                for (item, location), change in summed.items()
            ],
        )

    async def _levels(self, ids: Keys) -> list[Level]:
        stored: list[Level] = await self.list("inventory_level", {"id": ids}) if ids else []
        levels = {row["id"]: row for row in stored}
        return [levels[id] for id in ids]

    async def _change(self, how: str, rows: Sequence[LevelChange]) -> Keys:
        """Change levels, and return their ids in the order of the rows."""
        if not rows:
            return []
        given = [_change_of_level(row) for row in rows]
        keys = [(row["inventory_item_id"], row["location_id"]) for row in given]
        if len(set(keys)) < len(keys):
            raise InvalidData("An inventory level is named twice")
        changed = await self.database.fetch(CHANGE_LEVELS, {"rows": given, "how": how})
        ids = {(row["inventory_item_id"], row["location_id"]): row["id"] for row in changed}
        for item, location in keys:
            if (item, location) not in ids:
                raise NotFound(f"Inventory item {item} is not stocked at location {location}")
        self.keep(inventory_level, [(row["was"], row["stored"]) for row in changed])
        self.touch("inventory_level", "inventory_item")
        return [ids[key] for key in keys]

    async def _locked_levels(self, *, ids: Sequence[str] = (), item_ids: Sequence[str] = ()) -> list[LockedLevel]:
        return await self.database.rows(LOCK_LEVELS, {"ids": list(ids), "item_ids": list(item_ids)})

    async def _delete_levels(self, levels: Sequence[LockedLevel], *, force: bool) -> Keys:
        reserved = sorted({level["location_id"] for level in levels if level["reserved_quantity"] > 0})
        if reserved:
            raise NotAllowed(f"Cannot remove inventory levels: items are reserved at {', '.join(reserved)}")
        stocked = sorted({level["location_id"] for level in levels if level["stocked_quantity"] > 0})
        if stocked and not force:
            raise NotAllowed(f"Cannot remove inventory levels: items are stocked at {', '.join(stocked)}. Use force to remove them anyway")
        self.touch("inventory_item")
        return await self.delete("inventory_level", [level["id"] for level in levels])


def _new_level(row: Mapping[str, Any]) -> Row:
    """The row of a new level: stocked and incoming quantities are given, the reserved one follows from reservations."""
    if "reserved_quantity" in row:
        raise InvalidData("reserved_quantity follows from reservations and can't be set")
    return {name: value for name, value in row.items() if name not in _FIGURES or value is not None}


def _change_of_level(row: Mapping[str, Any]) -> Row:
    known = ("inventory_item_id", "location_id", *_FIGURES, "metadata")
    change: Row = {name: row.get(name) for name in known}
    for name in _FIGURES:
        if change[name] is not None:
            change[name] = exact(change[name], name)
    unknown = row.keys() - {*known, "id"}
    if unknown:
        raise InvalidData(f"Inventory level has no field '{sorted(unknown)[0]}' that can be changed")
    return change
