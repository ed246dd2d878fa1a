"""The shipping options of a cart, and their prices."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ...core.errors import NotFound
from ...core.numbers import raw
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...core.waiting import all_of
from ...modules.fulfillment.types import PriceQuestion
from ...modules.pricing.types import RuledPrice
from ..consigning import weighed
from ..kit import Flow, workflow
from ..translating import spoken
from .context import CartContext, load_context
from .sellables import STOCK, VARIANT
from .types import PricedOption
from .working import WorkingCart

OPTION = (
    "id",
    "name",
    "price_type",
    "service_zone_id",
    "shipping_profile_id",
    "provider_id",
    "shipping_option_type_id",
    "data",
    "metadata",
    "type.id",
    "type.label",
    "type.description",
    "type.code",
    "provider.id",
    "provider.is_enabled",
    "service_zone.id",
    "service_zone.fulfillment_set_id",
    "service_zone.fulfillment_set.id",
    "service_zone.fulfillment_set.type",
)


@dataclass
class Added:
    """What an application's hooks add."""

    options: Row = field(default_factory=dict)
    """Attributes for rules of options."""
    prices: Row = field(default_factory=dict)
    """Attributes for rules of their prices."""
    calculation: Row = field(default_factory=dict)
    """Data for providers that calculate prices."""


async def load_options(
    flow: Flow,
    draft: WorkingCart,
    cart_context: CartContext,
    *,
    option_ids: Sequence[str] | None = None,
    data: Mapping[str, Mapping[str, Any]] | None = None,
    added: Added | None = None,
    is_return: bool = False,
    enabled_in_store: bool = True,
    calculate: bool = True,
) -> list[PricedOption]:
    """The shipping options of a cart: from the locations of its sales channel, to its address, as their rules allow.

    Each has `calculated_price`, `amount` (None: no price is known) and `is_tax_inclusive`. `data` is the buyer's data for providers, by
    option; `added` comes from an application's hooks. Providers that calculate prices are asked for them, unless `calculate` is
    off.
    """
    located = await fulfillment_sets_of(flow, draft["sales_channel_id"])
    if not located:
        return []
    added = added or Added()
    context: Row = {"is_return": _word(is_return), "enabled_in_store": _word(enabled_in_store), **_of_cart(draft), **added.options}
    filters: Row = {"service_zone": {"fulfillment_set_id": sorted(located)}}
    if option_ids is not None:
        filters["id"] = list(option_ids)
    options: list[PricedOption] = await flow.modules.fulfillment.list_shipping_options_for_context(
        context, address=draft.address(), filters=filters, fields=OPTION
    )
    flat = [option for option in options if option["price_type"] != "calculated"]
    calculated = [option for option in options if option["price_type"] == "calculated"]
    pricing = [_price_flat(flow, draft, cart_context, flat, added)] if flat else []
    if calculated and calculate:
        pricing.append(_price_calculated(flow, draft, calculated, data or {}, located, added))
    await all_of(*pricing)
    for option in options:
        _show_price(option)
        option["location_id"] = located[option["service_zone"]["fulfillment_set_id"]]
        option["rules"] = [
            {"attribute": rule["attribute"], "value": rule["value"], "operator": rule["operator"]} for rule in option.get("rules") or ()
        ]
    return options


@dataclass
class Parcel:
    """What is sent by an option that a merchant chooses, and where to."""

    lines: Sequence[Mapping[str, Any]]
    """Lines, of which each has as its `quantity` how many units go."""
    location_id: str | None = None
    """Where they are sent from or, on their way back, to; None: where the option sends from."""
    said: Row = field(default_factory=dict)
    """What else the provider is told of them (`FulfillmentProvider.calculate_price`)."""


