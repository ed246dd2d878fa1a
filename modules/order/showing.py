"""Orders that are in hand, as a query would show them: with the totals that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...commerce.totalled import ORDER, totalled
from ...commerce.types import NewOrder
from ...core.rows import Row
from ...core.sql.read.documents import Documents
from ...core.sql.schema.catalog import Catalog
from ...core.sql.write import readback as rows_of
from .after_sales import order_change
from .schema import NOT_SHOWN, SCHEMA
from .tables import order as table
from .types import Change

_DOCUMENTS = Documents(Catalog(SCHEMA))

_OF_CHANGE = tuple(f"{column.name}" for column in order_change.c if column.name not in NOT_SHOWN)

LEFT_OVER = "+"
"""Ends the slot of the fulfilment status of an order of which something isn't in any fulfilment yet."""


def left_over(items: Iterable[Mapping[str, Any]]) -> bool:
    """Whether something of these lines isn't in any fulfilment yet, by their `detail`. Lines that don't show both quantities don't tell."""
    details = [detail for item in items if (detail := item.get("detail")) and detail.keys() >= {"quantity", "fulfilled_quantity"}]
    return any(Decimal(detail["fulfilled_quantity"]) < Decimal(detail["quantity"]) for detail in details)


SLOTS: Mapping[str, Callable[[Row], str]] = {
    "payment_status": lambda order: str(order["id"]),
    "fulfillment_status": lambda order: f"{order['id']}{LEFT_OVER if left_over(order.get('items') or ()) else ''}",
}
"""What follows from rows of other modules, and what whoever fills it in is told of the order (see `Query.slots`)."""


def numbered(order: NewOrder, display_id: int) -> Row:
    """All of an order that was just placed under this number, as `OrderService.load` gives it."""
    columns = rows_of.shown(table, {**order, "display_id": display_id}, order["created_at"], twins=False)
    return _DOCUMENTS.whole(SCHEMA["order"], order | columns)


def shown_change(change: Change) -> Row:
    """The `order_change` of an order whose open change was just begun."""
    columns: Mapping[str, Any] = change
    return {name: columns[name] for name in _OF_CHANGE} | {"order": {"id": change["order_id"]}}


def shown(orders: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> list[Row] | None:
    """What a client's query for these fields gives of whole orders; None where it takes more than these. The orders stay as they are."""
    plan = totalled(ORDER, tuple(fields))
    whole: Sequence[Any] = orders
    rows = _DOCUMENTS.shown(SCHEMA["order"], whole, plan.fields if plan is not None else fields)
    return plan.finish(rows) if plan is not None and rows is not None else rows
