"""Shipping options: free from a sum on, by rules, of two profiles, two methods in one cart, returns left out on the store."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("fi", "eur", rate=24)
    cold = (await api.admin("POST", "/shipping-profiles", {"name": api.fresh("cold"), "type": "cold"}))["shipping_profile"]["id"]
    await api.admin("POST", "/shipping-profiles", {"name": api.fresh("cold"), "type": "cold"})
    ice, mug = await api.goods(shop, "Ice", {"one": 30}, shipping_profile_id=cold), await api.goods(shop, "Mug", {"one": 12})
    enabled = [
        {"attribute": "enabled_in_store", "value": "true", "operator": "eq"},
        {"attribute": "is_return", "value": "false", "operator": "eq"},
    ]
    kind = (await api.admin("POST", "/shipping-option-types", {"label": "Van", "code": api.fresh("van"), "description": "by van"}))[
        "shipping_option_type"
    ]["id"]
    free = (
        await api.admin(
            "POST",
            "/shipping-options",
            {
                "name": "Free from 50",
                "price_type": "flat",
                "provider_id": "manual_manual",
                "service_zone_id": shop.zone,
                "shipping_profile_id": shop.profile,
                "type_id": kind,
                "rules": enabled,
                "prices": [
                    {"currency_code": "eur", "amount": 9},
                    {"currency_code": "eur", "amount": 0, "rules": [{"attribute": "item_total", "operator": "gte", "value": 50}]},
                    {"region_id": shop.region, "amount": 8},
                ],
            },
        )
    )["shipping_option"]
    van = (
        await api.admin(
            "POST",
            "/shipping-options",
            {
                "name": "Cold van",
                "price_type": "flat",
                "provider_id": "manual_manual",
                "service_zone_id": shop.zone,
                "shipping_profile_id": cold,
                "type": {"label": "Cold", "code": api.fresh("cold"), "description": "cold"},
                "prices": [{"currency_code": "eur", "amount": 15}],
                "rules": enabled,
            },
        )
    )["shipping_option"]
    await api.admin(
        "POST",
        "/shipping-options",
        {
            "name": "no price type",
            "provider_id": "manual_manual",
            "service_zone_id": shop.zone,
            "shipping_profile_id": cold,
            "type_id": kind,
            "prices": [],
        },
    )
    cart = (
        await api.store(
            "POST",
            "/carts",
            {"region_id": shop.region, "shipping_address": {"country_code": "fi"}, "items": [{"variant_id": mug["one"], "quantity": 1}]},
        )
    )["cart"]["id"]
    await api.store("GET", f"/shipping-options?cart_id={cart}&fields=name,amount,price_type,provider_id,*type")
    await api.store("POST", f"/carts/{cart}/shipping-methods", {"option_id": free["id"], "data": {"door": "blue"}})
    line = (await api.store("POST", f"/carts/{cart}/line-items", {"variant_id": mug["one"], "quantity": 4}))["cart"]["items"][0]["id"]
    await api.store("GET", f"/shipping-options?cart_id={cart}&fields=name,amount")
    await api.store("POST", f"/carts/{cart}/line-items", {"variant_id": ice["one"], "quantity": 1})
    await api.store("POST", f"/carts/{cart}/shipping-methods", {"option_id": van["id"]})
    await api.store("POST", f"/carts/{cart}/shipping-methods", {"option_id": shop.ship})  # takes the place of the one of its profile
    await api.store("POST", f"/carts/{cart}/shipping-methods", {"option_id": shop.back})
    await api.store("DELETE", f"/carts/{cart}/line-items/{line}")
    await api.store("GET", f"/carts/{cart}?fields=id,total,shipping_total,*shipping_methods,*items")
    rule = next(r["id"] for r in free["rules"] if r["attribute"] == "enabled_in_store")
    await api.admin(
        "POST",
        f"/shipping-options/{free['id']}/rules/batch",
        {"update": [{"id": rule, "attribute": "enabled_in_store", "operator": "eq", "value": "false"}]},
    )
    await api.store("GET", f"/shipping-options?cart_id={cart}&fields=name,amount")
    await api.admin("POST", f"/shipping-options/{free['id']}", {"name": "Free from 40", "prices": [{"currency_code": "eur", "amount": 7}]})
    await api.admin(
        "GET", f"/shipping-options/{free['id']}?fields=name,*prices,*prices.price_rules,*rules,*type,*shipping_profile,service_zone.name"
    )
    await api.admin("GET", f"/shipping-options?service_zone_id={shop.zone}&order=name&fields=name,price_type")
    await api.admin("DELETE", f"/shipping-options/{van['id']}")
    await api.admin("DELETE", f"/shipping-profiles/{cold}")
    await api.admin(
        "GET",
        f"/stock-locations/{shop.location}?fields=name,*address,*fulfillment_sets,*fulfillment_sets.service_zones,*fulfillment_sets.service_zones.geo_zones,*fulfillment_providers",
    )
