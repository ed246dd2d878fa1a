"""Shipping options with their prices; zones, profiles and types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import InvalidData, NotAllowed, NotFound
from velella.core.sql.schema.query import Query

from .conftest import Shop

D = Decimal


async def zone(shop: Shop) -> str:
    """A zone of a location that sends by hand."""
    (place,) = await shop.run("create-stock-locations-workflow", rows=[{"name": "Warehouse"}])
    await shop.run("link-fulfillment-providers-to-stock-location", id=place["id"], add=["manual_manual"])
    fulfillment_set = await shop.run(
        "create-location-fulfillment-set", location_id=place["id"], fulfillment_set_data={"name": "Delivery", "type": "shipping"}
    )
    geo_zones = [{"type": "country", "country_code": "de"}]
    zones = [{"name": "Europe", "fulfillment_set_id": fulfillment_set, "geo_zones": geo_zones}]
    (made,) = await shop.run("create-service-zones-workflow", rows=zones)
    return str(made["id"])


async def option(shop: Shop, zone_id: str, **more: Any) -> dict[str, Any]:
    (profile,) = await shop.modules.fulfillment.list("shipping_profile")
    given = {
        "name": "Post",
        "price_type": "flat",
        "provider_id": "manual_manual",
        "service_zone_id": zone_id,
        "shipping_profile_id": profile["id"],
        "type": {"label": "Post", "code": "post"},
        "prices": [{"currency_code": "eur", "amount": 10}],
        "rules": [{"attribute": "enabled_in_store", "operator": "eq", "value": "true"}],
        **more,
    }
    (made,) = await shop.run("create-shipping-options-workflow", options=[given])
    return dict(made)


async def prices(shop: Shop, option_id: str) -> list[tuple[str, Any, list[tuple[str, str, str]]]]:
    shown = await shop.one("shipping_option", option_id, "*prices", "*prices.price_rules")
    found = []
    for price in shown["prices"]:
        rules = sorted((rule["attribute"], rule["operator"], rule["value"]) for rule in price["price_rules"])
        found.append((price["currency_code"], price["amount"], rules))
    return sorted(found, key=str)


async def test_an_option_is_created_with_its_prices(shop: Shop) -> None:
    (region,) = await shop.run("create-regions", regions=[{"name": "Japan", "currency_code": "jpy", "countries": ["jp"]}])
    free_from = [{"attribute": "item_total", "operator": "gte", "value": 100}]
    given = [
        {"currency_code": "eur", "amount": D("9.90")},
        {"currency_code": "eur", "amount": 0, "rules": free_from},
        {"region_id": region["id"], "amount": 1500},
    ]
    made = await option(shop, await zone(shop), prices=given)
    assert await prices(shop, made["id"]) == [
        ("eur", 0, [("item_total", "gte", "100")]),
        ("eur", D("9.9"), []),
        ("jpy", 1500, [("region_id", "eq", region["id"])]),
    ]
    shown = await shop.one("shipping_option", made["id"], "*type", "*rules", "service_zone.fulfillment_set.location.name")
    assert (shown["type"]["code"], len(shown["rules"])) == ("post", 1)
    assert shown["service_zone"]["fulfillment_set"]["location"]["name"] == "Warehouse"


async def test_prices_are_replaced_as_a_whole(shop: Shop) -> None:
    made = await option(shop, await zone(shop), prices=[{"currency_code": "eur", "amount": 10}, {"currency_code": "usd", "amount": 12}])
    (kept,) = (row for row in (await shop.one("shipping_option", made["id"], "*prices"))["prices"] if row["currency_code"] == "eur")
    change = {"id": made["id"], "name": "Mail", "prices": [{"id": kept["id"], "amount": 11}, {"currency_code": "dkk", "amount": 80}]}
    await shop.run("update-shipping-options-workflow", options=[change])
    assert await prices(shop, made["id"]) == [("dkk", 80, []), ("eur", 11, [])]
    bad = {"id": made["id"], "name": "Bad", "rules": [], "prices": [{"id": "price_none", "amount": 1}]}
    with pytest.raises(InvalidData, match="currency"):  # the price is none of this option's, so it is a new one: everything stays as it was
        await shop.run("update-shipping-options-workflow", options=[bad])
    shown = await shop.one("shipping_option", made["id"], "name", "*rules")
    assert (shown["name"], len(shown["rules"])) == ("Mail", 1)
    await shop.run("update-shipping-options-workflow", options=[{"id": made["id"], "data": {"a": 1}}])
    assert await prices(shop, made["id"]) == [("dkk", 80, []), ("eur", 11, [])]


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"provider_id": "manual_other"}, NotAllowed, "manual_other"),
        ({"service_zone_id": "serzo_none"}, NotFound, "serzo_none"),
        ({"price_type": "calculated"}, InvalidData, "can't calculate the price of: Post"),
        ({"prices": [{"region_id": "reg_none", "amount": 1}]}, InvalidData, "reg_none"),
        ({"prices": [{"amount": 1}]}, InvalidData, "currency"),
        ({"shipping_profile_id": "sp_none"}, NotFound, "sp_none"),
        ({"rules": [{"attribute": "a", "operator": "in", "value": "x"}]}, InvalidData, "list"),
    ],
)
async def test_what_cannot_be_leaves_nothing_behind(shop: Shop, more: dict[str, Any], error: type[Exception], message: str) -> None:
    place = await zone(shop)
    with pytest.raises(error, match=message):
        await option(shop, more.pop("service_zone_id", place), **more)
    assert await shop.modules.fulfillment.count("shipping_option") == 0
    assert await shop.modules.pricing.count("price_set") == 0


async def test_deleting_a_zone_takes_options_and_prices_along(shop: Shop) -> None:
    place = await zone(shop)
    made = await option(shop, place)
    await shop.run("update-service-zones-workflow", rows=[{"id": place, "geo_zones": [{"type": "country", "country_code": "fr"}]}])
    shown = await shop.one("service_zone", place, "geo_zones.country_code", "fulfillment_set_id")
    assert [row["country_code"] for row in shown["geo_zones"]] == ["fr"]
    assert await shop.run("delete-fulfillment-sets-workflow", ids=[shown["fulfillment_set_id"]]) == [shown["fulfillment_set_id"]]
    assert await rows(shop, "shipping_option", made["id"]) == []
    assert await shop.modules.pricing.count("price_set") == 0
    assert await shop.modules.link.count("location_fulfillment_set") == 0


async def test_rules_types_and_profiles(shop: Shop) -> None:
    made = await option(shop, await zone(shop))
    rule = {"shipping_option_id": made["id"], "attribute": "weight", "operator": "lt", "value": "30"}
    done = await shop.run("batch-shipping-option-rules", create=[rule])
    await shop.run("batch-shipping-option-rules", delete=[done["created"][0]["id"]])
    (profile,) = await shop.modules.fulfillment.list("shipping_profile")
    with pytest.raises(InvalidData):
        await shop.run("delete-shipping-profile-workflow", ids=[profile["id"]])
    with pytest.raises(InvalidData):
        await shop.run("delete-shipping-option-types", ids=[made["shipping_option_type_id"]])
    assert await shop.run("delete-shipping-options-workflow", ids=[made["id"]]) == [made["id"]]
    assert await shop.run("delete-shipping-option-types", ids=[made["shipping_option_type_id"]]) == [made["shipping_option_type_id"]]
    (other,) = await shop.run("create-shipping-profiles-workflow", rows=[{"name": "Heavy", "type": "heavy"}])
    anvil = {"title": "Anvil", "options": [{"title": "Size", "values": ["XL"]}], "shipping_profile_id": other["id"]}
    await shop.run("create-products", products=[anvil])
    with pytest.raises(InvalidData, match="products"):
        await shop.run("delete-shipping-profile-workflow", ids=[other["id"]])


async def rows(shop: Shop, entity: str, id: str) -> list[dict[str, Any]]:
    return await shop.host.graph.rows(Query(entity, ("id",), {"id": id}))
