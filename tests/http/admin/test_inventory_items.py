"""Inventory items, their levels at locations, and reservations, as a merchant keeps them."""

from __future__ import annotations

import pytest

from velella.core.ids import ulid

from ..conftest import Client
from .conftest import Merchant

ITEMS = "/admin/inventory-items"


async def test_an_item_is_created_read_changed_and_deleted(merchant: Merchant) -> None:
    place, sku = await merchant.location(), ulid()
    body = {"sku": sku, "title": "Mug", "weight": 300, "location_levels": [{"location_id": place, "stocked_quantity": 7}]}
    item = (await merchant.post(ITEMS, body))["inventory_item"]
    assert {"sku": sku, "title": "Mug", "weight": 300, "stocked_quantity": 7, "reserved_quantity": 0}.items() <= item.items()
    assert item["requires_shipping"] is True
    assert [(level["location_id"], level["available_quantity"]) for level in item["location_levels"]] == [(place, 7)]

    path = f"{ITEMS}/{item['id']}"
    changed = (await merchant.post(path, {"title": None, "height": 10, "metadata": {"shelf": "A"}}))["inventory_item"]
    assert {"title": None, "height": 10, "weight": 300, "metadata": {"shelf": "A"}}.items() <= changed.items()
    assert await merchant.get(path, fields="sku") == {"inventory_item": {"id": item["id"], "sku": sku}}

    found = await merchant.get(ITEMS, sku=sku)
    assert (found["count"], found["limit"], found["offset"]) == (1, 20, 0)
    assert [row["id"] for row in found["inventory_items"]] == [item["id"]]
    assert (await merchant.get(ITEMS, **{"location_levels[location_id]": place}))["count"] == 1
    assert (await merchant.get(ITEMS, q=sku.lower()))["count"] == 1

    assert await merchant.delete(path) == {"id": item["id"], "object": "inventory_item", "deleted": True}
    for method, change in (("GET", None), ("POST", {"title": "x"})):
        gone = await merchant.refused(method, path, change)
        assert gone == (404, "not_found", f"Inventory item with id: {item['id']} was not found")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"sku": 1}, "Expected type: 'string' for field 'sku', got: 'number'"),
        ({"weight": "1"}, "Expected type: 'number' for field 'weight', got: 'string'"),
        ({"requires_shipping": None}, "Expected type: 'boolean' for field 'requires_shipping', got: 'null'"),
        ({"colour": "red"}, "Unrecognized fields: 'colour'"),
        ({"location_levels": [{}]}, "Field 'location_levels, 0, location_id' is required"),
        (
            {"location_levels": [{"location_id": "x", "stocked_quantity": -1}]},
            "Value for field 'location_levels, 0, stocked_quantity' too small, expected at least: '0'",
        ),
    ],
)
async def test_a_wrong_item_is_refused(merchant: Merchant, body: object, message: str) -> None:
    assert await merchant.refused("POST", ITEMS, body) == (400, "invalid_data", f"Invalid request: {message}")


async def test_an_item_is_stocked_where_there_is_a_location(merchant: Merchant) -> None:
    sku = ulid()
    body = {"sku": sku, "location_levels": [{"location_id": "sloc_none"}]}
    assert (await merchant.refused("POST", ITEMS, body))[0] == 404
    assert (await merchant.get(ITEMS, sku=sku))["count"] == 0
    item = await merchant.item()
    assert (await merchant.refused("POST", f"{ITEMS}/{item}/location-levels", {"location_id": "sloc_none"}))[0] == 404


async def test_levels_of_an_item_come_and_go(merchant: Merchant) -> None:
    here, there = await merchant.location(), await merchant.location()
    id = await merchant.item(stocked={here: 3})
    path = f"{ITEMS}/{id}/location-levels"
    item = (await merchant.post(path, {"location_id": there, "incoming_quantity": 2}))["inventory_item"]
    assert len(item["location_levels"]) == 2
    assert (await merchant.refused("POST", path, {"location_id": there}))[:2] == (400, "invalid_data")

    item = (await merchant.post(f"{path}/{there}", {"stocked_quantity": 5}, fields="stocked_quantity"))["inventory_item"]
    assert item == {"id": id, "stocked_quantity": 8}
    page = await merchant.get(path, location_id=there)
    assert page["count"] == 1
    level = page["inventory_levels"][0]
    assert (level["stocked_quantity"], level["incoming_quantity"], level["available_quantity"]) == (5, 2, 5)

    assert (await merchant.refused("DELETE", f"{path}/{there}"))[:2] == (400, "not_allowed")
    await merchant.post(f"{path}/{there}", {"stocked_quantity": 0})
    gone = await merchant.delete(f"{path}/{there}", fields="id,*location_levels")
    assert gone["object"] == "inventory-level"
    assert gone["id"] == level["id"]
    assert [row["location_id"] for row in gone["parent"]["location_levels"]] == [here]
    for method, body in (("POST", {"stocked_quantity": 1}), ("DELETE", None)):
        assert (await merchant.refused(method, f"{path}/{there}", body))[0] == 404


