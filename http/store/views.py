"""What the store shows of products, wherever it shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import InvalidData
from ..kit.view import Fields, View, words

if TYPE_CHECKING:
    from ...core.graph.graph import Visible
    from ...core.rows import Row
    from ..kit.request import Request

_STAMPED = ("id", "value", "created_at", "updated_at")


def under(relation: str, names: str) -> tuple[str, ...]:
    """`under("tags", "id value")` → tags.id, tags.value"""
    return tuple(f"{relation}.{name}" for name in words(names))


def for_sale(request: Request) -> Visible:
    """What a storefront may see, in any answer: published products in the channels of its key, active public categories, stock of
    those channels' locations, and prices outside of price lists."""
    channels = list(request.sales_channel_ids)
    return {
        "product": {"status": "published", "sales_channel_id": channels},
        "product_category": {"is_active": True, "is_internal": False},
        "inventory_level": {"stock_locations": {"sales_channels": {"id": channels}}},
        "price": {"price_list_id": None},
    }


def channels_of_key(request: Request) -> list[str]:
    """The sales channels of the request's key. Raises InvalidData where it has none: such a key sells nothing."""
    if not request.sales_channel_ids:
        raise InvalidData("Publishable key needs to have a sales channel configured")
    return list(request.sales_channel_ids)


def found_for_sale(request: Request) -> Row:
    """`for_sale` of products, as a filter of their search index. Raises InvalidData for a key without channels."""
    channels_of_key(request)
    product = for_sale(request)["product"]
    return {"status": product["status"], "sales_channel_ids": {"$in": product["sales_channel_id"]}}


_ITEM = "variants.inventory_items.inventory"
_ITEM_SHOWN = (
    "id sku title description thumbnail hs_code origin_country mid_code material unit_of_measure weight length height width"
    " requires_shipping metadata created_at updated_at deleted_at"
)


def items_without_sums(products: str = "") -> dict[str, Fields]:
    """`View.stars` of inventory items: without what lies at all locations together, those of other channels among them.

    `products`: leads to the products (`products.`), where they aren't the view's own rows."""
    return {f"{products}{_ITEM}": under(f"{products}{_ITEM}", _ITEM_SHOWN)}


def sessions_without_buyer(relation: str) -> dict[str, Fields]:
    """`View.stars` of payment sessions: without what their providers are told of a signed-in buyer, their address book and account among
    it. Carts and orders are open to everyone who has a link to them."""
    shown = "id currency_code amount raw_amount provider_id data status authorized_at payment_collection_id metadata"
    return {relation: under(relation, f"{shown} created_at updated_at deleted_at")}


COLUMNS = words(
    "id title subtitle description handle is_giftcard discountable thumbnail collection_id type_id weight length height width hs_code"
    " origin_country mid_code material created_at updated_at"
)

PRODUCT_ALLOWED = (
    *COLUMNS,
    *words(
        "type collection options options.values tags images variants variants.options metadata categories status external_id deleted_at"
    ),
    *under("variants", "calculated_price inventory_quantity manage_inventory allow_backorder images thumbnail options.option prices"),
    *under("variants", "inventory_items inventory_items.inventory_item_id inventory_items.required_quantity"),
    *under("variants", "inventory_items.inventory inventory_items.inventory.location_levels"),
    *under("variants", "id title sku barcode ean upc hs_code origin_country mid_code material weight length height width"),
    *under("variants", "created_at updated_at deleted_at options.id options.value"),
    *under("options", "id title is_exclusive values.id values.value"),
    *under("images", "id url rank"),
    *(f"{relation}.{name}" for relation in ("type", "tags") for name in _STAMPED),
    *under("collection", "id title handle created_at updated_at deleted_at metadata"),
)

PRODUCT = View(
    "product",
    (*COLUMNS, *words("*type *collection *options *options.values *tags *images *variants *variants.options")),
    allowed=PRODUCT_ALLOWED,
    stars=items_without_sums(),
    visible=for_sale,
    relations_limit=4,
)

VARIANT_COLUMNS = words(
    "id title sku barcode ean upc allow_backorder manage_inventory variant_rank product_id thumbnail hs_code origin_country mid_code"
    " material weight length height width created_at updated_at metadata"
)

VARIANT = View(
    "product_variant",
    (*VARIANT_COLUMNS, *words("*options *images product.id product.type_id")),
    allowed=(
        *VARIANT_COLUMNS,
        *words("options images product.id product.type_id deleted_at calculated_price inventory_quantity"),
        *under("options", "id value"),
        *under("images", "id url rank"),
    ),
    visible=for_sale,
    limit=20,
    key="variant",
)
