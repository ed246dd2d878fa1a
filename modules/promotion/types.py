"""Promotions as plain dicts, with all that decides what they take off. Amounts are decimals in major units, times ISO 8601."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Required, TypedDict

from ...core.numbers import Amount


class RuleValue(TypedDict):
    """A value that a rule compares with."""

    value: str


class Rule(TypedDict, total=False):
    """What has to hold of a cart or a line."""

    id: str
    attribute: Required[str]
    operator: Required[str]
    values: Required[list[RuleValue]]


class ApplicationMethod(TypedDict, total=False):
    """What a promotion takes off, and of what."""

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
    """Of buy-x-get-y: so many are given,"""
    buy_rules_min_quantity: int | None
    """for each so many that are bought."""
    target_rules: list[Rule]
    buy_rules: list[Rule]


class BudgetUsage(TypedDict):
    """What was used of a budget under one value of the attribute that it counts by."""

    attribute_value: str
    used: Amount


class Budget(TypedDict, total=False):
    """What the promotions of a campaign may take together."""

    id: Required[str]
    type: Required[str]
    """`spend` or `usage`, or one of these `_by_attribute`."""
    limit: Amount | None
    used: Amount | None
    currency_code: str | None
    attribute: str | None
    usages: list[BudgetUsage]


class Campaign(TypedDict, total=False):
    """When its promotions apply, and what they may take together."""

    id: str
    starts_at: str | datetime | None
    ends_at: str | datetime | None
    budget: Budget | None


class Promotion(TypedDict, total=False):
    """What takes something off carts."""

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
