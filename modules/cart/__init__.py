"""Carts: what a buyer is about to order."""

from __future__ import annotations

from ...core.graph.links import Reference
from ...core.service.module import Module
from .service import CartService
from .tables import SCHEMA

MODULE = Module(
    name="cart",
    schema=SCHEMA,
    service=CartService,
    package=__name__,
    caching="none",
    references=(
        Reference("cart", "customer", "customer_id", "customer", back="carts"),
        Reference("cart", "order", "order_id", "order", back="cart", back_many=False),
        Reference("cart", "payment_collection", "payment_collection_id", "payment_collection", back="cart", back_many=False),
        Reference("cart", "region", "region_id", "region", back="carts"),
        Reference("cart", "sales_channel", "sales_channel_id", "sales_channel", back="carts"),
        Reference("cart_line_item", "product", "product_id", "product"),
        Reference("cart_line_item", "variant", "variant_id", "product_variant", back="cart_items"),
        Reference("cart_line_item_adjustment", "promotion", "promotion_id", "promotion"),
        Reference("cart_shipping_method", "shipping_option", "shipping_option_id", "shipping_option"),
    ),
)