async def price_option(
    flow: Flow, draft: WorkingCart, cart_context: CartContext, option_id: str, parcel: Parcel | None, added: Added | None = None
) -> PricedOption:
    """One option, whatever its rules say, with its price for this document, or for a parcel where its provider calculates it (None: it
    isn't asked, and the price isn't known): for merchants, who may choose any.

    Raises NotFound, and what the provider refuses it for.
    """
    rows: list[PricedOption] = await flow.graph.rows(
        Query("shipping_option", (*OPTION, "service_zone.fulfillment_set.location.id"), {"id": option_id})
    )
    if not rows:
        raise NotFound(f"Shipping option with id: {option_id} was not found")
    option = rows[0]
    if option["price_type"] != "calculated":
        await _price_flat(flow, draft, cart_context, rows, added or Added())
    elif parcel is not None:
        fulfillment_set = option["service_zone"]["fulfillment_set"]
        location = parcel.location_id or (fulfillment_set["location"] or {}).get("id")
        located = {fulfillment_set["id"]: location} if location is not None else {}
        told = Added(calculation={**parcel.said, **(added.calculation if added is not None else {})})
        await _price_calculated(flow, draft, rows, {}, located, told, parcel.lines)
    _show_price(option)
    await spoken(flow, "shipping_option", OPTION, rows, draft["locale"])
    return option


def _show_price(option: PricedOption) -> None:
    """Say what an option costs by its calculated price."""
    price = option["calculated_price"] = option.get("calculated_price")
    option["amount"] = price["calculated_amount"] if price is not None else None
    option["is_tax_inclusive"] = price["is_calculated_price_tax_inclusive"] if price is not None else False


async def fulfillment_sets_of(flow: Flow, sales_channel_id: str | None) -> dict[str, str]:
    """The fulfillment sets of a sales channel's locations: fulfillment set → location."""
    if sales_channel_id is None:
        return {}
    pairs = await flow.graph.pairs("sales_channel_stock_location", "sales_channel_id", [sales_channel_id])
    sets = await flow.graph.pairs("location_fulfillment_set", "stock_location_id", [pair["stock_location_id"] for pair in pairs])
    return {pair["fulfillment_set_id"]: pair["stock_location_id"] for pair in sets}


async def _price_flat(flow: Flow, draft: WorkingCart, cart_context: CartContext, options: Sequence[PricedOption], added: Added) -> None:
    """Options with flat prices: give each its calculated price, or None."""
    ids = [option["id"] for option in options]
    price_sets = {
        pair["shipping_option_id"]: pair["price_set_id"]
        for pair in await flow.graph.pairs("shipping_option_price_set", "shipping_option_id", ids)
    }
    context = {**cart_context.pricing(draft), **_of_cart(draft), **added.prices}
    prices = await flow.modules.pricing.calculate_prices(sorted(price_sets.values()), context)
    for option in options:
        option["price_set_id"] = price_sets.get(option["id"])
        option["calculated_price"] = prices.get(price_sets.get(option["id"], ""))


