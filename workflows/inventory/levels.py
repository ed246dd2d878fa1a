"""Stock at locations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...core.errors import NotFound
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ..kit import Flow, Kept, keep, step, take_back, workflow
from ..rows import Selector, selected

KEY = ("inventory_item_id", "location_id")


async def check_locations(flow: Flow, ids: Iterable[str]) -> None:
    """Raises NotFound for a stock location that isn't there."""
    wanted = sorted(set(ids))
    if not wanted:
        return
    there = {row["id"] for row in await flow.modules.stock_location.list("stock_location", {"id": wanted}, fields=("id",))}
    lost = [id for id in wanted if id not in there]
    if lost:
        raise NotFound(f"Stock locations with ids: {', '.join(lost)} were not found")


@step(undo=take_back)
async def change_levels(flow: Flow, create: Sequence[Row], update: Sequence[Row], delete: Sequence[str], force: bool) -> Kept[Row]:
    """Create, update and delete levels: all of it, or nothing."""
    return await keep(flow.modules.inventory.batch_levels, create, update, delete, force=force)


@workflow("batch-inventory-item-levels-workflow", emits=("inventory-level.created", "inventory-level.updated", "inventory-level.deleted"))
async def batch_inventory_levels(
    flow: Flow,
    create: list[Row] | None = None,
    update: list[Row] | None = None,
    delete: list[str] | None = None,
    force: bool = False,
) -> Row:
    """Create, update (by item and location) and delete (by id) levels: all of it, or nothing.

    `{"created": rows, "updated": rows, "deleted": ids}`. Raises NotFound for an unknown location, item or level, NotAllowed where something
    is reserved at a level to be deleted, or stocked (unless `force`).
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
async def create_inventory_levels(flow: Flow, inventory_levels: list[Row]) -> list[Row]:
    """Stock items at locations. Raises NotFound for an unknown location or item, InvalidData where it is stocked there already."""
    made: list[Row] = (await flow.run(batch_inventory_levels, inventory_levels))["created"]
    return made


@workflow("update-inventory-levels-workflow")
async def update_inventory_levels(flow: Flow, updates: list[Row]) -> list[Row]:
    """Set what is stocked or incoming, by item and location. Raises NotFound where there is no such level."""
    changed: list[Row] = (await flow.run(batch_inventory_levels, None, updates))["updated"]
    return changed


@workflow("delete-inventory-levels-workflow")
async def delete_inventory_levels(flow: Flow, selector: Selector, force: bool = False) -> list[str]:
    """Stop stocking items at locations. The ids of the levels that were there; NotAllowed as for a batch."""
    ids = await selected(flow, "inventory_level", selector)
    gone: list[str] = (await flow.run(batch_inventory_levels, None, None, ids, force))["deleted"]
    return gone


@workflow("bulk-create-delete-levels-workflow")
async def bulk_create_delete_levels(
    flow: Flow, creates: list[Row] | None = None, deletes: list[Row] | None = None, force: bool = False
) -> list[Row]:
    """Create levels, and delete others by item and location. The new ones."""
    ids: list[str] = []
    if deletes:
        wanted = {tuple(row[name] for name in KEY) for row in deletes}
        among = {name: sorted({row[name] for row in deletes}) for name in KEY}
        found = await flow.graph.rows(Query("inventory_level", ("id", *KEY), among))
        ids = [str(level["id"]) for level in found if tuple(level[name] for name in KEY) in wanted]
    made: list[Row] = (await flow.run(batch_inventory_levels, creates, None, ids, force))["created"]
    return made
