"""From stock location to shipping option: what a merchant sets up before anything can be sent."""

from __future__ import annotations

from typing import Any

import pytest

from velella.core.ids import ulid

from ..conftest import Shop
from .conftest import Merchant

LOCATIONS, SETS, OPTIONS = "/admin/stock-locations", "/admin/fulfillment-sets", "/admin/shipping-options"
PROFILES, TYPES = "/admin/shipping-profiles", "/admin/shipping-option-types"


async def set_at(merchant: Merchant, location: str) -> str:
    body = {"name": f"Delivery {ulid()}", "type": "shipping"}
    made = await merchant.post(f"{LOCATIONS}/{location}/fulfillment-sets", body, fields="fulfillment_sets.id")
    return str(made["stock_location"]["fulfillment_sets"][-1]["id"])


async def zone_of(merchant: Merchant, fulfillment_set: str, *countries: str) -> str:
    body = {"name": f"Zone {ulid()}", "geo_zones": [{"type": "country", "country_code": country} for country in countries or ("dk",)]}
    zones = (await merchant.post(f"{SETS}/{fulfillment_set}/service-zones", body))["fulfillment_set"]["service_zones"]
    return str(next(zone["id"] for zone in zones if zone["name"] == body["name"]))


async def profile(merchant: Merchant) -> str:
    return str((await merchant.post(PROFILES, {"name": f"Profile {ulid()}", "type": "default"}))["shipping_profile"]["id"])


async def standard(merchant: Merchant, zone: str | None = None) -> dict[str, Any]:
    """The body of an option that can be created."""
    if zone is None:
        location = await merchant.location()
        await merchant.post(f"{LOCATIONS}/{location}/fulfillment-providers", {"add": ["manual_manual"]})
        zone = await zone_of(merchant, await set_at(merchant, location))
    return {
        "name": f"Standard {ulid()}",
        "price_type": "flat",
        "provider_id": "manual_manual",
        "service_zone_id": zone,
        "shipping_profile_id": await profile(merchant),
        "type": {"label": "Standard", "description": "By post", "code": "standard"},
        "prices": [{"currency_code": "eur", "amount": 10}, {"currency_code": "usd", "amount": 12.5}],
        "rules": [
            {"attribute": "enabled_in_store", "operator": "eq", "value": "true"},
            {"attribute": "is_return", "operator": "eq", "value": "false"},
        ],
    }


# -- stock locations


async def test_a_location_is_created_read_changed_and_deleted(merchant: Merchant) -> None:
    address = {"address_1": "Quay 7", "city": "Copenhagen", "country_code": "dk", "floor": 3}
    body: dict[str, Any] = {"name": f"  Warehouse {ulid()} ", "address": address, "metadata": {"a": 1}}
    location = (await merchant.post(LOCATIONS, body))["stock_location"]
    assert location["name"] == body["name"].strip()
    assert {"address_1": "Quay 7", "city": "Copenhagen", "country_code": "dk"}.items() <= location["address"].items()
    assert "sales_channels" not in location
    path = f"{LOCATIONS}/{location['id']}"
    changed = (await merchant.post(path, {"address": {"address_1": "Quay 8", "country_code": "dk"}, "metadata": None}))["stock_location"]
    assert (changed["address"]["address_1"], changed["address"]["city"], changed["metadata"]) == ("Quay 8", "Copenhagen", None)
    assert changed["address"]["id"] == location["address"]["id"]
    for wanted in ({"name": location["name"]}, {"address_id": location["address"]["id"]}, {"id": location["id"]}):
        page = await merchant.get(LOCATIONS, **wanted)
        assert ([row["id"] for row in page["stock_locations"]], page["limit"]) == ([location["id"]], 20)
    assert await merchant.delete(path) == {"id": location["id"], "object": "stock_location", "deleted": True}
    for method, change in (("GET", None), ("POST", {"name": "x"})):
        gone = await merchant.refused(method, path, change)
        assert gone == (404, "not_found", f"StockLocation with id: {location['id']} was not found")


