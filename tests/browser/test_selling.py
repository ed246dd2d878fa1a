"""Where a shop sells, how it sends, and what it gives off."""

from __future__ import annotations

from typing import Any

import pytest

from ..e2e.served import Api
from ..e2e.shop import Shop, sell
from .desk import Desk


async def named(admin: Api, path: str, name: str, **params: str) -> dict[str, Any]:
    """The one thing in a list that is called so."""
    rows = next(rows for rows in (await admin.get(f"/admin/{path}", limit=100, **params)).values() if isinstance(rows, list))
    [found] = [row for row in rows if name in (row.get("name"), row.get("title"), row.get("code"))]
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
async def lantern(admin: Api, shop: Shop) -> dict[str, Any]:
    """A product to give something off."""
    return await sell(admin, shop, "lantern-of-brass", {"eur": 40, "gbp": 35})


async def test_a_region_is_stored_as_it_was_entered(desk: Desk, admin: Api, shop: Shop) -> None:
    await desk.open("/settings/regions")
    await desk.follow("Create")
    await desk.fill("Name", "Nordics")
    await desk.select("", "Euro")
    await desk.tick("Tax inclusive pricing")
    await desk.press("Add countries")
    await desk.front.get_by_placeholder("Search").fill("Norw")
    await desk.tick_row("Norway")
    await desk.press("Save")
    await desk.choose("Payment Providers", "System (DEFAULT)")
    await desk.save()
    await desk.sees("Nordics", "Norway")

    region = await named(admin, "regions", "Nordics", fields="*countries,*payment_providers")
    assert (region["currency_code"], region["automatic_taxes"]) == ("eur", True)
    assert [country["iso_2"] for country in region["countries"]] == ["no"]
    assert [provider["id"] for provider in region["payment_providers"]] == ["pp_system_default"]
    preferences = (await admin.get("/admin/price-preferences", attribute="region_id", value=region["id"]))["price_preferences"]
    assert [preference["is_tax_inclusive"] for preference in preferences] == [True]


async def test_a_tax_region_is_stored_as_it_was_entered(desk: Desk, admin: Api, shop: Shop) -> None:
    await desk.open("/settings/tax-regions")
    await desk.follow("Create")
    await desk.choose("Country", "Norway")
    await desk.choose("Tax provider", "System", search=False)
    await desk.fill("Name", "MVA")
    await desk.fill("Tax rate", "25")
    await desk.fill("Tax code", "no-mva")
    await desk.save()
    await desk.sees("Norway", "MVA", "25.00%")

    [region] = (await admin.get("/admin/tax-regions", country_code="no", fields="*tax_rates"))["tax_regions"]
    assert region["provider_id"] == "tp_system"
    [rate] = region["tax_rates"]
    assert (rate["name"], rate["code"], rate["rate"], rate["is_default"]) == ("MVA", "no-mva", 25, True)


async def test_a_shipping_option_is_stored_as_it_was_entered(desk: Desk, admin: Api, shop: Shop) -> None:
    await admin.post("/admin/shipping-option-types", {"label": "Overnight", "code": "overnight"})
    await desk.open("/settings/locations")
    await desk.row("Warehouse").click()
    await desk.settled()
    await desk.follow("Create option")
    await desk.fill("Name", "Courier")
    await desk.choose("Shipping profile", "Default Shipping Profile")
    await desk.choose("Shipping option type", "Overnight")
    await desk.choose("Fulfillment provider", "Manual")
    await desk.select("", "manual-fulfillment")
    await desk.press("Continue")
    await desk.enter("Courier", "Price EUR", "24.5")
    await desk.enter("Courier", "Price GBP", "20")
    await desk.save()
    await desk.sees("Courier - Default Shipping Profile (Manual)")
    await desk.picture("shipping")

    option = await named(admin, "shipping-options", "Courier", fields="+service_zone_id,+shipping_profile_id,+provider_id")
    assert (option["service_zone_id"], option["shipping_profile_id"], option["provider_id"]) == (shop.zone, shop.profile, "manual_manual")
    assert (option["price_type"], option["type"]["code"]) == ("flat", "overnight")
    assert {price["currency_code"]: price["amount"] for price in option["prices"]} == {"eur": 24.5, "gbp": 20}
    assert {rule["attribute"]: rule["value"] for rule in option["rules"]} == {"enabled_in_store": "true", "is_return": "false"}


async def test_a_promotion_is_stored_as_it_was_entered(desk: Desk, admin: Api, shop: Shop, lantern: dict[str, Any]) -> None:
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
    await desk.page.get_by_role("option", name=lantern["title"]).click()
    await desk.tick("What items will the promotion be applied to?")
    await desk.press("Continue")
    await desk.save()
    await desk.sees("LIGHT20", "20.00%", lantern["title"])
    await desk.picture("promotion")

    promotion = await named(admin, "promotions", "LIGHT20")
    assert (promotion["status"], promotion["type"], promotion["is_automatic"]) == ("active", "standard", False)
    method = promotion["application_method"]
    assert (method["type"], method["value"], method["target_type"], method["allocation"], method["max_quantity"]) == (
        "percentage", 20, "items", "each", 2,
    )  # fmt: skip
    [rule] = method["target_rules"]
    assert (rule["attribute"], rule["operator"]) == ("items.product.id", "in")
    assert [each["value"] for each in rule["values"]] == [lantern["id"]]


async def test_a_price_list_is_stored_as_it_was_entered(desk: Desk, admin: Api, shop: Shop, lantern: dict[str, Any]) -> None:
    await desk.open("/price-lists")
    await desk.follow("Create")
    await desk.fill("Title", "Winter sale")
    await desk.fill("Description", "Light for long nights")
    await desk.press("Continue")
    await desk.tick_row(lantern["title"])
    await desk.press("Continue")
    await desk.enter("No 1", "Price EUR", "32")
    await desk.enter("No 1", "Price GBP", "28.75")
    await desk.save()
    await desk.sees("Winter sale", lantern["title"])

    prices = await named(admin, "price-lists", "Winter sale")
    assert (prices["status"], prices["type"], prices["description"]) == ("active", "sale", "Light for long nights")
    kept = (await admin.get(f"/admin/price-lists/{prices['id']}/prices"))["prices"]
    assert {price["currency_code"]: price["amount"] for price in kept} == {"eur": 32, "gbp": 28.75}
    assert {price["variant_id"] for price in kept} == {lantern["variants"][0]["id"]}
