"""Promotions as plain dicts, with everything that decides their discounts. Amounts are decimals in major units, times ISO 8601."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, Required, TypedDict

from ...core.numbers import Amount


class RuleValue(TypedDict):
    """A value that a rule compares with."""

    value: str


class Rule(TypedDict, total=False):
    """A condition on a cart or a line."""

    id: str
    attribute: Required[str]
    operator: Required[str]
    values: Required[list[RuleValue]]


class ApplicationMethod(TypedDict, total=False):
    """The discount of a promotion, and what it applies to."""

    type: Required[str]
    """`percentage` or `fixed`."""
    target_type: Required[str]
    """`items`, `shipping_methods` or `order`."""
    value: Required[Amount | None]
    """Percent, or an amount."""
    currency_code: str | None
    allocation: Literal["each", "across", "once"] | None
    max_quantity: int | None
    apply_to_quantity: int | None
    """For buy-x-get-y: how many are given,"""
    buy_rules_min_quantity: int | None
    """for each time this many are bought."""
    target_rules: list[Rule]
    buy_rules: list[Rule]


class BudgetUsage(TypedDict):
    """The use of a budget under one value of the attribute that it counts by."""

    budget_id: NotRequired[str]
    attribute_value: str
    used: Amount


class Budget(TypedDict, total=False):
    """The limit for the promotions of a campaign together."""

    id: Required[str]
    type: Required[str]
    """`spend` or `usage`, or one of these with the suffix `_by_attribute`."""
    limit: Amount | None
    used: Amount | None
    currency_code: str | None
    attribute: str | None
    usages: list[BudgetUsage]


class Campaign(TypedDict, total=False):
    """When its promotions apply, and their common budget."""

    id: str
    starts_at: str | datetime | None
    ends_at: str | datetime | None
    budget: Budget | None


class Promotion(TypedDict, total=False):
    """A discount on carts."""

    id: Required[str]
    code: Required[str]
    type: Required[str]
    """`standard` or `buyget`."""
    status: Required[str]
    is_automatic: Required[bool]
    is_tax_inclusive: Required[bool]
    limit: int | None
    used: int
    rules: list[Rule]
    application_method: ApplicationMethod | None
    campaign: Campaign | None
