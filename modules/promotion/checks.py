"""Checks that a promotion must pass before carts use it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ...commerce.money import check_movable
from ...core.errors import InvalidData
from ...core.rows import Given
from ...core.rules import Benefit

_LIMITED = ("each", "once")
"""Allocations by units, which need a maximum number of units."""


def check_promotion(promotion: Given, method: Given, target_rules: int, buy_rules: int, benefits: Mapping[str, Benefit]) -> None:
    """Raises InvalidData for a promotion that contradicts itself. `method` is the application method; of its rules only the number
    matters. `benefits`: those of plugins, by type."""
    if method["type"] not in ("percentage", "fixed"):
        if method["type"] not in benefits:
            known = ", ".join(("percentage", "fixed", *benefits))
            raise InvalidData(f"Application Method type '{method['type']}' is none of {known}")
        if promotion["type"] == "buyget" or buy_rules:
            raise InvalidData(f"Application Method type '{method['type']}' doesn't go with promotions of type 'buyget'")
        benefits[method["type"]].check(method)
        return
    value = Decimal(method["value"]) if method.get("value") is not None else None
    if method["type"] == "percentage" and (value is None or not 0 < value <= 100):
        raise InvalidData("Application Method value should be a percentage number between 0 and 100")
    if method["type"] == "fixed":
        if value is None or value <= 0:
            raise InvalidData("Application Method value should be greater than 0")
        if method.get("currency_code"):  # without one it applies in every currency
            check_movable(value, method["currency_code"], "Application Method value")
    _check_allocation(method)
    if promotion["type"] == "buyget":
        _check_buyget(method, target_rules, buy_rules)
    elif buy_rules:
        raise InvalidData("Buy rules can only be added to promotions of type 'buyget'")


def _check_allocation(method: Given) -> None:
    if method.get("allocation") == "across" and method.get("max_quantity"):
        raise InvalidData("application_method.max_quantity is not allowed when application_method.allocation is 'across'")
    if method["target_type"] == "order":
        if method.get("allocation") == "once":
            raise InvalidData("application_method.allocation 'once' doesn't go with application_method.target_type 'order'")
        return
    if method.get("allocation") is None:
        raise InvalidData("application_method.allocation is required when application_method.target_type is 'items' or 'shipping_methods'")
    if method["allocation"] in _LIMITED and not method.get("max_quantity"):
        raise InvalidData(f"application_method.max_quantity is required when application_method.allocation is '{method['allocation']}'")


def _check_buyget(method: Given, target_rules: int, buy_rules: int) -> None:
    if method["target_type"] != "items":
        raise InvalidData("application_method.target_type has to be 'items' for promotions of type 'buyget'")
    for name, there in (("target_rules", target_rules), ("buy_rules", buy_rules)):
        if not there:
            raise InvalidData(f"application_method.{name} are required for promotions of type 'buyget'")
    for name in ("apply_to_quantity", "buy_rules_min_quantity"):
        if not method.get(name) or method[name] <= 0:
            raise InvalidData(f"application_method.{name} is required for promotions of type 'buyget'")
    if not method.get("max_quantity") or method["max_quantity"] < method["apply_to_quantity"]:
        raise InvalidData("application_method.max_quantity has to be at least apply_to_quantity for promotions of type 'buyget'")


def check_dates(campaign: Given) -> None:
    """Raises InvalidData for an end before the start."""
    starts, ends = campaign.get("starts_at"), campaign.get("ends_at")
    if starts is not None and ends is not None and starts > ends:
        raise InvalidData("ends_at must be after starts_at")


def check_budget(budget: Given) -> None:
    """Raises InvalidData for a budget that doesn't say what it counts, or whose limit can't be reached."""
    kind = budget["type"]
    limit = Decimal(budget["limit"]) if budget.get("limit") is not None else None
    if limit is not None and limit < 0:
        raise InvalidData(f"Budget limit can't be {limit:f}")
    if kind.startswith("spend") and not budget.get("currency_code"):
        raise InvalidData("Budget currency_code is required when its type is 'spend' or 'spend_by_attribute'")
    if kind.startswith("spend") and limit is not None:
        check_movable(limit, budget["currency_code"], "Budget limit")
    if not kind.startswith("spend") and budget.get("currency_code"):
        raise InvalidData("Budget currency_code is only for budgets of what is spent")
    if kind.endswith("by_attribute") and not budget.get("attribute"):
        raise InvalidData("Budget attribute is required when its type ends in 'by_attribute'")


def check_campaign(method: Given, budget: Given | None) -> None:
    """Raises InvalidData where a promotion's currency isn't that of its campaign's budget."""
    spent = budget.get("currency_code") if budget is not None else None
    if spent is not None and method.get("currency_code") not in (None, spent):
        raise InvalidData(f"The promotion is in {method['currency_code']}, the budget of its campaign in {spent}")
