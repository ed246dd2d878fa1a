"""Sellable variants: what a cart's lines consist of, with products, prices, stock, and whether a buyer may have them here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ...commerce.types import LineDescription, LinePrice, LineWording, NewLine
from ...core.errors import InsufficientInventory, InvalidData, UnexpectedState
from ...core.sql.schema.query import Query
from ...core.waiting import all_of
from ...modules.pricing.types import CalculatedPrice
from ..kit import Flow
from ..translating import spoken
from .types import SoldProduct, SoldVariant

VARIANT = (
    "id",
    "title",
    "sku",
    "barcode",
    "thumbnail",
    "product_id",
    "manage_inventory",
    "allow_backorder",
    "product.id",
    "product.title",
    "product.subtitle",
    "product.description",
    "product.thumbnail",
    "product.handle",
    "product.status",
    "product.discountable",
    "product.is_giftcard",
    "product.type_id",
    "product.type.id",
    "product.type.value",
    "product.collection.id",
    "product.collection.title",
)
"""Each variant with these fields is remembered by itself, with the rows that it shows: all workflows of carts ask for these, so that one
that was put into a cart is known until the cart is an order."""
STOCK = ("id", "requires_shipping", "location_levels.location_id", "location_levels.available_quantity")
NOT_ENOUGH = "Some variant does not have the required inventory"
MOST = 2**31 - 1
"""The largest quantity of a line."""


@dataclass
class InventoryPart:
    """An inventory item that a variant consists of."""

    item_id: str
    required: Decimal
    """How many of it one variant takes."""
    requires_shipping: bool = True
    available: dict[str, Decimal] = field(default_factory=dict)
    """By location of the cart's sales channel."""


@dataclass
class SellableVariant:
    """A variant as buyers of one sales channel see it."""

    variant: SoldVariant
    product: SoldProduct
    price_set_id: str | None
    has_shipping_profile: bool
    parts: list[InventoryPart]

    @property
    def guarded(self) -> bool:
        """Whether it can only be sold from stock."""
        return bool(self.variant["manage_inventory"]) and not self.variant["allow_backorder"]

    @property
    def requires_shipping(self) -> bool:
        return self.has_shipping_profile and (not self.parts or any(part.requires_shipping for part in self.parts))


@dataclass
class SellableVariants:
    """Sellable variants, with what is needed to price and describe them."""

    by_variant: dict[str, SellableVariant] = field(default_factory=dict)

    def __getitem__(self, variant_id: str) -> SellableVariant:
        return self.by_variant[variant_id]


async def load_sellables(
    flow: Flow, variant_ids: Iterable[str], sales_channel_id: str | None, locale: str | None = None, *, must: bool = True
) -> SellableVariants:
    """Sellable variants, with their stock at a sales channel's locations, and with their texts in a locale.

    Two statements, if the stable parts are cached; with a locale three.

    Raises InvalidData for a variant that doesn't exist, isn't published, or, where `strict_channels` is set, isn't sold in the channel; it
    is left out unless it `must` be sold.
    """
    ids = sorted(set(variant_ids))
    found: list[SoldVariant] = await flow.graph.rows(Query("product_variant", VARIANT, {"id": ids})) if ids else []
    await spoken(flow, "product_variant", VARIANT, found, locale)
    variants = {row["id"]: row for row in found}
    products = sorted({id for row in found if (id := row["product_id"]) is not None})
    sold, shipped, priced, made_of, located = await flow.graph.pairs_of(
        ("product_sales_channel", "product_id", products if sales_channel_id and flow.settings.strict_channels else []),
        ("product_shipping_profile", "product_id", products),
        ("product_variant_price_set", "variant_id", ids),
        ("product_variant_inventory_item", "variant_id", ids),
        ("sales_channel_stock_location", "sales_channel_id", [sales_channel_id] if sales_channel_id else []),
    )
    listed = {pair["product_id"] for pair in sold if pair["sales_channel_id"] == sales_channel_id}
    here = listed if sales_channel_id and flow.settings.strict_channels else set(products)
    on_sale = _on_sale(ids, variants, here, must=must)
    price_sets = {pair["variant_id"]: pair["price_set_id"] for pair in priced}
    profiled = {pair["product_id"] for pair in shipped}
    stock = await _stock(flow, {pair["inventory_item_id"] for pair in made_of}, {pair["stock_location_id"] for pair in located})
    sellables = SellableVariants()
    for id in sorted(on_sale):
        parts = [
            InventoryPart(pair["inventory_item_id"], Decimal(pair["required_quantity"]), *stock[pair["inventory_item_id"]])
            for pair in made_of
            if pair["variant_id"] == id and pair["inventory_item_id"] in stock
        ]
        sellables.by_variant[id] = SellableVariant(
            variants[id], on_sale[id], price_sets.get(id), variants[id]["product_id"] in profiled, parts
        )
    return sellables


