"""Tax regions, rates and their rules as an admin keeps them."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    word = api.fresh
    shop = await api.shop("ca", "cad", rate=5)
    cup = await api.goods(shop, "Cup", {"S": 10})
    await api.admin("GET", "/tax-providers")
    await api.admin("GET", "/tax-regions")
    us = (
        await api.admin(
            "POST",
            "/tax-regions",
            {
                "country_code": "US",
                "provider_id": "tp_system",
                "default_tax_rate": {"name": word("US"), "code": "us", "rate": 1.5, "is_combinable": True, "metadata": {"a": 1}},
                "metadata": {"b": 2},
            },
        )
    )["tax_region"]["id"]
    await api.admin("POST", "/tax-regions", {"country_code": "us", "provider_id": "tp_system"})
    await api.admin("POST", "/tax-regions", {"country_code": "mx", "provider_id": "tp_unknown"})
    await api.admin("POST", "/tax-regions", {"country_code": "xx", "provider_id": "tp_system"})
    await api.admin("POST", "/tax-regions", {"provider_id": "tp_system"})
    await api.admin("POST", "/tax-regions", {"country_code": "mx"})
    await api.admin("POST", "/tax-regions", {"country_code": "us", "province_code": "us-ca"})
    ca = (
        await api.admin(
            "POST",
            "/tax-regions",
            {
                "country_code": "us",
                "province_code": "US-CA",
                "parent_id": us,
                "default_tax_rate": {"name": word("CA"), "code": "ca", "rate": 7.25},
            },
        )
    )["tax_region"]["id"]
    await api.admin("POST", "/tax-regions", {"country_code": "us", "province_code": "us-ca", "parent_id": us})
    await api.admin("POST", "/tax-regions", {"country_code": "mx", "province_code": "mx-x", "parent_id": us})
    await api.admin("POST", "/tax-regions", {"country_code": "us", "province_code": "us-ny", "parent_id": "txreg_unknown"})
    await api.admin("GET", f"/tax-regions/{us}")
    await api.admin("GET", f"/tax-regions/{ca}")
    await api.admin("GET", f"/tax-regions/{us}?fields=country_code,*children,*tax_rates")
    await api.admin("GET", f"/tax-regions/{ca}?fields=province_code,*parent")
    await api.admin("GET", f"/tax-regions?parent_id={us}&fields=province_code,country_code")
    await api.admin("GET", "/tax-regions?country_code=us&province_code=us-ca&fields=id,province_code")
    await api.admin("POST", f"/tax-regions/{ca}", {"province_code": "US-NV", "metadata": {"c": 3}})
    await api.admin("POST", f"/tax-regions/{us}", {"provider_id": "tp_unknown"})
    await api.admin("POST", "/tax-regions/txreg_unknown", {"province_code": "x"})
    rate = (
        await api.admin(
            "POST",
            "/tax-rates",
            {
                "tax_region_id": ca,
                "name": word("Reduced"),
                "code": "red",
                "rate": 2,
                "rules": [{"reference": "product", "reference_id": cup["product"]}],
            },
        )
    )["tax_rate"]["id"]
    await api.admin("POST", "/tax-rates", {"tax_region_id": ca, "name": word("Default"), "code": "def", "rate": 3, "is_default": True})
    await api.admin("POST", "/tax-rates", {"tax_region_id": "txreg_unknown", "name": "x", "code": "x", "rate": 3})
    await api.admin("POST", "/tax-rates", {"tax_region_id": ca, "code": "x", "rate": 3})
    await api.admin("POST", "/tax-rates", {"tax_region_id": ca, "name": "x", "rate": 3})
    await api.admin("POST", "/tax-rates", {"tax_region_id": ca, "name": "x", "code": "y"})
    await api.admin("POST", "/tax-rates", {"tax_region_id": ca, "name": "x", "code": "y", "rate": "3"})
    await api.admin("GET", f"/tax-rates/{rate}")
    await api.admin("GET", "/tax-rates/txr_unknown")
    await api.admin(
        "GET", f"/tax-rates?tax_region_id={ca}&order=name&fields=name,code,rate,is_default,is_combinable,rules.reference,rules.reference_id"
    )
    await api.admin("GET", f"/tax-rates?q=Reduced-{api.word}")
    await api.admin("POST", f"/tax-rates/{rate}", {"name": word("Lower"), "rate": 1, "is_combinable": True})
    await api.admin("POST", f"/tax-rates/{rate}", {"rules": [{"reference": "product_type", "reference_id": "ptyp_x"}]})
    await api.admin("POST", f"/tax-rates/{rate}", {"rules": []})
    rules = (await api.admin("POST", f"/tax-rates/{rate}/rules", {"reference": "shipping_option", "reference_id": shop.ship}))["tax_rate"][
        "rules"
    ]
    await api.admin("POST", f"/tax-rates/{rate}/rules", {"reference": "shipping_option", "reference_id": shop.ship})
    await api.admin("POST", "/tax-rates/txr_unknown/rules", {"reference": "product", "reference_id": "x"})
    await api.admin("POST", f"/tax-rates/{rate}/rules", {"reference": "product"})
    await api.admin("DELETE", f"/tax-rates/{rate}/rules/{rules[0]['id']}")
    await api.admin("DELETE", f"/tax-rates/{rate}/rules/{rules[0]['id']}")
    await api.admin("DELETE", f"/tax-rates/{rate}")
    await api.admin("DELETE", f"/tax-rates/{rate}")
    await api.admin("DELETE", f"/tax-regions/{us}")
    await api.admin("GET", "/tax-regions?country_code=us&fields=id")
    await api.admin("DELETE", f"/tax-regions/{us}")
    await api.admin("GET", f"/tax-rates?tax_region_id={ca}&fields=name")
