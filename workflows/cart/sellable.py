"""Whether the contents of a cart can still be bought: what was checked when they were added is checked again at checkout.

Prices stay what the buyer has seen; but an item without a price any more isn't sold, and a sale that is over isn't given. Rules can depend
on attributes that only an application's hooks know: prices with such rules were checked with the hooks when the item was added, and aren't
checked here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ...commerce.reprice import reprice
from ...commerce.types import Line
from ...core.errors import InsufficientInventory, InvalidData, NotAllowed, VelellaError
from ...core.sql.schema.query import Query
from ...modules.pricing.types import CalculatedPrice, RuledPrice
from ..kit import Flow, workflow
from .context import CartContext, load_context
from .create import find_sales_channel
from .discounts import save_all
from .lines import add_to_cart
from .pricing import CartMarket
from .saving import lock_of
from .sellables import VARIANT, find_prices, priced
from .shipping import idle_profiles, load_options
from .types import SoldVariant
from .working import WorkingCart

OPTION_RULES = ("id", "shipping_profile_id", "rules.attribute")
_OF_OPTIONS = frozenset({"is_return", "enabled_in_store", "item_total", "currency_code", "region_id"})
_OF_PRICES = frozenset({"region_id", "currency_code", "customer_id", "customer.groups.id", "customer.id"})
"""Attributes of rules that are known without hooks."""


@dataclass
class Sellable:
    """What of a cart can be bought, and what can't."""

    variants: dict[str, SoldVariant]
    """The variants of its lines, with the fields of `VARIANT`."""
    gone_items: dict[str, str]
    """Lines that can't be bought any more: id → title."""
    dearer: dict[str, CalculatedPrice]
    """Lines whose sale is over: id → today's price."""
    gone_methods: dict[str, str]
    """Shipping methods that can't be chosen any more, or have nothing to ship: id → name."""

    def check(self, draft: WorkingCart) -> None:
        """Raises InvalidData where something can't be bought any more, or not at its price in the cart."""
        if self.gone_items:
            raise InvalidData(f"Not sold any more, and taken out of the cart: {', '.join(sorted(self.gone_items.values()))}")
        if self.dearer:
            titles = sorted(item["title"] for item in draft.items if item["id"] in self.dearer)
            raise InvalidData(f"Not on sale any more: {', '.join(titles)}")
        if self.gone_methods:
            raise InvalidData(f"Can't be chosen any more to send the cart: {', '.join(sorted(self.gone_methods.values()))}")


async def find_sellable(flow: Flow, draft: WorkingCart) -> Sellable:
    """What of a cart can be bought. Raises InvalidData where its region or its sales channel is deleted."""
    cart_context = await load_context(flow, draft["region_id"], draft["customer_id"])
    if draft["region_id"] is not None and cart_context.region is None:
        raise InvalidData(f"Region with id: {draft['region_id']} does not exist any more")
    if draft["sales_channel_id"] is not None:
        await find_sales_channel(flow, draft["sales_channel_id"])
    (variants, gone, dearer), methods = await asyncio.gather(_items(flow, draft, cart_context), _methods(flow, draft, cart_context))
    return Sellable(variants, gone, dearer, methods)


async def _items(
    flow: Flow, draft: WorkingCart, cart_context: CartContext
) -> tuple[dict[str, SoldVariant], dict[str, str], dict[str, CalculatedPrice]]:
    """The variants, the lines that can't be bought any more, and those whose sale is over."""
    lines = [(id, item) for item in draft.items if (id := item["variant_id"]) is not None]
    ids, channel = sorted({id for id, _ in lines}), draft["sales_channel_id"]
    if not ids:
        return {}, {}, {}
    products = sorted({product for _, line in lines if (product := line["product_id"]) is not None})
    narrow = channel is not None and flow.settings.strict_channels
    rows: list[SoldVariant] = await flow.graph.rows(Query("product_variant", VARIANT, {"id": ids}))
    listed, priced = await flow.graph.pairs_of(
        ("product_sales_channel", "product_id", products if narrow else []), ("product_variant_price_set", "variant_id", ids)
    )
    here = {pair["product_id"] for pair in listed if pair["sales_channel_id"] == channel}
    sold = {
        row["id"]: row
        for row in rows
        if row["product"] is not None and row["product"]["status"] == "published" and (not narrow or row["product_id"] in here)
    }
    price_sets = {pair["variant_id"]: pair["price_set_id"] for pair in priced}
    quantities: dict[str, int] = {}
    for id, line in lines:
        quantities[id] = quantities.get(id, 0) + line["quantity"]
    found = await find_prices(flow, price_sets, quantities, cart_context.pricing(draft))
    prices = {id: price for id, price in found.items() if price["calculated_amount"] is not None}
    quoted = [(id, line) for id, line in lines if not line["is_custom_price"]]
    priceless = await _priceless(flow, draft, {id for id, _ in quoted} - prices.keys(), price_sets)
    gone = {line["id"]: line["title"] for id, line in lines if id not in sold or id in priceless}
    return sold, gone, {line["id"]: price for id, line in quoted if (price := _dearer(line, prices.get(id))) is not None}