async def test_a_batch_of_levels_is_all_or_nothing(merchant: Merchant) -> None:
    here, there = await merchant.location(), await merchant.location()
    id = await merchant.item(stocked={here: 3})
    path = f"{ITEMS}/{id}/location-levels"
    (level,) = (await merchant.get(path))["inventory_levels"]
    done = await merchant.post(
        f"{path}/batch",
        {"create": [{"location_id": there, "stocked_quantity": 1}], "update": [{"location_id": here, "stocked_quantity": 4}]},
        fields="location_id,stocked_quantity,available_quantity",
    )
    assert done["deleted"] == []
    assert [(row["location_id"], row["available_quantity"]) for row in done["created"] + done["updated"]] == [(there, 1), (here, 4)]

    other = await merchant.item(stocked={here: 1})
    (foreign,) = (await merchant.get(f"{ITEMS}/{other}/location-levels"))["inventory_levels"]
    change = {"location_id": there, "stocked_quantity": 9}
    for status, bad in (
        (404, {"delete": [foreign["id"]]}),
        (404, {"delete": ["ilev_none"]}),
        (400, {"delete": [level["id"]]}),
        (400, {"create": [{"location_id": here}]}),
        (404, {"create": [{"location_id": "sloc_none"}]}),
        (404, {"update": [change, {"location_id": await merchant.location(), "stocked_quantity": 1}]}),
    ):
        assert (await merchant.refused("POST", f"{path}/batch", {"update": [change], **bad}))[0] == status, bad
    assert {row["location_id"]: row["stocked_quantity"] for row in (await merchant.get(path))["inventory_levels"]} == {here: 4, there: 1}

    assert (await merchant.post(f"{path}/batch", {"delete": [level["id"]], "force": True}))["deleted"] == [level["id"]]
    assert (await merchant.get(path))["count"] == 1


async def test_levels_of_several_items_in_one_batch(merchant: Merchant) -> None:
    place = await merchant.location()
    first, second = await merchant.item(), await merchant.item()
    path = f"{ITEMS}/location-levels/batch"
    create = [{"inventory_item_id": item, "location_id": place, "stocked_quantity": 10} for item in (first, second)]
    made = await merchant.post(path, {"create": create})
    assert [(row["inventory_item_id"], row["stocked_quantity"]) for row in made["created"]] == [(first, 10), (second, 10)]
    update = [{"inventory_item_id": item, "location_id": place, "stocked_quantity": 1} for item in (first, "iitem_none")]
    assert (await merchant.refused("POST", path, {"update": update}))[0] == 404
    assert (await merchant.get(f"{ITEMS}/{first}"))["inventory_item"]["stocked_quantity"] == 10
    assert (await merchant.refused("POST", path, {"create": [{"location_id": place}]}))[0] == 400


async def test_what_is_reserved_can_be_seen_moved_and_released(merchant: Merchant) -> None:
    here, there = await merchant.location(), await merchant.location()
    item = await merchant.item(stocked={here: 5, there: 5})
    body = {"inventory_item_id": item, "location_id": here, "quantity": 3, "line_item_id": "ordli_1", "description": "for Ada"}
    held = (await merchant.post("/admin/reservations", body))["reservation"]
    assert {**body, "metadata": None}.items() <= held.items()
    assert held["inventory_item"]["reserved_quantity"] == 3
    assert len(held["inventory_item"]["location_levels"]) == 2

    path = f"/admin/reservations/{held['id']}"
    assert (await merchant.refused("POST", "/admin/reservations", {**body, "quantity": 3}))[:2] == (400, "not_allowed")
    assert (await merchant.refused("POST", path, {"quantity": 6}))[:2] == (400, "not_allowed")
    moved = await merchant.post(path, {"quantity": 5, "location_id": there, "description": None}, fields="quantity,location_id,description")
    assert moved == {"reservation": {"id": held["id"], "quantity": 5, "location_id": there, "description": None}}
    for wanted in ({"inventory_item_id": item}, {"quantity[$gte]": "5", "location_id": there}):
        assert [row["id"] for row in (await merchant.get("/admin/reservations", **wanted))["reservations"]] == [held["id"]]
    reserved = f"Cannot remove following inventory item(s) since they have reservations: [{item}]."
    assert await merchant.refused("DELETE", f"{ITEMS}/{item}") == (400, "invalid_data", reserved)
    assert (await merchant.refused("DELETE", f"{ITEMS}/{item}/location-levels/{there}"))[:2] == (400, "not_allowed")

    assert await merchant.delete(path) == {"id": held["id"], "object": "reservation", "deleted": True}
    assert (await merchant.get(f"{ITEMS}/{item}"))["inventory_item"]["reserved_quantity"] == 0
    assert (await merchant.refused("GET", path))[:2] == (404, "not_found")
    assert (await merchant.refused("POST", "/admin/reservations", {**body, "location_id": "sloc_none"}))[0] == 404
    assert (await merchant.refused("POST", "/admin/reservations", {"location_id": here}))[0] == 400


async def test_nobody_but_the_merchant_sees_stock(client: Client) -> None:
    assert (await client("GET", ITEMS)).status == 401
