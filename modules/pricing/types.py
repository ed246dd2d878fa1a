"""Arguments and results of the pricing module, as plain dicts. Amounts are decimals in major units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from ...core.numbers import Amount
from ...core.rows import Given


class PriceRule(TypedDict):
    """A condition of a price."""

    id: str
    price_id: str
    attribute: str
    operator: str
    value: str
    priority: int


class Price(TypedDict):
    """A price as it is stored."""

    id: str
    title: str | None
    currency_code: str
    amount: Amount
    min_quantity: Amount | None
    max_quantity: Amount | None
    rules_count: int
    price_set_id: str
    price_list_id: str | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class RuledPrice(Price):
    """A price with its rules."""

    price_rules: list[PriceRule]


class PriceSet(TypedDict):
    """All prices of one thing."""

    id: str
    prices: list[Price]
    created_at: str
    updated_at: str
    deleted_at: str | None


class RuledPriceSet(TypedDict):
    """All prices of one thing, with their rules."""

    id: str
    prices: list[RuledPrice]


class NewPriceSet(TypedDict):
    """All prices of a new price set.

    A price is `{currency_code, amount, min_quantity?, max_quantity?, rules?, title?}`, its rules `{attribute: value}` or
    `{attribute: [{operator, value}]}`.
    """

    id: NotRequired[str]
    prices: NotRequired[Sequence[Given] | None]


class PriceSetChange(TypedDict):
    """The prices that replace those of a set; without `prices` they stay."""

    id: str
    prices: NotRequired[Sequence[Given] | None]


class AddedPrices(TypedDict):
    """Prices to add to a set."""

    price_set_id: str
    prices: Sequence[Given]


class PriceList(TypedDict):
    """A sale, or prices that override others."""

    id: str
    title: str
    description: str
    status: str
    type: str
    starts_at: str | None
    ends_at: str | None
    rules_count: int | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class FittingPrice(TypedDict):
    """The best price of a set for a buyer, among its own or those of one type of price list."""

    id: str
    price_set_id: str
    price_list_id: str | None
    price_list_type: str | None
    amount: Decimal
    min_quantity: Decimal | None
    max_quantity: Decimal | None
    is_tax_inclusive: bool


class PriceSource(TypedDict):
    """The source of an amount: nulls where there is none."""

    id: str | None
    price_list_id: str | None
    price_list_type: str | None
    min_quantity: int | None
    max_quantity: int | None


class CalculatedPrice(TypedDict):
    """What a buyer pays for one thing, and its price without a sale."""

    id: str
    """Of the price set."""
    is_calculated_price_price_list: bool
    is_calculated_price_tax_inclusive: bool
    calculated_amount: Decimal | None
    """None: it has no price for this buyer."""
    raw_calculated_amount: dict[str, Any] | None
    is_original_price_price_list: bool
    is_original_price_tax_inclusive: bool
    original_amount: Decimal | None
    raw_original_amount: dict[str, Any] | None
    currency_code: str
    calculated_price: PriceSource
    original_price: PriceSource


class Conditions(TypedDict):
    """What calculations depend on besides the prices themselves."""

    attributes: list[str]
    """Attributes of rules of prices and of price lists."""
    moments: list[datetime]
    """Times at which price lists begin or have ended, sorted."""


class ListPricesChanged(TypedDict):
    """Ids of prices of a price list."""

    created: list[str]
    updated: list[str]
    deleted: list[str]