async def test_a_location_is_sold_from_and_sent_from(merchant: Merchant, shop: Shop) -> None:
    id, other = await merchant.location(), await merchant.location()
    (channel,) = await shop.host.modules.sales_channel.create("sales_channel", [{"name": f"Web {ulid()}"}])
    path = f"{LOCATIONS}/{id}/sales-channels"
    linked = (await merchant.post(path, {"add": [channel["id"]]}, fields="sales_channels.name"))["stock_location"]
    assert [row["name"] for row in linked["sales_channels"]] == [channel["name"]]
    assert [row["id"] for row in (await merchant.get(LOCATIONS, sales_channel_id=channel["id"]))["stock_locations"]] == [id]
    assert (await merchant.refused("POST", path, {"add": ["sc_none"], "remove": [channel["id"]]}))[0] == 404
    assert (await merchant.get(LOCATIONS, sales_channel_id=channel["id"]))["count"] == 1, "a refused request changes nothing"
    assert (await merchant.refused("POST", f"{LOCATIONS}/sloc_none/sales-channels", {"add": [channel["id"]]}))[0] == 404
    await merchant.post(path, {"remove": [channel["id"]]})
    assert (await merchant.get(LOCATIONS, sales_channel_id=channel["id"]))["count"] == 0

    path = f"{LOCATIONS}/{id}/fulfillment-providers"
    sent = (await merchant.post(path, {"add": ["manual_manual"]}, fields="*fulfillment_providers"))["stock_location"]
    assert [row["id"] for row in sent["fulfillment_providers"]] == ["manual_manual"]
    assert (await merchant.get("/admin/fulfillment-providers", stock_location_id=id))["count"] == 1
    assert (await merchant.get("/admin/fulfillment-providers", stock_location_id=other))["count"] == 0
    assert (await merchant.refused("POST", path, {"add": ["dhl_dhl"]}))[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (LOCATIONS, {"name": None}, "Expected type: 'string' for field 'name', got: 'null'"),
        (LOCATIONS, {"name": "x", "address": {"address_1": "x"}}, "Field 'address, country_code' is required"),
        (f"{LOCATIONS}/x/fulfillment-sets", {"name": "x"}, "Field 'type' is required"),
        (f"{SETS}/x/service-zones", {"name": "x", "geo_zones": [{"type": "country"}]}, "Field 'geo_zones, 0, country_code' is required"),
        (PROFILES, {"name": "x"}, "Field 'type' is required"),
        (TYPES, {"label": "x", "code": "x", "description": None}, "Expected type: 'string' for field 'description', got: 'null'"),
    ],
)
async def test_wrong_bodies_are_refused(merchant: Merchant, path: str, body: object, message: str) -> None:
    assert await merchant.refused("POST", path, body) == (400, "invalid_data", f"Invalid request: {message}")


# -- fulfillment sets and zones


async def test_zones_of_a_set(merchant: Merchant) -> None:
    location = await merchant.location()
    set_id = await set_at(merchant, location)
    assert (await merchant.refused("POST", f"{LOCATIONS}/sloc_none/fulfillment-sets", {"name": ulid(), "type": "pickup"}))[0] == 404
    path = f"{SETS}/{set_id}/service-zones"
    places = [
        {"type": "country", "country_code": "DK"},
        {"type": "province", "country_code": "us", "province_code": "us-ca"},
        {"type": "city", "country_code": "se", "province_code": "m", "city": "Malmö"},
        {"type": "zip", "country_code": "de", "province_code": "sh", "city": "Kiel", "postal_expression": {"prefix": "24"}},
    ]
    made = (await merchant.post(path, {"name": f"North {ulid()}", "geo_zones": places}))["fulfillment_set"]
    (zone,) = made["service_zones"]
    assert sorted(place["country_code"] for place in zone["geo_zones"]) == ["de", "dk", "se", "us"]

    one = f"{path}/{zone['id']}"
    assert (await merchant.get(one))["service_zone"]["name"] == zone["name"]
    kept = next(place for place in zone["geo_zones"] if place["country_code"] == "dk")
    change = {"name": None, "geo_zones": [{"id": kept["id"], "type": "country", "country_code": "no"}, places[1]]}
    (zone,) = (await merchant.post(one, change))["fulfillment_set"]["service_zones"]
    assert sorted(place["country_code"] for place in zone["geo_zones"]) == ["no", "us"]
    assert kept["id"] in {place["id"] for place in zone["geo_zones"]}

    bad = {"name": "Renamed", "geo_zones": [{"id": "fgz_none", "type": "country", "country_code": "no"}]}
    assert (await merchant.refused("POST", one, bad))[0] == 404
    assert (await merchant.get(one))["service_zone"]["name"] == zone["name"]
    stranger = await set_at(merchant, location)
    for method, body in (("GET", None), ("POST", {"name": "x"}), ("DELETE", None)):
        foreign = await merchant.refused(method, f"{SETS}/{stranger}/service-zones/{zone['id']}", body)
        assert foreign == (404, "not_found", f"Service zone with id: {zone['id']} was not found")
    gone = await merchant.delete(one)
    assert (gone["id"], gone["object"], gone["deleted"]) == (zone["id"], "service_zone", True)
    assert (gone["parent"]["id"], gone["parent"]["service_zones"]) == (set_id, [])
    assert (await merchant.refused("POST", f"{SETS}/fuset_none/service-zones", {"name": "x"}))[0] == 404
    assert await merchant.delete(f"{SETS}/{set_id}") == {"id": set_id, "object": "fulfillment_set", "deleted": True}
    left = (await merchant.get(f"{LOCATIONS}/{location}", fields="fulfillment_sets.id"))["stock_location"]["fulfillment_sets"]
    assert [row["id"] for row in left] == [stranger]


