"""Carts and orders as plain dicts: lines, shipping methods, their taxes and discounts, and payments.

Amounts are decimals in major units, rates are percent, times are UTC as the API shows them. A line that is just being put into a document
has only its required fields; the others are added when it is priced and written.
"""

from __future__ import annotations

from typing import Any, Required, TypedDict

from ..core.numbers import Amount


class Stamps(TypedDict, total=False):
    """Columns of every stored row."""

    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class Address(Stamps, total=False):
    """A shipping or billing address."""

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
    """A tax rate on the whole price of a line or a shipping method."""

    id: Required[str]
    code: Required[str]
    rate: Required[Amount]
    description: str | None
    tax_rate_id: str | None
    provider_id: str | None
    data: dict[str, Any] | None
    item_id: str
    """Set for a line."""
    shipping_method_id: str
    """Set for a shipping method."""
    total: Amount
    subtotal: Amount


class Adjustment(Stamps, total=False):
    """A discount of a line or a shipping method."""

    id: Required[str]
    amount: Required[Amount]
    promotion_id: Required[str | None]
    """None: it comes from no promotion."""
    code: str | None
    description: str | None
    provider_id: str | None
    is_tax_inclusive: bool
    item_id: str
    """Set for a line."""
    shipping_method_id: str
    """Set for a shipping method."""
    version: int
    """Orders only: the order's version that it is of."""
    total: Amount
    subtotal: Amount


class Below(TypedDict):
    """The lists inside a line and a shipping method."""

    tax_lines: list[TaxLine]
    adjustments: list[Adjustment]


class LineWording(TypedDict):
    """A line's texts about its variant, in the language of the document."""

    title: str
    subtitle: str | None
    product_title: str | None
    product_description: str | None
    product_subtitle: str | None
    product_type: str | None
    product_collection: str | None
    variant_title: str | None


class LineDescription(LineWording):
    """A line's description of its variant, as it was when the line was priced."""

    thumbnail: str | None
    variant_id: str | None
    product_id: str | None
    product_type_id: str | None
    product_handle: str | None
    variant_sku: str | None
    variant_barcode: str | None
    requires_shipping: bool
    is_discountable: bool
    is_giftcard: bool


class LinePrice(TypedDict):
    """The price of one unit of a line."""

    unit_price: Amount
    compare_at_unit_price: Amount | None
    """The price without a sale."""
    is_tax_inclusive: bool


class LineColumns(Stamps, total=False):
    """Columns that lines of carts and orders share."""

    id: Required[str]
    variant_id: Required[str | None]
    is_custom_price: Required[bool]
    """Whether its price was set by hand."""
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


class NewLine(LineColumns, total=False):
    """A line as it is put into a cart, which computes its taxes and adjustments."""

    quantity: Required[int]
    cart_id: str


class Line(NewLine, total=False):
    """A quantity of a variant, or of a custom item without one, at a price."""

    tax_lines: Required[list[TaxLine]]
    adjustments: Required[list[Adjustment]]


class NewShippingMethod(Stamps, total=False):
    """A shipping method as it is put into a document, which computes its taxes and adjustments."""

    id: Required[str]
    name: Required[str]
    amount: Required[Amount]
    is_tax_inclusive: Required[bool]
    shipping_option_id: Required[str | None]
    data: Required[dict[str, Any] | None]
    """The provider's data, from the buyer's choices."""
    is_custom_amount: bool
    """Whether its amount was set by hand; orders only."""
    description: dict[str, Any] | str | None
    cart_id: str


class ShippingMethod(NewShippingMethod, total=False):
    """A chosen way of shipping, and its price."""

    tax_lines: Required[list[TaxLine]]
    adjustments: Required[list[Adjustment]]


class CreditLine(Stamps, total=False):
    """A credit that reduces what is owed."""

    id: Required[str]
    amount: Required[Amount]
    reference: str | None
    reference_id: str | None
    version: int
    """Orders only: the order's version that it is of."""
    cart_id: str


class Cart(TypedDict):
    """A cart with everything in it."""

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
    """The order that the cart has become."""
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


class LineDetail(Stamps, total=False):
    """The quantities of an order's line: ordered, fulfilled, delivered, returned and so on."""

    id: Required[str]
    quantity: Required[Amount]
    item_id: str
    order_id: str
    version: int
    unit_price: Amount | None
    """Set where an edit gave the line another price."""
    compare_at_unit_price: Amount | None
    fulfilled_quantity: Amount
    delivered_quantity: Amount
    shipped_quantity: Amount
    return_requested_quantity: Amount
    return_received_quantity: Amount
    return_dismissed_quantity: Amount
    written_off_quantity: Amount


class OrderLine(LineColumns, total=False):
    """A line of an order, with the quantity bought."""

    quantity: Required[Amount]
    detail: Required[LineDetail]
    order_id: str
    actions: list[dict[str, Any]]
    """In previews: the actions of the open change on it."""
    tax_lines: Required[list[TaxLine]]
    adjustments: Required[list[Adjustment]]


class MethodDetail(Stamps, total=False):
    """Connects a shipping method with the order, or with the return, claim or exchange it belongs to."""

    id: Required[str]
    shipping_method_id: str
    order_id: str
    version: int
    return_id: str | None
    claim_id: str | None
    exchange_id: str | None


class OrderShippingMethod(Stamps, total=False):
    """A shipping method of an order, and its price."""

    id: Required[str]
    name: Required[str]
    amount: Required[Amount]
    is_tax_inclusive: bool
    is_custom_amount: bool
    shipping_option_id: Required[str | None]
    data: Required[dict[str, Any] | None]
    description: dict[str, Any] | str | None
    order_id: str
    detail: Required[MethodDetail]
    actions: list[dict[str, Any]]
    """In previews: the actions of the open change on it."""
    tax_lines: Required[list[TaxLine]]
    adjustments: Required[list[Adjustment]]


class NewTransaction(TypedDict):
    """A payment (above zero) or a refund (below), and its cause."""

    amount: Amount
    currency_code: str
    reference: str
    """`capture` or `refund`."""
    reference_id: str


class OrderTransaction(NewTransaction, total=False):
    """A transaction as an order stores it."""

    id: Required[str]
    order_id: str
    version: int
    return_id: str | None
    claim_id: str | None
    exchange_id: str | None


class Summary(TypedDict, total=False):
    """Totals of an order, and what is left to pay."""

    original_order_total: Required[Amount]
    current_order_total: Required[Amount]
    accounting_total: Required[Amount]
    credit_line_total: Required[Amount]
    paid_total: Required[Amount]
    refunded_total: Required[Amount]
    transaction_total: Required[Amount]
    pending_difference: Required[Amount]
    """Above zero where the buyer owes, below where the shop does."""


class NewOrder(TypedDict):
    """An order with everything in it, before it is placed."""

    id: str
    custom_display_id: str | None
    version: int
    status: str
    is_draft_order: bool
    region_id: str | None
    customer_id: str | None
    sales_channel_id: str | None
    email: str | None
    currency_code: str
    locale: str | None
    no_notification: bool | None
    shipping_address_id: str | None
    billing_address_id: str | None
    canceled_at: str | None
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None
    summary: Summary
    shipping_address: Address | None
    billing_address: Address | None
    items: list[OrderLine]
    shipping_methods: list[OrderShippingMethod]
    credit_lines: list[CreditLine]
    transactions: list[OrderTransaction]


class Order(NewOrder):
    """An order with everything in it."""

    display_id: int
    """The order's number for people."""
    revision: int
    """Rises with every write."""
