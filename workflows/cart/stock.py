"""Reserving stock for an order's lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from ...core.errors import InsufficientInventory, NotFound
from ...core.rows import Row
from ...modules.inventory.types import ReservationLine
from ..kit import Flow, step
from .sellables import NOT_ENOUGH, without_items
from .types import SoldVariant

ATTEMPTS = 4
"""How often stock is distributed again after others have taken what was planned."""


class LineDemand(TypedDict):
    """The quantity of one inventory item that one line takes."""

    line_item_id: str
    inventory_item_id: str
    quantity: Decimal
    allow_backorder: bool


class ReservedForOrder(TypedDict):
    """The id of a reservation: all that its undo needs."""

    id: str


async def release_stock(flow: Flow, reservations: Sequence[ReservedForOrder]) -> None:
    await flow.modules.inventory.release_reservations([reservation["id"] for reservation in reservations])


async def reserve_all(flow: Flow, demands: Sequence[LineDemand], location_ids: Sequence[str]) -> Sequence[ReservedForOrder]:
    """Reserve everything, or nothing, at locations with stock. Returns the reservations. Part of the function of a durable flow: how
    demands are distributed is read, so it is read once; a step that did so would, run again, find less than there was: its own
    reservation isn't left.

    Raises InsufficientInventory where all locations together don't have enough.
    """
    for attempt in range(1, ATTEMPTS + 1):
        lines = await _distribute(flow, demands, location_ids)
        try:
            return await flow.run(reserve_stock, lines)
        except InsufficientInventory:
            if lines is None or len(location_ids) == 1 or attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


@step(undo=release_stock)
async def reserve_stock(flow: Flow, lines: Sequence[ReservationLine] | None) -> list[ReservedForOrder]:
    """Reserve these lines, or nothing. Raises InsufficientInventory, also for None: there isn't enough. The step says so, and not what is
    read before it, for it may have been done by a version that read nothing before it."""
    if lines is None:
        raise InsufficientInventory(NOT_ENOUGH)
    if not lines:
        return []
    try:
        return [{"id": row["id"]} for row in await flow.modules.inventory.reserve(lines)]
    except (NotFound, InsufficientInventory) as error:  # not found: a level that was deleted, or never existed
        raise InsufficientInventory(NOT_ENOUGH) from error


async def _distribute(flow: Flow, demands: Sequence[LineDemand], location_ids: Sequence[str]) -> list[ReservationLine] | None:
    """Lines for `reserve`: each at a location that has all of it, else spread over several. None: there isn't enough.

    With one location there is nothing to choose: the reservation itself finds out whether enough is there.
    """
    if len(location_ids) == 1 or not demands:
        return [_line(demand, location_ids[0], demand["quantity"]) for demand in demands]
    there = await flow.modules.inventory.available_at(sorted({demand["inventory_item_id"] for demand in demands}), location_ids)
    left = {item: dict(locations) for item, locations in there.items()}
    lines: list[ReservationLine] = []
    for demand in demands:
        taken = _lines(demand, left[demand["inventory_item_id"]])
        if taken is None:
            return None
        lines += taken
    return lines


def _lines(demand: LineDemand, left: dict[str, Decimal]) -> list[ReservationLine] | None:
    """Take what a line needs from what is left of its item. None: there isn't enough."""
    wanted = Decimal(demand["quantity"])
    for location, quantity in left.items():
        if quantity >= wanted:
            left[location] = quantity - wanted
            return [_line(demand, location, demand["quantity"])]
    if demand["allow_backorder"] and left:
        location = max(left, key=lambda location: left[location])
        left[location] -= wanted
        return [_line(demand, location, demand["quantity"])]
    lines: list[ReservationLine] = []
    for location, quantity in sorted(left.items(), key=lambda entry: entry[1], reverse=True):
        taken = min(quantity, wanted)
        if taken > 0:
            left[location] -= taken
            wanted -= taken
            lines.append(_line(demand, location, taken))
    return lines if wanted <= 0 else None


def _line(demand: LineDemand, location_id: str, quantity: Decimal) -> ReservationLine:
    return {
        "line_item_id": demand["line_item_id"],
        "inventory_item_id": demand["inventory_item_id"],
        "location_id": location_id,
        "quantity": quantity,
        "allow_backorder": demand["allow_backorder"],
    }


def demands_of(items: Sequence[Mapping[str, Any]], variants: Mapping[str, SoldVariant], made_of: Sequence[Row]) -> list[LineDemand]:
    """The demands of an order's lines: for each variant with managed stock its inventory items, times the quantity. Raises InvalidData for
    one that has none any more."""
    demands: list[LineDemand] = []
    for item in items:
        variant = variants.get(item["variant_id"] or "")
        if variant is None or not variant["manage_inventory"]:
            continue
        parts = [pair for pair in made_of if pair["variant_id"] == variant["id"]]
        if not parts:
            raise without_items(variant["id"])
        for pair in parts:
            demands.append(
                {
                    "line_item_id": item["id"],
                    "inventory_item_id": pair["inventory_item_id"],
                    "quantity": Decimal(pair["required_quantity"]) * item["quantity"],
                    "allow_backorder": bool(variant["allow_backorder"]),
                }
            )
    return demands
