"""What carts and orders have in common, as plain dicts: lines, ways to send them, what taxes and promotions say about them.

Amounts are decimals in major units, rates are percent, times are UTC as the API shows them. A line that is just being put into a document
has no more than its required fields; the others come when it is priced and written.
"""

from __future__ import annotations

from typing import Any, Required, TypedDict

from ..core.numbers import Amount


class Stamps(TypedDict, total=False):
    """What every row has that was written."""

    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class Address(Stamps, total=False):
    """Where something is sent, or billed."""

    id: Required[str]
    customer_id: str | None
    company: str | None
    first_name: str | None
    last_name: str | None
    address_1: str | None
    address_2: str | None
    city: str | None
    country_code: str | None
    """Two letters, lower case."""
    province: str | None
    postal_code: str | None
    phone: str | None


class TaxLine(Stamps, total=False):
    """A rate that applies to all of a line's price, or a shipping method's."""

    id: Required[str]
    code: Required[str]
    rate: Required[Amount]
    description: str | None
    tax_rate_id: str | None
    provider_id: str | None
    data: dict[str, Any] | None
    item_id: str
    """Of the line,"""
    shipping_method_id: str
    """or of the shipping method that it is of."""
    total: Amount
    subtotal: Amount


class Adjustment(Stamps, total=False):
    """What is taken off a line's price, or a shipping method's."""

    id: Required[str]
    amount: Required[Amount]
    promotion_id: Required[str | None]
    """None: no promotion did it."""
    code: str | None
    description: str | None
    provider_id: str | None
    is_tax_inclusive: bool
    item_id: str
    """Of the line,"""
    shipping_method_id: str
    """or of the shipping method that it is of."""
    total: Amount
    subtotal: Amount


class Below(TypedDict):
    """What lies in a line and in a shipping method."""

    tax_lines: list[TaxLine]
    adjustments: list[Adjustment]


class LineDescription(TypedDict):
    """What a line says of its variant, as it was when the line was priced."""

    title: str
    subtitle: str | None
    thumbnail: str | None
    variant_id: str | None
    product_id: str | None
    product_title: str | None
    product_description: str | None
    product_subtitle: str | None
    product_type: str | None
    product_type_id: str | None
    product_collection: str | None
    product_handle: str | None
    variant_sku: str | None
    variant_barcode: str | None
    variant_title: str | None
    requires_shipping: bool
    is_discountable: bool
    is_giftcard: bool


class LinePrice(TypedDict):
    """What one unit of a line costs."""

    unit_price: Amount
    compare_at_unit_price: Amount | None
    """Without the sale that it is bought in."""
    is_tax_inclusive: bool


class NewLine(Stamps, total=False):
    """A line as it is put into a document: its taxes and adjustments are worked out there."""

    id: Required[str]
    variant_id: Required[str | None]
    quantity: Required[int]
    is_custom_price: Required[bool]
    """Its price was set by hand."""
    title: str
    subtitle: str | None
    thumbnail: str | None
    product_id: str | None
    product_title: str | None
    product_description: str | None
    product_subtitle: str | None
    product_type: str | None
    product_type_id: str | None
    product_collection: str | None
    product_handle: str | None
    variant_sku: str | None
    variant_barcode: str | None
    variant_title: str | None
    variant_option_values: dict[str, Any] | None
    requires_shipping: bool
    is_discountable: bool
    is_giftcard: bool
    unit_price: Amount
    compare_at_unit_price: Amount | None
    is_tax_inclusive: bool
    cart_id: str


class Line(NewLine, total=False):
    """So many of a variant, or of what has no variant, at a price."""

    tax_lines: Required[list[TaxLine]]
    adjustments: Required[list[Adjustment]]


class NewShippingMethod(Stamps, total=False):
    """A way to send something as it is put into a document: its taxes and adjustments are worked out there."""

    id: Required[str]
    name: Required[str]
    amount: Required[Amount]
    is_tax_inclusive: Required[bool]
    shipping_option_id: Required[str | None]
    data: Required[dict[str, Any] | None]
    """What the provider wants to be kept of what the buyer said."""
    is_custom_amount: bool
    """Its amount was set by hand; of orders only."""
    description: dict[str, Any] | str | None
    cart_id: str


class ShippingMethod(NewShippingMethod, total=False):
    """A way to send something, and what it costs."""

    tax_lines: Required[list[TaxLine]]
    adjustments: Required[list[Adjustment]]


class CreditLine(Stamps, total=False):
    """What is owed less."""

    id: Required[str]
    amount: Required[Amount]
    reference: str | None
    reference_id: str | None
    cart_id: str


class Cart(TypedDict):
    """A cart with all that is in it."""

    id: str
    version: int
    region_id: str | None
    customer_id: str | None
    sales_channel_id: str | None
    email: str | None
    currency_code: str
    locale: str | None
    shipping_address_id: str | None
    billing_address_id: str | None
    payment_collection_id: str | None
    order_id: str | None
    """Of the order that it has become."""
    completed_at: str | None
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None
    shipping_address: Address | None
    billing_address: Address | None
    items: list[Line]
    shipping_methods: list[ShippingMethod]
    credit_lines: list[CreditLine]
