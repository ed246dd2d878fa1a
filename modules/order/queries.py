"""Every statement of the order module beyond what the kernel makes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, Table, bindparam, case, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB

from ...core.sql.compiled import Answering, answering, any_of, compiled
from ...core.sql.recordset import insert_rows
from .tables import (
    order,
    order_address,
    order_credit_line,
    order_item,
    order_line_item,
    order_line_item_adjustment,
    order_line_item_tax_line,
    order_shipping,
    order_shipping_method,
    order_shipping_method_adjustment,
    order_shipping_method_tax_line,
    order_summary,
    order_transaction,
)

COLUMNS = (
    "id",
    "region_id",
    "customer_id",
    "sales_channel_id",
    "status",
    "email",
    "currency_code",
    "locale",
    "shipping_address_id",
    "billing_address_id",
    "metadata",
)
"""Columns of a new order that its maker names."""

PARTS: dict[str, Table] = {
    "addresses": order_address,
    "line_items": order_line_item,
    "items": order_item,
    "item_tax_lines": order_line_item_tax_line,
    "item_adjustments": order_line_item_adjustment,
    "shipping_methods": order_shipping_method,
    "shippings": order_shipping,
    "shipping_method_tax_lines": order_shipping_method_tax_line,
    "shipping_method_adjustments": order_shipping_method_adjustment,
    "credit_lines": order_credit_line,
    "summaries": order_summary,
}
"""What an order consists of beside its own row: parameter → table."""


def _placing() -> Answering:
    values = {name: bindparam(name, type_=order.c[name].type) for name in COLUMNS}
    placed = insert(order).values(values).returning(order.c.id, order.c.display_id).cte("placed")
    statement = select(placed.c.display_id)
    for name, table in PARTS.items():
        statement = statement.add_cte(_part(name, table, placed))
    return answering(statement)


def _part(name: str, table: Table, placed: CTE) -> CTE:
    owned: dict[str, Any] = {"order_id": placed.c.id} if "order_id" in table.c else {}
    return insert_rows(name, table, placed, **owned).cte(f"new_{name}")


PLACE = _placing()
"""Create an order and everything in it. Parameters: `COLUMNS` and a list of rows for each of `PARTS`. Gives `display_id`."""

DISCARD = compiled(delete(order).where(order.c.id == bindparam("id")).returning(order.c.shipping_address_id, order.c.billing_address_id))
"""Remove an order as if it had never been; its parts go with it. Gives its addresses' ids, which are left."""
DISCARD_ADDRESSES = compiled(delete(order_address).where(any_of(order_address.c.id, "ids")))

LOCK = compiled(select(order.c.id).where(order.c.id == bindparam("id"), order.c.deleted_at.is_(None)).with_for_update())

_of = select(bindparam("order_id", type_=order.c.id.type).label("id")).subquery("of")
ADD_TRANSACTIONS = compiled(
    insert_rows("rows", order_transaction, _of, order_id=_of.c.id).on_conflict_do_nothing().returning(order_transaction.c.id)
)
"""Those already there, by order and reference, are passed over. Gives the ids of those that are new."""

PAID = compiled(
    select(
        func.coalesce(func.sum(case((order_transaction.c.amount > 0, order_transaction.c.amount))), 0).label("paid"),
        func.coalesce(-func.sum(case((order_transaction.c.amount < 0, order_transaction.c.amount))), 0).label("refunded"),
    ).where(order_transaction.c.order_id == bindparam("id"), order_transaction.c.deleted_at.is_(None))
)
SUMMARY = compiled(select(order_summary.c.totals).where(order_summary.c.order_id == bindparam("id"), order_summary.c.deleted_at.is_(None)))
SET_SUMMARY = compiled(
    update(order_summary)
    .where(order_summary.c.order_id == bindparam("id"), order_summary.c.deleted_at.is_(None))
    .values(totals=bindparam("totals", type_=JSONB), updated_at=func.now())
)
