"""A whole shop in this process, with its front end, for tests of buyers."""

from __future__ import annotations

import json
import sys
import types
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import Host, local_host
from velella.actors.services import service_names
from velella.core.ids import ulid
from velella.core.settings import ProviderSettings, Settings, default_providers
from velella.http.server import FrontEnd
from velella.modules.payment.provider import Ask, Outcome, PaymentProvider

from ..carrier import Carrier
from ..conftest import clone
from ..ship_desk import ShipDesk
from ..signing import UNLIMITED, token_of
from ..stripe_desk import KEY, SECRET, StripeDesk
from ..vault import Vault

Row = dict[str, Any]


class MoodyProvider(PaymentProvider):
    """Behaves as the storefront's data says: `mood` is captured, declined, requires_more, silent, lost or slow."""

    identifier = "moody"
    asked: ClassVar[Counter[str]] = Counter()
    """How often an authorisation was requested, by key."""
    canceled: ClassVar[list[str]] = []
    arrived: ClassVar[set[str]] = set()
    """Slow sessions whose money is there by now."""
    failed: ClassVar[set[str]] = set()
    """Slow sessions whose money won't come."""

    async def initiate(self, ask: Ask) -> Outcome:
        return Outcome(ask.data)

    async def drop(self, ask: Ask) -> None: ...

    async def authorize(self, ask: Ask) -> Outcome:
        self.asked[ask.key] += 1
        match ask.data.get("mood"):
            case "captured":
                return Outcome(ask.data, "captured")
            case "declined":
                return Outcome(ask.data, "error")
            case "requires_more":
                return Outcome(ask.data, "requires_more")
            case "lost" if self.asked[ask.key] == 1:
                raise TimeoutError("the answer is lost")
            case "silent":
                raise TimeoutError("nobody there")
            case "slow":
                return await self.status(ask)
            case _:
                return Outcome(ask.data, "authorized")

    async def capture(self, ask: Ask) -> Outcome:
        return Outcome(ask.data, "captured")

    async def refund(self, ask: Ask) -> Outcome:
        return Outcome(ask.data)

    async def cancel(self, ask: Ask) -> Outcome:
        self.canceled.append(ask.key)
        return Outcome(ask.data, "canceled")

    async def status(self, ask: Ask) -> Outcome:
        if ask.data.get("mood") == "silent":
            raise TimeoutError("nobody there")
        if ask.data.get("mood") == "slow":
            id = ask.data["session_id"]
            return Outcome(ask.data, "captured" if id in self.arrived else "error" if id in self.failed else "pending_authorization")
        return Outcome(ask.data, "authorized")


providers = types.ModuleType("store_test_providers")
providers.MoodyProvider, providers.Vault, providers.Carrier = MoodyProvider, Vault, Carrier  # type: ignore[attr-defined]
sys.modules[providers.__name__] = providers


@dataclass
class Answer:
    status: int
    body: Any

    def __getitem__(self, name: str) -> Any:
        assert self.status == 200, (self.status, self.body)
        return self.body[name]


@dataclass(frozen=True)
class Country:
    """A country we sell to: its region's currency, its tax, and whether prices there include it."""

    code: str
    currency: str
    rate: str
    inclusive: bool = False
    shipping: str = "5"


COUNTRIES = (
    Country("de", "eur", "19", inclusive=True, shipping="5.95"),
    Country("us", "usd", "7.25"),
    Country("jp", "jpy", "10", inclusive=True, shipping="550"),
    Country("kw", "kwd", "5", shipping="1.125"),
)

UNSOLD = (
    "at",
    "be",
    "bg",
    "ca",
    "ch",
    "cy",
    "cz",
    "dk",
    "ee",
    "es",
    "fi",
    "gb",
    "gr",
    "hr",
    "hu",
    "ie",
    "lt",
    "lu",
    "lv",
    "mt",
    "nl",
    "no",
)
"""Countries for regions that tests create."""


