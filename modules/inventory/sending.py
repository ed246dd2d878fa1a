"""What leaves the house, and what comes back into it: stock and reservations that follow fulfilments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from ...core.errors import InsufficientInventory, InvalidData
from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Row, Rows
from .demand import Demand, LevelKey, demands, exact
from .levels import Levels
from .queries import HOLD, RESERVED_FOR
from .reservations import Reservations
from .tables import reservation_item


class Sent(TypedDict):
    """What was taken for one fulfilment; `take_back_sent` takes it back."""

    taken: Rows
    """Of each reservation what was used of it: `id`, `line_item_id`, `inventory_item_id`, `location_id`, `quantity`, `allow_backorder`."""
    stock: Rows
    """`inventory_item_id`, `location_id`, `quantity` that left."""
    levels: list[str]
    """Ids of the levels that it left."""
    left: list[str]
    """Ids of the reservations of which something is left,"""
    gone: list[str]
    """and of those that are used up."""


class Back(TypedDict):
    """What came back: ids of levels, and of reservations that hold it."""

    levels: list[str]
    created: list[str]
    updated: list[str]


class Sending(Reservations, Levels):
    """Reserved goods that are sent, and sent goods that are reserved again."""

    @writes
    async def send(self, lines: Sequence[Mapping[str, Any]], location_id: str) -> Sent:
        """Take goods off the stock of a location, and off what is reserved for their line items. All lines, or none.

        A line has `line_item_id`, `inventory_item_id`, `quantity`. Reservations at that location are used first; goods that are reserved
        elsewhere have to be there to be taken, unless their reservation allows back-orders.

        Raises InvalidData where less is reserved for a line than is sent; InsufficientInventory where what is reserved elsewhere isn't at
        this location; NotFound where an item isn't stocked there.
        """
        if not lines:
            return {"taken": [], "stock": [], "levels": [], "left": [], "gone": []}
        held = await self.database.fetch(RESERVED_FOR, {"line_item_ids": sorted({line["line_item_id"] for line in lines})})
        left = sorted((dict(row) for row in held), key=lambda row: (row["location_id"] != location_id, row["id"]))
        taken: Rows = [part for line in lines for part in _parts(line, left)]
        stock: Rows = [{**part, "location_id": location_id} for part in taken]
        leaving = demands(stock)
        await self.database.fetch(HOLD, _keys([*leaving, *demands(taken)]))
        left_over, gone = await self._use(taken)
        moved = [part for part in stock if part["reserved_at"] != location_id]
        if moved:  # not reserved here: they have to be there beyond what others have reserved
            await self._check_there(demands(moved))
        levels = await self.adjust([_adjustment(one.key, -one.quantity) for one in leaving])
        return {
            "taken": [{name: part[name] for name in _TAKEN} for part in taken],
            "stock": [{**dict(zip(_LEVEL, one.key, strict=True)), "quantity": one.quantity} for one in leaving],
            "levels": [level["id"] for level in levels],
            "left": left_over,
            "gone": gone,
        }

    @writes
    async def take_back_sent(self, taken: Sequence[Mapping[str, Any]], stock: Sequence[Mapping[str, Any]]) -> Back:
        """Put goods that were sent back: into `stock`, and reserved again as they were `taken` (see `Sent`).

        There is no guard: they are there. A reservation that still holds some of a line's goods at the same place holds these too. An item
        that its location has stopped stocking is stocked there again; one that was deleted is passed over.
        """
        items = {row["inventory_item_id"] for row in taken}
        items &= {row["id"] for row in await self.list("inventory_item", {"id": sorted(items)}, fields=("id",))} if items else set()
        if not items:
            return {"levels": [], "created": [], "updated": []}
        taken, coming = _of(items, taken), demands(_of(items, stock))
        back = demands(taken)
        await self._stock([*back, *coming])
        levels = await self.adjust([_adjustment(one.key, one.quantity) for one in coming])
        reserved = await self.database.fetch(RESERVED_FOR, {"line_item_ids": sorted({row["line_item_id"] for row in taken})})
        there = {_place(row): row for row in map(dict, reserved)}
        grown: dict[str, Row] = {}
        fresh: dict[tuple[Any, ...], Row] = {}
        for part in taken:
            known = there.get(_place(part))
            if known is not None:
                row = grown.setdefault(known["id"], {"id": known["id"], "quantity": known["quantity"]})
            else:
                row = fresh.setdefault(_place(part), {**part, "id": new_id("resitem"), "quantity": Decimal(0)})
            row["quantity"] += Decimal(part["quantity"])
        await self._take([Demand(*one.key, quantity=one.quantity) for one in back], list(fresh.values()))
        if grown:
            await self.update("reservation_item", list(grown.values()))
        self.touch("reservation_item")
        return {
            "levels": [level["id"] for level in levels],
            "created": [row["id"] for row in fresh.values()],
            "updated": list(grown),
        }

    @writes
    async def receive(self, lines: Sequence[Mapping[str, Any]], location_id: str) -> list[str]:
        """Put goods that came back into the stock of a location: lines of `inventory_item_id` and `quantity`. Ids of the levels.

        An item that the location doesn't stock is stocked there from now on; one that was deleted is passed over.
        """
        ids = sorted({line["inventory_item_id"] for line in lines})
        items = {row["id"] for row in await self.list("inventory_item", {"id": ids}, fields=("id",))} if ids else set()
        coming = demands(_of(items, [{**line, "location_id": location_id} for line in lines]))
        if not coming:
            return []
        await self._stock(coming)
        return [level["id"] for level in await self.adjust([_adjustment(one.key, one.quantity) for one in coming])]

    async def _stock(self, coming: Sequence[Demand]) -> None:
        """Hold the levels where this goes, and make those that aren't there."""
        keys = _keys(coming)
        held = {(row["item_id"], row["location_id"]) for row in await self.database.fetch(HOLD, keys)}
        missing = sorted(set(zip(keys["item_ids"], keys["location_ids"], strict=True)) - held)
        await self.create_levels([{"inventory_item_id": item, "location_id": place} for item, place in missing])

    async def _use(self, taken: Rows) -> tuple[list[str], list[str]]:
        """Use up reservations, or a part of them: those of which something is left, and those that are gone."""
        used: dict[str, Row] = {}
        for part in taken:
            row = used.setdefault(part["id"], {"id": part["id"], "quantity": part["held"]})
            row["quantity"] -= part["quantity"]
        await self._take([Demand(*one.key, quantity=-one.quantity) for one in demands(taken)], [])
        if gone := [id for id, row in used.items() if not row["quantity"]]:
            await self.delete("reservation_item", gone)
        if rest := [row for row in used.values() if row["quantity"]]:
            await self.update("reservation_item", rest)
        self.touch(reservation_item.name)
        return [row["id"] for row in rest], gone

    async def _check_there(self, wanted: Sequence[Demand]) -> None:
        items, places = zip(*(one.key for one in wanted), strict=True)
        there = await self.available_at(items, places)
        for one in wanted:
            if one.guarded > there[one.inventory_item_id].get(one.location_id, Decimal(0)):
                raise InsufficientInventory(f"Not enough stock of inventory item {one.inventory_item_id} at location {one.location_id}")