# -- profiles and types


async def test_profiles_and_types_come_and_go(merchant: Merchant) -> None:
    name = f"Bulky {ulid()}"
    made = (await merchant.post(PROFILES, {"name": name, "type": "custom", "metadata": {"a": 1}}))["shipping_profile"]
    assert (await merchant.refused("POST", PROFILES, {"name": name, "type": "custom"}))[:2] == (400, "invalid_data")
    assert [row["id"] for row in (await merchant.get(PROFILES, type="custom", name=name))["shipping_profiles"]] == [made["id"]]
    path = f"{PROFILES}/{made['id']}"
    assert (await merchant.post(path, {"metadata": None}))["shipping_profile"]["metadata"] is None
    assert await merchant.delete(path) == {"id": made["id"], "object": "shipping_profile", "deleted": True}
    assert (await merchant.refused("GET", path))[0] == 404

    code = ulid()
    kind = (await merchant.post(TYPES, {"label": "Express", "code": code}))["shipping_option_type"]
    path = f"{TYPES}/{kind['id']}"
    assert (await merchant.post(path, {"description": "Fast"}))["shipping_option_type"]["description"] == "Fast"
    page = await merchant.get(TYPES, code=code)
    assert ([row["id"] for row in page["shipping_option_types"]], page["limit"]) == ([kind["id"]], 10)
    assert await merchant.delete(path) == {"id": kind["id"], "object": "shipping_option_type", "deleted": True}
    assert (await merchant.refused("POST", path, {"label": "x"}))[0] == 404


async def test_what_options_use_cannot_go(merchant: Merchant) -> None:
    body = await standard(merchant)
    option = (await merchant.post(OPTIONS, body))["shipping_option"]
    assert (await merchant.refused("DELETE", f"{PROFILES}/{body['shipping_profile_id']}"))[:2] == (400, "invalid_data")
    assert (await merchant.refused("DELETE", f"{TYPES}/{option['type']['id']}"))[:2] == (400, "invalid_data")


# -- options


