"""Admin: inventory items, and their levels at locations."""

from __future__ import annotations

from typing import Any

from ...core.errors import NotFound
from ...core.json import dumps
from ...core.sql.schema.query import Query
from ...workflows.inventory.items import INVENTORY_ITEMS, create_inventory_items, delete_inventory_items
from ...workflows.inventory.levels import (
    batch_inventory_levels,
    create_inventory_levels,
    delete_inventory_levels,
    update_inventory_levels,
)
from ..kit.bodies import ABSENT, Body, Metadata, NotNegative, Number, Part
from ..kit.filters import BOOLEAN, MANY, NUMBERS, TEXT, Filters
from ..kit.nested import deleted_from
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.resource import require
from ..kit.routes import Routes
from ..kit.view import View, words
from ..kit.write import Write

routes = Routes()

ITEM_COLUMNS = words(
    "id sku title description thumbnail origin_country hs_code requires_shipping mid_code material unit_of_measure weight length height"
    " width metadata reserved_quantity stocked_quantity created_at updated_at"
)
ITEM = View("inventory_item", (*ITEM_COLUMNS, "*location_levels"), limit=20)
LEVEL = View(
    "inventory_level",
    "id inventory_item_id location_id stocked_quantity reserved_quantity incoming_quantity available_quantity metadata created_at"
    " updated_at",
)


class Quantities(Body):
    stocked_quantity: NotNegative = ABSENT
    incoming_quantity: NotNegative = ABSENT


class CreateLocationLevel(Quantities):
    location_id: str


class ChangedLevel(CreateLocationLevel):
    id: str = ABSENT


class ItemLevel(Part):
    inventory_item_id: str
    location_id: str
    stocked_quantity: NotNegative = ABSENT
    incoming_quantity: NotNegative = ABSENT


class UpdateInventoryItem(Body):
    sku: str | None = None
    hs_code: str | None = None
    weight: Number | None = None
    length: Number | None = None
    height: Number | None = None
    width: Number | None = None
    origin_country: str | None = None
    mid_code: str | None = None
    material: str | None = None
    unit_of_measure: str | None = None
    title: str | None = None
    description: str | None = None
    requires_shipping: bool = ABSENT
    thumbnail: str | None = None
    metadata: Metadata = None


class CreateItem(UpdateInventoryItem):
    location_levels: list[CreateLocationLevel] = ABSENT


class BatchLevels(Body):
    create: list[CreateLocationLevel] = ABSENT
    update: list[ChangedLevel] = ABSENT
    delete: list[str] = ABSENT
    force: bool = ABSENT


class BatchItemLevels(Body):
    create: list[ItemLevel] = ABSENT
    update: list[ItemLevel] = ABSENT
    delete: list[str] = ABSENT
    force: bool = ABSENT


# -- items

ITEMS = Filters(
    q=TEXT, id=MANY, sku=MANY, origin_country=MANY, mid_code=MANY, hs_code=MANY, material=MANY, requires_shipping=BOOLEAN,
    weight=NUMBERS, length=NUMBERS, height=NUMBERS, width=NUMBERS, location_levels=Filters(location_id=MANY), logical=True,
)  # fmt: skip

routes.resource(
    "/admin/inventory-items",
    ITEM,
    INVENTORY_ITEMS,
    list=ITEMS,
    create=Write(CreateItem, create_inventory_items),
    update=UpdateInventoryItem,
    delete=delete_inventory_items,
)


# -- levels of one item

routes.resource(
    "/admin/inventory-items/{id}/location-levels",
    LEVEL,
    list=Filters(location_id=MANY, logical=True),
    get=False,
    create=Write(CreateLocationLevel, create_inventory_levels),
    within={"inventory_item_id": "id"},
    parent=ITEM,
    summaries={"create": "Stock an item at one more location."},
)


@routes.post("/admin/inventory-items/{id}/location-levels/{location_id}", body=Quantities, returns=ITEM)
async def set_stock_at_location(request: Request) -> Answer:
    """Set the stocked and incoming quantity at a location."""
    id = request.params["id"]
    level: Any = {**request.body, "inventory_item_id": id, "location_id": request.params["location_id"]}
    await request.run(update_inventory_levels, updates=[level])
    return await request.fetch(ITEM, id)


@routes.delete("/admin/inventory-items/{id}/location-levels/{location_id}", returns=ITEM)
async def leave_location(request: Request) -> Answer:
    """Stop stocking an item at a location. Refused where something is stocked or reserved there."""
    id, location_id = request.params["id"], request.params["location_id"]
    gone = await request.run(delete_inventory_levels, selector={"inventory_item_id": id, "location_id": location_id})
    if not gone:
        raise NotFound(f"Inventory item {id} is not stocked at location {location_id}")
    return await deleted_from(request, ITEM, id, gone[0], "inventory-level")


# -- levels at once


@routes.post("/admin/inventory-items/{id}/location-levels/batch", body=BatchLevels, returns=LEVEL)
async def batch_levels(request: Request) -> Answer:
    """Create, update and delete an item's levels: all of it, or nothing."""
    id = request.params["id"]
    await require(request, "inventory_item", [id])
    gone = request.body.get("delete", [])
    if gone:
        ours = await request.modules.inventory.list("inventory_level", {"id": gone, "inventory_item_id": id}, fields=("id",))
        others = sorted(set(gone) - {level["id"] for level in ours})
        if others:
            raise NotFound(f"Inventory level with id: {', '.join(others)} was not found")
    create, update = ([{**level, "inventory_item_id": id} for level in request.body.get(part, ())] for part in ("create", "update"))
    return await _batch(request, create, update)


@routes.post("/admin/inventory-items/location-levels/batch", body=BatchItemLevels, query=None)
async def batch_levels_of_items(request: Request) -> Answer:
    """Create, update and delete levels of several items: all of it, or nothing."""
    return await _batch(request, request.body.get("create", []), request.body.get("update", []))


async def _batch(request: Request, create: list[Any], update: list[Any]) -> Answer:
    """Created and updated levels are shown in the order they were given."""
    delete, force = request.body.get("delete", []), request.body.get("force", False)
    done = await request.run(batch_inventory_levels, create=create, update=update, delete=delete, force=force)
    parts = {name: [level["id"] for level in done[name]] for name in ("created", "updated")}
    ids = [id for part in parts.values() for id in part]
    rows = {row["id"]: row for row in (await request.graph.query(Query("inventory_level", filters={"id": ids}))).rows} if ids else {}
    return dumps({**{name: [rows[id] for id in part] for name, part in parts.items()}, "deleted": done["deleted"]})
