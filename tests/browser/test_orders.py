"""What was bought, and who may look after it."""

from __future__ import annotations

from playwright.async_api import expect

from ..e2e.buyer import Buyer
from ..e2e.served import Api, Served
from ..e2e.shop import Shop, sell
from .desk import Desk


async def test_the_payment_of_an_order_is_captured_on_its_page(desk: Desk, colony: Served, admin: Api, shop: Shop) -> None:
    compass = await sell(admin, shop, "compass", {"eur": 90, "gbp": 80})
    buyer = Buyer(await colony.store(shop.key), shop)
    _, answer = await buyer.complete(await buyer.ready(compass["variants"][0]["id"]))
    order = answer["order"]
    await desk.open("/orders")
    await expect(desk.row(f"#{order['display_id']}")).to_contain_text("Authorized")
    await desk.row(f"#{order['display_id']}").click()
    await desk.sees("Compass", "buyer@example.com", "€100.00")
    capture = desk.page.get_by_role("button", name="Capture payment")
    await capture.click()
    await desk.press("Confirm")
    await desk.sees("Payment captured", "Total paid by customer")
    await expect(capture).to_have_count(0)
    await desk.picture("order")

    fields = "payment_status,*payment_collections.payments.captures"
    paid = (await admin.get(f"/admin/orders/{order['id']}", fields=fields))["order"]
    assert paid["payment_status"] == "captured"
    [payment] = paid["payment_collections"][0]["payments"]
    assert [capture["amount"] for capture in payment["captures"]] == [100]


async def test_a_part_of_a_payment_is_given_back(desk: Desk, colony: Served, admin: Api, shop: Shop) -> None:
    barometer = await sell(admin, shop, "barometer", {"eur": 60, "gbp": 50})
    reason = (await admin.post("/admin/refund-reasons", {"code": "scratched", "label": "Scratched"}))["refund_reason"]["id"]
    buyer = Buyer(await colony.store(shop.key), shop)
    _, answer = await buyer.complete(await buyer.ready(barometer["variants"][0]["id"]))
    path = f"/admin/orders/{answer['order']['id']}"
    payments = "payment_status,*payment_collections.payments.refunds"
    [payment] = (await admin.get(path, fields=payments))["order"]["payment_collections"][0]["payments"]
    await admin.post(f"/admin/payments/{payment['id']}/capture", {})
    await desk.open(f"/orders/{answer['order']['id']}/refund")
    await desk.select("Select payment", "€70.00 - System (DEFAULT) - (#" + payment["id"][-7:] + ")")
    await desk.fill("Amount", "12.5")
    await desk.front.locator("button[role=combobox]").last.click()
    await desk.page.get_by_role("option", name="Scratched").click()
    await desk.save()
    await desk.sees("Partially refunded", "- €12.50")

    order = (await admin.get(path, fields=payments))["order"]
    [refund] = order["payment_collections"][0]["payments"][0]["refunds"]
    assert (order["payment_status"], refund["amount"], refund["refund_reason_id"]) == ("partially_refunded", 12.5, reason)


async def test_whoever_is_invited_is_waited_for(desk: Desk, admin: Api) -> None:
    await desk.open("/settings/users")
    await desk.follow("Invite")
    await desk.fill("Email", "grace@example.org")
    await desk.press("Send invite")
    await expect(desk.row("grace@example.org")).to_contain_text("Pending")

    [invite] = (await admin.get("/admin/invites", email="grace@example.org"))["invites"]
    assert invite["accepted"] is False