def _on_sale(ids: Sequence[str], variants: Mapping[str, SoldVariant], products: set[str], *, must: bool) -> dict[str, SoldProduct]:
    """What each variant is of, as far as it is sold here. Raises InvalidData where one isn't that `must` be."""
    on_sale = {
        id: product
        for id, variant in variants.items()
        if (product := variant["product"]) is not None and product["status"] == "published" and variant["product_id"] in products
    }
    missing = [id for id in ids if id not in on_sale]
    if missing and must:
        raise InvalidData(f"Variants {', '.join(missing)} do not exist, or belong to a product that is not sold here")
    return on_sale


async def _stock(flow: Flow, items: set[str], locations: set[str]) -> dict[str, tuple[bool, dict[str, Decimal]]]:
    """For each inventory item whether it has to be shipped, and what is available of it by location."""
    if not items:
        return {}
    rows = await flow.modules.inventory.list("inventory_item", {"id": sorted(items)}, fields=STOCK)
    return {
        row["id"]: (
            row["requires_shipping"],
            {
                level["location_id"]: Decimal(level["available_quantity"])
                for level in row["location_levels"]
                if level["location_id"] in locations
            },
        )
        for row in rows
    }


def confirm_stock(sellables: SellableVariants, quantities: Mapping[str, int], sales_channel_id: str | None) -> None:
    """Check that these quantities of all variants are available right now. Only a reservation guarantees it.

    Raises InsufficientInventory; InvalidData for a variant whose stock is managed but not stocked at any location of the channel.
    """
    wanted: dict[str, Decimal] = {}
    there: dict[str, Decimal] = {}
    for id, quantity in quantities.items():
        sellable = sellables[id]
        if not sellable.variant["manage_inventory"]:
            continue
        if not sellable.parts:
            raise without_items(id)
        for part in sellable.parts:
            if not part.available:
                raise InvalidData(f"Sales channel {sales_channel_id} is not associated with any stock location for variant {id}.")
            if sellable.guarded:
                wanted[part.item_id] = wanted.get(part.item_id, Decimal(0)) + part.required * quantity
                there[part.item_id] = sum(part.available.values(), Decimal(0))
    if any(there[item] < quantity for item, quantity in wanted.items()):
        raise InsufficientInventory(NOT_ENOUGH)


def without_items(variant_id: str) -> InvalidData:
    """The error for a variant whose stock is managed, and that is made of nothing that could be in stock."""
    return InvalidData(f"Variant {variant_id} does not have any inventory items associated with it.")


async def load_prices(
    flow: Flow, sellables: SellableVariants, quantities: Mapping[str, int], context: Mapping[str, Any], *, must: bool = True
) -> dict[str, CalculatedPrice]:
    """The price of one unit of each variant at these quantities: calculated prices by variant id.

    Raises InvalidData for variants that have no price in this context; they are left out unless they `must` have one.
    """
    sets = {id: price_set for id in quantities if (price_set := sellables[id].price_set_id) is not None}
    found = await find_prices(flow, sets, quantities, context)
    prices = {id: price for id, price in found.items() if price["calculated_amount"] is not None}
    missing = sorted(quantities.keys() - prices.keys())
    if missing and must:
        raise InvalidData(f"Variants with IDs {', '.join(missing)} do not have a price")
    return prices


