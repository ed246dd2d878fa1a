"""Inventory and stock locations across modules."""

from __future__ import annotations

from typing import Any

import pytest

from velella.core.errors import InsufficientInventory, InvalidData, NotAllowed, NotFound

from .conftest import Shop

ADDRESS = {"address_1": "Street 1", "city": "Copenhagen", "country_code": "dk"}


async def location(shop: Shop, name: str = "Warehouse") -> str:
    return str((await shop.run("create-stock-locations-workflow", rows=[{"name": name, "address": ADDRESS}]))[0]["id"])


async def item(shop: Shop, place: str, stocked: int = 10, **more: Any) -> str:
    levels = [{"location_id": place, "stocked_quantity": stocked}]
    return str((await shop.run("create-inventory-items-workflow", items=[{"location_levels": levels, **more}]))[0]["id"])


async def test_items_are_stocked_where_there_is_a_location(shop: Shop) -> None:
    with pytest.raises(NotFound, match="sloc_none"):
        await item(shop, "sloc_none")
    assert await shop.modules.inventory.count("inventory_item") == 0
    here = await location(shop)
    made = await item(shop, here, sku="A")
    shown = await shop.one("inventory_item", made, "stocked_quantity", "location_levels.stock_locations.name")
    assert shown["stocked_quantity"] == 10
    assert [place["name"] for level in shown["location_levels"] for place in level["stock_locations"]] == ["Warehouse"]
    await shop.run("update-inventory-items-workflow", rows=[{"id": made, "title": "Shirt"}])
    assert (await shop.one("inventory_item", made))["title"] == "Shirt"


async def test_a_batch_of_levels(shop: Shop) -> None:
    here, there = await location(shop), await location(shop, "Shop")
    made = await item(shop, here)
    with pytest.raises(NotFound):
        await shop.run(
            "batch-inventory-item-levels-workflow",
            create=[{"inventory_item_id": made, "location_id": there}],
            update=[{"inventory_item_id": made, "location_id": "sloc_none", "stocked_quantity": 1}],
        )
    done = await shop.run(
        "batch-inventory-item-levels-workflow",
        create=[{"inventory_item_id": made, "location_id": there, "stocked_quantity": 3}],
        update=[{"inventory_item_id": made, "location_id": here, "stocked_quantity": 7}],
    )
    assert ([row["stocked_quantity"] for row in done["created"]], [row["stocked_quantity"] for row in done["updated"]]) == ([3], [7])
    with pytest.raises(NotAllowed):
        await shop.run("delete-inventory-levels-workflow", selector={"location_id": there})
    assert len(await shop.run("delete-inventory-levels-workflow", selector={"location_id": there}, force=True)) == 1
    creates = [{"inventory_item_id": made, "location_id": there, "stocked_quantity": 1}]
    deletes = [{"inventory_item_id": made, "location_id": here}]
    await shop.run("bulk-create-delete-levels-workflow", creates=creates, deletes=deletes, force=True)
    assert await shop.modules.inventory.available_at([made]) == {made: {there: 1}}


async def test_reservations_by_hand(shop: Shop) -> None:
    here = await location(shop)
    made = await item(shop, here, 5)
    line = {"inventory_item_id": made, "location_id": here, "quantity": 2}
    first, _ = await shop.run("create-reservations-workflow", reservations=[line, {**line, "line_item_id": "ordli_1"}])
    with pytest.raises(InsufficientInventory):
        await shop.run("create-reservations-workflow", reservations=[line])
    await shop.run("update-reservations-workflow", rows=[{"id": first["id"], "quantity": 3}])
    assert await shop.modules.inventory.available([made]) == {made: 0}
    with pytest.raises(InvalidData):
        await shop.run("delete-inventory-item-workflow", ids=[made])
    assert len(await shop.run("delete-reservations-by-line-items", ids=["ordli_1"])) == 1
    assert await shop.run("delete-reservations", ids=[first["id"]]) == [first["id"]]
    assert await shop.run("delete-inventory-item-workflow", ids=[made]) == [made]


async def test_a_location_with_what_belongs_to_it(shop: Shop) -> None:
    here = await location(shop)
    (store,) = await shop.modules.store.list("store")
    channel = store["default_sales_channel_id"]
    await shop.run("link-sales-channels-to-stock-location", id=here, add=[channel])
    await shop.run("link-fulfillment-providers-to-stock-location", id=here, add=["manual_manual"])
    data = {"name": "Delivery", "type": "shipping"}
    await shop.run("create-location-fulfillment-set", location_id=here, fulfillment_set_data=data)
    shown = await shop.one("stock_location", here, "sales_channels.id", "fulfillment_providers.id", "fulfillment_sets.name", "address.city")
    assert [row["id"] for row in shown["sales_channels"]] == [channel]
    assert [row["id"] for row in shown["fulfillment_providers"]] == ["manual_manual"]
    assert [row["name"] for row in shown["fulfillment_sets"]] == ["Delivery"]
    with pytest.raises(InvalidData, match="already exists"):
        await shop.run("create-location-fulfillment-set", location_id=here, fulfillment_set_data=data)
    for workflow in ("link-sales-channels-to-stock-location", "link-fulfillment-providers-to-stock-location"):
        with pytest.raises(NotFound):
            await shop.run(workflow, id=here, add=["nothing"])
        with pytest.raises(NotFound):
            await shop.run(workflow, id="sloc_none", remove=[])
    await shop.run("update-stock-locations-workflow", rows=[{"id": here, "name": "Depot", "address": {**ADDRESS, "city": "Odense"}}])
    assert (await shop.one("stock_location", here, "name", "address.city"))["address"]["city"] == "Odense"
    assert await shop.run("delete-stock-locations-workflow", ids=[here]) == [here]
    assert await shop.modules.fulfillment.count("fulfillment_set") == 0
    await shop.run("create-location-fulfillment-set", location_id=await location(shop), fulfillment_set_data=data)
