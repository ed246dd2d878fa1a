"""A new order, made of the document that its maker gives: pure, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ...commerce.totals import add_totals
from ...commerce.types import NewOrder, Summary
from ...core.ids import new_id
from ...core.numbers import difference, raw
from ...core.rows import Row
from .tables import COLUMNS, WORDS

Document = Mapping[str, Any]

ADDRESSES = ("shipping_address", "billing_address")


def placed(order: Document, at: str) -> NewOrder:
    """The whole of a new order, but for its number, of one document: its columns, `shipping_address`, `billing_address`, `items` and
    `shipping_methods` with their `tax_lines` and `adjustments`, `credit_lines`. Every row brings its id, and came into being `at` that time
    (ISO 8601 as the API shows it)."""
    stamps = {"created_at": at, "updated_at": at}
    made: Row = {"id": order["id"], **{name: order.get(name) for name in COLUMNS}, **stamps, "transactions": []}
    made |= {"version": 1, "status": order.get("status") or "pending", "custom_display_id": None}
    made["is_draft_order"] = bool(order.get("is_draft_order"))
    for name in ADDRESSES:
        address = order.get(name)
        made[name] = {**address, **stamps} if address is not None else None
    items: list[Document] = order.get("items") or []
    made["items"] = [_line(item, "orditem", stamps, quantity=item["quantity"], metadata=item.get("metadata")) for item in items]
    made["shipping_methods"] = [_line(method, "ordspmv", stamps) for method in order.get("shipping_methods") or ()]
    made["credit_lines"] = [{**line, **stamps} for line in order.get("credit_lines") or ()]
    made["summary"] = summary(*costs(made), Decimal(0), Decimal(0))
    whole: Any = made
    new: NewOrder = whole
    return new


def summary(
    total: Decimal, credit: Decimal, paid: Decimal, refunded: Decimal, *, original: Decimal | None = None, pending: Decimal | None = None
) -> Summary:
    """What an order costs, and what is left to pay: positive when the buyer owes, negative when the shop does.

    `original`: what it cost before its last change, default: the same. `pending`: what is left to pay, default: its cost without what is
    paid already.
    """
    amounts = {
        "original_order_total": total if original is None else original,
        "current_order_total": total,
        "accounting_total": total,
        "credit_line_total": credit,
        "paid_total": paid,
        "refunded_total": refunded,
        "transaction_total": difference(paid, refunded),
        "pending_difference": difference(total, difference(paid, refunded)) if pending is None else pending,
    }
    figures: Any = amounts | {f"raw_{name}": raw(amount) for name, amount in amounts.items()}
    whole: Summary = figures
    return whole


def words(order: Document) -> str:
    """What an order is found by besides its number, a line for each thing: words that are looked for have no line breaks in them."""
    addresses = [order[name] for name in ADDRESSES if order[name] is not None]
    given = (order["custom_display_id"], order["email"], *(address.get(name) for address in addresses for name in WORDS))
    return "".join(f"\n{each}" for each in dict.fromkeys(given) if each)


def _line(line: Document, prefix: str, stamps: Document, **detail: Any) -> Row:
    below = {name: [{**row, **stamps} for row in line.get(name) or ()] for name in ("tax_lines", "adjustments")}
    return {**line, **stamps, **below, "detail": {"id": new_id(prefix), **detail, **stamps}}


def costs(order: Document) -> tuple[Decimal, Decimal]:
    """Its total, and how much of it credit lines took."""
    priced: Row = {
        "currency_code": order["currency_code"],
        "items": [_priced(item, ("unit_price", "quantity", "detail")) for item in order["items"]],
        "shipping_methods": [_priced(method, ("amount",)) for method in order["shipping_methods"]],
        "credit_lines": [dict(line) for line in order["credit_lines"]],
    }
    add_totals(priced)
    return priced["total"], priced["credit_line_total"]


def _priced(line: Document, names: Iterable[str]) -> Row:
    """A copy of what totals are made of: they are written into it."""
    copy: Row = {name: line[name] for name in names} | {"is_tax_inclusive": line.get("is_tax_inclusive")}
    for below in ("tax_lines", "adjustments"):
        copy[below] = [dict(row) for row in line[below]]
    return copy
