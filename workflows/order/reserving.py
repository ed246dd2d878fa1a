"""How reservations follow the lines of a changed order: added units are reserved, and reservations of removed units end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from ...commerce.types import OrderLine
from ...core.clock import iso, utc_now
from ...modules.inventory.types import GoodsOfLine
from ...modules.order.changes.applying import previewed
from ...modules.order.types import Change
from ..cart.sellables import without_items
from ..cart.stock import LineDemand, reserve_all
from ..kit import Flow, step
from .fulfillments import parts_of

__all__ = ["Moves", "give_back_some", "join_reservations", "moves_of", "release_of_lines", "reserve_all"]


class Moves(TypedDict):
    """How the reservations of an order change when its open change is confirmed."""

    more: list[LineDemand]
    less: list[GoodsOfLine]
    again: list[str]
    """The ids of lines that get more units and have a reservation already."""
    location_ids: list[str]
    """The stock locations of the order's sales channel."""


async def moves_of(flow: Flow, change: Change) -> Moves:
    """Compare the unfulfilled quantity of each line now and after an open change, which was read with its order.

    Raises InvalidData for more units of a variant whose stock is counted, and that has no inventory items any more.
    """
    return await _moves(flow, change["order"], previewed(change["order"], change["actions"], iso(utc_now())))


@step(reads=True)
async def plan_all(flow: Flow, order: Mapping[str, Any]) -> Moves:
    """The reservations of an order that has none yet. Raises InvalidData as `moves_of` does."""
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
            if part["counted"] and moves[id] > 0:
                raise without_items(str(lines[id]["variant_id"]))
            continue
        goods: GoodsOfLine = {"line_item_id": id, "inventory_item_id": item, "quantity": part["quantity"]}
        if moves[id] > 0:
            moved["more"].append({**goods, "quantity": part["quantity"], "allow_backorder": part["allow_backorder"]})
        else:
            moved["less"].append(goods)
    return moved


def unsent(line: OrderLine) -> Decimal:
    """The unfulfilled quantity of a line."""
    detail = line["detail"]
    return Decimal(detail["quantity"]) - Decimal(detail.get("fulfilled_quantity") or 0)


@step
async def give_back_some(flow: Flow, lines: Sequence[GoodsOfLine]) -> list[str]:
    """End the reservations of units that aren't sent any more. Returns the ids of the reservations that are gone."""
    return await flow.modules.inventory.release_some(lines) if lines else []


@step
async def join_reservations(flow: Flow, line_ids: Sequence[str]) -> list[str]:
    """Join the reservations of each line at a location into one. Returns the ids of the reservations that are gone."""
    return await flow.modules.inventory.join_reservations(line_ids)


@step
async def release_of_lines(flow: Flow, line_ids: Sequence[str]) -> list[str]:
    """End all reservations of removed lines. Returns the reservations."""
    if not line_ids:
        return []
    return [row["id"] for row in await flow.modules.inventory.release_reservations(line_item_ids=list(line_ids))]
