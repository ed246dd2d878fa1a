"""Reservations that follow the lines of an order that changes: what there is more of is reserved, what there is less of given back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from ...commerce.types import OrderLine
from ...modules.inventory.types import GoodsOfLine
from ..cart.stock import LineDemand, reserve_stock
from ..kit import Flow, step
from .fulfillments import parts_of

__all__ = ["Moves", "give_back_some", "join_reservations", "plan_moves", "release_of_lines", "reserve_stock"]


class Moves(TypedDict):
    """What confirming the open change of an order does to reservations."""

    more: list[LineDemand]
    less: list[GoodsOfLine]
    again: list[str]
    """Lines of which there is more, and some is reserved already."""
    location_ids: list[str]
    """Where the order's sales channel has stock."""


@step(reads=True)
async def plan_moves(flow: Flow, order_id: str) -> Moves:
    """Compare what is left to be sent of each line now with what will be."""
    return await _moves(flow, await flow.modules.order.load(order_id), await flow.modules.order.preview(order_id))


@step(reads=True)
async def plan_all(flow: Flow, order: Mapping[str, Any]) -> Moves:
    """All that is to be sent of an order of which nothing is reserved yet."""
    return await _moves(flow, {**order, "items": []}, order)


async def _moves(flow: Flow, order: Mapping[str, Any], after: Mapping[str, Any]) -> Moves:
    before = {line["id"]: unsent(line) for line in order["items"]}
    lines = {line["id"]: line for line in (*order["items"], *after["items"])}
    moves = {line["id"]: unsent(line) - before.get(line["id"], Decimal(0)) for line in after["items"]}
    parts = await parts_of(flow, lines, [(id, abs(move)) for id, move in moves.items() if move])
    (located,) = await flow.graph.pairs_of(
        ("sales_channel_stock_location", "sales_channel_id", [order["sales_channel_id"]] if order["sales_channel_id"] else [])
    )
    again = [id for id, move in moves.items() if move > 0 and before.get(id)]
    moved: Moves = {"more": [], "less": [], "again": again, "location_ids": [pair["stock_location_id"] for pair in located]}
    for id, part in parts:
        item = part["inventory_item_id"]
        if item is None:
            continue
        goods: GoodsOfLine = {"line_item_id": id, "inventory_item_id": item, "quantity": part["quantity"]}
        if moves[id] > 0:
            moved["more"].append({**goods, "quantity": part["quantity"], "allow_backorder": part["allow_backorder"]})
        else:
            moved["less"].append(goods)
    return moved


def unsent(line: OrderLine) -> Decimal:
    """How many units of a line are left to be sent."""
    detail = line["detail"]
    return Decimal(detail["quantity"]) - Decimal(detail.get("fulfilled_quantity") or 0)


@step
async def give_back_some(flow: Flow, lines: Sequence[GoodsOfLine]) -> list[str]:
    """Give back what isn't to be sent any more. The reservations that are gone."""
    return await flow.modules.inventory.release_some(lines) if lines else []


@step
async def join_reservations(flow: Flow, line_ids: Sequence[str]) -> list[str]:
    """Reserve each line at a location once, whatever was reserved for it one after the other. The reservations that are gone."""
    return await flow.modules.inventory.join_reservations(line_ids)


@step
async def release_of_lines(flow: Flow, line_ids: Sequence[str]) -> list[str]:
    """Give back all that is reserved for lines that are gone. The reservations."""
    if not line_ids:
        return []
    return [row["id"] for row in await flow.modules.inventory.release_reservations(line_item_ids=list(line_ids))]
