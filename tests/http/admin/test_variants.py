"""Variants as a merchant looks at them."""

from __future__ import annotations

from velella.core.ids import ulid

from .conftest import Merchant


async def test_quantities_are_what_could_be_made_of_all_that_is_available(merchant: Merchant) -> None:
    here, there = await merchant.location(), await merchant.location()
    frame, wheel = await merchant.item(stocked={here: 7, there: 5}), await merchant.item(stocked={here: 9, there: 2})
    made_of = [{"inventory_item_id": frame, "required_quantity": 1}, {"inventory_item_id": wheel, "required_quantity": 2}]
    kinds = {"Bike": {"inventory_items": made_of}, "Voucher": {"manage_inventory": False}, "Bell": {}}
    variants = [{"title": kind, "sku": ulid(), "options": {"Kind": kind}, "prices": [], **more} for kind, more in kinds.items()]
    body = {"title": f"Bike {ulid()}", "options": [{"title": "Kind", "values": list(kinds)}], "variants": variants}
    product = (await merchant.post("/admin/products", body))["product"]
    path, expected = f"/admin/products/{product['id']}/variants", {"Bike": 5, "Voucher": None, "Bell": 0}

    # the first is how the dashboard asks
    for fields in ("title,inventory_quantity,manage_inventory", "title,*inventory_items.inventory.location_levels,inventory_quantity"):
        listed = (await merchant.get(path, fields=fields, order="variant_rank"))["variants"]
        assert {row["title"]: row.get("inventory_quantity") for row in listed} == expected
    for row in listed:
        found = (await merchant.get("/admin/product-variants", id=row["id"], fields="+inventory_quantity"))["variants"]
        assert [each.get("inventory_quantity") for each in found] == [expected[row["title"]]]
        assert found[0]["title"] == row["title"]

    held = {"location_id": here, "inventory_item_id": wheel, "quantity": 4}
    await merchant.post("/admin/reservations", held)
    left = (await merchant.get(path, fields="title,inventory_quantity"))["variants"]
    assert {row["title"]: row.get("inventory_quantity") for row in left} == {**expected, "Bike": 3}
    needs = f"{path}/{row['id']}/inventory-items"
    for none in (0, -1):
        status, kind, said = await merchant.refused("POST", needs, {"inventory_item_id": frame, "required_quantity": none})
        assert (status, kind) == (400, "invalid_data")
        assert "required_quantity" in said
