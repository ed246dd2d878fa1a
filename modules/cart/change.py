"""What a message to change a cart holds: all of it happens, or nothing does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.codec import wire

Row = Mapping[str, Any]

COLUMNS = (
    "region_id",
    "customer_id",
    "sales_channel_id",
    "email",
    "currency_code",
    "locale",
    "shipping_address_id",
    "billing_address_id",
    "metadata",
)
"""Columns of a cart that a change sets. The others are the module's own business."""


@wire
@dataclass(frozen=True)
class CartChange:
    """The difference between a cart as it was read and as it shall be.

    Rows are whole: a column that isn't named becomes null or its default. Rows of `items`, `addresses` and `shipping_methods` are created,
    or replaced where the id is known. Lists of what taxes and promotions made replace what there is on *all* lines of the cart; None leaves
    it as it is.
    """

    cart: Row
    """The cart's own columns."""
    addresses: tuple[Row, ...] = ()
    items: tuple[Row, ...] = ()
    gone_items: tuple[str, ...] = ()
    """Ids. Their tax lines and adjustments go with them."""
    shipping_methods: tuple[Row, ...] = ()
    gone_shipping_methods: tuple[str, ...] = ()
    item_tax_lines: tuple[Row, ...] | None = None
    """Each names its `item_id`."""
    shipping_method_tax_lines: tuple[Row, ...] | None = None
    """Each names its `shipping_method_id`."""
    item_adjustments: tuple[Row, ...] | None = None
    shipping_method_adjustments: tuple[Row, ...] | None = None