@dataclass
class Market:
    """The shop as its merchant has set it up."""

    host: Host
    base: str
    front: FrontEnd
    channel: str = ""
    location: str = ""
    profile: str = ""
    option: str = ""
    key: str = ""
    regions: dict[str, str] = field(default_factory=dict)
    unsold: Iterator[str] = field(default_factory=lambda: iter(UNSOLD))
    """Countries without a region."""

    @property
    def modules(self) -> Any:
        return self.host.modules

    async def open(self) -> Market:
        modules, link = self.modules, self.modules.link
        await modules.region.keep_countries()
        self.channel = (await modules.sales_channel.create("sales_channel", [{"name": "Web"}]))[0]["id"]
        key = (await modules.api_key.create_keys([{"title": "web", "type": "publishable", "created_by": "test"}]))[0]
        self.key = key["token"]
        await link.attach("publishable_api_key_sales_channel", [{"publishable_key_id": key["id"], "sales_channel_id": self.channel}])
        self.location = await self.new_location("Warehouse")
        self.profile = (await modules.fulfillment.create("shipping_profile", [{"name": "Default", "type": "default"}]))[0]["id"]
        for country in COUNTRIES:
            region = {"name": country.code.upper(), "currency_code": country.currency, "countries": [country.code]}
            self.regions[country.code] = (await modules.region.create_regions([region]))[0]["id"]
            rate = {"rate": Decimal(country.rate), "name": "VAT", "code": "vat"}
            await modules.tax.create_regions([{"country_code": country.code, "default_tax_rate": rate}])
        await modules.pricing.set_price_preferences(
            [{"attribute": "currency_code", "value": each.currency, "is_tax_inclusive": each.inclusive} for each in COUNTRIES]
        )
        pairs = [
            {"region_id": id, "payment_provider_id": name}
            for id in self.regions.values()
            for name in ("pp_system_default", "pp_moody_m", "pp_vault_v", "pp_stripe_stripe", "pp_stripe_at-once")
        ]
        await link.attach("region_payment_provider", pairs)
        self.option = await self.new_option("Standard", {each.currency: each.shipping for each in COUNTRIES})
        return self

    async def new_region(self, currency: str, rate: str | None, *, countries: int = 1, automatic: bool = True) -> str:
        """A region of free countries, all with this tax. Whether prices include it depends on the currency, as elsewhere."""
        codes = [next(self.unsold) for _ in range(countries)]
        region = {"name": f"New {codes[0]}", "currency_code": currency, "countries": codes, "automatic_taxes": automatic}
        id: str = (await self.modules.region.create_regions([region]))[0]["id"]
        default = {"default_tax_rate": {"rate": Decimal(rate), "name": "VAT", "code": "vat"}} if rate is not None else {}
        await self.modules.tax.create_regions([{"country_code": code, **default} for code in codes])
        return id

    async def new_location(self, name: str) -> str:
        modules = self.modules
        id: str = (
            await modules.stock_location.create_locations([{"name": name, "address": {"address_1": "Dock 1", "country_code": "de"}}])
        )[0]["id"]
        await modules.link.attach("sales_channel_stock_location", [{"sales_channel_id": self.channel, "stock_location_id": id}])
        return id

    async def new_profile(self, name: str) -> str:
        """A shipping profile with a shipping option."""
        id: str = (await self.modules.fulfillment.create("shipping_profile", [{"name": f"{name} {ulid()}", "type": "other"}]))[0]["id"]
        return id

    async def new_option(self, name: str, amounts: Mapping[str, str], profile: str | None = None) -> str:
        modules = self.modules
        zone = {"name": f"{name} zone", "geo_zones": [{"type": "country", "country_code": each.code} for each in COUNTRIES]}
        made = (await modules.fulfillment.create_sets([{"name": f"{name} set", "type": "shipping", "service_zones": [zone]}]))[0]
        zone_id = (await modules.fulfillment.list("service_zone", {"fulfillment_set_id": made["id"]}))[0]["id"]
        await modules.link.attach("location_fulfillment_set", [{"stock_location_id": self.location, "fulfillment_set_id": made["id"]}])
        option = {
            "name": name,
            "price_type": "flat",
            "service_zone_id": zone_id,
            "shipping_profile_id": profile or self.profile,
            "provider_id": "manual_manual",
            "type": {"label": name, "description": name, "code": name.lower()},
            "rules": [
                {"attribute": "enabled_in_store", "operator": "eq", "value": "true"},
                {"attribute": "is_return", "operator": "eq", "value": "false"},
            ],
        }
        option_id: str = (await modules.fulfillment.create_options([option]))[0]["id"]
        prices = [{"currency_code": currency, "amount": Decimal(amount)} for currency, amount in amounts.items()]
        price_set = (await modules.pricing.create_price_sets([{"prices": prices}]))[0]
        await modules.link.attach("shipping_option_price_set", [{"shipping_option_id": option_id, "price_set_id": price_set["id"]}])
        return option_id

    async def new_variant(
        self,
        prices: Mapping[str, str | list[Row]],
        *,
        stock: int | Mapping[str, int] | None = None,
        backorder: bool = False,
        takes: int = 1,
        published: bool = True,
        listed: bool = True,
        giftcard: bool = False,
        profile: str | None = None,
    ) -> str:
        """A variant of a product of its own. `stock`: None means that it isn't managed."""
        modules, link = self.modules, self.modules.link
        name = ulid()
        managed = stock is not None
        variant = {"title": "One", "sku": name, "manage_inventory": managed, "allow_backorder": backorder, "options": {"Size": "One"}}
        product = {
            "title": f"Shirt {name}",
            "handle": name.lower(),
            "status": "published" if published else "draft",
            "is_giftcard": giftcard,
            "options": [{"title": "Size", "values": ["One"]}],
            "variants": [variant],
        }
        product_id = (await modules.product.create_products([product]))[0]["id"]
        variant_id: str = (await modules.product.list("product_variant", {"product_id": product_id}))[0]["id"]
        if listed:
            await link.attach("product_sales_channel", [{"product_id": product_id, "sales_channel_id": self.channel}])
        await link.attach("product_shipping_profile", [{"product_id": product_id, "shipping_profile_id": profile or self.profile}])
        rows: list[Row] = []
        for currency, amount in prices.items():
            tiers = amount if isinstance(amount, list) else [{"amount": amount}]
            rows += [{"currency_code": currency, **tier, "amount": Decimal(tier["amount"])} for tier in tiers]
        price_set = (await modules.pricing.create_price_sets([{"prices": rows}]))[0]
        await link.attach("product_variant_price_set", [{"variant_id": variant_id, "price_set_id": price_set["id"]}])
        if stock is not None:
            places = stock if isinstance(stock, Mapping) else {self.location: stock}
            levels = [{"location_id": place, "stocked_quantity": count} for place, count in places.items()]
            item = (await modules.inventory.create_items([{"sku": name, "location_levels": levels}]))[0]
            pair = {"variant_id": variant_id, "inventory_item_id": item["id"], "required_quantity": takes}
            await link.attach("product_variant_inventory_item", [pair])
        return variant_id

    async def promote(self, *, kind: str = "percentage", value: str = "10", **given: Any) -> Row:
        """An active promotion, on each item by default; further fields go where they belong."""
        of_method = ("target_type", "allocation", "max_quantity", "currency_code", "target_rules", "buy_rules", "buy_rules_min_quantity")
        method: Row = {"type": kind, "value": Decimal(value), "target_type": "items", "allocation": "each"}
        method |= {name: given.pop(name) for name in (*of_method, "apply_to_quantity") if name in given}
        if method["allocation"] in ("each", "once"):
            method.setdefault("max_quantity", 1 if method["allocation"] == "once" else 1_000)
        row = {"code": f"CODE{ulid()}", "type": "standard", "status": "active", "application_method": method, **given}
        made: Row = (await self.modules.promotion.create_promotions([row]))[0]
        return made

    async def item_of(self, variant_id: str) -> str:
        pair = (await self.modules.link.linked("product_variant_inventory_item", "variant_id", [variant_id]))[0]
        return str(pair["inventory_item_id"])

    async def available(self, variant_id: str) -> Decimal:
        item = await self.item_of(variant_id)
        found: Decimal = (await self.modules.inventory.available([item]))[item]
        return found

    async def reserved(self, variant_id: str) -> Decimal:
        """The reserved quantity of the variant's item; checks that the levels' counters agree."""
        item = await self.item_of(variant_id)
        reservations = await self.modules.inventory.list("reservation_item", {"inventory_item_id": item})
        levels = await self.modules.inventory.list("inventory_level", {"inventory_item_id": item})
        held = sum((Decimal(row["quantity"]) for row in reservations), Decimal(0))
        assert held == sum((Decimal(level["reserved_quantity"]) for level in levels), Decimal(0))
        return held

    async def order_ids(self, cart: Row) -> list[str]:
        """The ids of the cart's order: one, or none."""
        rows = await self.modules.cart.list("cart", {"id": cart["id"]}, fields=("order_id",))
        return [row["order_id"] for row in rows if row["order_id"] is not None]

    async def token(self, customer_id: str) -> str:
        return await token_of(self.modules, self.front.tokens, "customer", customer_id)


