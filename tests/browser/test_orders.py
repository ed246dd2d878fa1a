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


async def test_whoever_is_invited_is_waited_for(desk: Desk, admin: Api) -> None:
    await desk.open("/settings/users")
    await desk.follow("Invite")
    await desk.fill("Email", "grace@example.org")
    await desk.press("Send invite")
    await expect(desk.row("grace@example.org")).to_contain_text("Pending")

    [invite] = (await admin.get("/admin/invites", email="grace@example.org"))["invites"]
    assert invite["accepted"] is False