async def _price_calculated(
    flow: Flow,
    draft: WorkingCart,
    options: Sequence[PricedOption],
    data: Mapping[str, Mapping[str, Any]],
    located: Mapping[str, str],
    added: Added,
    lines: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Options whose providers calculate the price for this cart, or for these lines of it."""
    sent = draft.items if lines is None else lines
    variants = await weighed(flow, sent)
    items = [{**item, "variant": variants.get(item["variant_id"])} for item in sent]
    cart = {**seen_by_provider(draft), "currency_code": draft["currency_code"], "items": items, **added.calculation}
    locations = {row["id"]: row for row in await _locations(flow, set(located.values()))}
    asked: list[PriceQuestion] = [
        {
            "provider_id": option["provider_id"],
            "option_data": option["data"],
            "data": data.get(option["id"], {}),
            "context": {**cart, "from_location": locations.get(located.get(option["service_zone"]["fulfillment_set_id"], ""))},
        }
        for option in options
    ]
    for option, price in zip(options, await flow.modules.fulfillment.calculate_prices(asked), strict=True):
        option["calculated_price"] = {**price, "currency_code": draft["currency_code"]}


async def _locations(flow: Flow, ids: Iterable[str]) -> list[Row]:
    return await flow.graph.rows(Query("stock_location", ("id", "name", "*address"), {"id": sorted(ids)}))


def _of_cart(draft: WorkingCart) -> Row:
    """Attributes of the cart for rules of options and of their prices."""
    return {"item_total": draft.totals["item_total"], "currency_code": draft["currency_code"], "region_id": draft["region_id"]}


def seen_by_provider(draft: WorkingCart) -> Row:
    """The data of a cart that a provider gets."""
    columns = {name: draft[name] for name in ("region_id", "customer_id", "sales_channel_id", "email")}
    return {**draft.totals, **columns, "id": draft.id, "shipping_address": draft.address(), "items": draft.items}


def _word(flag: bool) -> str:
    """A boolean as rules of options write it."""
    return "true" if flag else "false"


# -- chosen methods


async def refresh_shipping(flow: Flow, draft: WorkingCart, cart_context: CartContext) -> bool:
    """Update the shipping methods: those that can't be chosen any more, or have nothing to ship any more, are removed;
    the others get today's price.

    Returns whether anything changed.
    """
    methods = [(id, method) for method in draft.shipping_methods if (id := method["shipping_option_id"]) is not None]
    if not methods:
        return False
    data = {id: method["data"] or {} for id, method in methods}
    options, idle = await asyncio.gather(
        flow.run(list_with_pricing, draft.id, data, loaded=(draft, cart_context)), idle_profiles(flow, draft)
    )
    found = {option["id"]: option for option in options if not idle(option["shipping_profile_id"])}
    changed = False
    for id, method in methods:
        option = found.get(id)
        if option is None or option["amount"] is None:
            draft.drop_shipping_method(method["id"])
            changed = True
        elif (Decimal(method["amount"]), method["is_tax_inclusive"]) != (Decimal(option["amount"]), option["is_tax_inclusive"]):
            draft.put_shipping_method({**method, "amount": option["amount"], "is_tax_inclusive": option["is_tax_inclusive"]})
            changed = True
    return changed


async def idle_profiles(flow: Flow, draft: WorkingCart) -> Callable[[str], bool]:
    """Returns a function that says whether a shipping profile has no line to ship, while another profile has one, or it had one before the
    cart was changed.

    A buyer of items that aren't shipped may still have chosen a method: it stays, as does everything where a line's profile isn't known.
    """
    products = {id for item in (*draft.items, *draft.items_before) if (id := item["product_id"]) is not None}
    pairs = await flow.graph.pairs("product_shipping_profile", "product_id", sorted(products)) if products else []
    profiles: dict[str | None, str] = {pair["product_id"]: pair["shipping_profile_id"] for pair in pairs}
    now, before = (
        {profiles.get(item["product_id"]) for item in items if item["requires_shipping"]} for items in (draft.items, draft.items_before)
    )
    return lambda profile: profile not in now and None not in now and (bool(now) or profile in before)


# -- listing


@workflow("list-shipping-options-for-cart-with-pricing", hooks=("setShippingOptionsContext", "setCalculatedShippingPricingContext"))
async def list_with_pricing(
    flow: Flow,
    cart_id: str,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    is_return: bool = False,
    enabled_in_store: bool = True,
    loaded: tuple[WorkingCart, CartContext] | None = None,
) -> list[PricedOption]:
    """The options that can be chosen for a cart, each with its amount (None: no price is known).

    `options`: the ids to consider, with the buyer's data for their providers; None: all. `loaded` is for workflows that have read the
    cart. Raises NotFound.
    """
    draft, cart_context = loaded or await _load(flow, cart_id)
    ids = None if options is None else list(options)
    added = Added(
        options=await _asked(flow, draft, flow.hooks.setShippingOptionsContext),
        calculation=await _asked(flow, draft, flow.hooks.setCalculatedShippingPricingContext),
    )
    found = await load_options(
        flow, draft, cart_context, option_ids=ids, data=options, added=added, is_return=is_return, enabled_in_store=enabled_in_store
    )
    await spoken(flow, "shipping_option", OPTION, found, draft["locale"])
    return found


@workflow("list-shipping-options-for-cart", hooks=("setPricingContext", "setShippingOptionsContext"))
async def list_shipping_options(
    flow: Flow, cart_id: str, is_return: bool = False, enabled_in_store: bool = True, locale: str | None = None
) -> list[PricedOption]:
    """The options as storefronts show them: with all their prices, their location, and whether enough stock is there. In the cart's
    locale; in `locale` where it has none.

    Options whose providers calculate prices have no amount (see `calculate_shipping_option`). Raises NotFound.
    """
    draft, cart_context = await _load(flow, cart_id)
    added = Added(
        options=await _asked(flow, draft, flow.hooks.setShippingOptionsContext),
        prices=await _asked(flow, draft, flow.hooks.setPricingContext),
    )
    options: list[PricedOption]
    needs, options = await asyncio.gather(
        _needs(flow, draft),
        load_options(flow, draft, cart_context, added=added, is_return=is_return, enabled_in_store=enabled_in_store, calculate=False),
    )
    await spoken(flow, "shipping_option", OPTION, options, draft["locale"] or locale)
    price_sets = [id for option in options if (id := option.get("price_set_id")) is not None]
    prices = await flow.modules.pricing.all_prices(sorted(price_sets)) if price_sets else {}
    locations = {row["id"]: row for row in await _locations(flow, {option["location_id"] for option in options})}
    for option in options:
        location = option.pop("location_id")
        option["prices"] = [_shown(price) for price in prices.get(option.pop("price_set_id", None) or "", ())]
        option["insufficient_inventory"] = any(available.get(location, Decimal(0)) < wanted for wanted, available in needs)
        option["service_zone"]["fulfillment_set"]["location"] = locations.get(location)
    return options


@workflow("calculate-shipping-options-prices-workflow", hooks=("setCalculatedShippingPricingContext",))
async def calculate_shipping_option(flow: Flow, cart_id: str, option_id: str, data: Mapping[str, Any] | None = None) -> PricedOption:
    """The price of an option for a cart, with the buyer's data for its provider. Raises NotFound if it can't be chosen for the cart."""
    draft, cart_context = await _load(flow, cart_id)
    added = Added(calculation=await _asked(flow, draft, flow.hooks.setCalculatedShippingPricingContext))
    options = await load_options(flow, draft, cart_context, option_ids=[option_id], data={option_id: data or {}}, added=added)
    if not options:
        raise NotFound(f"Shipping option with id: {option_id} was not found")
    await spoken(flow, "shipping_option", OPTION, options, draft["locale"])
    option = options[0]
    option.pop("location_id")
    option.pop("price_set_id", None)
    return option


def _shown(price: RuledPrice) -> Row:
    """A price as clients see it: with raw_ twins, and its price list."""
    twins = {
        "raw_amount": raw(price["amount"]),
        "raw_min_quantity": raw(price["min_quantity"]),
        "raw_max_quantity": raw(price["max_quantity"]),
    }
    return {**price, **twins, "price_list": {"id": price["price_list_id"]} if price["price_list_id"] is not None else None}


async def _load(flow: Flow, cart_id: str) -> tuple[WorkingCart, CartContext]:
    draft = WorkingCart(await flow.modules.cart.load(cart_id))
    return draft, await load_context(flow, draft["region_id"], draft["customer_id"])


async def _asked(flow: Flow, draft: WorkingCart, hook: Callable[..., Awaitable[list[Mapping[str, Any] | None]]]) -> Row:
    """What the handlers of a hook add, together."""

    async def sets() -> list[str]:
        return sorted(await fulfillment_sets_of(flow, draft["sales_channel_id"]))

    merged: Row = {}
    for answer in await hook(cart=lambda: draft.document(flow.now()), fulfillmentSetIds=sets):
        merged |= answer or {}
    return merged


async def _needs(flow: Flow, draft: WorkingCart) -> list[tuple[Decimal, dict[str, Decimal]]]:
    """For each inventory item that has to be shipped for the cart: the quantity, and what is available of it by location."""
    ids = sorted({item["variant_id"] for item in draft.items if item["variant_id"] is not None})
    if not ids:
        return []
    variants = await flow.graph.rows(Query("product_variant", VARIANT, {"id": ids}))
    managed = {row["id"] for row in variants if row["manage_inventory"]}
    pairs = await flow.graph.pairs("product_variant_inventory_item", "variant_id", sorted(managed))
    wanted: dict[str, Decimal] = {}
    for item in draft.items:
        for pair in pairs:
            if pair["variant_id"] == item["variant_id"]:
                need = Decimal(pair["required_quantity"]) * item["quantity"]
                wanted[pair["inventory_item_id"]] = wanted.get(pair["inventory_item_id"], Decimal(0)) + need
    if not wanted:
        return []
    rows = await flow.modules.inventory.list("inventory_item", {"id": sorted(wanted)}, fields=STOCK)
    return [
        (wanted[row["id"]], {level["location_id"]: Decimal(level["available_quantity"]) for level in row["location_levels"]})
        for row in rows
        if row["requires_shipping"]
    ]
