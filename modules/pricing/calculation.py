"""What a price calculation is asked with and what it answers; which price it is, the database finds (`queries.CALCULATE`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...core.errors import InvalidData
from ...core.money import PRECISION
from .prices import as_number

Context = Mapping[str, Any]
"""What is known of the buyer: `currency_code`, `region_id`, `quantity`, `customer` {groups: [{id}]}, and anything that rules may name."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """A context made ready for the statement."""

    currency_code: str
    quantity: Decimal
    region_id: str | None
    values: Mapping[str, list[str]]
    """Attribute → what rules about it are compared with. Nested things become dotted: `customer.groups.id`."""
    numbers: Mapping[str, list[Decimal]]
    """Those of the values that are numbers, for rules that say `gt`, `gte`, `lt`, `lte`."""


def buyer(context: Context) -> Buyer:
    """Raises InvalidData without a currency, or where the quantity is no number."""
    currency = context.get("currency_code")
    if not isinstance(currency, str) or not currency:
        raise InvalidData("Method calculatePrices requires currency_code in the pricing context")
    quantity = as_number(context.get("quantity", 1))
    if quantity is None:
        raise InvalidData("The pricing context's quantity has to be a number")
    values: dict[str, list[str]] = {}
    for attribute, value in _flat(context):
        values.setdefault(attribute, []).append(value)
    values["currency_code"] = [currency.lower()]
    numbers = {attribute: found for attribute, given in values.items() if (found := [n for n in map(as_number, given) if n is not None])}
    region = context.get("region_id")
    return Buyer(currency.lower(), quantity, region if isinstance(region, str) else None, values, numbers)


def calculated_prices(found: Iterable[Mapping[str, Any]], currency_code: str) -> dict[str, dict[str, Any]]:
    """Calculated prices by price set, from the best price of its own, the best override and the best sale of each set that has one."""
    best: dict[str, dict[str | None, Row]] = {}
    for row in found:
        best.setdefault(row["price_set_id"], {})[row["price_list_type"]] = row
    return {set_id: _calculated(set_id, *_chosen(prices), currency_code) for set_id, prices in best.items()}


Row = Mapping[str, Any]


def _chosen(best: Mapping[str | None, Row]) -> tuple[Row | None, Row | None]:
    """The price to pay, and the one it is compared with: what it would be without the sale.

    An override takes the place of the set's own price, whether it is higher or lower. A sale is what is paid unless the price was lower
    anyway.
    """
    regular, sale = best.get("override") or best.get(None), best.get("sale")
    if sale is None or (regular is not None and regular["amount"] < sale["amount"]):
        return regular, regular
    return sale, regular


def _calculated(set_id: str, price: Row | None, original: Row | None, currency_code: str) -> dict[str, Any]:
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


def _shown(price: Row | None) -> tuple[Decimal | None, dict[str, Any] | None, bool, bool, dict[str, Any]]:
    """Amount, its twin, whether it is of a price list, whether it holds the tax, and where it comes from."""
    if price is None:
        return None, None, False, False, dict.fromkeys(("id", "price_list_id", "price_list_type", "min_quantity", "max_quantity"))
    amount, list_id = price["amount"], price["price_list_id"]
    source = {
        "id": price["id"],
        "price_list_id": list_id,
        "price_list_type": price["price_list_type"],
        "min_quantity": _whole(price["min_quantity"]),
        "max_quantity": _whole(price["max_quantity"]),
    }
    return amount, {"value": format(amount, "f"), "precision": PRECISION}, list_id is not None, price["is_tax_inclusive"], source


def _whole(quantity: Decimal | None) -> int | None:
    """A tier's border as the API shows it: whole, and nothing where it is 0."""
    return int(quantity) or None if quantity is not None else None


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """`{"customer": {"groups": [{"id": "a"}]}}` → `customer.groups.id`, `a`."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from _flat(inner, path)
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    elif value is not None:
        yield path, value if isinstance(value, str) else str(value)
