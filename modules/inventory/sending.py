"""Stock and reservations that follow fulfilments and returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from ...core.errors import InsufficientInventory, InvalidData
from ...core.ids import new_id
from ...core.message import writes
from ...core.numbers import total
from .demand import Demand, LevelKey, demands, exact
from .levels import Levels
from .queries import HOLD, RESERVED_FOR
from .reservations import Reservations
from .tables import reservation_item
from .types import Back, Goods, GoodsAt, GoodsOfLine, GoodsTaken, HeldForLine, LevelAdjustment, NewReservation, Sent


class ReservationPart(HeldForLine):
    """What is taken from a reservation: `quantity` of the `held`."""

    held: Decimal
    reserved_at: str
    """The reservation's location; `location_id`, from where the goods are taken, may be another."""


class Sending(Reservations, Levels):
    """Sends reserved goods, and reserves sent goods again."""

    @writes
    async def send(self, lines: Sequence[GoodsOfLine], location_id: str) -> Sent:
        """Take goods from the stock of a location, and from the reservations for their line items. All lines, or none.

        Reservations at that location are used first; goods that are reserved elsewhere must be available here, unless their
        reservation allows back-orders.

        Raises InvalidData where less is reserved for a line than is sent; InsufficientInventory where goods that are reserved elsewhere
        aren't available at this location; NotFound where an item isn't stocked there.
        """
        if not lines:
            return {"taken": [], "stock": [], "levels": [], "left": [], "gone": []}
        held = await self._reserved_for(lines)
        held.sort(key=lambda row: (row["location_id"] != location_id, row["id"]))
        left = {row["id"]: row["quantity"] for row in held}
        taken = [part for line in lines for part in _parts(line, held, left)]
        stock: list[ReservationPart] = [{**part, "location_id": location_id} for part in taken]
        leaving = demands(stock)
        await self.database.fetch(HOLD, _keys([*leaving, *demands(taken)]))
        if moved := [part for part in stock if part["reserved_at"] != location_id]:  # must be available here besides what is reserved here
            await self._check_there(demands(moved))
        left_over, gone = await self._use(taken)
        levels = await self._add([_adjustment(one.key, -one.quantity) for one in leaving])
        return {
            "taken": [_taken(part) for part in taken],
            "stock": [
                {"inventory_item_id": one.inventory_item_id, "location_id": one.location_id, "quantity": one.quantity} for one in leaving
            ],
            "levels": levels,
            "left": left_over,
            "gone": gone,
        }

    @writes
    async def take_back_sent(self, taken: Sequence[GoodsTaken], stock: Sequence[GoodsAt]) -> Back:
        """Put sent goods back: into `stock`, and reserved again as they were `taken` (see `Sent`).

        There is no guard, because the goods exist. A reservation that still holds some of a line's goods at the same location is enlarged.
        An item that its location has stopped stocking is stocked there again; a deleted item is skipped.
        """
        items = {row["inventory_item_id"] for row in taken}
        items &= {row["id"] for row in await self.list("inventory_item", {"id": sorted(items)}, fields=("id",))} if items else set()
        if not items:
            return {"levels": [], "created": [], "updated": []}
        taken = [row for row in taken if row["inventory_item_id"] in items]
        back, coming = _summed(taken), _summed(row for row in stock if row["inventory_item_id"] in items)
        await self._stock([*back, *coming])
        levels = await self._add([_adjustment(one.key, one.quantity) for one in coming])
        there = {_reservation_key(row): row for row in await self._reserved_for(taken)}
        grown: dict[str, Decimal] = {}
        fresh: dict[ReservationKey, NewReservation] = {}
        for part in taken:
            known = there.get(_reservation_key(part))
            if known is not None:
                grown[known["id"]] = grown.get(known["id"], known["quantity"]) + Decimal(part["quantity"])
            else:
                fresh.setdefault(_reservation_key(part), _again(part))["quantity"] += Decimal(part["quantity"])
        await self._take([Demand(*one.key, quantity=one.quantity) for one in back], list(fresh.values()))
        if grown:
            await self.update("reservation_item", [{"id": id, "quantity": quantity} for id, quantity in grown.items()])
        self.touch("reservation_item")
        return {
            "levels": levels,
            "created": [row["id"] for row in fresh.values()],
            "updated": list(grown),
        }

    @writes
    async def release_some(self, lines: Sequence[GoodsOfLine]) -> list[str]:
        """Release a part of what is reserved for line items, or all if there is less. Returns the ids of the reservations that were used
        up."""
        if not lines:
            return []
        reservations = await self._reserved_for(lines)
        left = {row["id"]: row["quantity"] for row in reservations}
        taken = [part for line in lines for part in _parts(line, reservations, left, all_of_it=False)]
        if not taken:
            return []
        _, gone = await self._use(taken)
        return gone

    @writes
    async def join_reservations(self, line_item_ids: Sequence[str]) -> list[str]:
        """Make one reservation of those for the same line item, of the same goods at the same location; it holds what they held together.

        Returns the ids of those that are gone. May be repeated.
        """
        alike: dict[tuple[str | None, str, str, bool], list[HeldForLine]] = {}
        held: list[HeldForLine] = await self.database.rows(RESERVED_FOR, {"line_item_ids": sorted(line_item_ids)})
        for row in held:
            key = (row["line_item_id"], row["inventory_item_id"], row["location_id"], row["allow_backorder"])
            alike.setdefault(key, []).append(row)
        several = [rows for rows in alike.values() if len(rows) > 1]
        if not several:
            return []
        gone = [row["id"] for _, *others in several for row in others]
        await self.delete("reservation_item", gone)
        joined = [{"id": rows[0]["id"], "quantity": total(row["quantity"] for row in rows)} for rows in several]
        await self.update("reservation_item", joined)
        self.touch(reservation_item.name)
        return gone

    @writes
    async def receive(self, lines: Sequence[Goods], location_id: str) -> list[str]:
        """Put returned goods into the stock of a location. Returns the ids of the levels.

        An item that the location doesn't stock is stocked there from now on; a deleted item is skipped.
        """
        ids = sorted({line["inventory_item_id"] for line in lines})
        items = {row["id"] for row in await self.list("inventory_item", {"id": ids}, fields=("id",))} if ids else set()
        coming = _summed(
            {"inventory_item_id": line["inventory_item_id"], "quantity": line["quantity"], "location_id": location_id}
            for line in lines
            if line["inventory_item_id"] in items
        )
        if not coming:
            return []
        await self._stock(coming)
        return await self._add([_adjustment(one.key, one.quantity) for one in coming])

    async def _stock(self, coming: Sequence[Demand]) -> None:
        """Lock the levels that the goods go to, and create missing ones."""
        keys = _keys(coming)
        held = {(row["item_id"], row["location_id"]) for row in await self.database.fetch(HOLD, keys)}
        missing = sorted(set(zip(keys["item_ids"], keys["location_ids"], strict=True)) - held)
        await self.create_levels([{"inventory_item_id": item, "location_id": location} for item, location in missing])

    async def _reserved_for(self, lines: Sequence[GoodsOfLine] | Sequence[GoodsTaken]) -> list[HeldForLine]:
        return await self.database.rows(RESERVED_FOR, {"line_item_ids": sorted({line["line_item_id"] for line in lines})})

    async def _use(self, taken: Sequence[ReservationPart]) -> tuple[list[str], list[str]]:
        """Use reservations up, or a part of them. Returns the ids of those with something left, and of those used up."""
        used: dict[str, Decimal] = {}
        for part in taken:
            used[part["id"]] = used.get(part["id"], part["held"]) - part["quantity"]
        await self._take([Demand(*one.key, quantity=-one.quantity) for one in demands(taken)], [])
        if gone := [id for id, quantity in used.items() if not quantity]:
            await self.delete("reservation_item", gone)
        if rest := {id: quantity for id, quantity in used.items() if quantity}:
            await self.update("reservation_item", [{"id": id, "quantity": quantity} for id, quantity in rest.items()])
        self.touch(reservation_item.name)
        return list(rest), gone

    async def _check_there(self, wanted: Sequence[Demand]) -> None:
        items, locations = zip(*(one.key for one in wanted), strict=True)
        there = await self.available_at(items, locations)
        for one in wanted:
            if one.guarded and one.guarded > there[one.inventory_item_id].get(one.location_id, Decimal(0)):
                raise InsufficientInventory(f"Not enough stock of inventory item {one.inventory_item_id} at location {one.location_id}")


