"""Goods come back: returns, and the reasons for them."""

from __future__ import annotations

from playwright.async_api import expect

from ..e2e.served import Api
from .desk import Desk
from .orders import Orders


async def test_a_return_is_requested_received_and_refunded(desk: Desk, orders: Orders, admin: Api) -> None:
    reason = (await admin.post("/admin/return-reasons", {"value": "too-big", "label": "Too big"}))["return_reason"]["id"]
    order = await orders.delivered({"storm lantern": 2, "deck brush": 2})
    stocked, _ = await orders.stock("storm lantern")
    await desk.open(f"/orders/{order['id']}")
    await desk.menu("Summary", "Create Return")
    await desk.add_lines("Storm lantern", "Deck brush")
    await desk.quantity("Storm lantern", 2)
    await desk.reason("Storm lantern", "Too big", "Doesn't fit the rail")
    await desk.line_menu("Deck brush", "Remove")
    await expect(desk.line("Deck brush")).to_have_count(0)
    await desk.pick("Location", "Warehouse")
    await desk.pick("Return shipping", "Return parcel")
    await desk.sees("€ 5.00 EUR", "€ -155.00 EUR")
    await desk.amount("Return shipping", "4")
    await desk.sees("€ 4.00 EUR", "€ -156.00 EUR")
    await desk.picture("return")
    await desk.press("Confirm Return")
    await desk.press("Continue")
    await desk.sees_in("Summary", "2x items return requested", "Too big")
    await desk.sees_in("Activity", "2 items returned")

    await desk.follow("Receive items")
    await desk.quantity("Storm lantern", 1)
    await desk.damaged("Storm lantern", 1)
    await desk.picture("receiving")
    await desk.save()
    await desk.sees_in("Summary", "1x damaged items returned", "2x items return received")  # the latter counts both
    await desk.picture("returned")

    order = await orders.get(order["id"])
    line = await orders.line(order["id"], "storm lantern")
    assert (line["detail"]["return_received_quantity"], line["detail"]["return_dismissed_quantity"]) == (1, 1)
    assert (await orders.stock("storm lantern"))[0] == stocked + 1
    assert order["summary"]["pending_difference"] == -156
    await desk.refund("€ 156.00 EUR")
    await desk.sees("Partially refunded", "- €156.00")
    [back] = (await admin.get("/admin/returns", order_id=order["id"], fields="*items,*shipping_methods"))["returns"]
    assert (back["status"], back["location_id"]) == ("received", orders.shop.location)
    [item] = back["items"]
    assert (item["reason_id"], item["note"], item["quantity"]) == (reason, "Doesn't fit the rail", 2)
    assert (await orders.get(order["id"]))["summary"]["pending_difference"] == 0


async def test_a_return_is_called_off_at_each_stage(desk: Desk, orders: Orders, admin: Api) -> None:
    order = await orders.delivered({"ash oar": 2})
    await desk.open(f"/orders/{order['id']}/returns")
    await desk.add_lines("Ash oar")
    await desk.open(f"/orders/{order['id']}")  # left half done
    await desk.sees("Return initiated")
    await desk.press("Continue")
    await desk.sees("Ash oar")
    await desk.save("Cancel Return")
    await desk.sees_in("Summary", "Ash oar")
    await expect(desk.page.get_by_text("Return initiated")).to_have_count(0)

    await desk.open(f"/orders/{order['id']}/returns")
    await desk.open(f"/orders/{order['id']}")
    await desk.press("Cancel Return")
    await expect(desk.page.get_by_text("Return initiated")).to_have_count(0)

    await desk.menu("Summary", "Create Return")
    await desk.add_lines("Ash oar")
    await desk.pick("Location", "Warehouse")  # the form of 2.18.0 can't do without
    await desk.press("Confirm Return")
    await desk.press("Continue")
    await desk.sees_in("Summary", "1x items return requested")
    await desk.press_in("Activity", "Cancel")
    await desk.press("Confirm")
    await desk.sees_in("Activity", "canceled")
    await expect(desk.page.get_by_text("Receive items")).to_have_count(0)
    assert [each["status"] for each in (await admin.get("/admin/returns", order_id=order["id"]))["returns"]] == ["canceled"]
    assert (await orders.line(order["id"], "ash oar"))["detail"]["return_requested_quantity"] == 0


async def test_reasons_for_returns_and_refunds_are_kept(desk: Desk, admin: Api) -> None:
    for path, field in (("return-reasons", "Value"), ("refund-reasons", "Code")):
        await desk.open(f"/settings/{path}")
        await desk.follow("Create")
        await desk.fill(field, "arrived-late")
        await desk.fill("Label", "Arrived late")
        await desk.fill("Description", "After the regatta")
        await desk.save()
        await desk.row_menu("Arrived late", "Edit")
        await desk.fill("Label", "Came too late")
        await desk.save()
        await expect(desk.row("Came too late")).to_be_visible()
        [kept] = [each for each in (await admin.get(f"/admin/{path}"))[path.replace("-", "_")] if each["label"] == "Came too late"]
        assert (kept[field.lower()], kept["description"]) == ("arrived-late", "After the regatta")
        await desk.row_menu("Came too late", "Delete")
        await desk.press("Delete")
        await expect(desk.row("Came too late")).to_have_count(0)
        assert "Came too late" not in [each["label"] for each in (await admin.get(f"/admin/{path}"))[path.replace("-", "_")]]
