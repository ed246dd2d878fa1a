"""Stock at locations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict

from ...core.errors import NotFound
from ...core.sql.schema.query import Query
from ...modules.inventory.types import Level, LevelChange, LevelsChanged, NewLevel
from ..kit import Flow, Kept, keep, step, take_back, workflow
from ..rows import Selector, selected


class LevelKey(TypedDict):
    """Names a level."""

    inventory_item_id: str
    location_id: str


async def check_locations(flow: Flow, ids: Iterable[str]) -> None:
    """Raises NotFound for an unknown stock location."""
    wanted = sorted(set(ids))
    if not wanted:
        return
    there = {row["id"] for row in await flow.modules.stock_location.list("stock_location", {"id": wanted}, fields=("id",))}
    lost = [id for id in wanted if id not in there]
    if lost:
        raise NotFound(f"Stock locations with ids: {', '.join(lost)} were not found")


@step(undo=take_back)
async def change_levels(
    flow: Flow, create: Sequence[NewLevel], update: Sequence[LevelChange], delete: Sequence[str], force: bool
) -> Kept[LevelsChanged]:
    """Create, update and delete levels: all of it, or nothing."""
    return await keep(flow.modules.inventory.batch_levels, create, update, delete, force=force)


@workflow("batch-inventory-item-levels-workflow", emits=("inventory-level.created", "inventory-level.updated", "inventory-level.deleted"))
async def batch_inventory_levels(
    flow: Flow,
    create: list[NewLevel] | None = None,
    update: list[LevelChange] | None = None,
    delete: list[str] | None = None,
    force: bool = False,
) -> LevelsChanged:
    """Create, update (by item and location) and delete (by id) levels: all of it, or nothing.

    Raises NotFound for an unknown location, item or level, NotAllowed where something is reserved at a level to be deleted, or stocked
    (unless `force`).
    """
    await check_locations(flow, [level["location_id"] for level in create or ()])
    done = (await flow.run(change_levels, create or [], update or [], delete or [], force))["answer"]
    for level in done["created"]:
        flow.emit("inventory-level.created", id=level["id"])
    for level in done["updated"]:
        flow.emit("inventory-level.updated", id=level["id"])
    for id in done["deleted"]:
        flow.emit("inventory-level.deleted", id=id)
    return done


@workflow("create-inventory-levels-workflow")
async def create_inventory_levels(flow: Flow, inventory_levels: list[NewLevel]) -> list[Level]:
    """Stock items at locations. Raises NotFound for an unknown location or item, InvalidData where it is stocked there already."""
    return (await flow.run(batch_inventory_levels, inventory_levels))["created"]


@workflow("update-inventory-levels-workflow")
async def update_inventory_levels(flow: Flow, updates: list[LevelChange]) -> list[Level]:
    """Set the stocked or incoming quantity, by item and location. Raises NotFound for a missing level."""
    return (await flow.run(batch_inventory_levels, None, updates))["updated"]


@workflow("delete-inventory-levels-workflow")
async def delete_inventory_levels(flow: Flow, selector: Selector, force: bool = False) -> list[str]:
    """Stop stocking items at locations. Returns the ids of the levels that existed. Raises NotAllowed as for a batch."""
    ids = await selected(flow, "inventory_level", selector)
    return (await flow.run(batch_inventory_levels, None, None, ids, force))["deleted"]


@workflow("bulk-create-delete-levels-workflow")
async def bulk_create_delete_levels(
    flow: Flow, creates: list[NewLevel] | None = None, deletes: list[LevelKey] | None = None, force: bool = False
) -> list[Level]:
    """Create levels, and delete others by item and location. Returns the new ones."""
    ids: list[str] = []
    if deletes:
        wanted = {_key(row) for row in deletes}
        among = {"inventory_item_id": sorted({item for item, _ in wanted}), "location_id": sorted({location for _, location in wanted})}
        found: list[Level] = await flow.graph.rows(Query("inventory_level", ("id", *among), among))
        ids = [level["id"] for level in found if _key(level) in wanted]
    return (await flow.run(batch_inventory_levels, creates, None, ids, force))["created"]


def _key(level: LevelKey | Level) -> tuple[str, str]:
    return level["inventory_item_id"], level["location_id"]
