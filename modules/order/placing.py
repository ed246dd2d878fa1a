"""From an order as one document to the rows it is stored as: pure functions, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ...core.ids import new_id
from ...core.money import difference, raw
from ...core.totals import add_totals
from .queries import COLUMNS

Row = dict[str, Any]
Document = Mapping[str, Any]


def rows_of(order: Document) -> dict[str, Any]:
    """The parameters of `queries.PLACE` for an order with its addresses, items, shipping methods and credit lines."""
    items: list[Document] = list(order.get("items") or ())
    methods: list[Document] = list(order.get("shipping_methods") or ())
    return {
        **{name: order.get(name) for name in COLUMNS},
        "status": order.get("status") or "pending",
        "addresses": [address for kind in ("shipping", "billing") if (address := order.get(f"{kind}_address")) is not None],
        "line_items": items,
        "items": [
            {"id": new_id("orditem"), "item_id": item["id"], **{name: item.get(name) for name in ("quantity", "metadata")}}
            for item in items
        ],
        "item_tax_lines": _below(items, "tax_lines", "item_id"),
        "item_adjustments": _below(items, "adjustments", "item_id"),
        "shipping_methods": methods,
        "shippings": [{"id": new_id("ordspmv"), "shipping_method_id": method["id"]} for method in methods],
        "shipping_method_tax_lines": _below(methods, "tax_lines", "shipping_method_id"),
        "shipping_method_adjustments": _below(methods, "adjustments", "shipping_method_id"),
        "credit_lines": list(order.get("credit_lines") or ()),
        "summaries": [{"id": new_id("ordsum"), "totals": summary(*_costs(order), Decimal(0), Decimal(0))}],
    }


def summary(total: Decimal, credit: Decimal, paid: Decimal, refunded: Decimal) -> Row:
    """What an order costs, and what is left to pay: positive when the buyer owes, negative when the shop does."""
    amounts = {
        "original_order_total": total,
        "current_order_total": total,
        "accounting_total": total,
        "credit_line_total": credit,
        "paid_total": paid,
        "refunded_total": refunded,
        "transaction_total": difference(paid, refunded),
        "pending_difference": difference(total, difference(paid, refunded)),
    }
    return amounts | {f"raw_{name}": raw(amount) for name, amount in amounts.items()}


def _below(owners: Iterable[Document], name: str, key: str) -> list[Row]:
    return [{**row, key: owner["id"]} for owner in owners for row in owner.get(name) or ()]


def _costs(order: Document) -> tuple[Decimal, Decimal]:
    """Its total, and how much of it credit lines took."""
    priced: Row = {
        "currency_code": order["currency_code"],
        "items": [_priced(item, "unit_price", "quantity") for item in order.get("items") or ()],
        "shipping_methods": [_priced(method, "amount") for method in order.get("shipping_methods") or ()],
        "credit_lines": list(order.get("credit_lines") or ()),
    }
    add_totals(priced)
    return priced["total"], priced["credit_line_total"]


def _priced(line: Document, *names: str) -> Row:
    """A copy of what totals are made of: they are written into it."""
    copy: Row = {name: line[name] for name in names} | {"is_tax_inclusive": line.get("is_tax_inclusive")}
    for below in ("tax_lines", "adjustments"):
        copy[below] = [dict(row) for row in line.get(below) or ()]
    return copy
