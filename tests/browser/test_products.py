"""What is sold, as a merchant enters it."""

from __future__ import annotations

from typing import Any

from playwright.async_api import expect

from ..e2e.served import Api
from ..e2e.shop import Shop, sell
from .desk import Desk
from .images import address_of, png


async def product_of(admin: Api, handle: str) -> dict[str, Any]:
    [product] = (await admin.get("/admin/products", handle=handle, fields="*categories,*shipping_profile"))["products"]
    assert isinstance(product, dict)
    return product


async def test_a_product_is_stored_as_it_was_entered(desk: Desk, admin: Api, shop: Shop) -> None:
    await desk.open("/products")
    await desk.follow("Create")
    await desk.fill("Title", "Oilskin jacket")
    await desk.fill("Subtitle", "Warm and dry")
    await desk.fill("Handle", "oilskin-jacket")
    await desk.fill("Description", "Keeps out what comes over the bow.")
    image = png(256, (250, 204, 21), (180, 83, 9))
    await desk.front.locator("input[type=file]").set_input_files({"name": "jacket.png", "mimeType": "image/png", "buffer": image})
    await desk.tick("Yes, this is a product with variants")
    await desk.create_option("Size", "S", "M")
    await desk.picture("create-product")
    await desk.press("Continue")
    await desk.press("Continue")
    for size, price in (("S", "119.5"), ("M", "124")):
        await desk.enter(size, "SKU", f"oilskin-{size.lower()}")
        await desk.enter(size, "Price EUR", price)
        await desk.enter(size, "Price GBP", "99.95")
    await desk.check("S", "Managed inventory")
    await desk.save("Publish")

    product = await product_of(admin, "oilskin-jacket")
    assert {name: product[name] for name in ("title", "subtitle", "status", "description", "discountable")} == {
        "title": "Oilskin jacket",
        "subtitle": "Warm and dry",
        "status": "published",
        "description": "Keeps out what comes over the bow.",
        "discountable": True,
    }
    [option] = product["options"]
    assert (option["title"], sorted(value["value"] for value in option["values"])) == ("Size", ["M", "S"])
    entered = {
        row["title"]: (row["sku"], row["manage_inventory"], {price["currency_code"]: price["amount"] for price in row["prices"]})
        for row in product["variants"]
    }
    assert entered == {
        "S": ("oilskin-s", True, {"eur": 119.5, "gbp": 99.95}),
        "M": ("oilskin-m", False, {"eur": 124, "gbp": 99.95}),
    }
    [kept] = product["images"]
    async with admin.session.get(kept["url"]) as answer:
        assert (answer.status, await answer.read()) == (200, image)
    await desk.open("/products")
    await expect(desk.row("Oilskin jacket")).to_contain_text("2 variants")


async def test_a_product_is_renamed_and_put_where_it_belongs(desk: Desk, admin: Api, shop: Shop) -> None:
    product = await sell(admin, shop, "boots", {"eur": 60, "gbp": 50}, variants=2)
    await admin.post(f"/admin/products/{product['id']}", {"images": [{"url": address_of((21, 128, 61))}]})
    await admin.post("/admin/product-categories", {"name": "Clothes", "is_active": True})
    await admin.post("/admin/sales-channels", {"name": "Boat fair"})
    bulky = (await admin.post("/admin/shipping-profiles", {"name": "Bulky goods", "type": "bulky"}))["shipping_profile"]["id"]
    await desk.open("/products")
    await desk.row("Boots").click()
    await desk.settled()
    await desk.menu("Boots", "Edit")
    await desk.fill("Title", "Sea boots")
    await desk.save()
    await desk.menu("Organize", "Edit")
    await desk.choose("Categories", "Clothes")
    await desk.save()
    await desk.menu("Sales Channels", "Edit")
    await desk.tick_row("Boat fair")
    await desk.save()
    await desk.menu("Shipping configuration", "Edit")
    await desk.choose("Shipping profile", "Bulky goods")
    await desk.save()
    await desk.sees("Sea boots", "Clothes", "Boat fair", "Bulky goods")
    await desk.picture("product")

    product = await product_of(admin, "boots")
    assert product["title"] == "Sea boots"
    assert [category["name"] for category in product["categories"]] == ["Clothes"]
    assert product["shipping_profile"]["id"] == bulky
    assert sorted(channel["name"] for channel in product["sales_channels"]) == ["Boat fair", "Default Sales Channel"]


async def test_an_image_is_added_to_a_product_that_has_one(desk: Desk, admin: Api, shop: Shop) -> None:
    product = await sell(admin, shop, "pennant", {"eur": 9})
    await admin.post(f"/admin/products/{product['id']}", {"images": [{"url": address_of((190, 24, 93))}]})
    [first] = (await product_of(admin, "pennant"))["images"]
    await desk.open(f"/products/{product['id']}/media?view=edit")
    image = png(64, (30, 64, 175), (190, 24, 93))
    await desk.front.locator("input[type=file]").set_input_files({"name": "pennant.png", "mimeType": "image/png", "buffer": image})
    await desk.save()

    kept, added = sorted((await product_of(admin, "pennant"))["images"], key=lambda each: each["id"] != first["id"])
    assert (kept["id"], kept["url"]) == (first["id"], first["url"])
    async with admin.session.get(added["url"]) as answer:
        assert (answer.status, await answer.read()) == (200, image)


async def test_stock_is_set_at_a_location(desk: Desk, admin: Api, shop: Shop) -> None:
    await admin.post("/admin/inventory-items", {"sku": "cleat", "title": "Cleat"})
    await desk.open("/inventory")
    await desk.row("cleat").click()
    await desk.settled()
    await desk.follow("Manage locations")
    await desk.tick("Warehouse")
    await desk.save()
    await desk.row_menu("Warehouse", "Edit")
    await desk.fill("In stock", "12")
    await desk.save()
    await desk.sees("12 across 1 locations")

    [item] = (await admin.get("/admin/inventory-items", sku="cleat"))["inventory_items"]
    [level] = item["location_levels"]
    assert (level["location_id"], level["stocked_quantity"], level["available_quantity"]) == (shop.location, 12, 12)
