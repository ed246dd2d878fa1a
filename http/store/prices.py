"""Prices of variants for the caller: the context of a request, and its prices put onto variants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ...commerce.totals import without_and_with_tax
from ...core.errors import InvalidData
from ...core.json import dumps
from ...core.plugins import rules_of
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...modules.pricing.types import CalculatedPrice
from ...modules.tax.types import TaxableItem
from ..kit.request import Request

CONTEXT = ("region_id", "country_code", "province", "cart_id")
"""Parameters of the pricing context; they aren't filters."""
PRICE_SET = "product_variant_price_set"


@dataclass(frozen=True, slots=True)
class AskedPrices:
    """The context that prices are asked for in. Two requests with equal contexts get the same prices."""

    region_id: str
    currency_code: str
    group_ids: tuple[str, ...] = ()
    country_code: str | None = None
    """The country whose taxes are to be shown, or None."""
    province: str | None = None
    customer: tuple[str, str | None, bool] | None = None
    """Id, email and whether it has an account, where conditions of plugins may ask for that: then prices are each customer's own."""

    @property
    def context(self) -> Row:
        context: Row = {"region_id": self.region_id, "currency_code": self.currency_code}
        if self.customer is not None:
            context["customer_id"] = self.customer[0]
        return context | self._buyer

    @property
    def taxes(self) -> Row:
        """The context of taxes."""
        context: Row = {"address": {"country_code": self.country_code, "province_code": self.province}}
        return context if self.customer is None else context | self._buyer

    @property
    def _buyer(self) -> Row:
        named = dict(zip(("id", "email", "has_account"), self.customer, strict=True)) if self.customer is not None else {}
        if not named and not self.group_ids:
            return {}
        return {"customer": {**named, "groups": [{"id": id} for id in self.group_ids]}}


async def asking(request: Request, wanted: bool) -> AskedPrices | None:
    """The pricing context, from the query string, the cart it names and the logged-in customer.

    None where no prices are `wanted` and no region is named. Raises InvalidData where no region can be determined.
    """
    given = {name: request.filters.pop(name, None) for name in CONTEXT}
    if not wanted and given["region_id"] is None:
        return None
    region_id, country, province = given["region_id"], given["country_code"], given["province"]
    if given["cart_id"] is not None:
        fields = ("region_id", "shipping_address.country_code", "shipping_address.province")
        carts = await request.modules.cart.list("cart", {"id": given["cart_id"]}, fields=fields, limit=1)
        if carts:
            address = carts[0]["shipping_address"] or {}
            region_id = carts[0]["region_id"] or region_id
            country, province = address.get("country_code") or country, address.get("province") or province
    if region_id is None:
        stores = await request.graph.rows(Query("store", ("default_region_id",), limit=1))
        region_id = stores[0]["default_region_id"] if stores else None
    if region_id is None:
        raise InvalidData("Missing required pricing context to calculate prices - region_id")
    regions = await request.graph.rows(Query("region", ("currency_code", "automatic_taxes"), {"id": region_id}, limit=1))
    if not regions:
        raise InvalidData(f"Region with id {region_id} not found when populating the pricing context")
    groups, customer = await _buyer(request)
    taxed = regions[0]["automatic_taxes"] and country is not None
    currency = regions[0]["currency_code"]
    return AskedPrices(region_id, currency, groups, country if taxed else None, province if taxed else None, customer)


async def _buyer(request: Request) -> tuple[tuple[str, ...], tuple[str, str | None, bool] | None]:
    """The groups of the logged-in customer, and who that is where plugins may ask for it."""
    if request.customer_id is None:
        return (), None
    rules = rules_of(request.settings)
    asked = bool(rules.about("prices") or rules.about("taxes"))
    fields = ("id", "email", "has_account", "groups.id") if asked else ("groups.id",)
    customers = await request.graph.rows(Query("customer", fields, {"id": request.customer_id}, limit=1))
    if not customers:
        return (), None
    [customer] = customers
    groups = tuple(sorted(group["id"] for group in customer["groups"]))
    return groups, (customer["id"], customer["email"], bool(customer["has_account"])) if asked else None


async def prices_of(request: Request, variant_ids: Sequence[str], who: AskedPrices) -> dict[str, CalculatedPrice]:
    """Calculated prices by variant, without taxes; variants without a price in this context are left out."""
    pairs = await request.modules.link.linked(PRICE_SET, "variant_id", variant_ids)
    price_sets = {pair["variant_id"]: pair["price_set_id"] for pair in pairs}
    prices = await request.modules.pricing.calculate_prices(sorted(price_sets.values()), who.context)
    return {id: prices[price_set] for id, price_set in price_sets.items() if price_set in prices}


async def price_texts(request: Request, variant_ids: Sequence[str], who: AskedPrices) -> dict[str, bytes]:
    """`prices_of` as JSON, each cached by itself in this process; null for variants without a price."""

    async def fill(missing: list[str]) -> list[tuple[str, bytes]]:
        prices = await prices_of(request, missing, who)
        return [(id, dumps(prices.get(id))) for id in missing]

    made_of = request.graph.catalogue.entities_of("pricing") | {PRICE_SET}
    return await request.memory.get_or_fill_many(lambda id: (PRICE_SET, who, id), variant_ids, fill, tags=lambda _: made_of)


async def add_prices(request: Request, variants: Sequence[Row], who: AskedPrices, products: dict[str, Row]) -> None:
    """Give each variant its `calculated_price`: null if it has none in this context.

    `products`: variant id → its product (`id`, `type_id`, `is_giftcard`), for taxes.
    """
    prices = await prices_of(request, [variant["id"] for variant in variants], who)
    for variant in variants:
        variant["calculated_price"] = prices.get(variant["id"])
    if who.country_code is not None:
        await _add_taxes(request, variants, who, products)


async def _add_taxes(request: Request, variants: Iterable[Row], who: AskedPrices, products: dict[str, Row]) -> None:
    priced = [variant for variant in variants if variant["calculated_price"] is not None]
    items: list[TaxableItem] = [
        {"id": variant["id"], "product_id": product["id"], "product_type_id": product.get("type_id"), "is_giftcard": product["is_giftcard"]}
        for variant in priced
        for product in (products[variant["id"]],)
    ]
    rates: dict[str, Decimal] = {}
    for line in await request.modules.tax.get_tax_lines(items, (), who.taxes):
        rates[line["line_item_id"]] = rates.get(line["line_item_id"], Decimal(0)) + line["rate"] / 100
    for variant in priced:
        price = variant["calculated_price"] = dict(variant["calculated_price"])
        for name in ("calculated", "original"):
            if price[f"{name}_amount"] is not None:
                inclusive = bool(price[f"is_{name}_price_tax_inclusive"])
                without, including = without_and_with_tax(price[f"{name}_amount"], inclusive, rates.get(variant["id"], Decimal(0)))
                price[f"{name}_amount_with_tax"], price[f"{name}_amount_without_tax"] = including, without