def _dearer(line: Line, price: CalculatedPrice | None) -> CalculatedPrice | None:
    """Today's price of a line whose sale is over; None where hooks influence its prices, because that can't be decided here."""
    if price is None or line["compare_at_unit_price"] is None or add_to_cart.handlers.get("setPricingContext"):
        return None
    amount = price["calculated_amount"]
    return price if amount is not None and amount > line["unit_price"] else None


async def _priceless(flow: Flow, draft: WorkingCart, missing: Collection[str], price_sets: Mapping[str, str]) -> set[str]:
    """The variants that have no price even with the hooks, among those without a price here."""
    sets = sorted({price_sets[id] for id in missing if id in price_sets})
    others = await flow.modules.pricing.all_prices(sets) if sets else {}
    return {id for id in missing if not any(_by_hooks(price, draft) for price in others.get(price_sets.get(id, ""), ()))}


def _by_hooks(price: RuledPrice, draft: WorkingCart) -> bool:
    """Whether a price may apply by attributes that only hooks know."""
    rules = {rule["attribute"] for rule in price["price_rules"]}
    return bool(price["currency_code"] == draft["currency_code"] and rules - _OF_PRICES)


async def _methods(flow: Flow, draft: WorkingCart, cart_context: CartContext) -> dict[str, str]:
    methods = [(id, method) for method in draft.shipping_methods if (id := method["shipping_option_id"]) is not None]
    if not methods:
        return {}
    ids = sorted({id for id, _ in methods})
    options, idle, rows = await asyncio.gather(
        load_options(flow, draft, cart_context, option_ids=ids, calculate=False),
        idle_profiles(flow, draft),
        flow.graph.rows(Query("shipping_option", OPTION_RULES, {"id": ids})),
    )
    offered = {option["id"] for option in options if option["amount"] is not None or option["price_type"] == "calculated"}
    offered |= {row["id"] for row in rows if {rule["attribute"] for rule in row["rules"]} - _OF_OPTIONS}
    offered -= {row["id"] for row in rows if idle(row["shipping_profile_id"])}
    return {method["id"]: method["name"] for id, method in methods if id not in offered}


def is_outdated(error: VelellaError) -> bool:
    """Whether a cart could not be completed because of its contents: the caller then updates it (`refresh_cart`), so that the buyer
    sees it as it can be bought. Items out of stock stay in it."""
    return isinstance(error, (InvalidData, NotAllowed)) and not isinstance(error, InsufficientInventory)


@workflow("refresh-cart-items", hooks=(), emits=("cart.updated",))
async def refresh_cart(flow: Flow, cart_id: str) -> None:
    """Update a cart that can't be bought as it is: what can't be bought any more is removed, and the buyer sees the new total.

    Nothing happens to a cart that has become an order. Raises NotFound; InvalidData where its region or its sales channel is deleted.
    """
    async with flow.lock(lock_of(cart_id)):
        cart = await flow.modules.cart.load(cart_id)
        if cart["completed_at"] is not None:
            return
        draft = WorkingCart(cart)
        cart_context = await load_context(flow, draft["region_id"], draft["customer_id"])
        sellable = await find_sellable(flow, draft)
        for item in draft.items:
            if item["id"] in sellable.dearer:
                draft.put_item({**item, **priced(sellable.dearer[item["id"]])})
        for id in sellable.gone_items:
            draft.drop_item(id)
        for id in sellable.gone_methods:
            draft.drop_shipping_method(id)
        await reprice(CartMarket(flow, draft, cart_context))
        await save_all(flow, draft)
    flow.emit("cart.updated", id=cart_id)
