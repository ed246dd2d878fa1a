"""The clients of a scenario, and its fixtures: one server's three APIs, and a shop that is created without being compared."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

from .compare import Step, alike

LOGIN = ("admin@medusa-test.com", "supersecret")
CLEARED = (("regions", "id"), ("tax-regions", "country_code"), ("promotions", "is_automatic"))
"""Rows that would affect another scenario's carts, with the column to find them by."""


class Api:
    """A scenario's run against one server, which has an admin user.

    Each run has a sales channel and a publishable key of its own. Requests by `admin`, `store` and `auth` are recorded in `steps`;
    each returns the body of the answer.
    """

    def __init__(self, session: aiohttp.ClientSession, base: str, login: tuple[str, str] = LOGIN) -> None:
        self.session, self.base, self.login = session, base, login
        self.word = f"{int(time.time() * 10) % 10**8:08}"
        self.steps: list[Step] = []
        self.heads: dict[str, dict[str, str]] = {}
        self.channel = ""

    async def start(self, alone: bool) -> None:
        email, password = self.login
        token = (await self.quiet("POST", "/auth/user/emailpass", {"email": email, "password": password}))["token"]
        self.heads["/admin"] = bearer(token)
        for kind, telling in CLEARED if alone else ():
            for row in (await self.quiet("GET", f"/admin/{kind}?limit=500&fields=id,{telling}"))[kind.replace("-", "_")]:
                if row[telling]:
                    await self.quiet("DELETE", f"/admin/{kind}/{row['id']}")
        self.channel = (await self.post("/sales-channels", {"name": self.fresh("channel")}))["sales_channel"]["id"]
        key = (await self.post("/api-keys", {"title": self.fresh("key"), "type": "publishable"}))["api_key"]
        await self.post(f"/api-keys/{key['id']}/sales-channels", {"add": [self.channel]})
        self.heads["/store"] = {"x-publishable-api-key": key["token"]}

    def fresh(self, word: str) -> str:
        """A name that is new to the server."""
        return f"{word}-{self.word}"

    # -- compared requests

    async def admin(self, method: str, path: str, body: Any = None) -> Any:
        return await self._kept(method, "/admin" + path, body, self.heads["/admin"])

    async def store(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        return await self._kept(method, "/store" + path, body, self.heads["/store"] | bearer(token))

    async def auth(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        return await self._kept(method, "/auth" + path, body, bearer(token))

    async def upload(self, path: str, text: str) -> Any:
        """Send a CSV file to the admin API as forms do. Where uploads are kept isn't compared."""
        form = aiohttp.FormData()
        form.add_field("files" if path == "/uploads" else "file", text, filename="rows.csv", content_type="text/csv")
        return await (self.post(path, form) if path == "/uploads" else self.admin("POST", path, form))

    async def _kept(self, method: str, path: str, body: Any, heads: dict[str, str]) -> Any:
        status, answer = await self._ask(method, path, body, heads)
        said = (
            {name: value for name, value in answer.items() if name != "message"} if status >= 400 and isinstance(answer, dict) else answer
        )
        self.steps.append(Step(f"{method} {alike(path, self.word)}", status, alike(said, self.word)))
        return answer

    # -- requests that aren't compared

    async def quiet(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """Returns the answer's body. Raises if the server refuses it."""
        status, answer = await self._ask(method, path, body, self.heads.get(path[:6], {}) | bearer(token))
        if status >= 400:
            raise RuntimeError(f"{method} {path} {status} {json.dumps(answer)[:300]}")
        return answer

    async def post(self, path: str, body: Any) -> Any:
        return await self.quiet("POST", "/admin" + path, body)

    async def _ask(self, method: str, path: str, body: Any, heads: dict[str, str]) -> tuple[int, Any]:
        sent = {"data": body} if isinstance(body, aiohttp.FormData) else {"json": body}
        async with self.session.request(method, self.base + path, headers=heads, **sent) as response:
            text = await response.text(errors="replace")
            try:
                return response.status, json.loads(text)
            except ValueError:
                return response.status, text[:500]

    # -- fixtures

    async def shop(
        self,
        country: str = "dk",
        currency: str = "eur",
        rate: float | None = None,
        inclusive: bool = False,
        shipping: float = 10,
        back: float = 4,
    ) -> Shop:
        """A region with a tax rate, a stock location of the channel, a shipping option and one for returns."""
        region = {"name": self.fresh(country), "currency_code": currency, "countries": [country], "is_tax_inclusive": inclusive}
        region_id = (await self.post("/regions", region | {"payment_providers": ["pp_system_default"]}))["region"]["id"]
        default = {"default_tax_rate": {"name": "VAT", "code": self.fresh("vat"), "rate": rate}} if rate is not None else {}
        tax = (await self.post("/tax-regions", {"country_code": country, "provider_id": "tp_system"} | default))["tax_region"]["id"]
        place = {"name": self.fresh(f"house {country}"), "address": {"address_1": "Dock 1", "country_code": country}}
        location = (await self.post("/stock-locations", place))["stock_location"]["id"]
        at = f"/stock-locations/{location}"
        await self.post(f"{at}/sales-channels", {"add": [self.channel]})
        await self.post(f"{at}/fulfillment-providers", {"add": ["manual_manual"]})
        sending = {"name": self.fresh(f"set {country}"), "type": "shipping"}
        set_id = (await self.post(f"{at}/fulfillment-sets?fields=*fulfillment_sets", sending))["stock_location"]["fulfillment_sets"][0][
            "id"
        ]
        zone = {"name": self.fresh(f"zone {country}"), "geo_zones": [{"type": "country", "country_code": country}]}
        zones = (await self.post(f"/fulfillment-sets/{set_id}/service-zones?fields=*service_zones", zone))["fulfillment_set"]
        profile = {"name": self.fresh(f"profile {country}"), "type": self.fresh(country)}
        profile_id = (await self.post("/shipping-profiles", profile))["shipping_profile"]["id"]
        made = Shop(country, currency, region_id, tax, location, set_id, zones["service_zones"][0]["id"], profile_id)
        made.ship = await self._option(made, "Parcel", shipping, "false")
        made.back = await self._option(made, "Return", back, "true")
        return made

    async def _option(self, shop: Shop, name: str, amount: float, is_return: str) -> str:
        option = {
            "name": name,
            "price_type": "flat",
            "provider_id": "manual_manual",
            "service_zone_id": shop.zone,
            "shipping_profile_id": shop.profile,
            "type": {"label": name, "description": name, "code": self.fresh(name)},
            "prices": [{"currency_code": shop.currency, "amount": amount}],
            "rules": [
                {"attribute": "enabled_in_store", "value": "true", "operator": "eq"},
                {"attribute": "is_return", "value": is_return, "operator": "eq"},
            ],
        }
        return str((await self.post("/shipping-options", option))["shipping_option"]["id"])

    async def own_category(self) -> str:
        """Id of an active category without children, the first one below a new parent: so its rank doesn't depend on other runs."""
        below: str | None = None
        for name in ("Earth", "Ground"):
            body = {"name": self.fresh(name), "is_active": True, "parent_category_id": below}
            below = str((await self.post("/product-categories", body))["product_category"]["id"])
        assert below
        return below

    async def goods(self, shop: Shop, title: str, prices: dict[str, float], stock: int | None = None, **more: Any) -> dict[str, str]:
        """A published product of the channel with one option: variants by size, and the product's id as "product".

        `prices` by size, in the shop's currency. With `stock`, that many of each are at the shop's location; else stock isn't managed.
        """
        variants = [
            {
                "title": size,
                "sku": self.fresh(f"{title}-{size}"),
                "options": {"Size": size},
                "manage_inventory": stock is not None,
                "prices": [{"currency_code": shop.currency, "amount": amount}],
            }
            for size, amount in prices.items()
        ]
        product = {
            "title": self.fresh(title),
            "status": "published",
            "sales_channels": [{"id": self.channel}],
            "shipping_profile_id": shop.profile,
            "options": [{"title": "Size", "values": list(prices)}],
            "variants": variants,
        }
        made = (await self.post("/products?fields=id,*variants", product | more))["product"]
        for variant in variants if stock is not None else ():
            item = (await self.quiet("GET", f"/admin/inventory-items?sku={variant['sku']}"))["inventory_items"][0]["id"]
            await self.post(f"/inventory-items/{item}/location-levels", {"location_id": shop.location, "stocked_quantity": stock})
        return {each["title"]: each["id"] for each in made["variants"]} | {"product": made["id"]}

    async def person(self, name: str) -> str:
        """A customer with an account. Returns the token."""
        login = {"email": self.fresh(name) + "@example.com", "password": "supersecret"}
        token = (await self.quiet("POST", "/auth/customer/emailpass/register", login))["token"]
        await self.quiet("POST", "/store/customers", {"email": login["email"], "first_name": name}, token)
        return str((await self.quiet("POST", "/auth/customer/emailpass", login))["token"])

    async def buy(
        self, shop: Shop, lines: dict[str, int], name: str = "guest", codes: tuple[str, ...] = (), token: str | None = None
    ) -> str:
        """An order through a cart: lines by variant, paid for with the system provider (authorized, not captured). Returns its id."""
        home = {"first_name": "Ada", "last_name": "Lovelace", "address_1": "Street 1", "city": "Town", "postal_code": "1000"}
        home["country_code"] = shop.country
        body = {
            "region_id": shop.region,
            "email": self.fresh(name) + "@example.com",
            "shipping_address": home,
            "billing_address": home,
            "promo_codes": list(codes),
            "items": [{"variant_id": variant, "quantity": quantity} for variant, quantity in lines.items()],
        }
        cart = (await self.quiet("POST", "/store/carts", body, token))["cart"]["id"]
        await self.quiet("POST", f"/store/carts/{cart}/shipping-methods", {"option_id": shop.ship}, token)
        collection = (await self.quiet("POST", "/store/payment-collections", {"cart_id": cart}, token))["payment_collection"]["id"]
        sessions = f"/store/payment-collections/{collection}/payment-sessions"
        await self.quiet("POST", sessions, {"provider_id": "pp_system_default"}, token)
        return str((await self.quiet("POST", f"/store/carts/{cart}/complete", {}, token))["order"]["id"])


@dataclass
class Shop:
    """Ids of a shop's parts: `ship` and `back` are shipping options, `profile` is the shipping profile of these and of its products."""

    country: str
    currency: str
    region: str
    tax_region: str
    location: str
    set: str
    zone: str
    profile: str
    ship: str = ""
    back: str = ""


def bearer(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}