_LEVEL = ("inventory_item_id", "location_id")
_TAKEN = ("id", "line_item_id", "inventory_item_id", "location_id", "quantity", "allow_backorder")


def _parts(line: Mapping[str, Any], left: Rows) -> Rows:
    """Which reservations a line's goods are taken of; what is left of these is less then."""
    wanted, parts = exact(line["quantity"], "quantity"), []
    for row in left:
        held = row.setdefault("left", row["quantity"])
        if row["line_item_id"] != line["line_item_id"] or row["inventory_item_id"] != line["inventory_item_id"] or not held:
            continue
        quantity = min(held, wanted)
        row["left"], wanted = held - quantity, wanted - quantity
        parts.append({**row, "quantity": quantity, "held": row["quantity"], "reserved_at": row["location_id"]})
        if not wanted:
            return parts
    raise InvalidData(f"Quantity to fulfill exceeds the reserved quantity for the item: {line['line_item_id']}")


def _of(items: set[str], rows: Sequence[Mapping[str, Any]]) -> Rows:
    return [{**row, "quantity": Decimal(row["quantity"])} for row in rows if row["inventory_item_id"] in items]


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("line_item_id", "inventory_item_id", "location_id"))


def _keys(wanted: Sequence[Demand]) -> dict[str, Any]:
    """Levels to be held, in the order in which everybody holds them."""
    keys = sorted({one.key for one in wanted})
    return {"item_ids": [item for item, _ in keys], "location_ids": [place for _, place in keys]}


def _adjustment(key: LevelKey, quantity: Decimal) -> Row:
    return {"inventory_item_id": key[0], "location_id": key[1], "adjustment": quantity}
