"""What was bought is sent."""

from __future__ import annotations

from playwright.async_api import expect

from ..e2e.served import Api
from .desk import Desk
from .orders import Orders


async def test_an_order_is_sent_in_two_parcels(desk: Desk, orders: Orders) -> None:
    stocked, reserved = await orders.stock("storm lantern")
    order = await orders.captured({"storm lantern": 3, "ash oar": 1})
    await desk.open(f"/orders/{order['id']}")
    await desk.sees_in("Unfulfilled Items", "Awaiting fulfillment", "Requires shipping", "Storm lantern", "3x", "Ash oar", "1x")
    await desk.menu("Unfulfilled Items", "Fulfill items")
    await desk.quantity("Storm lantern", 2)
    await desk.quantity("Ash oar", 0)
    await desk.picture("fulfilling")
    await desk.save("Create Fulfillment")
    await desk.sees_in("Fulfillment #1", "Awaiting shipping", "2x Brass", "Warehouse", "Manual")
    await desk.sees_in("Unfulfilled Items", "Storm lantern", "1x", "Ash oar")
    await desk.sees("Partially fulfilled")

    await desk.press_in("Fulfillment #1", "Mark as shipped")
    await desk.press("Add tracking number")
    await desk.fill("Tracking number", "DK-4711")
    await desk.fill("Tracking URL", "https://parcels.example/DK-4711")
    await desk.save()
    await desk.sees_in("Fulfillment #1", "Shipped", "DK-4711")
    await expect(desk.section("Fulfillment #1").get_by_role("link", name="DK-4711")).to_have_attribute(
        "href", "https://parcels.example/DK-4711"
    )
    await desk.press_in("Fulfillment #1", "Mark as delivered")
    await desk.press("Continue")
    await desk.sees_in("Fulfillment #1", "Delivered")
    await desk.sees("Partially delivered")

    await desk.menu("Unfulfilled Items", "Fulfill items")
    await desk.save("Create Fulfillment")
    await desk.sees_in("Fulfillment #2", "1x Brass", "1x 2.4 m")
    await expect(desk.section("Unfulfilled Items")).to_have_count(0)
    await desk.press_in("Fulfillment #2", "Mark as delivered")  # Medusa lets what was never marked as shipped arrive
    await desk.press("Continue")
    await desk.sees_in("Fulfillment #2", "Delivered")
    await desk.sees_in("Activity", "Items delivered")
    await desk.picture("delivered")

    order = await orders.get(order["id"])
    assert order["fulfillment_status"] == "delivered"
    assert {item["title"]: item["detail"]["delivered_quantity"] for item in order["items"]} == {"Storm lantern": 3, "Ash oar": 1}
    assert await orders.stock("storm lantern") == (stocked - 3, reserved)


async def test_a_parcel_is_called_back_and_its_order_cancelled(desk: Desk, orders: Orders) -> None:
    stocked, reserved = await orders.stock("ash oar")
    order = await orders.bought({"ash oar": 2})
    await desk.open(f"/orders/{order['id']}")
    await desk.menu("Unfulfilled Items", "Fulfill items")
    await desk.save("Create Fulfillment")
    await desk.menu("Fulfillment #1", "Cancel")
    await desk.press("Continue")
    await desk.sees_in("Fulfillment #1", "Canceled")
    await desk.sees_in("Unfulfilled Items", "Ash oar", "2x")
    assert (await orders.get(order["id"], "fulfillment_status"))["fulfillment_status"] == "canceled"
    assert await orders.stock("ash oar") == (stocked, reserved + 2)

    await desk.menu(f"#{order['display_id']}", "Cancel")
    await desk.press("Continue")
    await desk.sees_in(f"#{order['display_id']}", "Canceled")
    await desk.picture("order-canceled")
    order = await orders.get(order["id"], "status,payment_status")
    assert (order["status"], order["payment_status"]) == ("canceled", "canceled")
    assert await orders.stock("ash oar") == (stocked, reserved)


async def test_goods_without_a_reservation_are_allocated(desk: Desk, orders: Orders, admin: Api) -> None:
    order = await orders.bought({"deck brush": 2})
    [line] = order["items"]
    [held] = (await admin.get("/admin/reservations", line_item_id=line["id"]))["reservations"]
    await admin.raw("DELETE", f"/admin/reservations/{held['id']}")
    _, reserved = await orders.stock("deck brush")
    await desk.open(f"/orders/{order['id']}")
    await desk.follow("Allocate items")
    await desk.front.locator("button[role=combobox]").click()
    await desk.page.get_by_role("option", name="Warehouse").click()
    await desk.settled()
    await desk.front.locator("input[type=number]").fill("2")
    await desk.picture("allocating")
    await desk.save("Allocate items")
    await desk.sees_in("Summary", "Allocated")
    assert (await orders.stock("deck brush"))[1] == reserved + 2
