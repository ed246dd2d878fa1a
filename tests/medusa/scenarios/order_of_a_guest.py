"""A guest's purchase where prices have no tax in them: two shipping profiles, promotions, and what is missing on the way."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("at", "eur", rate=20)
    cup = await api.goods(shop, "Cup", {"S": 10.5, "L": 20})
    profile = (await api.admin("POST", "/shipping-profiles", {"name": api.fresh("heavy"), "type": "heavy"}))["shipping_profile"]["id"]
    heavy = await api.goods(shop, "Anvil", {"one": 99}, stock=5, shipping_profile_id=profile)
    truck = (
        await api.quiet(
            "POST",
            "/admin/shipping-options",
            {
                "name": "Truck",
                "price_type": "flat",
                "provider_id": "manual_manual",
                "service_zone_id": shop.zone,
                "shipping_profile_id": profile,
                "type": {"label": "Truck", "description": "Truck", "code": api.fresh("truck")},
                "prices": [{"currency_code": "eur", "amount": 40}],
                "rules": [
                    {"attribute": "enabled_in_store", "value": "true", "operator": "eq"},
                    {"attribute": "is_return", "value": "false", "operator": "eq"},
                ],
            },
        )
    )["shipping_option"]["id"]
    code = api.fresh("TEN").upper()
    await api.quiet(
        "POST",
        "/admin/promotions",
        {
            "code": code,
            "type": "standard",
            "status": "active",
            "application_method": {"type": "percentage", "target_type": "order", "value": 10},
        },
    )
    id = (
        await api.store(
            "POST",
            "/carts",
            {"region_id": shop.region, "items": [{"variant_id": cup["S"], "quantity": 3}, {"variant_id": heavy["one"], "quantity": 1}]},
        )
    )["cart"]["id"]
    await api.store("POST", f"/carts/{id}/complete", {})
    await api.store("POST", f"/carts/{id}/promotions", {"promo_codes": [code]})
    await api.store(
        "POST",
        f"/carts/{id}",
        {
            "email": api.fresh("gus") + "@example.com",
            "shipping_address": {
                "first_name": "Gus",
                "last_name": "G",
                "address_1": "Ring 1",
                "city": "Wien",
                "postal_code": "1010",
                "country_code": "at",
                "phone": "1",
            },
            "billing_address": {
                "first_name": "Gus",
                "last_name": "G",
                "address_1": "Ring 1",
                "city": "Wien",
                "postal_code": "1010",
                "country_code": "at",
            },
        },
    )
    await api.store("GET", f"/shipping-options?cart_id={id}")
    await api.store("POST", f"/carts/{id}/shipping-methods", {"option_id": "so_unknown"})
    await api.store("POST", f"/carts/{id}/shipping-methods", {"option_id": shop.ship, "data": {"floor": 2}})
    await api.store("POST", f"/carts/{id}/complete", {})
    await api.store("POST", "/payment-collections", {"cart_id": "cart_unknown"})
    collection = (await api.store("POST", "/payment-collections", {"cart_id": id}))["payment_collection"]["id"]
    await api.store("POST", f"/carts/{id}/shipping-methods", {"option_id": truck})
    await api.store("GET", f"/carts/{id}?fields=total,shipping_methods.name,shipping_methods.amount,payment_collection.amount")
    await api.quiet("POST", f"/store/carts/{id}/shipping-methods", {"option_id": shop.ship})
    await api.store("POST", f"/payment-collections/{collection}/payment-sessions", {"provider_id": "pp_unknown"})
    await api.store("POST", "/payment-collections/paycol_unknown/payment-sessions", {"provider_id": "pp_system_default"})
    await api.store("POST", f"/payment-collections/{collection}/payment-sessions", {"provider_id": "pp_system_default", "data": {"a": 1}})
    await api.store("GET", f"/payment-providers?region_id={shop.region}")
    await api.store("GET", "/payment-providers")
    await api.store("GET", f"/carts/{id}")
