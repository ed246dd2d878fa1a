"""Stock locations with fulfilment sets, service zones and their places, shipping profiles, types and options with prices and rules."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    word = api.fresh
    shop = await api.shop("fi", "eur", rate=24)
    await api.admin("GET", "/fulfillment-providers")
    await api.admin("GET", "/fulfillment-providers/manual_manual/options")
    await api.admin("GET", "/fulfillment-providers/unknown/options")
    home = (
        await api.admin(
            "POST",
            "/stock-locations",
            {"name": word("Home"), "address": {"address_1": "Dock 2", "country_code": "FI", "city": "Turku"}, "metadata": {"a": 1}},
        )
    )["stock_location"]["id"]
    await api.admin("POST", "/stock-locations", {"name": word("Bad"), "address": {"address_1": "Dock 2"}})
    await api.admin("POST", "/stock-locations", {})
    await api.admin("GET", f"/stock-locations/{home}")
    await api.admin("GET", "/stock-locations/sloc_unknown")
    await api.admin("GET", f"/stock-locations/{home}?fields=name,*address,*sales_channels,*fulfillment_sets,*fulfillment_providers")
    await api.admin("GET", f"/stock-locations?q=Home-{api.word}&fields=name,address.city")
    await api.admin("POST", f"/stock-locations/{home}", {"name": word("Harbour"), "address": {"address_1": "Dock 3", "country_code": "fi"}})
    await api.admin("POST", f"/stock-locations/{home}/sales-channels", {"add": [api.channel]})
    await api.admin("POST", f"/stock-locations/{home}/sales-channels", {"add": ["sc_unknown"]})
    await api.admin("POST", f"/stock-locations/{home}/fulfillment-providers", {"add": ["manual_manual"]})
    await api.admin("POST", f"/stock-locations/{home}/fulfillment-providers", {"add": ["unknown"]})
    fset = (
        await api.admin(
            "POST", f"/stock-locations/{home}/fulfillment-sets?fields=*fulfillment_sets", {"name": word("Set"), "type": "shipping"}
        )
    )["stock_location"]["fulfillment_sets"][0]["id"]
    await api.admin("POST", f"/stock-locations/{home}/fulfillment-sets", {"name": word("Set"), "type": "pickup"})
    await api.admin("POST", f"/stock-locations/{home}/fulfillment-sets", {"name": word("x")})
    await api.admin("POST", "/stock-locations/sloc_unknown/fulfillment-sets", {"name": word("y"), "type": "pickup"})
    zone = (
        await api.admin(
            "POST",
            f"/fulfillment-sets/{fset}/service-zones",
            {
                "name": word("Zone"),
                "geo_zones": [
                    {"type": "country", "country_code": "fi"},
                    {"type": "province", "country_code": "se", "province_code": "se-ab"},
                    {"type": "city", "country_code": "no", "province_code": "no-03", "city": "Oslo"},
                    {"type": "zip", "country_code": "dk", "province_code": "dk-84", "city": "København", "postal_expression": {"a": "b"}},
                ],
            },
        )
    )["fulfillment_set"]["service_zones"][0]["id"]
    await api.admin("POST", f"/fulfillment-sets/{fset}/service-zones", {"name": word("Zone"), "geo_zones": []})
    await api.admin(
        "POST", f"/fulfillment-sets/{fset}/service-zones", {"name": word("Bad"), "geo_zones": [{"type": "province", "country_code": "se"}]}
    )
    await api.admin(
        "POST", f"/fulfillment-sets/{fset}/service-zones", {"name": word("Bad"), "geo_zones": [{"type": "moon", "country_code": "se"}]}
    )
    await api.admin("POST", "/fulfillment-sets/fuset_unknown/service-zones", {"name": word("z")})
    await api.admin("GET", f"/fulfillment-sets/{fset}/service-zones/{zone}")
    await api.admin("GET", f"/fulfillment-sets/{fset}/service-zones/serzo_unknown")
    await api.admin(
        "POST",
        f"/fulfillment-sets/{fset}/service-zones/{zone}",
        {"name": word("Wide"), "geo_zones": [{"type": "country", "country_code": "fi"}, {"type": "country", "country_code": "ee"}]},
    )
    profile = (await api.admin("POST", "/shipping-profiles", {"name": word("Cold"), "type": "cold", "metadata": {"a": 1}}))[
        "shipping_profile"
    ]["id"]
    await api.admin("POST", "/shipping-profiles", {"name": word("Cold"), "type": "cold"})
    await api.admin("POST", "/shipping-profiles", {"name": word("x")})
    await api.admin("GET", f"/shipping-profiles/{profile}")
    await api.admin("GET", "/shipping-profiles/sp_unknown")
    await api.admin("POST", f"/shipping-profiles/{profile}", {"name": word("Colder")})
    kind = (await api.admin("POST", "/shipping-option-types", {"label": word("Ice"), "code": word("ice"), "description": "on ice"}))[
        "shipping_option_type"
    ]["id"]
    await api.admin("POST", "/shipping-option-types", {"label": "x"})
    await api.admin("GET", f"/shipping-option-types/{kind}")
    await api.admin("GET", f"/shipping-option-types?q={api.word}&order=label")
    await api.admin("POST", f"/shipping-option-types/{kind}", {"description": "on more ice"})
    body = {
        "name": word("Ice"),
        "price_type": "flat",
        "provider_id": "manual_manual",
        "service_zone_id": zone,
        "shipping_profile_id": profile,
        "type_id": kind,
        "metadata": {"m": 1},
        "data": {"d": 1},
        "prices": [
            {"currency_code": "eur", "amount": 12},
            {"region_id": shop.region, "amount": 11},
            {"currency_code": "eur", "amount": 0, "rules": [{"attribute": "item_total", "operator": "gte", "value": 100}]},
        ],
        "rules": [
            {"attribute": "enabled_in_store", "value": "true", "operator": "eq"},
            {"attribute": "is_return", "value": "false", "operator": "eq"},
        ],
    }
    option = (await api.admin("POST", "/shipping-options", body))["shipping_option"]["id"]
    await api.admin("POST", "/shipping-options", {name: value for name, value in body.items() if name != "type_id"})
    await api.admin("POST", "/shipping-options", body | {"type": {"label": "a", "description": "b", "code": "c"}})
    await api.admin("POST", "/shipping-options", body | {"service_zone_id": "serzo_unknown"})
    await api.admin("POST", "/shipping-options", body | {"shipping_profile_id": "sp_unknown"})
    await api.admin("POST", "/shipping-options", body | {"provider_id": "unknown"})
    await api.admin("POST", "/shipping-options", body | {"price_type": "guessed"})
    await api.admin("POST", "/shipping-options", body | {"prices": [{"region_id": "reg_unknown", "amount": 1}]})
    await api.admin("POST", "/shipping-options", body | {"prices": [{"amount": 1}]})
    await api.admin("POST", "/shipping-options", body | {"price_type": "calculated"})
    await api.admin("POST", "/shipping-options", body | {"rules": [{"attribute": "x", "operator": "like", "value": "y"}]})
    await api.admin("GET", f"/shipping-options/{option}")
    await api.admin("GET", "/shipping-options/so_unknown")
    await api.admin(
        "GET", f"/shipping-options?service_zone_id={zone}&fields=name,price_type,*prices,*prices.price_rules,*rules,*type,*shipping_profile"
    )
    await api.admin("GET", f"/shipping-options?q=Ice-{api.word}&fields=name,*service_zone,*provider")
    await api.admin(
        "POST",
        f"/shipping-options/{option}",
        {
            "name": word("Icier"),
            "prices": [{"currency_code": "eur", "amount": 13}],
            "rules": [{"attribute": "enabled_in_store", "value": "false", "operator": "eq"}],
        },
    )
    await api.admin("POST", f"/shipping-options/{option}", {"shipping_profile_id": "sp_unknown"})
    await api.admin("POST", "/shipping-options/so_unknown", {"name": "x"})
    await api.admin(
        "POST", f"/shipping-options/{option}/rules/batch", {"create": [{"attribute": "weight", "operator": "gt", "value": "5"}]}
    )
    await api.admin(
        "POST", f"/shipping-options/{option}/rules/batch", {"create": [{"attribute": "weight", "operator": "like", "value": "5"}]}
    )
    await api.admin("DELETE", f"/shipping-profiles/{profile}")
    await api.admin("DELETE", f"/shipping-option-types/{kind}")
    await api.admin("DELETE", f"/shipping-options/{option}")
    await api.admin("DELETE", f"/shipping-options/{option}")
    await api.admin("DELETE", f"/shipping-profiles/{profile}")
    await api.admin("DELETE", f"/shipping-option-types/{kind}")
    await api.admin("DELETE", f"/fulfillment-sets/{fset}/service-zones/{zone}")
    await api.admin("DELETE", f"/fulfillment-sets/{fset}/service-zones/{zone}")
    await api.admin("DELETE", f"/fulfillment-sets/{fset}")
    await api.admin("DELETE", f"/fulfillment-sets/{fset}")
    await api.admin("GET", f"/stock-locations/{home}?fields=name,*fulfillment_sets")
    await api.admin("DELETE", f"/stock-locations/{home}")
    await api.admin("DELETE", f"/stock-locations/{home}")
