"""Goods that arrived broken, and goods that are exchanged for others."""

from __future__ import annotations

from playwright.async_api import expect

from ..e2e.served import Api
from .desk import Desk
from .orders import Orders


async def test_a_claim_replaces_what_was_broken(desk: Desk, orders: Orders, admin: Api) -> None:
    reason = (await admin.post("/admin/return-reasons", {"value": "cracked", "label": "Cracked"}))["return_reason"]["id"]
    order = await orders.delivered({"storm lantern": 2, "deck brush": 1})
    _, reserved = await orders.stock("storm lantern")
    await desk.open(f"/orders/{order['id']}")
    await desk.menu("Summary", "Create Claim")
    await desk.add_lines("Storm lantern", "Deck brush")
    await desk.line_menu("Deck brush", "Remove")
    await desk.quantity("Storm lantern", 2)
    await desk.reason("Storm lantern", "Cracked", "Glass in splinters")
    await desk.pick("Location", "Warehouse")
    await desk.pick("Return shipping", "Return parcel")
    await desk.amount("Return shipping", "0")
    await desk.add_lines("Storm lantern", "Signal flag", to=1)
    await desk.line_menu("Signal flag", "Remove")
    await desk.quantity_of(desk.line("Storm lantern").last, 2)
    await desk.pick("Outbound shipping", "Standard (Warehouse)")
    await desk.amount("Outbound shipping", "0")
    await desk.picture("claim")
    await desk.press("Confirm Claim")
    await desk.press("Continue")
    await desk.sees_in("Summary", "2x added through claim", "2x items return requested", "Cracked")
    await desk.sees_in("Activity", "Claim #")

    [claim] = (await admin.get("/admin/claims", order_id=order["id"], fields="*additional_items,*claim_items,*return,*return.items"))[
        "claims"
    ]
    [back] = claim["return"]["items"]
    assert (back["quantity"], back["reason_id"], back["note"]) == (2, reason, "Glass in splinters")
    assert [item["quantity"] for item in claim["additional_items"]] == [2]
    assert (await orders.stock("storm lantern"))[1] == reserved + 2
    assert (await orders.get(order["id"]))["summary"]["pending_difference"] == 0  # what is asked back counts as owed

    await desk.menu("Unfulfilled Items", "Fulfill items")
    await desk.save("Create Fulfillment")
    await desk.sees_in("Fulfillment #2", "2x Brass")
    await desk.follow("Receive items")
    await desk.save()
    await desk.sees_in("Summary", "2x items return received")
    order = await orders.get(order["id"])
    assert order["summary"]["pending_difference"] == 0
    assert (await orders.stock("storm lantern"))[1] == reserved


async def test_a_claim_is_called_off_half_done(desk: Desk, orders: Orders, admin: Api) -> None:
    order = await orders.delivered({"ash oar": 1})
    await desk.open(f"/orders/{order['id']}/claims")
    await desk.add_lines("Ash oar")
    await desk.open(f"/orders/{order['id']}")
    await desk.sees("Claim initiated")
    await desk.menu("Summary", "Manage Claim")
    await desk.sees("Ash oar")
    await desk.save("Cancel Claim")
    await expect(desk.page.get_by_text("Claim initiated")).to_have_count(0)
    await desk.open(f"/orders/{order['id']}/claims")
    await desk.open(f"/orders/{order['id']}")
    await desk.press("Cancel Claim")
    await expect(desk.page.get_by_text("Claim initiated")).to_have_count(0)
    assert (await admin.get("/admin/claims", order_id=order["id"]))["claims"] == []
    assert (await orders.line(order["id"], "ash oar"))["detail"]["return_requested_quantity"] == 0


