"""Orders: what was bought, and what became of it."""

from __future__ import annotations

from ...core.graph.links import Reference
from ...core.service.module import Module
from .schema import SCHEMA
from .service import OrderService

MODULE = Module(
    name="order",
    schema=SCHEMA,
    service=OrderService,
    package=__name__,
    caching="none",
    references=(
        Reference("order", "customer", "customer_id", "customer", back="orders"),
        Reference("order", "region", "region_id", "region", back="orders"),
        Reference("order", "sales_channel", "sales_channel_id", "sales_channel", back="orders"),
        Reference("order_line_item", "product", "product_id", "product"),
        Reference("order_line_item", "variant", "variant_id", "product_variant", back="order_items"),
        Reference("order_shipping_method", "shipping_option", "shipping_option_id", "shipping_option"),
    ),
)
