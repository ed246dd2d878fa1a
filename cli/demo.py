"""The demo shop: what a merchant would do through the admin API on the first morning.

It is a script of ordinary HTTP requests, so that it shows what the API can do. Each step looks first: what exists is left
alone, and an interrupted run continues where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp

from ..core.errors import UnexpectedState
from ..core.json import dumps, loads

Step = Callable[[str], None]

EUROPE = ("de", "dk", "es", "fr", "gb", "it", "se")
SIZES = ("S", "M", "L")
WEAR = (
    ("Sail T-Shirt", "Heavy cotton, cut to last. A small sail on the chest.", "shirts", "19.95", ("Ink", "Foam")),
    ("Harbour Sweatshirt", "Brushed on the inside, for mornings on the quay.", "sweatshirts", "49.00", ("Ink", "Sand")),
    ("Tide Trousers", "Straight leg, drawstring, four pockets.", "trousers", "59.00", ("Slate", "Sand")),
    ("Regatta Shorts", "Dries in an hour, wears for years.", "trousers", "29.00", ("Ink", "Coral")),
)
THINGS = (
    ("Enamel Mug", "Holds a third of a litre and survives a fall.", "galley", "12.50"),
    ("Linen Tea Towel", "Woven, not printed.", "galley", "9.90"),
    ("Brass Compass", "Points north. Comes in a box of oak.", "instruments", "84.00"),
    ("Tide Table Calendar", "High and low water for a whole year.", "instruments", "17.00"),
)
CATEGORIES = {"shirts": "Shirts", "sweatshirts": "Sweatshirts", "trousers": "Trousers", "galley": "Galley", "instruments": "Instruments"}
PER_DOLLAR = Decimal("1.10")

STEPS = 5 + len(CATEGORIES) + len(WEAR) + len(THINGS)


class Merchant:
    """The admin API with a merchant's token."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base
        self._headers: dict[str, str] = {"content-type": "application/json"}

    async def log_in(self, email: str, password: str) -> None:
        answer = await self.post("/auth/user/emailpass", {"email": email, "password": password})
        self._headers["authorization"] = f"Bearer {answer['token']}"

    async def get(self, path: str, **params: str) -> Any:
        return await self._send("GET", path, None, params)

    async def post(self, path: str, body: Any, **params: str) -> Any:
        return await self._send("POST", path, body, params)

    async def _send(self, method: str, path: str, body: Any, params: dict[str, str]) -> Any:
        data = None if body is None else dumps(body)
        async with self._session.request(method, self._base + path, data=data, params=params, headers=self._headers) as response:
            text = await response.text()
            if response.status != 200:
                raise UnexpectedState(f"The demo shop could not be filled: {method} {path} answered {response.status}: {text[:300]}")
            return loads(text)


async def fill(base: str, email: str, password: str, step: Step) -> None:
    """Fill the shop at `base`; calls `step` with the name of the next step, STEPS times."""
    async with aiohttp.ClientSession() as session:
        merchant = Merchant(session, base)
        step("Logging in")
        await merchant.log_in(email, password)
        opened = await open_shop(merchant, step)
        categories = await _categories(merchant, step)
        for product in _catalogue(opened.channel, opened.profile, categories):
            step(product["title"])
            if not (await merchant.get("/admin/products", handle=product["handle"], fields="id"))["count"]:
                await merchant.post("/admin/products", product)
        step("Stock")
        await _stock(merchant, opened.location)


@dataclass(frozen=True, slots=True)
class Opened:
    """Ids of what a shop sells with."""

    channel: str
    location: str
    profile: str
    """The shipping profile."""


async def open_shop(merchant: Merchant, step: Step) -> Opened:
    """Currencies, regions with their taxes, a warehouse, and shipping: all that a shop needs before it has products."""
    store = (await merchant.get("/admin/stores"))["stores"][0]
    channel = store["default_sales_channel_id"]
    step("Currencies, regions and taxes")
    await merchant.post(
        f"/admin/stores/{store['id']}",
        {"supported_currencies": [{"currency_code": "eur", "is_default": True, "is_tax_inclusive": True}, {"currency_code": "usd"}]},
    )
    await _regions(merchant)
    step("A warehouse")
    location = await _warehouse(merchant, channel)
    step("Shipping")
    return Opened(channel, location, await _shipping(merchant, location))


async def _regions(merchant: Merchant) -> None:
    have = {region["name"] for region in (await merchant.get("/admin/regions"))["regions"]}
    taxed = {region["country_code"] for region in (await merchant.get("/admin/tax-regions", limit="200"))["tax_regions"]}
    for name, currency, countries, inclusive in (("Europe", "eur", EUROPE, True), ("United States", "usd", ("us",), False)):
        if name not in have:
            body = {
                "name": name,
                "currency_code": currency,
                "countries": list(countries),
                "payment_providers": ["pp_system_default"],
                "is_tax_inclusive": inclusive,
            }
            await merchant.post("/admin/regions", body)
        for country in countries:
            if country not in taxed:
                rate = {"rate": 20 if inclusive else 0, "name": "VAT" if inclusive else "Sales tax", "code": "standard"}
                await merchant.post("/admin/tax-regions", {"country_code": country, "provider_id": "tp_system", "default_tax_rate": rate})


