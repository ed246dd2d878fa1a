"""What workflows of carts read of other modules: regions, buyers, variants."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from ...modules.fulfillment.types import QuotedPrice, ShippingOption
from ...modules.pricing.types import CalculatedPrice


class Country(TypedDict):
    """A country of a region."""

    iso_2: str
    """Two letters, lower case."""


class Region(TypedDict):
    """Where a cart is bought."""

    id: str
    name: str
    currency_code: str
    automatic_taxes: bool
    countries: list[Country]


class CustomerGroup(TypedDict):
    """A group that a buyer is in."""

    id: str


class Buyer(TypedDict):
    """Whose cart it is: a customer with an account, or a guest."""

    id: str
    email: str | None
    has_account: bool
    groups: list[CustomerGroup]


class StockedVariant(TypedDict):
    """How a variant is sold from stock."""

    id: str
    manage_inventory: bool
    allow_backorder: bool


class ProductStatus(TypedDict):
    """Whether a product is sold at all."""

    status: str


class SellableVariant(StockedVariant):
    """Whether a variant is sold."""

    product_id: str | None
    product: ProductStatus | None


class ProductType(TypedDict):
    """What kind of product it is."""

    value: str


class ProductCollection(TypedDict):
    """What a product is shown with."""

    title: str


class SoldProduct(TypedDict):
    """What lines say of a product."""

    id: str
    title: str
    subtitle: str | None
    description: str | None
    thumbnail: str | None
    handle: str | None
    status: str
    discountable: bool
    is_giftcard: bool
    type_id: str | None
    type: ProductType | None
    collection: ProductCollection | None


class SoldVariant(StockedVariant):
    """What lines say of a variant."""

    title: str
    sku: str | None
    barcode: str | None
    thumbnail: str | None
    product_id: str | None
    product: SoldProduct | None


class QuotedInCurrency(QuotedPrice):
    """What a provider asks for an option, in the cart's currency."""

    currency_code: str


class PricedOption(ShippingOption):
    """A way to send a cart, and what it costs."""

    price_set_id: NotRequired[str | None]
    calculated_price: NotRequired[CalculatedPrice | QuotedInCurrency | None]
    amount: NotRequired[Decimal | None]
    """None: no price is known."""
    is_tax_inclusive: NotRequired[bool]
    location_id: NotRequired[str]
    """Where it sends from."""
    prices: NotRequired[list[dict[str, Any]]]
    """All of them, as storefronts show them."""
    insufficient_inventory: NotRequired[bool]
    """Whether what the cart has isn't all where it sends from."""
