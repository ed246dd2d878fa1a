"""The payment and fulfillment status of an order. Neither is a column: both follow from its payments and fulfillments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...core.graph.graph import Graph
from ...core.json import dumps
from ...core.kept import kept
from ...core.rows import Row
from ...core.sql.schema.fields import FieldTree
from ...core.sql.schema.query import Page
from ...modules.order.showing import LEFT_OVER, left_over

STATUSES = ("payment_status", "fulfillment_status")
MADE_OF = (
    "payment_collections.status",
    "payment_collections.amount",
    "payment_collections.captured_amount",
    "payment_collections.refunded_amount",
    "fulfillments.packed_at",
    "fulfillments.shipped_at",
    "fulfillments.delivered_at",
    "fulfillments.canceled_at",
)
ALWAYS = ("status", "version")
ONE = (*ALWAYS, "*payment_collections", "*fulfillments")
LISTED = (*ALWAYS, "*items")
"""What an order is never shown without: alone, and in lists."""
TOGETHER = {"*items": "*items.detail", "*shipping_methods": "*shipping_methods.detail", "*customer": "customer_id"}
"""What is never shown without another: clients count on it."""


@kept(4 * 1024 * 1024)
def widened(asked: tuple[str, ...], always: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Fields of orders to show: those asked for, those that are `always` shown, and what goes with them."""
    fields = (*(name for name in asked if name not in STATUSES), *always)
    return tuple(dict.fromkeys((*fields, *(TOGETHER[name] for name in fields if name in TOGETHER))))


def with_statuses(orders: list[Row], shown: tuple[str, ...]) -> list[Row]:
    """Orders that have what is shown and `MADE_OF`, changed in place: with both statuses, without what was only fetched for them."""
    wanted = FieldTree.parse(shown)
    for order in orders:
        order["payment_status"] = payment_status(order["payment_collections"])
        order["fulfillment_status"] = fulfillment_status(order["fulfillments"], left_over=left_over(order.get("items") or ()))
        for name in ("payment_collections", "fulfillments"):
            if name not in wanted.children:
                del order[name]
    return orders


async def statuses_filled(graph: Graph, page: Page) -> Page:
    """A page of orders that has room for `STATUSES`, with them in their places. The orders aren't parsed."""
    told = dict(zip(page.slots("payment_status"), page.slots("fulfillment_status"), strict=True))
    orders = await graph.expand("order", [{"id": id} for id in told], MADE_OF)
    paid = {order["id"]: dumps(payment_status(order["payment_collections"])) for order in orders}
    sent = {
        slot: dumps(fulfillment_status(order["fulfillments"], left_over=slot.endswith(LEFT_OVER)))
        for slot, order in zip(told.values(), orders, strict=True)
    }
    return page.filled("payment_status", paid).filled("fulfillment_status", sent)


def payment_status(collections: Sequence[Mapping[str, Any]]) -> str:
    """What is paid of an order, from all of its payment collections."""
    counted = [one for one in collections if one["status"] != "canceled" or _amount(one, "refunded_amount") > 0]
    if not counted:
        return "canceled" if collections else "not_paid"
    if any(one["status"] == "requires_action" for one in counted):
        return "requires_action"
    for name, whole, part in (("refunded_amount", "refunded", "partially_refunded"), ("captured_amount", "captured", "partially_captured")):
        if any(_amount(one, name) > 0 for one in counted):
            return whole if all(_amount(one, name) >= _wanted(one) for one in counted) else part
    if any(one["status"] in ("authorized", "completed") for one in counted):
        return "authorized" if all(one["status"] in ("authorized", "completed") for one in counted) else "partially_authorized"
    if any(one["status"] == "partially_authorized" for one in counted):
        return "partially_authorized"
    return "awaiting" if any(one["status"] == "awaiting" for one in counted) else "not_paid"


def _wanted(collection: Mapping[str, Any]) -> Decimal:
    """What is to be paid, and of what is called off what had been."""
    return _amount(collection, "captured_amount" if collection["status"] == "canceled" else "amount")


def _amount(row: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(row[name] or 0)


_STAGES = (("delivered_at", "delivered"), ("shipped_at", "shipped"), ("packed_at", "fulfilled"))


def fulfillment_status(fulfillments: Sequence[Mapping[str, Any]], *, left_over: bool = False) -> str:
    """How far what was ordered is on its way. `left_over`: whether some of it isn't in any fulfilment yet."""
    if not fulfillments:
        return "not_fulfilled"
    alive = [one for one in fulfillments if one["canceled_at"] is None]
    if not alive:
        return "canceled"
    for column, stage in _STAGES:
        reached = [one for one in alive if one[column] is not None]
        if reached:
            return stage if len(reached) == len(alive) and not left_over else f"partially_{stage}"
    return "not_fulfilled"
