"""Stock and reservations that follow fulfilments and returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.message import writes
from ...core.numbers import total
from ...core.rows import Row
from ...core.sql.db.failures import Collided
from .demand import Demand, LevelKey, demands, exact
from .levels import Levels
from .queries import HOLD, HOLD_RESERVED_FOR, MOVE, RESERVED_AND_ITEMS, RESERVED_FOR
from .reservations import Reservations, refusal
from .tables import reservation_item
from .types import Back, Goods, GoodsAt, GoodsOfLine, GoodsTaken, HeldForLine, LevelAdjustment, NewReservation, Sent


class ReservationPart(HeldForLine):
    """What is taken from a reservation: `quantity` of the `held`."""

    held: Decimal
    reserved_at: str
    """The reservation's location; `location_id`, from where the goods are taken, may be another."""


class Sending(Reservations, Levels):
    """Sends reserved goods, and reserves sent goods again."""

    @writes(one_statement=True, answers=True)
    async def send(self, lines: Sequence[GoodsOfLine], location_id: str) -> Sent:
        """Take goods from the stock of a location, and from the reservations for their line items. All lines, or none.

        Reservations at that location are used first; goods that are reserved elsewhere must be available here, unless their
        reservation allows back-orders.

        Raises InvalidData where less is reserved for a line than is sent; InsufficientInventory where goods that are reserved elsewhere
        aren't available at this location; NotFound where an item isn't stocked there.
        """

        async def planned() -> Move:
            held = await self._reserved_for(lines)
            held.sort(key=lambda row: (row["location_id"] != location_id, row["id"]))
            taken = _parts_of(lines, held)
            stock: list[ReservationPart] = [{**part, "location_id": location_id} for part in taken]
            moved = [part for part in stock if part["reserved_at"] != location_id]  # must be available besides what is reserved here
            leaving = demands(stock)
            move = _using(taken)
            return move._replace(
                levels=_levels(-1, leaving, demands(taken), demands(moved)),
                answer={
                    "taken": [_taken(part) for part in taken],
                    "stock": [
                        {"inventory_item_id": one.inventory_item_id, "location_id": one.location_id, "quantity": one.quantity}
                        for one in leaving
                    ],
                    **move.answer,
                },
            )

        if not lines:
            return {"taken": [], "stock": [], "levels": [], "left": [], "gone": []}
        sent: Sent = await self._move(planned)
        return sent

    @writes(one_statement=True, answers=True)
    async def take_back_sent(self, taken: Sequence[GoodsTaken], stock: Sequence[GoodsAt]) -> Back:
        """Put sent goods back: into `stock`, and reserved again as they were `taken` (see `Sent`).

        There is no guard, because the goods exist. A reservation that still holds some of a line's goods at the same location is enlarged.
        An item that its location has stopped stocking is stocked there again; a deleted item is skipped.
        """

        async def planned() -> Move | None:
            of = {"line_item_ids": sorted({row["line_item_id"] for row in taken})}
            items = {row["inventory_item_id"] for row in taken}
            rows: Any = await self.database.rows(RESERVED_AND_ITEMS, {**of, "item_ids": sorted(items)})
            items = set(rows[0]["items"])
            if not items:
                return None
            there: dict[ReservationKey, HeldForLine] = {_reservation_key(row): row for row in rows if row["id"] is not None}
            grown: dict[str, Decimal] = {}
            fresh: dict[ReservationKey, NewReservation] = {}
            again = [row for row in taken if row["inventory_item_id"] in items]
            for part in again:
                known = there.get(_reservation_key(part))
                if known is not None:
                    grown[known["id"]] = grown.get(known["id"], known["quantity"]) + Decimal(part["quantity"])
                else:
                    fresh.setdefault(_reservation_key(part), _again(part))["quantity"] += Decimal(part["quantity"])
            coming = _summed(row for row in stock if row["inventory_item_id"] in items)
            held = {row["id"]: row["quantity"] for row in there.values()}
            return Move(
                [{"id": id, "held": held[id], "quantity": quantity} for id, quantity in grown.items()],
                _levels(1, coming, _summed(again), stocking=True),
                {"created": [row["id"] for row in fresh.values()], "updated": list(grown)},
                list(fresh.values()),
            )

        back: Back | None = await self._move(planned)
        return back or {"levels": [], "created": [], "updated": []}

    @writes(one_statement=True, answers=True)
    async def release_some(self, lines: Sequence[GoodsOfLine]) -> list[str]:
        """Release a part of what is reserved for line items, or all if there is less. Returns the ids of the reservations that were used
        up."""

        async def planned() -> Move | None:
            taken = _parts_of(lines, await self._reserved_for(lines), all_of_it=False)
            return _using(taken) if taken else None

        released = await self._move(planned) if lines else None
        return released["gone"] if released is not None else []

    @writes
    async def join_reservations(self, line_item_ids: Sequence[str]) -> list[str]:
        """Make one reservation of those for the same line item, of the same goods at the same location; it holds what they held together.

        Returns the ids of those that are gone. May be repeated.
        """
        alike: dict[tuple[str | None, str, str, bool], list[HeldForLine]] = {}
        held: list[HeldForLine] = await self.database.rows(HOLD_RESERVED_FOR, {"line_item_ids": sorted(line_item_ids)})
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

    async def _reserved_for(self, lines: Sequence[GoodsOfLine]) -> list[HeldForLine]:
        return await self.database.rows(RESERVED_FOR, {"line_item_ids": sorted({line["line_item_id"] for line in lines})})

    async def _move(self, planned: Callable[[], Awaitable[Move | None]]) -> Any:
        """Carry out what is planned by what is read then; nothing where that is None. Returns its answer, with the `levels` whose stock has
        changed; None where nothing is done."""
        idle = False

        async def params() -> Mapping[str, Any] | None:
            nonlocal idle
            move = await planned()
            if move is None:
                idle = True
                return None
            return {"reservations": move.reservations, "lines": move.lines, "answer": move.answer, **move.levels}

        outcome = await self.answer(MOVE, params)
        if idle:
            return None
        if outcome is None:
            raise Collided("Reservations were changed meanwhile.")
        if refused := outcome["refused"]:
            raise refusal(refused, {(row["item_id"], row["location_id"]): Demand("", "", guarded=Decimal(row["guard"])) for row in refused})
        self.touch("reservation_item", "inventory_level", "inventory_item")
        return {**outcome["answer"], "levels": outcome["levels"]}