async def test_an_exchange_for_something_dearer_is_paid(desk: Desk, orders: Orders, admin: Api) -> None:
    order = await orders.delivered({"ash oar": 1})
    await desk.open(f"/orders/{order['id']}")
    await desk.menu("Summary", "Create Exchange")
    await desk.add_lines("Ash oar")
    await desk.pick("Location", "Warehouse")
    await desk.pick("Return shipping", "Return parcel")
    await desk.add_lines("Storm lantern", to=1)
    await desk.pick("Outbound shipping", "Standard (Warehouse)")
    await desk.amount("Outbound shipping", "7.5")
    await desk.sees("€ 7.50 EUR", "€ 47.50 EUR")  # 80 + 7.50 + 5 - 45
    await desk.picture("exchange")
    await desk.press("Confirm Exchange")
    await desk.press("Continue")
    await desk.sees_in("Summary", "1x added through exchange", "1x items return requested")
    await desk.follow("Receive items")
    await desk.save()
    await desk.sees_in("Summary", "1x items return received", "Copy payment link for € 47.50 EUR")
    await desk.press_in("Summary", "Mark as paid")
    await desk.sees("Payment of €47.50 will be marked as paid.")
    await desk.press("Confirm")
    await expect(desk.section("Summary").get_by_role("button", name="Mark as paid")).to_have_count(0)
    await desk.sees_in("Payments", "€47.50")
    await desk.menu("Unfulfilled Items", "Fulfill items")
    await desk.save("Create Fulfillment")
    await desk.sees_in("Fulfillment #2", "1x Brass")
    await desk.picture("exchanged")

    order = await orders.get(order["id"])
    assert order["summary"]["pending_difference"] == 0
    assert [item["detail"]["fulfilled_quantity"] for item in order["items"]] == [1, 1]
    [exchange] = (await admin.get("/admin/exchanges", order_id=order["id"], fields="*additional_items,*return"))["exchanges"]
    assert exchange["return"]["status"] == "received"


async def test_an_exchange_for_something_cheaper_is_given_back(desk: Desk, orders: Orders) -> None:
    order = await orders.delivered({"storm lantern": 1})
    await desk.open(f"/orders/{order['id']}/exchanges")
    await desk.add_lines("Storm lantern")
    await desk.add_lines("Signal flag", to=1)
    await desk.press("Confirm Exchange")
    await desk.press("Continue")
    await desk.sees_in("Summary", "1x added through exchange")
    await desk.follow("Receive items")
    await desk.save()
    await desk.refund("€ 60.00 EUR")
    await desk.sees("- €60.00")
    assert (await orders.get(order["id"]))["summary"]["pending_difference"] == 0


async def test_an_exchange_is_called_off_at_each_stage(desk: Desk, orders: Orders, admin: Api) -> None:
    order = await orders.delivered({"ash oar": 1})
    _, reserved = await orders.stock("signal flag")
    await desk.open(f"/orders/{order['id']}/exchanges")
    await desk.add_lines("Ash oar")
    await desk.open(f"/orders/{order['id']}")
    await desk.sees("Exchange initiated")
    await desk.press("Continue")
    await desk.save("Cancel Exchange")
    await expect(desk.page.get_by_text("Exchange initiated")).to_have_count(0)
    await desk.open(f"/orders/{order['id']}/exchanges")
    await desk.open(f"/orders/{order['id']}")
    await desk.press("Cancel Exchange")
    await expect(desk.page.get_by_text("Exchange initiated")).to_have_count(0)

    await desk.open(f"/orders/{order['id']}/exchanges")
    await desk.add_lines("Ash oar")
    await desk.add_lines("Signal flag", to=1)
    await desk.press("Confirm Exchange")
    await desk.press("Continue")
    await desk.press_in("Activity", "Cancel")
    await desk.press("Confirm")
    await desk.sees_in("Activity", "canceled")
    order = await orders.get(order["id"])
    assert [(item["title"], item["detail"]["return_requested_quantity"]) for item in order["items"]] == [("Ash oar", 0)]
    assert (order["summary"]["pending_difference"], (await orders.stock("signal flag"))[1]) == (0, reserved)
