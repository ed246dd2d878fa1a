"""The links between the commerce modules. A column that holds another module's key is a reference: its own module declares that."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ..core.graph.links import Column, Link, Side

LINKS: Final[tuple[Link, ...]] = (
    Link(
        "cart_promotion",
        "cartpromo",
        Side("cart", "cart", "cart_id", "cart", "cart_link", {"promotions": "promotions"}),
        Side("promotion", "promotion", "promotion_id", "promotions", "carts_link"),
        kept=False,
    ),
    Link(
        "customer_account_holder",
        "custacchldr",
        Side("customer", "customer", "customer_id", "customer", "account_holder_link", {"account_holders": "account_holder"}, many=False),
        Side("payment", "account_holder", "account_holder_id", "account_holder", "customer_link", {"customer": "customer"}),
    ),
    Link(
        "location_fulfillment_provider",
        "locfp",
        Side(
            "stock_location",
            "stock_location",
            "stock_location_id",
            "location",
            "fulfillment_provider_link",
            {"fulfillment_providers": "fulfillment_provider"},
        ),
        Side(
            "fulfillment",
            "fulfillment_provider",
            "fulfillment_provider_id",
            "fulfillment_provider",
            "locations_link",
            {"locations": "location"},
        ),
    ),
    Link(
        "location_fulfillment_set",
        "locfs",
        Side(
            "stock_location",
            "stock_location",
            "stock_location_id",
            "location",
            "fulfillment_set_link",
            {"fulfillment_sets": "fulfillment_set"},
            many=False,
        ),
        Side(
            "fulfillment",
            "fulfillment_set",
            "fulfillment_set_id",
            "fulfillment_set",
            "locations_link",
            {"location": "location"},
            cascade=True,
        ),
    ),
    Link(
        "order_fulfillment",
        "ordful",
        Side("order", "order", "order_id", "order", "fulfillment_link", {"fulfillments": "fulfillments"}, many=False),
        Side("fulfillment", "fulfillment", "fulfillment_id", "fulfillments", "order_link", {"order": "order"}),
        kept=False,
    ),
    Link(
        "order_promotion",
        "orderpromo",
        Side("order", "order", "order_id", "order", "promotion_link", {"promotions": "promotions", "promotion": "promotions"}),
        Side("promotion", "promotion", "promotion_id", "promotions", "order_link"),
        kept=False,
    ),
    Link(
        "return_fulfillment",
        "retful",
        Side("order", "return", "return_id", "return", "return_fulfillment_link", {"fulfillments": "fulfillments"}, many=False),
        Side("fulfillment", "fulfillment", "fulfillment_id", "fulfillments", "return_link"),
    ),
    Link(
        "product_sales_channel",
        "prodsc",
        Side("product", "product", "product_id", "product", "sales_channels_link", {"sales_channels": "sales_channel"}),
        Side("sales_channel", "sales_channel", "sales_channel_id", "sales_channel", "products_link"),
        keeps_deltas=True,
    ),
    Link(
        "product_shipping_profile",
        "prodsp",
        Side("product", "product", "product_id", "product", "shipping_profiles_link", {"shipping_profile": "shipping_profile"}),
        Side("fulfillment", "shipping_profile", "shipping_profile_id", "shipping_profile", "products_link", many=False),
    ),
    Link(
        "product_variant_inventory_item",
        "pvitem",
        Side("product", "product_variant", "variant_id", "variant", "inventory_items", {"inventory": "inventory"}),
        Side("inventory", "inventory_item", "inventory_item_id", "inventory", "variant_link", {"variants": "variant"}),
        extra=(Column("required_quantity", "number", "1"),),
    ),
    Link(
        "product_variant_price_set",
        "pvps",
        Side(
            "product",
            "product_variant",
            "variant_id",
            "variant",
            "price_set_link",
            {"price_set": "price_set", "prices": "price_set.prices[]"},
            many=False,
        ),
        Side("pricing", "price_set", "price_set_id", "price_set", "variant_link", {"variant": "variant"}, many=False, cascade=True),
    ),
    Link(
        "publishable_api_key_sales_channel",
        "pksc",
        Side("api_key", "api_key", "publishable_key_id", "api_key", "sales_channels_link", {"sales_channels": "sales_channel"}),
        Side("sales_channel", "sales_channel", "sales_channel_id", "sales_channel", "api_keys_link", {"publishable_api_keys": "api_key"}),
    ),
    Link(
        "region_payment_provider",
        "regpp",
        Side("region", "region", "region_id", "region", "payment_provider_link", {"payment_providers": "payment_provider"}),
        Side("payment", "payment_provider", "payment_provider_id", "payment_provider", "region_link", {"regions": "region"}),
    ),
    Link(
        "sales_channel_stock_location",
        "scloc",
        Side("sales_channel", "sales_channel", "sales_channel_id", "sales_channel", "locations_link", {"stock_locations": "location"}),
        Side(
            "stock_location", "stock_location", "stock_location_id", "location", "sales_channels_link", {"sales_channels": "sales_channel"}
        ),
    ),
    Link(
        "shipping_option_price_set",
        "sops",
        Side(
            "fulfillment",
            "shipping_option",
            "shipping_option_id",
            "shipping_option",
            "price_set_link",
            {"price_set": "price_set", "prices": "price_set.prices[]"},
            many=False,
        ),
        Side(
            "pricing",
            "price_set",
            "price_set_id",
            "price_set",
            "shipping_option_link",
            {"shipping_option": "shipping_option"},
            many=False,
            cascade=True,
        ),
    ),
)

LINK: Final[Mapping[str, Link]] = MappingProxyType({link.name: link for link in LINKS})
"""Links by name."""
LINKED: Final = frozenset(side.entity for link in LINKS for side in (link.left, link.right))
"""The entities that can be linked."""
