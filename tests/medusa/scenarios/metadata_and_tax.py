"""Metadata by keys, a tax-inclusive percentage, a cart that moves to another region."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    product = (
        await api.admin(
            "POST",
            "/products",
            {
                "title": api.fresh("Mug"),
                "status": "published",
                "options": [{"title": "Size", "values": ["S", "M"]}],
                "metadata": {"a": 1, "b": "x"},
                "sales_channels": [{"id": api.channel}],
                "variants": [
                    {
                        "title": "S",
                        "options": {"Size": "S"},
                        "manage_inventory": False,
                        "prices": [{"currency_code": "eur", "amount": 6.3}, {"currency_code": "usd", "amount": 7}],
                    }
                ],
            },
        )
    )["product"]
    await api.admin("POST", f"/products/{product['id']}", {"metadata": {"b": "", "c": [1]}})
    used = {c["iso_2"] for r in (await api.admin("GET", "/regions?limit=100&fields=id,*countries"))["regions"] for c in r["countries"]}
    free = [c for c in ("dk", "se", "no", "fi", "at", "be", "ee", "lv", "lt", "lu", "mt", "pt", "sk", "si") if c not in used][:2]
    eur = (
        await api.admin(
            "POST",
            "/regions",
            {
                "name": "E",
                "currency_code": "eur",
                "countries": free[:1],
                "is_tax_inclusive": True,
                "payment_providers": ["pp_system_default"],
            },
        )
    )["region"]
    usd = (
        await api.admin(
            "POST",
            "/regions",
            {
                "name": "U",
                "currency_code": "usd",
                "countries": free[1:],
                "automatic_taxes": False,
                "payment_providers": ["pp_system_default"],
            },
        )
    )["region"]
    await api.admin(
        "POST",
        "/tax-regions",
        {"country_code": free[0], "provider_id": "tp_system", "default_tax_rate": {"name": "VAT", "code": "v", "rate": 20}},
    )
    code = api.fresh("TEN").upper()
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": code,
            "type": "standard",
            "status": "active",
            "application_method": {"type": "percentage", "target_type": "items", "allocation": "each", "max_quantity": 100, "value": 10},
        },
    )
    cart = (
        await api.store("POST", "/carts", {"region_id": eur["id"], "shipping_address": {"country_code": free[0]}, "metadata": {"k": 1}})
    )["cart"]
    await api.store(
        "POST", f"/carts/{cart['id']}/line-items", {"variant_id": product["variants"][0]["id"], "quantity": 3, "metadata": {"note": "x"}}
    )
    await api.store("POST", f"/carts/{cart['id']}/promotions", {"promo_codes": [code]})
    await api.store("POST", f"/carts/{cart['id']}", {"metadata": {"k": "", "l": 2}})
    await api.store("POST", f"/carts/{cart['id']}", {"region_id": usd["id"]})