async def test_an_option_has_prices_rules_and_a_type(merchant: Merchant, shop: Shop) -> None:
    (region,) = await shop.host.modules.region.create("region", [{"name": ulid(), "currency_code": "eur"}])
    body = await standard(merchant)
    body["prices"].append(
        {"region_id": region["id"], "amount": 9, "rules": [{"attribute": "item_total", "operator": "gte", "value": 100, "x": 1}]}
    )
    option = (await merchant.post(OPTIONS, body))["shipping_option"]
    assert {name: option[name] for name in ("name", "price_type", "provider_id", "data", "metadata")} == {
        **{name: body[name] for name in ("name", "price_type", "provider_id")},
        "data": None,
        "metadata": None,
    }
    assert option["type"]["code"] == "standard"
    assert option["service_zone"]["id"] == body["service_zone_id"]
    assert option["shipping_profile"]["id"] == body["shipping_profile_id"]
    assert option["provider"]["id"] == "manual_manual"
    assert {rule["attribute"]: rule["value"] for rule in option["rules"]} == {"enabled_in_store": "true", "is_return": "false"}
    assert sorted((price["currency_code"], price["amount"]) for price in option["prices"]) == [("eur", 9), ("eur", 10), ("usd", 12.5)]
    (cheap,) = [price for price in option["prices"] if price["amount"] == 9]
    assert {(rule["attribute"], rule["operator"], rule["value"]) for rule in cheap["price_rules"]} == {
        ("region_id", "eq", region["id"]),
        ("item_total", "gte", "100"),
    }

    path = f"{OPTIONS}/{option['id']}"
    euro = next(price["id"] for price in option["prices"] if price["amount"] == 10)
    change = {
        "prices": [{"id": euro, "amount": 11}, {"region_id": region["id"], "amount": 8}],
        "rules": [{"id": option["rules"][0]["id"], **body["rules"][0]}],
        "type": {"label": "Other", "code": "other"},
        "data": {"id": "manual-fulfillment"},
    }
    changed = (await merchant.post(path, change))["shipping_option"]
    assert {(price["id"] == euro, price["amount"]) for price in changed["prices"]} == {(True, 11), (False, 8)}
    assert [rule["id"] for rule in changed["rules"]] == [option["rules"][0]["id"]]
    assert (changed["type"]["code"], changed["data"]) == ("other", {"id": "manual-fulfillment"})

    assert await merchant.delete(path) == {"id": option["id"], "object": "shipping_option", "deleted": True}
    assert (await merchant.refused("GET", path))[:2] == (404, "not_found")
    assert (await merchant.refused("POST", path, {"name": "x"}))[:2] == (404, "not_found")
    assert await shop.host.modules.pricing.count("price", {"id": euro}) == 0


async def test_options_are_found_by_what_they_are_for(merchant: Merchant) -> None:
    location = await merchant.location()
    await merchant.post(f"{LOCATIONS}/{location}/fulfillment-providers", {"add": ["manual_manual"]})
    zone = await zone_of(merchant, await set_at(merchant, location))
    shop_only = await standard(merchant, zone)
    back = {**await standard(merchant, zone), "rules": [{"attribute": "is_return", "operator": "eq", "value": "true"}]}
    hidden = {**await standard(merchant, zone), "rules": [{"attribute": "enabled_in_store", "operator": "eq", "value": "false"}]}
    ids = [(await merchant.post(OPTIONS, body))["shipping_option"]["id"] for body in (shop_only, back, hidden)]
    for wanted, found in (
        ({}, ids),
        ({"is_return": "true"}, ids[1:2]),
        ({"is_return": "false"}, [ids[0], ids[2]]),
        ({"admin_only": "true"}, ids[2:]),
        ({"admin_only": "false", "is_return": "false"}, ids[:1]),
        ({"shipping_profile_id": back["shipping_profile_id"]}, ids[1:2]),
        ({"service_zone_id": zone, "provider_id": "manual_manual", "q": shop_only["name"]}, ids[:1]),
    ):
        page = await merchant.get(OPTIONS, stock_location_id=location, **wanted)
        assert ([row["id"] for row in page["shipping_options"]], page["count"]) == (found, len(found)), wanted
    assert (await merchant.get(OPTIONS, stock_location_id="sloc_none"))["count"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": None}, "Expected type: 'object' for field 'type', got: 'null'"),
        ({"type_id": "sotype_1"}, "Only one of 'type' and 'type_id' can be given"),
        ({"price_type": "free"}, "Expected: 'calculated, flat' for field 'price_type', but got: 'free'"),
        ({"prices": [{"currency_code": "eur"}]}, "Field 'prices, 0, amount' is required"),
        ({"rules": [{"attribute": "a", "operator": "like", "value": "b"}]}, None),
        ({"metadata": None}, "Expected type: 'object' for field 'metadata', got: 'null'"),
        ({"colour": "red"}, "Unrecognized fields: 'colour'"),
    ],
)
async def test_a_wrong_option_is_refused(merchant: Merchant, change: dict[str, Any], message: str | None) -> None:
    body = {
        "name": "Standard", "price_type": "flat", "provider_id": "manual_manual", "service_zone_id": "x", "shipping_profile_id": "x",
        "type": {"label": "Standard", "code": "standard"}, "prices": [],
    }  # fmt: skip
    refused = await merchant.refused("POST", OPTIONS, {**body, **change})
    assert refused[:2] == (400, "invalid_data")
    assert message is None or refused[2] == f"Invalid request: {message}"


