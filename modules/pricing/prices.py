"""Prices from input, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.numbers import is_narrow, number_of, plain

OPERATORS = ("eq", "gt", "gte", "lt", "lte")

Rule = tuple[str, str, str]
"""Attribute, operator, value."""


@dataclass
class GivenPrice:
    """One price of a set, from input."""

    currency_code: str | None
    amount: Decimal | None
    min_quantity: Decimal | None = None
    max_quantity: Decimal | None = None
    title: str | None = None
    rules: tuple[Rule, ...] = ()
    id: str | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What distinguishes it from the set's other prices: a set has one amount for each key."""
        return self.currency_code, self.min_quantity, self.max_quantity, self.rules

    def row(self, price_set_id: str, price_list_id: str | None = None) -> dict[str, Any]:
        return {
            "id": self.id,
            "price_set_id": price_set_id,
            "price_list_id": price_list_id,
            "currency_code": self.currency_code,
            "amount": self.amount,
            "min_quantity": self.min_quantity,
            "max_quantity": self.max_quantity,
            "title": self.title,
            "rules_count": len(self.rules),
        }

    def rule_rows(self) -> list[dict[str, Any]]:
        return [
            {"id": new_id("prule"), "price_id": self.id, "attribute": attribute, "operator": operator, "value": value}
            for attribute, operator, value in self.rules
        ]


def new_prices(given: Iterable[Mapping[str, Any]]) -> list[GivenPrice]:
    """Prices with ids, one for each key: of two with one key, the later one counts.

    Raises InvalidData for a price without a currency or an amount.
    """
    prices: dict[tuple[Any, ...], GivenPrice] = {}
    for each in given:
        price = read_price(each)
        if price.currency_code is None or price.amount is None:
            raise InvalidData("A price needs a currency_code and an amount")
        price.id = price.id or new_id("price")
        prices[price.key] = price
    return list(prices.values())


def read_price(given: Mapping[str, Any]) -> GivenPrice:
    """Read a price. Raises InvalidData if it isn't valid."""
    unknown = set(given) - _NAMES
    if unknown:
        raise InvalidData(f"A price has no {', '.join(sorted(unknown))}")
    currency = given.get("currency_code")
    if currency is not None and not (isinstance(currency, str) and currency):
        raise InvalidData("A price's currency_code has to be a string")
    low, high = _number(given, "min_quantity"), _number(given, "max_quantity")
    check_quantities(low, high)
    amount = _number(given, "amount")
    if amount is not None and amount < 0:
        raise InvalidData(f"A price's amount can't be below zero ({amount:f})")
    return GivenPrice(
        currency_code=currency.lower() if currency else None,
        amount=amount,
        min_quantity=low,
        max_quantity=high,
        title=given.get("title"),
        rules=read_rules(given.get("rules") or {}),
        id=given.get("id"),
    )


def check_quantities(low: Decimal | None, high: Decimal | None) -> None:
    """Raises InvalidData for a tier that no quantity is in."""
    if low is not None and high is not None and low > high:
        raise InvalidData(f"A price's min_quantity ({low:f}) can't be above its max_quantity ({high:f})")


def read_rules(given: Mapping[str, Any]) -> tuple[Rule, ...]:
    """`{"region_id": "reg_1", "item_total": [{"operator": "gte", "value": 100}]}` as rules in a fixed order.

    Raises InvalidData for an unknown operator, or a comparison with a value that isn't a number.
    """
    rules: dict[tuple[str, str], str] = {}
    for attribute, value in given.items():
        for operator, wanted in _conditions(value):
            if operator not in OPERATORS:
                raise InvalidData(f"A price rule's operator has to be one of {', '.join(OPERATORS)}, not '{operator}'")
            if operator != "eq":
                number = as_number(wanted)
                if number is None:
                    raise InvalidData(f"The price rule {attribute} {operator} needs a number, not '{wanted}'")
                wanted = format(plain(number), "f")
            rules[attribute, operator] = wanted if isinstance(wanted, str) else str(wanted)
    return tuple((attribute, operator, rules[attribute, operator]) for attribute, operator in sorted(rules))


def _conditions(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, (list, tuple)):
        if not all(isinstance(each, Mapping) and "value" in each for each in value):
            raise InvalidData("A price rule is a value or a list of {operator, value}")
        return [(str(each.get("operator", "eq")), each["value"]) for each in value]
    if isinstance(value, Mapping) or value is None:
        raise InvalidData("A price rule is a value or a list of {operator, value}")
    return [("eq", value)]


def as_number(value: Any) -> Decimal | None:
    """A finite Decimal, or None for a value that isn't a number."""
    if not isinstance(value, str) and isinstance(value, Mapping) and "value" in value:  # the form of a raw_ twin
        value = value["value"]
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal, float)):
        return None
    if isinstance(value, str) and value[:1].isalpha():  # ids and names, and infinity
        return None
    try:
        number = number_of(value) if isinstance(value, str) else Decimal(repr(value) if isinstance(value, float) else value)
    except ValueError:
        return None
    return number if is_narrow(number) else None


def _number(given: Mapping[str, Any], name: str) -> Decimal | None:
    value = given.get(name)
    if value is None:
        return None
    number = as_number(value)
    if number is None:
        raise InvalidData(f"A price's {name} has to be a number, not '{value}'")
    return plain(number)


_NAMES = {"id", "title", "currency_code", "amount", "min_quantity", "max_quantity", "rules"}