async def _warehouse(merchant: Merchant, channel: str) -> str:
    found = (await merchant.get("/admin/stock-locations", name="Harbour Warehouse"))["stock_locations"]
    if found:
        location = found[0]["id"]
    else:
        address = {"address_1": "Quay 7", "city": "Copenhagen", "country_code": "dk", "postal_code": "1000"}
        location = (await merchant.post("/admin/stock-locations", {"name": "Harbour Warehouse", "address": address}))["stock_location"][
            "id"
        ]
    await merchant.post(f"/admin/stock-locations/{location}/sales-channels", {"add": [channel]})
    await merchant.post(f"/admin/stock-locations/{location}/fulfillment-providers", {"add": ["manual_manual"]})
    return str(location)


async def _shipping(merchant: Merchant, location: str) -> str:
    """Delivery to every country we sell to, in two speeds. Returns the shipping profile's id."""
    profile = (await merchant.get("/admin/shipping-profiles", type="default"))["shipping_profiles"][0]["id"]
    shown = {"fields": "*fulfillment_sets,*fulfillment_sets.service_zones"}
    sets = (await merchant.get(f"/admin/stock-locations/{location}", **shown))["stock_location"]["fulfillment_sets"]
    if not sets:
        body = {"name": "Harbour delivery", "type": "shipping"}
        sets = (await merchant.post(f"/admin/stock-locations/{location}/fulfillment-sets", body, **shown))["stock_location"][
            "fulfillment_sets"
        ]
    zones = sets[0]["service_zones"]
    if not zones:
        geo_zones = [{"type": "country", "country_code": country} for country in (*EUROPE, "us")]
        zone = {"name": "Europe and United States", "geo_zones": geo_zones}
        made = await merchant.post(f"/admin/fulfillment-sets/{sets[0]['id']}/service-zones", zone, fields="*service_zones")
        zones = made["fulfillment_set"]["service_zones"]
    have = {option["name"] for option in (await merchant.get("/admin/shipping-options"))["shipping_options"]}
    for name, code, amount in (("Standard Shipping", "standard", 5), ("Express Shipping", "express", 15)):
        if name not in have:
            option = {
                "name": name,
                "price_type": "flat",
                "provider_id": "manual_manual",
                "service_zone_id": zones[0]["id"],
                "shipping_profile_id": profile,
                "type": {"label": name.split()[0], "description": f"{name} by post", "code": code},
                "prices": [{"currency_code": currency, "amount": amount} for currency in ("eur", "usd")],
                "rules": [
                    {"attribute": "enabled_in_store", "value": "true", "operator": "eq"},
                    {"attribute": "is_return", "value": "false", "operator": "eq"},
                ],
            }
            await merchant.post("/admin/shipping-options", option)
    return str(profile)


async def _categories(merchant: Merchant, step: Step) -> dict[str, str]:
    have = {row["handle"]: row["id"] for row in (await merchant.get("/admin/product-categories", limit="200"))["product_categories"]}
    for handle, name in CATEGORIES.items():
        step(f"Category {name}")
        if handle not in have:
            body = {"name": name, "handle": handle, "is_active": True}
            have[handle] = (await merchant.post("/admin/product-categories", body))["product_category"]["id"]
    return have


def _catalogue(channel: str, profile: str, categories: dict[str, str]) -> list[dict[str, Any]]:
    wear = [
        _product(title, text, category, [("Size", list(SIZES)), ("Colour", list(colours))], price)
        for title, text, category, price, colours in WEAR
    ]
    things = [_product(title, text, category, [("Edition", ["Standard"])], price) for title, text, category, price in THINGS]
    common = {"status": "published", "shipping_profile_id": profile, "sales_channels": [{"id": channel}]}
    placed = [(product, {"id": categories[product.pop("category")]}) for product in wear + things]
    return [{**product, **common, "categories": [category]} for product, category in placed]


def _product(title: str, text: str, category: str, options: list[tuple[str, list[str]]], euros: str) -> dict[str, Any]:
    handle = title.lower().replace(" ", "-")
    kinds: list[dict[str, str]] = [{}]
    for name, values in options:
        kinds = [{**kind, name: value} for kind in kinds for value in values]
    dollars = (Decimal(euros) * PER_DOLLAR).quantize(Decimal("0.01"))
    return {
        "title": title,
        "handle": handle,
        "description": text,
        "category": category,
        "weight": 400,
        "options": [{"title": name, "values": values} for name, values in options],
        "variants": [
            {
                "title": " / ".join(kind.values()),
                "sku": "-".join([handle, *kind.values()]).upper(),
                "manage_inventory": True,
                "options": kind,
                "prices": [{"currency_code": "eur", "amount": Decimal(euros)}, {"currency_code": "usd", "amount": dollars}],
            }
            for kind in kinds
        ],
    }


async def _stock(merchant: Merchant, location: str) -> None:
    items = (await merchant.get("/admin/inventory-items", limit="500", fields="id,*location_levels"))["inventory_items"]
    bare = [item["id"] for item in items if not any(level["location_id"] == location for level in item["location_levels"])]
    if bare:
        levels = [{"inventory_item_id": item, "location_id": location, "stocked_quantity": 1000} for item in bare]
        await merchant.post("/admin/inventory-items/location-levels/batch", {"create": levels})
