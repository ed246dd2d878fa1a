"""What a shop gives off."""

from __future__ import annotations

from typing import Any

import pytest

from ..e2e.served import Api
from ..e2e.shop import Shop, sell
from .desk import Desk
from .lists import named


@pytest.fixture(scope="module")
async def searchlight(admin: Api, shop: Shop) -> dict[str, Any]:
    """A product to give something off."""
    return await sell(admin, shop, "searchlight", {"eur": 40, "gbp": 35})


async def test_a_promotion_is_stored_as_it_was_entered(desk: Desk, admin: Api, shop: Shop, searchlight: dict[str, Any]) -> None:
    await desk.open("/promotions")
    await desk.follow("Create")
    await desk.tick("Percentage off product")
    await desk.press("Continue")
    await desk.fill("Code", "LIGHT20")
    await desk.tick("Active")
    await desk.fill("Promotion Value", "20")
    await desk.fill("Maximum Quantity", "2")
    await desk.press("Add condition")
    await desk.select("Select Attribute", "Product")
    await desk.select("Select Operator", "In")
    await desk.front.get_by_placeholder("Select Values").click()
    await desk.page.get_by_role("option", name=searchlight["title"]).click()
    await desk.tick("What items will the promotion be applied to?")
    await desk.press("Continue")
    await desk.save()
    await desk.sees("LIGHT20", "20.00%", searchlight["title"])
    await desk.picture("promotion")

    promotion = await named(admin, "promotions", "LIGHT20")
    assert (promotion["status"], promotion["type"], promotion["is_automatic"]) == ("active", "standard", False)
    method = promotion["application_method"]
    assert (method["type"], method["value"], method["target_type"], method["allocation"], method["max_quantity"]) == (
        "percentage", 20, "items", "each", 2,
    )  # fmt: skip
    [rule] = method["target_rules"]
    assert (rule["attribute"], rule["operator"]) == ("items.product.id", "in")
    assert [each["value"] for each in rule["values"]] == [searchlight["id"]]


async def test_a_price_list_is_stored_as_it_was_entered(desk: Desk, admin: Api, shop: Shop, searchlight: dict[str, Any]) -> None:
    await desk.open("/price-lists")
    await desk.follow("Create")
    await desk.fill("Title", "Winter sale")
    await desk.fill("Description", "Light for long nights")
    await desk.press("Continue")
    await desk.tick_row(searchlight["title"])
    await desk.press("Continue")
    await desk.enter("No 1", "Price EUR", "32")
    await desk.enter("No 1", "Price GBP", "28.75")
    await desk.save()
    await desk.sees("Winter sale", searchlight["title"])

    prices = await named(admin, "price-lists", "Winter sale")
    assert (prices["status"], prices["type"], prices["description"]) == ("active", "sale", "Light for long nights")
    kept = (await admin.get(f"/admin/price-lists/{prices['id']}/prices"))["prices"]
    assert {price["currency_code"]: price["amount"] for price in kept} == {"eur": 32, "gbp": 28.75}
    assert {price["price_set"]["variant"]["id"] for price in kept} == {searchlight["variants"][0]["id"]}


async def test_an_amount_off_is_one_of_a_currency(desk: Desk, admin: Api, shop: Shop) -> None:
    await desk.open("/promotions/create")
    await desk.tick("Amount off order")
    await desk.press("Continue")
    await desk.fill("Code", "FIVEOFF")
    await desk.front.get_by_placeholder("Select Value").click()
    await desk.page.get_by_role("option", name="Euro").click()
    await desk.fill("Promotion Value", "5")
    await desk.press("Continue")
    await desk.save()
    await desk.sees("FIVEOFF", "€5.00")

    promotion = await named(admin, "promotions", "FIVEOFF")
    method = promotion["application_method"]
    assert (promotion["status"], method["type"], method["target_type"]) == ("draft", "fixed", "order")
    assert (method["value"], method["currency_code"]) == (5, "eur")
    assert promotion["rules"] == []


async def test_who_buys_two_gets_one(desk: Desk, admin: Api, shop: Shop, searchlight: dict[str, Any]) -> None:
    await desk.open("/promotions/create")
    await desk.tick("Buy X Get Y")
    await desk.press("Continue")
    await desk.fill("Code", "TWOFORONE")
    for rules, quantity in (("buy_rules", "2"), ("target_rules", "1")):
        await desk.front.locator(f"[name='application_method.{rules}.0.values']").fill(quantity)
        await desk.front.locator(f"[name='application_method.{rules}.1.values']").click()
        await desk.page.get_by_role("option", name=searchlight["title"]).last.click()
        await desk.tick("What items will the promotion be applied to?")
    await desk.press("Continue")
    await desk.save()
    promotion = await named(admin, "promotions", "TWOFORONE")
    method = promotion["application_method"]
    assert (promotion["type"], method["buy_rules_min_quantity"], method["apply_to_quantity"]) == ("buyget", 2, 1)
    for rules in ("buy_rules", "target_rules"):
        assert [[value["value"] for value in rule["values"]] for rule in method[rules]] == [[searchlight["id"]]]

    await desk.open(f"/promotions/{promotion['id']}/buy-rules/edit")
    await desk.front.locator("[name='rules.0.values']").fill("3")
    await desk.save()
    assert (await named(admin, "promotions", "TWOFORONE"))["application_method"]["buy_rules_min_quantity"] == 3