@dataclass
class Store:
    """A storefront."""

    market: Market
    session: aiohttp.ClientSession
    headers: dict[str, str]

    async def signed_in(self, customer_id: str) -> Store:
        return Store(self.market, self.session, {**self.headers, "authorization": f"Bearer {await self.market.token(customer_id)}"})

    def under(self, key: str) -> Store:
        """The same, with an Idempotency-Key."""
        return Store(self.market, self.session, {**self.headers, "idempotency-key": key})

    async def __call__(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        data = None if body is None else json.dumps(body, default=str)
        headers = self.headers if body is None else {**self.headers, "content-type": "application/json"}
        async with self.session.request(method, self.market.base + path, data=data, headers=headers, params=query) as answer:
            text = await answer.text()
            return Answer(answer.status, json.loads(text, parse_float=Decimal) if text.startswith(("{", "[")) else text)

    async def get(self, path: str, **query: str) -> Answer:
        return await self("GET", path, **query)

    async def post(self, path: str, body: Any = None, **query: str) -> Answer:
        return await self("POST", path, {} if body is None else body, **query)

    # -- what buyers do

    async def cart(self, country: str = "de", **body: Any) -> Row:
        address = {"first_name": "Ada", "address_1": "Street 1", "city": "Town", "postal_code": "1", "country_code": country}
        given = {"region_id": self.market.regions[country], "email": f"{ulid().lower()}@example.com", "shipping_address": address}
        made: Row = (await self.post("/store/carts", {**given, **body}))["cart"]
        return made

    async def add(self, cart: Row, variant_id: str, quantity: int = 1, **body: Any) -> Row:
        made: Row = (await self.post(f"/store/carts/{cart['id']}/line-items", {"variant_id": variant_id, "quantity": quantity, **body}))[
            "cart"
        ]
        return made

    async def ship(self, cart: Row, option: str | None = None) -> Row:
        made: Row = (await self.post(f"/store/carts/{cart['id']}/shipping-methods", {"option_id": option or self.market.option}))["cart"]
        return made

    async def pay(self, cart: Row, provider: str = "pp_system_default", **data: Any) -> Row:
        collection = (await self.post("/store/payment-collections", {"cart_id": cart["id"]}))["payment_collection"]
        made: Row = (
            await self.post(f"/store/payment-collections/{collection['id']}/payment-sessions", {"provider_id": provider, "data": data})
        )["payment_collection"]
        return made

    async def ready(self, *variants: str, country: str = "de", provider: str = "pp_system_default", quantity: int = 1, **data: Any) -> Row:
        """A cart that only has to be completed."""
        cart = await self.cart(country)
        for variant in variants:
            await self.add(cart, variant, quantity)
        cart = await self.ship(cart)
        await self.pay(cart, provider, **data)
        return cart

    async def complete(self, cart: Row) -> Answer:
        return await self.post(f"/store/carts/{cart['id']}/complete")

    async def show(self, cart: Row, **query: str) -> Row:
        made: Row = (await self.get(f"/store/carts/{cart['id']}", **query))["cart"]
        return made


@pytest.fixture(scope="package")
async def stripe_desk() -> AsyncIterator[StripeDesk]:
    async with StripeDesk() as desk:
        yield desk


@pytest.fixture(scope="package")
async def ship_desk() -> AsyncIterator[ShipDesk]:
    async with ShipDesk() as desk:
        yield desk


@pytest.fixture(scope="package")
async def market(
    postgres: EmbeddedPostgres,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
    stripe_desk: StripeDesk,
    ship_desk: ShipDesk,
    no_subscribers_of_others: None,
) -> AsyncIterator[Market]:
    """One shop for all tests; each makes its own products."""
    stripe = {"api_key": KEY, "webhook_secret": SECRET, "api_base": stripe_desk.url, "timeout": 5.0}
    payment = [
        *default_providers()["payment"],
        ProviderSettings(use="store_test_providers:MoodyProvider", id="m"),
        ProviderSettings(use="store_test_providers:Vault", id="v"),
        ProviderSettings(use="stripe", id="stripe", options=stripe),
        ProviderSettings(use="stripe", id="at-once", options={**stripe, "capture": True}),
    ]
    shipstation = ProviderSettings(use="shipstation", id="shipstation", options=ship_desk.options)
    carrier = ProviderSettings(use="store_test_providers:Carrier", id="c")
    fulfillment = [*default_providers()["fulfillment"], shipstation, carrier]
    settings = Settings(
        database_url=await clone(postgres, migrated),
        port=0,
        data_dir=Path(tmp_path_factory.mktemp("market")),
        providers={**default_providers(), "payment": payment, "fulfillment": fulfillment},
        **UNLIMITED,
    ).with_secrets()
    async with local_host(settings, service_names(settings), wire_check=True) as host:
        front = host.services["http"]
        assert isinstance(front, FrontEnd)
        yield await Market(host, f"http://127.0.0.1:{front.port}", front).open()


@pytest.fixture
async def store(market: Market) -> AsyncIterator[Store]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Store(market, session, {"x-publishable-api-key": market.key})


@pytest.fixture
async def merchant(market: Market, store: Store) -> Store:
    token = await token_of(market.modules, market.front.tokens, "user", "user_1")
    return Store(market, store.session, {"authorization": f"Bearer {token}"})


@pytest.fixture
async def shed(market: Market) -> AsyncIterator[str]:
    """A second location from which the shop sends, for one test."""
    id = await market.new_location("Shed")
    yield id
    await market.modules.link.detach("sales_channel_stock_location", [{"sales_channel_id": market.channel, "stock_location_id": id}])


@pytest.fixture
async def carried(market: Market) -> AsyncIterator[str]:
    """A shipping option by which `Carrier` sends, for three of every currency."""
    Carrier.reset()
    id = await market.new_option(f"Carried {ulid()}", {each.currency: "3" for each in COUNTRIES})
    await market.modules.fulfillment.update("shipping_option", [{"id": id, "provider_id": "carrier_c"}])
    yield id
    Carrier.come_back()
    await market.modules.fulfillment.delete("shipping_option", [id])
