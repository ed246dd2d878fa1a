"""The first thing a merchant does."""

from __future__ import annotations

from playwright.async_api import expect

from ..e2e.served import ADMIN, Api
from ..e2e.shop import Shop, sell
from .desk import Desk
from .images import address_of


async def test_a_merchant_signs_in_and_sees_the_products(stranger: Desk, admin: Api, shop: Shop) -> None:
    colours = {"lantern": (234, 88, 12), "anchor": (30, 64, 175), "buoy": (190, 18, 60), "rope": (101, 163, 13)}
    for handle, colour in colours.items():
        product = await sell(admin, shop, handle, {"eur": 25, "gbp": 22}, variants=2)
        await admin.post(f"/admin/products/{product['id']}", {"thumbnail": address_of(colour)})
    await stranger.open("/products")
    await expect(stranger.page).to_have_url(f"{stranger.base}/app/login")
    await stranger.sign_in()
    await expect(stranger.page).to_have_url(f"{stranger.base}/app/products")
    for handle in colours:
        await expect(stranger.row(handle.title())).to_contain_text("2 variants")
        await expect(stranger.row(handle.title())).to_contain_text("Published")
    await stranger.picture("products")


async def test_a_wrong_password_opens_nothing(stranger: Desk) -> None:
    stranger.refused["POST /auth/user/emailpass"] = 401
    await stranger.open("/login")
    await stranger.sign_in("guessed")
    await stranger.sees("Invalid email or password")
    assert stranger.slips == ["/app/login: Invalid email or password"]  # the dashboard throws what it shows
    stranger.slips.clear()
    await stranger.open("/products")
    await expect(stranger.page).to_have_url(f"{stranger.base}/app/login")


async def test_who_signs_out_is_asked_again(desk: Desk) -> None:
    await desk.page.get_by_role("button", name=ADMIN[0]).click()
    await desk.page.get_by_role("menuitem", name="Log out").click()
    await expect(desk.page).to_have_url(f"{desk.base}/app/login")
    await desk.open("/products")
    await expect(desk.page).to_have_url(f"{desk.base}/app/login")
