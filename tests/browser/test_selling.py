"""Where a shop sells, and how it sends."""

from __future__ import annotations

from ..e2e.served import Api
from ..e2e.shop import Shop
from .desk import Desk
from .lists import named


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
