"""Arguments and results of a price calculation; the database finds the price (`queries.CALCULATE`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...core.errors import InvalidData
from ...core.numbers import PRECISION
from ...core.rules import Condition
from .prices import as_number
from .types import CalculatedPrice, FittingPrice, PriceSource

Context = Mapping[str, Any]
"""What is known of the buyer: `currency_code`, `region_id`, `quantity`, `customer` {groups: [{id}]}, and anything that rules may name."""


@dataclass(frozen=True, slots=True)
class PriceContext:
    """A context prepared for the statement."""

    currency_code: str
    quantity: Decimal
    region_id: str | None
    context: Context

    def values(self, attributes: Sequence[str], conditions: Iterable[Condition] = ()) -> dict[str, list[str]]:
        """The values that rules about these attributes are compared with. Nested values have dotted names: `customer.groups.id`.
        `conditions`: what plugins add."""
        if not attributes:
            return {}
        flat: dict[str, list[str]] = {}
        for name, value in self.context.items():
            _flatten(value, name, flat)
        flat["currency_code"] = [self.currency_code]
        for condition in conditions:
            if condition.attribute in attributes:
                flat[condition.attribute] = condition.values(self.context)
        return {name: flat[name] for name in attributes if name in flat}


def numbers(values: Mapping[str, Sequence[str]]) -> dict[str, list[Decimal]]:
    """The values that are numbers, for rules with `gt`, `gte`, `lt`, `lte`."""
    return {attribute: found for attribute, given in values.items() if (found := [n for n in map(as_number, given) if n is not None])}


def buyer(context: Context) -> PriceContext:
    """Prepare a context. Raises InvalidData without a currency, or where the quantity isn't a number."""
    currency = context.get("currency_code")
    if not isinstance(currency, str) or not currency:
        raise InvalidData("Method calculatePrices requires currency_code in the pricing context")
    quantity = as_number(context.get("quantity", 1))
    if quantity is None:
        raise InvalidData("The pricing context's quantity has to be a number")
    region = context.get("region_id")
    return PriceContext(currency.lower(), quantity, region if isinstance(region, str) else None, context)


def calculated_prices(found: Iterable[FittingPrice], currency_code: str) -> dict[str, CalculatedPrice]:
    """Calculated prices by price set, from each set's best own price, best override and best sale, as far as it has them."""
    best: dict[str, dict[str | None, FittingPrice]] = {}
    for row in found:
        best.setdefault(row["price_set_id"], {})[row["price_list_type"]] = row
    return {set_id: _calculated(set_id, *_chosen(prices), currency_code) for set_id, prices in best.items()}


def _chosen(best: Mapping[str | None, FittingPrice]) -> tuple[FittingPrice | None, FittingPrice | None]:
    """The price to pay, and the one it is compared with: the price without the sale.

    An override replaces the set's own price, whether it is higher or lower. A sale is paid unless the other price is lower
    anyway.
    """
    regular, sale = best.get("override") or best.get(None), best.get("sale")
    if sale is None or (regular is not None and regular["amount"] < sale["amount"]):
        return regular, regular
    return sale, regular


def _calculated(set_id: str, price: FittingPrice | None, original: FittingPrice | None, currency_code: str) -> CalculatedPrice:
    amount, twin, is_listed, inclusive, source = shown = _shown(price)
    was_amount, was_twin, was_listed, was_inclusive, was_source = shown if original is price else _shown(original)
    return {
        "id": set_id,
        "is_calculated_price_price_list": is_listed,
        "is_calculated_price_tax_inclusive": inclusive,
        "calculated_amount": amount,
        "raw_calculated_amount": twin,
        "is_original_price_price_list": was_listed,
        "is_original_price_tax_inclusive": was_inclusive,
        "original_amount": was_amount,
        "raw_original_amount": was_twin,
        "currency_code": currency_code,
        "calculated_price": source,
        "original_price": was_source,
    }


def _shown(price: FittingPrice | None) -> tuple[Decimal | None, dict[str, Any] | None, bool, bool, PriceSource]:
    """Amount, raw_ twin, whether it is from a price list, whether it includes tax, and its source."""
    if price is None:
        nowhere: PriceSource = {"id": None, "price_list_id": None, "price_list_type": None, "min_quantity": None, "max_quantity": None}
        return None, None, False, False, nowhere
    amount, list_id = price["amount"], price["price_list_id"]
    source: PriceSource = {
        "id": price["id"],
        "price_list_id": list_id,
        "price_list_type": price["price_list_type"],
        "min_quantity": _whole(price["min_quantity"]),
        "max_quantity": _whole(price["max_quantity"]),
    }
    return amount, {"value": format(amount, "f"), "precision": PRECISION}, list_id is not None, price["is_tax_inclusive"], source


def _whole(quantity: Decimal | None) -> int | None:
    """A tier's limit as the API shows it: an integer, or null for 0."""
    return int(quantity) or None if quantity is not None else None


def _flatten(value: Any, path: str, values: dict[str, list[str]]) -> None:
    """`{"customer": {"groups": [{"id": "a"}]}}` → `customer.groups.id`: `a`."""
    if isinstance(value, str):
        values.setdefault(path, []).append(value)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            _flatten(inner, f"{path}.{name}", values)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            _flatten(inner, path, values)
    elif isinstance(value, bool):
        values.setdefault(path, []).append("true" if value else "false")
    elif value is not None:
        values.setdefault(path, []).append(str(value))