async def test_an_option_is_all_or_nothing(merchant: Merchant, shop: Shop) -> None:
    body = await standard(merchant)
    counted = (("fulfillment", "shipping_option"), ("fulfillment", "shipping_option_type"), ("pricing", "price_set"), ("pricing", "price"))

    async def counts() -> list[int]:
        return [await getattr(shop.host.modules, module).count(entity) for module, entity in counted]

    before = await counts()
    for status, change in (
        (404, {"service_zone_id": "serzo_none"}),
        (404, {"shipping_profile_id": "sp_none"}),
        (400, {"provider_id": "dhl_dhl"}),
        (400, {"prices": [{"region_id": "reg_none", "amount": 1}]}),
        (400, {"price_type": "calculated", "prices": []}),
        (400, {"rules": [{"attribute": "a", "operator": "eq", "value": ["b", "c"]}]}),
    ):
        assert (await merchant.refused("POST", OPTIONS, {**body, **change}))[0] == status, change
    without_type = {name: value for name, value in body.items() if name != "type"}
    assert (await merchant.refused("POST", OPTIONS, {**without_type, "type_id": "sotype_none"}))[0] == 404
    assert (await merchant.refused("POST", OPTIONS, without_type))[2] == "Invalid request: One of 'type' and 'type_id' is required"
    assert await counts() == before


async def test_rules_of_an_option_in_a_batch(merchant: Merchant) -> None:
    option = (await merchant.post(OPTIONS, await standard(merchant)))["shipping_option"]
    path = f"{OPTIONS}/{option['id']}/rules/batch"
    first, second = option["rules"]
    groups = {"attribute": "customer.groups.id", "operator": "in", "value": ["cusgroup_1", "cusgroup_2"]}
    update = {"id": first["id"], "attribute": "enabled_in_store", "operator": "eq", "value": "false"}
    done = await merchant.post(path, {"create": [groups], "update": [update], "delete": [second["id"]]})
    assert groups.items() <= done["created"][0].items()
    assert update.items() <= done["updated"][0].items()
    assert done["deleted"] == {"ids": [second["id"]], "object": "shipping_option_rule", "deleted": True}

    other = (await merchant.post(OPTIONS, await standard(merchant)))["shipping_option"]
    for status, bad in (
        (404, {"update": [{**update, "id": other["rules"][0]["id"]}]}),
        (404, {"delete": [other["rules"][0]["id"]]}),
        (400, {"update": [{**update, "operator": "in"}]}),
    ):
        assert (await merchant.refused("POST", path, {"create": [groups], **bad}))[0] == status, bad
    assert len((await merchant.get(f"{OPTIONS}/{option['id']}"))["shipping_option"]["rules"]) == 2
    assert (await merchant.refused("POST", f"{OPTIONS}/so_none/rules/batch", {"create": [groups]}))[0] == 404


async def test_what_belongs_to_a_place_goes_with_it(merchant: Merchant, shop: Shop) -> None:
    location = await merchant.location()
    await merchant.post(f"{LOCATIONS}/{location}/fulfillment-providers", {"add": ["manual_manual"]})
    fulfillment_set = await set_at(merchant, location)
    by_zone, by_set = await zone_of(merchant, fulfillment_set), await zone_of(merchant, fulfillment_set)
    options = [(await merchant.post(OPTIONS, await standard(merchant, zone)))["shipping_option"] for zone in (by_zone, by_set)]
    await merchant.delete(f"{SETS}/{fulfillment_set}/service-zones/{by_zone}")
    assert [(await merchant.client("GET", f"{OPTIONS}/{option['id']}")).status for option in options] == [404, 200]
    await merchant.delete(f"{LOCATIONS}/{location}")
    assert (await merchant.refused("GET", f"{OPTIONS}/{options[1]['id']}"))[0] == 404
    prices = [price["id"] for option in options for price in option["prices"]]
    assert await shop.host.modules.pricing.count("price", {"id": prices}) == 0


async def test_profiles_and_providers_are_found_by_what_they_are_called(merchant: Merchant) -> None:
    name = f"Bulky goods {ulid()}"
    made = (await merchant.post(PROFILES, {"name": name, "type": "bulky"}))["shipping_profile"]["id"]
    found = await merchant.get(PROFILES, name=name)
    assert ([row["id"] for row in found["shipping_profiles"]], found["count"]) == ([made], 1)
    for q, ids in (("Manual", ["manual_manual"]), ("teleport", [])):
        providers = (await merchant.get("/admin/fulfillment-providers", q=q))["fulfillment_providers"]
        assert [row["id"] for row in providers] == ids
