"""The first thing a merchant does."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pyotp
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


async def test_a_second_factor_is_set_up_and_asked_for(stranger: Desk, admin: Api) -> None:
    """By a user of its own: whoever has one is asked for it."""
    login = {"email": "careful@medusa-test.com", "password": "supersecret"}
    invite = (await admin.post("/admin/invites", {"email": login["email"]}))["invite"]
    token = (await admin.post("/auth/user/emailpass/register", login))["token"]
    invited = replace(admin, headers={"authorization": f"Bearer {token}"})
    await invited.post("/admin/invites/accept", {"first_name": "Ada", "last_name": "L"}, token=invite["token"])
    await stranger.open("/login")
    await sign_in_as(stranger, "careful@medusa-test.com")
    await stranger.open("/settings/profile")
    async with stranger.page.expect_response(re.compile("/auth/mfa/factors$")) as begun:
        await stranger.press_in("Two-factor authentication", "Enable")
    secret = (await (await begun.value).json())["secret"]
    await stranger.picture("second-factor")
    await stranger.front.locator("input").first.click()
    await stranger.page.keyboard.type(pyotp.TOTP(secret).now(), delay=80)
    await stranger.sees("Copy and store these recovery codes")
    await stranger.open("/settings/profile")
    await stranger.sees_in("Two-factor authentication", "Enabled")
    await stranger.page.context.clear_cookies()
    await stranger.open("/login")
    await sign_in_as(stranger, "careful@medusa-test.com")
    await stranger.sees("Enter the 6-digit code from your authenticator app.")
    await stranger.page.keyboard.type(pyotp.TOTP(secret).at(int(time.time()) + 30), delay=80)
    await expect(stranger.page).not_to_have_url(re.compile("/login"))


async def sign_in_as(desk: Desk, email: str) -> None:
    await desk.page.get_by_placeholder("Email").fill(email)
    await desk.page.get_by_placeholder("Password").fill("supersecret")
    await desk.page.get_by_role("button", name="Continue with Email").click()
    await desk.settled()
