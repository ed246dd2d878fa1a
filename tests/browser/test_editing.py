"""What was bought is changed, and who it belongs to."""

from __future__ import annotations

from playwright.async_api import expect

from ..e2e.served import Api
from .desk import Desk
from .orders import Orders


async def test_an_edit_changes_lines_and_what_is_owed(desk: Desk, orders: Orders, admin: Api) -> None:
    order = await orders.captured({"storm lantern": 1, "ash oar": 2, "deck brush": 1})
    _, reserved = await orders.stock("signal flag")
    _, brushes = await orders.stock("deck brush")
    await desk.open(f"/orders/{order['id']}")
    await desk.menu("Summary", "Edit order")
    await desk.press("Add items")
    await desk.tick_row("Signal flag")
    await desk.press("Save")
    await desk.quantity("Signal flag", 3)
    await desk.quantity("Storm lantern", 2)
    await desk.line_menu("Ash oar", "Remove")
    await desk.line_menu("Deck brush", "Remove")
    await desk.line_menu("Deck brush", "Undo")
    await desk.line_menu("Deck brush", "Duplicate")
    await desk.sees("€ 192.50 EUR", "€ 255.00 EUR", "€ 62.50 EUR")  # 160 + 60 + 2 × 12.50 + 10
    await desk.fill("Note", "By telephone")
    await desk.picture("edit")
    await desk.press("Confirm Edit")
    await desk.press("Continue")
    await desk.sees("Order edit requested")
    await desk.picture("edit-requested")
    await desk.press("Force confirm")
    await expect(desk.page.get_by_text("Order edit requested")).to_have_count(0)
    await desk.sees_in("Activity", "By telephone")
    await desk.press_in("Summary", "Mark as paid")
    await desk.press("Confirm")
    await desk.picture("edited")

    order = await orders.get(order["id"])
    lines = sorted((item["title"], item["quantity"]) for item in order["items"])
    assert lines == [("Deck brush", 1), ("Deck brush", 1), ("Signal flag", 3), ("Storm lantern", 2)]
    assert order["summary"]["pending_difference"] == 0
    assert (await orders.stock("signal flag"))[1] == reserved + 3
    assert (await orders.stock("deck brush"))[1] == brushes + 1
    [edit] = (await admin.get(f"/admin/orders/{order['id']}/changes"))["order_changes"]
    assert (edit["change_type"], edit["status"], edit["internal_note"]) == ("edit", "confirmed", "By telephone")


async def test_an_edit_is_continued_and_called_off(desk: Desk, orders: Orders) -> None:
    order = await orders.captured({"ash oar": 2})
    await desk.open(f"/orders/{order['id']}/edits")
    await desk.quantity("Ash oar", 1)
    await desk.open(f"/orders/{order['id']}")
    await desk.sees("Order edit pending")
    await desk.press("Continue edit")
    await desk.save("Cancel Edit")
    await expect(desk.page.get_by_text("Order edit pending")).to_have_count(0)
    await desk.open(f"/orders/{order['id']}/edits")
    await desk.quantity("Ash oar", 1)
    await desk.press("Confirm Edit")
    await desk.press("Continue")
    await desk.sees("Order edit requested")
    await desk.press("Cancel")
    await expect(desk.page.get_by_text("Order edit requested")).to_have_count(0)
    assert [item["quantity"] for item in (await orders.get(order["id"]))["items"]] == [2]


async def test_an_edit_that_takes_away_is_refunded(desk: Desk, orders: Orders) -> None:
    order = await orders.captured({"ash oar": 2})
    await desk.open(f"/orders/{order['id']}/edits")
    await desk.quantity("Ash oar", 1)
    await desk.press("Confirm Edit")
    await desk.press("Continue")
    await desk.press("Force confirm")
    await desk.refund("€ 45.00 EUR")
    await desk.sees("- €45.00", "Partially refunded")
    assert (await orders.get(order["id"]))["summary"]["pending_difference"] == 0


async def test_addresses_and_email_of_an_order_are_corrected(desk: Desk, orders: Orders) -> None:
    order = await orders.bought({"deck brush": 1})
    await desk.open(f"/orders/{order['id']}")
    await desk.menu("Customer", "Shipping address")
    await desk.fill("Address", "Quay 9")
    await desk.fill("City", "Odense")
    await desk.save()
    await desk.menu("Customer", "Billing address")
    await desk.fill("Company", "Lovelace & Co")
    await desk.save()
    await desk.menu("Customer", "Email")
    await desk.fill("Email", "ada.l@example.com")
    await desk.save()
    await desk.sees_in("Customer", "Quay 9", "Odense", "ada.l@example.com", "Lovelace & Co")
    await desk.press_in("Activity", "Show 2 more activities")
    await desk.sees("Shipping address updated", "Email updated")
    order = await orders.get(order["id"], "email,*shipping_address,*billing_address")
    assert (order["shipping_address"]["city"], order["billing_address"]["company"]) == ("Odense", "Lovelace & Co")
    assert (order["billing_address"]["city"], order["email"]) == ("Copenhagen", "ada.l@example.com")


async def test_notes_of_the_merchant_are_kept_with_an_order(desk: Desk, orders: Orders) -> None:
    order = await orders.bought({"deck brush": 1})
    await desk.open(f"/orders/{order['id']}/metadata/edit")
    await desk.front.get_by_placeholder("Key").first.fill("gift")
    await desk.front.get_by_placeholder("Value").first.fill("wrap in blue")
    await desk.save()
    assert (await orders.get(order["id"], "metadata"))["metadata"] == {"gift": "wrap in blue"}


async def test_an_order_is_handed_over(desk: Desk, orders: Orders, admin: Api) -> None:
    await orders.account("grace.h@example.com", "Grace", "H")
    order = await orders.bought({"deck brush": 1})
    await desk.open(f"/orders/{order['id']}")
    await desk.menu("Customer", "Transfer ownership")
    await desk.choose("New owner", "Grace H (grace.h@example.com)", search=False)
    await desk.save()
    await desk.sees_in("Activity", "Order transfer #", "From: ada@example.com", "To: Grace H")
    await desk.picture("transfer")
    await desk.press_in("Activity", "Cancel")
    await desk.press("Delete")
    await expect(desk.section("Activity").get_by_text("To: Grace H")).to_have_count(0)

    await desk.menu("Customer", "Transfer ownership")
    await desk.tick("Guest")
    await desk.fill("New owner email", "mary@example.com")
    await desk.save()
    await desk.sees_in("Customer", "mary@example.com")
    order = await orders.get(order["id"], "email,*customer")
    assert (order["email"], order["customer"]["has_account"]) == ("mary@example.com", False)
