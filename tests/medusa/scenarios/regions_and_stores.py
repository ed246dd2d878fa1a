"""Regions with their countries and payment providers, currencies, and the store's own settings."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    word = api.fresh
    await api.admin("GET", "/currencies?code[]=eur&code[]=usd&order=code")
    await api.admin("GET", "/currencies/eur")
    await api.admin("GET", "/currencies/EUR")
    await api.admin("GET", "/currencies/xxx")
    await api.admin("GET", "/currencies?q=krone&fields=code,name")
    await api.store("GET", "/currencies?code=usd&fields=code,symbol")
    await api.store("GET", "/currencies/jpy")
    await api.store("GET", "/currencies/xxx")
    await api.admin("GET", "/regions")
    one = (
        (
            await api.admin(
                "POST",
                "/regions",
                {
                    "name": word("North"),
                    "currency_code": "SEK",
                    "countries": ["se", "NO"],
                    "payment_providers": ["pp_system_default"],
                    "metadata": {"a": 1},
                },
            )
        )
        .get("region", {})
        .get("id")
    )
    if one is None:
        one = (
            await api.admin(
                "POST",
                "/regions",
                {
                    "name": word("North"),
                    "currency_code": "sek",
                    "countries": ["se", "no"],
                    "payment_providers": ["pp_system_default"],
                    "metadata": {"a": 1},
                },
            )
        )["region"]["id"]
    await api.admin("POST", "/regions", {"name": word("Taken"), "currency_code": "sek", "countries": ["se"]})
    await api.admin("POST", "/regions", {"name": word("Nowhere"), "currency_code": "sek", "countries": ["xx"]})
    await api.admin("POST", "/regions", {"name": word("Pay"), "currency_code": "sek", "payment_providers": ["pp_unknown"]})
    await api.admin("POST", "/regions", {"name": word("Twice"), "currency_code": "sek", "countries": ["fi", "fi"]})
    await api.admin("POST", "/regions", {"currency_code": "sek"})
    await api.admin("POST", "/regions", {"name": word("x")})
    await api.admin("POST", "/regions", {"name": word("x"), "currency_code": "sek", "unknown": 1})
    await api.admin("GET", f"/regions/{one}")
    await api.admin("GET", f"/regions/{one}?fields=id,name,*payment_providers")
    await api.admin("GET", f"/regions/{one}?fields=name,countries.iso_2,is_tax_inclusive")
    await api.admin("GET", "/regions/reg_unknown")
    await api.admin(
        "POST", f"/regions/{one}", {"name": word("Norden"), "countries": ["se", "dk"], "is_tax_inclusive": True, "automatic_taxes": False}
    )
    await api.admin("POST", f"/regions/{one}", {"countries": []})
    await api.admin("POST", f"/regions/{one}", {"payment_providers": []})
    await api.admin("POST", f"/regions/{one}", {"currency_code": "dkk", "countries": ["dk"], "payment_providers": ["pp_system_default"]})
    await api.admin("POST", "/regions/reg_unknown", {"name": "x"})
    await api.admin("GET", f"/regions?q={api.word}&fields=name,currency_code&order=-name")
    await api.admin("GET", "/regions?currency_code=dkk&fields=name")
    await api.store("GET", "/regions")
    await api.store("GET", f"/regions/{one}")
    await api.store("GET", f"/regions/{one}?fields=id,name,*payment_providers")
    await api.store("GET", "/regions/reg_unknown")
    await api.store("GET", f"/payment-providers?region_id={one}")
    await api.admin("GET", f"/price-preferences?attribute=region_id&value={one}")
    store = (await api.quiet("GET", "/admin/stores"))["stores"][0]["id"]
    await api.admin("GET", f"/stores/{store}?fields=id,name,supported_currencies.currency_code,supported_currencies.is_default")
    await api.admin("GET", "/stores/store_unknown")
    await api.admin(
        "POST",
        f"/stores/{store}",
        {
            "name": "My Shop",
            "supported_currencies": [
                {"currency_code": "usd"},
                {"currency_code": "nok", "is_default": True},
                {"currency_code": "mxn", "is_tax_inclusive": True},
            ],
        },
    )
    await api.admin("POST", f"/stores/{store}", {"supported_currencies": [{"currency_code": "usd"}]})
    await api.admin(
        "POST",
        f"/stores/{store}",
        {"supported_currencies": [{"currency_code": "usd", "is_default": True}, {"currency_code": "dkk", "is_default": True}]},
    )
    await api.admin(
        "POST", f"/stores/{store}", {"supported_currencies": [{"currency_code": "usd", "is_default": True}, {"currency_code": "usd"}]}
    )
    await api.admin("POST", f"/stores/{store}", {"supported_currencies": [{"currency_code": "xxx", "is_default": True}]})
    await api.admin("POST", f"/stores/{store}", {"supported_currencies": []})
    await api.admin("POST", f"/stores/{store}", {"default_region_id": one, "metadata": {"b": 1}})
    await api.admin("POST", f"/stores/{store}", {"default_region_id": None, "metadata": None})
    await api.admin("POST", f"/stores/{store}", {"name": None})
    await api.admin("POST", f"/stores/{store}", {"unknown": 1})
    await api.admin("GET", f"/stores?id={store}&fields=name,*supported_currencies,*supported_currencies.currency")
    await api.admin("GET", "/price-preferences?attribute=currency_code&value[]=mxn&value[]=nok&order=value")
    await api.admin("DELETE", f"/regions/{one}")
    await api.admin("DELETE", f"/regions/{one}")
    await api.store("GET", "/regions")
    await api.quiet("POST", f"/admin/stores/{store}", {"supported_currencies": [{"currency_code": "eur", "is_default": True}]})
    await api.admin("POST", "/regions", {"name": word("Coin"), "currency_code": "xxx"})
