"""Arguments and results of the tax module, as plain dicts. Rates are percent, amounts decimals in major units."""

from __future__ import annotations

from decimal import Decimal
from typing import NotRequired, TypedDict

from ...core.numbers import Amount


class TaxableItem(TypedDict):
    """A line to be taxed; optional fields are for the provider."""

    id: str
    product_id: str | None
    product_type_id: str | None
    is_giftcard: bool
    """A gift card isn't taxed: what is bought with it is."""
    quantity: NotRequired[int]
    unit_price: NotRequired[Amount | None]
    variant_id: NotRequired[str | None]


class TaxableMethod(TypedDict):
    """A shipping method to be taxed."""

    id: str
    shipping_option_id: str | None
    unit_price: NotRequired[Amount]


class CalculatedTax(TypedDict):
    """A tax on one line or one shipping method."""

    line_item_id: NotRequired[str]
    shipping_line_id: NotRequired[str]
    rate: Decimal
    rate_id: str | None
    """The shop's own rate that it comes from, or None."""
    code: str
    name: str
    provider_id: str