ReservationKey = tuple[str | None, str, str]
"""Line item, inventory item, location."""


def _parts(
    line: GoodsOfLine, reservations: Sequence[HeldForLine], left: dict[str, Decimal], *, all_of_it: bool = True
) -> list[ReservationPart]:
    """The parts of reservations that a line's goods are taken from; subtracts them from `left`, by id. Raises InvalidData if the
    reservations hold less, unless `all_of_it` is false."""
    wanted, parts = exact(line["quantity"], "quantity"), list[ReservationPart]()
    for row in reservations:
        there = left[row["id"]]
        if row["line_item_id"] != line["line_item_id"] or row["inventory_item_id"] != line["inventory_item_id"] or not there:
            continue
        quantity = min(there, wanted)
        left[row["id"]], wanted = there - quantity, wanted - quantity
        parts.append({**row, "quantity": quantity, "held": row["quantity"], "reserved_at": row["location_id"]})
        if not wanted:
            return parts
    if not all_of_it:
        return parts
    raise InvalidData(f"Quantity to fulfill exceeds the reserved quantity for the item: {line['line_item_id']}")


def _taken(part: ReservationPart) -> GoodsTaken:
    return {
        "id": part["id"],
        "line_item_id": part["line_item_id"] or "",
        "inventory_item_id": part["inventory_item_id"],
        "location_id": part["location_id"],
        "quantity": part["quantity"],
        "allow_backorder": part["allow_backorder"],
    }


def _again(part: GoodsTaken) -> NewReservation:
    """A reservation for what was taken, with quantity zero."""
    return {
        "id": new_id("resitem"),
        "line_item_id": part["line_item_id"],
        "inventory_item_id": part["inventory_item_id"],
        "location_id": part["location_id"],
        "quantity": Decimal(0),
        "allow_backorder": part["allow_backorder"],
        "external_id": None,
        "description": None,
        "created_by": None,
        "metadata": None,
    }


def _summed(rows: Iterable[GoodsAt] | Iterable[GoodsTaken]) -> list[Demand]:
    """The quantity for each level, without a guard."""
    return demands(
        {
            "inventory_item_id": row["inventory_item_id"],
            "location_id": row["location_id"],
            "quantity": Decimal(row["quantity"]),
            "allow_backorder": True,
        }
        for row in rows
    )


def _reservation_key(row: HeldForLine | GoodsTaken) -> ReservationKey:
    return row["line_item_id"], row["inventory_item_id"], row["location_id"]


def _keys(wanted: Sequence[Demand]) -> dict[str, Any]:
    """Levels to lock, in the order in which every writer locks them."""
    keys = sorted({one.key for one in wanted})
    return {"item_ids": [item for item, _ in keys], "location_ids": [location for _, location in keys]}


def _adjustment(key: LevelKey, quantity: Decimal) -> LevelAdjustment:
    return {"inventory_item_id": key[0], "location_id": key[1], "adjustment": quantity}
