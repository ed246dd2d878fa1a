"""What workflows of carts read from other modules: regions, buyers, variants."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from ...modules.fulfillment.types import QuotedPrice, ShippingOption
from ...modules.pricing.types import CalculatedPrice


class RegionCountry(TypedDict):
    """A country of a region."""

    iso_2: str
    """Two letters, lower case."""


class Region(TypedDict):
    """The region of a cart."""

    id: str
    name: str
    currency_code: str
    automatic_taxes: bool
    countries: list[RegionCountry]


class CustomerGroup(TypedDict):
    """A group that a buyer is in."""

    id: str


class Buyer(TypedDict):
    """The buyer of a cart: a customer with an account, or a guest."""

    id: str
    email: str | None
    has_account: bool
    groups: list[CustomerGroup]


class ProductType(TypedDict):
    """The type of a product."""

    value: str


class ProductCollection(TypedDict):
    """The collection of a product."""

    title: str


class SoldProduct(TypedDict):
    """The fields of a product that lines copy."""

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


class SoldVariant(TypedDict):
    """How a variant is sold, and the fields that lines copy."""

    id: str
    manage_inventory: bool
    allow_backorder: bool
    title: str
    sku: str | None
    barcode: str | None
    thumbnail: str | None
    product_id: str | None
    product: SoldProduct | None


class QuotedInCurrency(QuotedPrice):
    """A provider's price for an option, in the cart's currency."""

    currency_code: str


class PricedOption(ShippingOption):
    """A shipping option of a cart, and its price."""

    price_set_id: NotRequired[str | None]
    calculated_price: NotRequired[CalculatedPrice | QuotedInCurrency | None]
    amount: NotRequired[Decimal | None]
    """None: no price is known."""
    is_tax_inclusive: NotRequired[bool]
    location_id: NotRequired[str]
    """The location that it ships from."""
    prices: NotRequired[list[dict[str, Any]]]
    """All of its prices, as storefronts show them."""
    insufficient_inventory: NotRequired[bool]
    """Whether the location has too little stock for the cart."""