class Move(NamedTuple):
    """What becomes of reservations and levels at once: parameters of `MOVE`."""

    reservations: list[Row]
    """What becomes of reservations: `id`, what it `held` when it was read, and its `quantity` from now on; 0: it ends."""
    levels: Row
    """See `_levels`."""
    answer: Row
    lines: Sequence[NewReservation] = ()
    """New reservations."""


ReservationKey = tuple[str | None, str, str]
"""Line item, inventory item, location."""


def _using(taken: Sequence[ReservationPart]) -> Move:
    """Use reservations up, or a part of them, with what their levels count of them. The answer: the ids of those with something `left`, and
    of those that are `gone`."""
    used: dict[str, Decimal] = {}
    held = {part["id"]: part["held"] for part in taken}
    for part in taken:
        used[part["id"]] = used.get(part["id"], part["held"]) - part["quantity"]
    return Move(
        [{"id": id, "held": held[id], "quantity": quantity} for id, quantity in used.items()],
        _levels(-1, (), demands(taken)),
        {"left": [id for id, quantity in used.items() if quantity], "gone": [id for id, quantity in used.items() if not quantity]},
    )


def _levels(
    sign: int, stock: Sequence[Demand], reserved: Sequence[Demand], moved: Sequence[Demand] = (), *, stocking: bool = False
) -> dict[str, Any]:
    """The levels of a `MOVE`, in the order in which every writer locks them. `moved`: has to be available beforehand where it is guarded.
    `stocking`: what isn't there is made."""
    in_stock, in_reserve = ({one.key: sign * one.quantity for one in each} for each in (stock, reserved))
    guards = {one.key: one.guarded for one in moved}
    keys = sorted(in_stock.keys() | in_reserve.keys())
    return {
        "item_ids": [item for item, _ in keys],
        "location_ids": [location for _, location in keys],
        "stocked": [in_stock.get(key, _NONE) for key in keys],
        "reserved": [in_reserve.get(key, _NONE) for key in keys],
        "guards": [guards.get(key, _NONE) for key in keys],
        "level_ids": [new_id("ilev") if stocking else None for _ in keys],
    }


_NONE = Decimal(0)


def _parts_of(lines: Sequence[GoodsOfLine], reservations: Sequence[HeldForLine], *, all_of_it: bool = True) -> list[ReservationPart]:
    """`_parts` of all lines."""
    left = {row["id"]: row["quantity"] for row in reservations}
    return [part for line in lines for part in _parts(line, reservations, left, all_of_it=all_of_it)]


def _parts(line: GoodsOfLine, reservations: Sequence[HeldForLine], left: dict[str, Decimal], *, all_of_it: bool) -> list[ReservationPart]:
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
