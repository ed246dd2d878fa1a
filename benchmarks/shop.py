"""The shop under load: logging in, and finding what the scenarios need."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

import aiohttp

ADDRESS = {
    "first_name": "Ada", "last_name": "Load", "address_1": "Street 1", "city": "City", "postal_code": "1000",
}  # fmt: skip


class Refused(Exception):
    """The server answered, but not what it should have."""


@dataclass
class Shop:
    """A store, and what the scenarios need of it."""

    session: aiohttp.ClientSession
    base: str
    admin: dict[str, str] = field(default_factory=dict)
    store: dict[str, str] = field(default_factory=dict)
    region: str = ""
    country: str = ""
    products: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)

    async def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Send a request; returns the parsed answer. Raises Refused for anything but success."""
        async with self.session.request(method, self.base + path, json=body, headers=headers) as response:
            text = await response.read()
            if response.status != 200:
                raise Refused(f"{method} {path.split('?')[0]}: {response.status} {text[:200].decode(errors='replace')}")
            return json.loads(text)

    async def get(self, path: str) -> Any:
        return await self.call("GET", path, headers=self.store)

    async def post(self, path: str, body: Any) -> Any:
        return await self.call("POST", path, body, self.store)

    async def discover(self, email: str, password: str) -> None:
        """Log in, find a publishable key, a region with a country, and products that can be bought."""
        token = (await self.call("POST", "/auth/user/emailpass", {"email": email, "password": password}))["token"]
        self.admin = {"authorization": f"Bearer {token}"}
        keys = (await self.call("GET", "/admin/api-keys?type=publishable", headers=self.admin))["api_keys"]
        self.store = {"x-publishable-api-key": next(key["token"] for key in keys if not key["revoked_at"])}
        regions = (await self.get("/store/regions"))["regions"]
        region = next((region for region in regions if region["countries"]), None)
        if region is None:
            raise Refused("the shop sells to no country yet: serve the demo shop, or seed it")
        self.region, self.country = region["id"], region["countries"][0]["iso_2"]
        offset = 0
        while offset < 1000:
            page = await self.get(f"/store/products?limit=100&offset={offset}&region_id={self.region}&fields=id,*variants.calculated_price")
            for product in page["products"]:
                priced = [v["id"] for v in product["variants"] if v.get("calculated_price")]
                if priced:
                    self.products.append(product["id"])
                    self.variants += priced
            offset += 100
            if offset >= page["count"]:
                break
        if not self.variants:
            raise Refused("the shop has nothing to buy: serve the demo shop, or seed it")

    async def ready_cart(self, rng: random.Random, lines: int = 2) -> str:
        """Make a cart that only has to be completed; returns its id."""
        address = {**ADDRESS, "country_code": self.country}
        body = {
            "region_id": self.region,
            "email": f"load-{rng.getrandbits(48):x}@example.com",
            "shipping_address": address,
            "billing_address": address,
        }
        cart = (await self.post("/store/carts", body))["cart"]["id"]
        for variant in rng.sample(self.variants, min(lines, len(self.variants))):
            await self.post(f"/store/carts/{cart}/line-items", {"variant_id": variant, "quantity": 1})
        options = (await self.get(f"/store/shipping-options?cart_id={cart}"))["shipping_options"]
        await self.post(f"/store/carts/{cart}/shipping-methods", {"option_id": options[0]["id"]})
        collection = (await self.post("/store/payment-collections", {"cart_id": cart}))["payment_collection"]["id"]
        await self.post(f"/store/payment-collections/{collection}/payment-sessions", {"provider_id": "pp_system_default"})
        return str(cart)


async def opened(base: str, email: str, password: str) -> Shop:
    """A discovered shop. Close its session when done."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"accept-encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=60),
    )
    shop = Shop(session, base.rstrip("/"))
    try:
        await shop.discover(email, password)
    except BaseException:
        await session.close()
        raise
    return shop
