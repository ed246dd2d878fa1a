"""Arguments and results of the fulfillment module, as plain dicts. Amounts are decimals in major units."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, NotRequired, TypedDict


class OptionRule(TypedDict):
    """A condition of a shipping option."""

    attribute: str
    operator: str
    value: Any


class OptionType(TypedDict):
    """What kind of shipping an option is."""

    id: str
    label: str
    description: str | None
    code: str


class OptionProvider(TypedDict):
    """A fulfillment provider."""

    id: str
    is_enabled: bool


class FulfillmentSet(TypedDict):
    """Ways to send from one location."""

    id: str
    type: str
    location: NotRequired[dict[str, Any] | None]


class ServiceZone(TypedDict):
    """Where a fulfillment set sends to."""

    id: str
    fulfillment_set_id: str
    fulfillment_set: FulfillmentSet


class ShippingOption(TypedDict):
    """A way to send something."""

    id: str
    name: str
    price_type: Literal["flat", "calculated"]
    service_zone_id: str
    shipping_profile_id: str
    provider_id: str
    shipping_option_type_id: str
    data: dict[str, Any] | None
    metadata: dict[str, Any] | None
    type: OptionType
    provider: OptionProvider
    service_zone: ServiceZone
    rules: NotRequired[list[OptionRule]]


class PriceQuestion(TypedDict):
    """The arguments of a provider's price calculation."""

    provider_id: str
    option_data: dict[str, Any] | None
    """The option's own."""
    data: Any
    """The buyer's."""
    context: dict[str, Any]
    """The cart."""


class QuotedPrice(TypedDict):
    """What a provider asks for an option."""

    calculated_amount: Decimal
    is_calculated_price_tax_inclusive: bool
