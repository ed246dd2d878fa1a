"""Setting up shops over the admin API, as a merchant's script would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .served import Api


@dataclass(frozen=True)
class Shop:
    """Ids of what `open_shop` made."""

    channel: str
    location: str
    zone: str
    profile: str
    key: str
    regions: dict[str, str]


@dataclass(frozen=True)
class Country:
    """One country we sell to: its currency, its tax, and whether prices there include it."""

    code: str
    currency: str
    rate: float
    inclusive: bool
    shipping: float


async def open_shop(admin: Api, countries: list[Country]) -> Shop:
    """A store that sells to these countries: regions, tax, a stock location, one shipping option in every currency."""
    store = (await admin.get("/admin/stores"))["stores"][0]
    channel = store["default_sales_channel_id"]
    currencies = [{"currency_code": c.currency, "is_default": n == 0, "is_tax_inclusive": c.inclusive} for n, c in enumerate(countries)]
    await admin.post(f"/admin/stores/{store['id']}", {"supported_currencies": currencies})
    regions = {}
    for country in countries:
        body = {
            "name": country.code.upper(),
            "currency_code": country.currency,
            "countries": [country.code],
            "payment_providers": ["pp_system_default"],
            "is_tax_inclusive": country.inclusive,
        }
        regions[country.code] = (await admin.post("/admin/regions", body))["region"]["id"]
        rate = {"rate": country.rate, "name": "VAT", "code": "vat"}
        await admin.post("/admin/tax-regions", {"country_code": country.code, "provider_id": "tp_system", "default_tax_rate": rate})
    address = {"address_1": "Dock 1", "city": "Port", "country_code": countries[0].code}
    location = (await admin.post("/admin/stock-locations", {"name": "Warehouse", "address": address}))["stock_location"]["id"]
    await admin.post(f"/admin/stock-locations/{location}/sales-channels", {"add": [channel]})
    await admin.post(f"/admin/stock-locations/{location}/fulfillment-providers", {"add": ["manual_manual"]})
    made = await admin.post(
        f"/admin/stock-locations/{location}/fulfillment-sets", {"name": "Delivery", "type": "shipping"}, fields="*fulfillment_sets"
    )
    delivery = made["stock_location"]["fulfillment_sets"][0]["id"]
    zones = [{"type": "country", "country_code": country.code} for country in countries]
    made = await admin.post(
        f"/admin/fulfillment-sets/{delivery}/service-zones", {"name": "Everywhere", "geo_zones": zones}, fields="*service_zones"
    )
    zone = made["fulfillment_set"]["service_zones"][0]["id"]
    profile = (await admin.get("/admin/shipping-profiles"))["shipping_profiles"][0]["id"]
    await admin.post(
        "/admin/shipping-options",
        {
            "name": "Standard",
            "price_type": "flat",
            "provider_id": "manual_manual",
            "service_zone_id": zone,
            "shipping_profile_id": profile,
            "type": {"label": "Standard", "description": "By post", "code": "standard"},
            "prices": [{"currency_code": c.currency, "amount": c.shipping} for c in countries],
            "rules": [
                {"attribute": "enabled_in_store", "value": "true", "operator": "eq"},
                {"attribute": "is_return", "value": "false", "operator": "eq"},
            ],
        },
    )
    key = (await admin.get("/admin/api-keys", type="publishable"))["api_keys"][0]["token"]
    return Shop(channel, location, zone, profile, key, regions)


async def sell(
    admin: Api, shop: Shop, handle: str, prices: dict[str, float], stock: int = 1000, variants: int = 1, *, kinds: Sequence[str] = ()
) -> dict[str, Any]:
    """A published product with `stock` of each of its variants at the warehouse. These are `kinds`, or so many that have numbers."""
    values = kinds or [f"No {n}" for n in range(1, variants + 1)]
    body = {
        "title": handle.title(),
        "handle": handle,
        "status": "published",
        "shipping_profile_id": shop.profile,
        "sales_channels": [{"id": shop.channel}],
        "options": [{"title": "Kind", "values": values}],
        "variants": [
            {
                "title": value,
                "sku": f"{handle}-{n}",
                "manage_inventory": True,
                "options": {"Kind": value},
                "prices": [{"currency_code": currency, "amount": amount} for currency, amount in prices.items()],
            }
            for n, value in enumerate(values)
        ],
    }
    product: dict[str, Any] = (await admin.post("/admin/products", body))["product"]
    for variant in product["variants"]:
        item = (await admin.get("/admin/inventory-items", sku=variant["sku"]))["inventory_items"][0]["id"]
        await admin.post(f"/admin/inventory-items/{item}/location-levels", {"location_id": shop.location, "stocked_quantity": stock})
    return product