async def find_prices(
    flow: Flow, price_sets: Mapping[str, str], quantities: Mapping[str, int], context: Mapping[str, Any]
) -> dict[str, CalculatedPrice]:
    """The same by their price sets, without variants that have no price. One statement for each distinct quantity."""
    by_quantity: dict[int, list[str]] = {}
    for id, quantity in quantities.items():
        if id in price_sets:
            by_quantity.setdefault(quantity, []).append(id)

    async def calculate(quantity: int, ids: Sequence[str]) -> dict[str, CalculatedPrice]:
        wanted = sorted({price_sets[id] for id in ids})
        found = await flow.modules.pricing.calculate_prices(wanted, {**context, "quantity": quantity})
        return {id: found[price_sets[id]] for id in ids if price_sets[id] in found}

    prices: dict[str, CalculatedPrice] = {}
    for found in await all_of(*(calculate(quantity, ids) for quantity, ids in by_quantity.items())):
        prices.update(found)
    return prices


def wording(variant: SoldVariant, product: SoldProduct) -> LineWording:
    """The columns of a line that are texts about its variant."""
    return {
        "title": product["title"],
        "subtitle": variant["title"],
        "product_title": product["title"],
        "product_description": product["description"],
        "product_subtitle": product["subtitle"],
        "product_type": product["type"]["value"] if product["type"] else None,
        "product_collection": product["collection"]["title"] if product["collection"] else None,
        "variant_title": variant["title"],
    }


def described(sellable: SellableVariant) -> LineDescription:
    """The columns of a line that follow from its variant."""
    variant, product = sellable.variant, sellable.product
    return {
        **wording(variant, product),
        "thumbnail": variant["thumbnail"] or product["thumbnail"],
        "variant_id": variant["id"],
        "product_id": product["id"],
        "product_type_id": product["type_id"],
        "product_handle": product["handle"],
        "variant_sku": variant["sku"],
        "variant_barcode": variant["barcode"],
        "requires_shipping": sellable.requires_shipping,
        "is_discountable": product["discountable"],
        "is_giftcard": product["is_giftcard"],
    }


_DESCRIBED = (
    *("subtitle", "thumbnail", "variant_id", "product_id", "product_title", "product_description", "product_subtitle", "product_type"),
    *("product_type_id", "product_collection", "product_handle", "variant_sku", "variant_barcode", "variant_title"),
)


def by_hand(item: Mapping[str, Any]) -> NewLine:
    """The columns of a line that is of no variant, but of what a merchant says: `title`, `quantity`, `unit_price`, `variant_sku`,
    `metadata`. Raises InvalidData where it has no price."""
    if item.get("unit_price") is None:
        raise InvalidData(f"Items {item.get('title')} do not have a price")
    said = {"title": item.get("title") or "", "quantity": item["quantity"], "metadata": item.get("metadata") or {}}
    prices = {"unit_price": item["unit_price"], "compare_at_unit_price": item.get("compare_at_unit_price")}
    flags = {"is_custom_price": True, "is_discountable": True, "is_giftcard": False, "is_tax_inclusive": False, "requires_shipping": False}
    line: Any = {name: item.get(name) for name in _DESCRIBED} | said | prices | flags
    made: NewLine = line
    return made


def priced(price: CalculatedPrice) -> LinePrice:
    """The columns of a line that follow from its price. Raises UnexpectedState for a price without an amount."""
    if price["calculated_amount"] is None:
        raise UnexpectedState(f"Price set {price['id']} has no price here")
    on_sale = price["calculated_price"]["price_list_type"] == "sale"
    return {
        "unit_price": price["calculated_amount"],
        "compare_at_unit_price": price["original_amount"] if on_sale else None,
        "is_tax_inclusive": price["is_calculated_price_tax_inclusive"],
    }


def whole(quantity: Any) -> int:
    """A quantity as int. Raises InvalidData for a quantity that a line can't hold."""
    if quantity != int(quantity):
        raise InvalidData(f"The quantity of a line has to be a whole number, not {quantity}")
    if not 0 <= quantity <= MOST:
        raise InvalidData(f"The quantity of a line has to be between 0 and {MOST}")
    return int(quantity)
