"""Reserving stock, and releasing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Table

from ...core import json
from ...core.errors import InsufficientInventory, InvalidData, NotFound, VelellaError
from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Rows
from ...core.service.batching import Batcher
from ...core.service.context import ModuleContext
from ...core.service.module import Keys, ModuleService
from ...core.sql.write.merging import turned
from ...core.sql.write.undo import Pair
from .demand import Demand, LevelKey, checked_quantity, columns, demands
from .queries import HOLD, LOCK_RESERVATIONS, RELEASE, RESERVE, RESTORE
from .tables import reservation_item
from .types import HeldForLine, HeldReservation, NewReservation, Reservation, ReservationChange, ReservationLine

_LINE = (
    "id", "inventory_item_id", "location_id", "line_item_id", "quantity", "allow_backorder", "external_id", "description",
    "created_by", "metadata",
)  # fmt: skip


class Reservations(ModuleService):
    """Reservations, and the counters of levels that follow them.

    Every message here changes reservations and the `reserved_quantity` of their levels in one transaction, so that at
    every commit a level's counter is the sum of its reservations.
    """

    def __init__(self, context: ModuleContext) -> None:
        super().__init__(context)
        self._reserving: Batcher[Sequence[ReservationLine], list[Reservation]] = Batcher(self, self._reserve_alone, self._reserve_together)

    @writes(batched=True)
    async def reserve(self, lines: Sequence[ReservationLine]) -> list[Reservation]:
        """Reserve all lines, or none of them. Returns the reservations in the order of the lines.

        Messages that come while others are being decided are batched, first come first served: however many want the last units,
        the level is locked once for all of them.

        Lines of one item at one location are summed first, so that two lines can't both take the last unit. A line that allows back-orders
        is reserved whatever is available.

        Raises:
            InsufficientInventory: some item has less at its location than its lines ask for; nothing is reserved.
            NotFound: some item isn't stocked at its location at all.
            InvalidData: a line names no item or location, or a quantity that isn't above zero.
        """
        return await self._reserving.ask(lines)

    async def _reserve_alone(self, lines: Sequence[ReservationLine]) -> list[Reservation]:
        rows = [_reservation(line) for line in lines]
        if not rows:
            return []
        moment, ids = await self._take(demands(rows), rows)
        self.touch("reservation_item")
        for row, id in zip(rows, ids, strict=True):
            row["id"] = id
        return _made(rows, moment)

    async def _reserve_together(self, calls: Sequence[Sequence[ReservationLine]]) -> list[list[Reservation] | VelellaError]:
        """Lock the levels of all messages, decide one message after the other, and write the granted ones in one statement."""
        asked = [_understood(lines) for lines in calls]
        wanted = demands(row for rows in asked if isinstance(rows, list) for row in rows)
        held = await self.database.fetch(HOLD, {name: columns(wanted)[name] for name in ("item_ids", "location_ids")}) if wanted else []
        left = {(row["item_id"], row["location_id"]): Decimal(row["available"]) for row in held}
        answers: list[list[NewReservation] | VelellaError] = []
        granted: list[NewReservation] = []
        for rows in asked:
            if isinstance(rows, VelellaError):
                answers.append(rows)
            elif (refusal := _decide(rows, left)) is not None:
                answers.append(refusal)
            else:
                granted += rows
                answers.append(rows)
        moment = ""
        if granted:
            # the levels are locked: what was decided is still true, so no message's guard is needed
            moment, _ = await self._take([replace(one, guarded=Decimal(0)) for one in demands(granted)], granted)
            self.touch("reservation_item")
        return [answer if isinstance(answer, VelellaError) else _made(answer, moment) for answer in answers]

    @writes(one_statement=True, answers=True)
    async def release_reservations(self, ids: Sequence[str] = (), *, line_item_ids: Sequence[str] = ()) -> list[HeldForLine]:
        """Delete reservations by their ids, or all of some line items, and give back what they held.

        Returns the ones that existed; one that was released before is not among them and is not given back twice.
        """
        held: list[HeldForLine] = await self.answer(RELEASE, {"ids": list(ids), "line_item_ids": list(line_item_ids)})
        if held:
            self.touch("reservation_item", "inventory_level", "inventory_item")
        return [{**row, "quantity": Decimal(row["quantity"])} for row in held]

    @writes
    async def restore_reservations(self, ids: Sequence[str]) -> Keys:
        """Undo a release: the same reservations hold the same quantities again. Returns the ids that were restored.

        There is no guard: this undoes a recent release, so it succeeds even if the units were reserved again
        since; then more is reserved than stocked, which the merchant has to resolve. Raises NotFound if a level was deleted.
        """
        row = await self.database.fetch_one(RESTORE, {"ids": list(ids)})
        if row is None or not row["ids"]:
            return []
        if not row["complete"]:
            raise NotFound("A reservation can't be restored: its item is no longer stocked at its location")
        self.touch("reservation_item", "inventory_level", "inventory_item")
        restored: Keys = row["ids"]
        return restored

    @writes
    async def update_reservations(self, rows: Sequence[ReservationChange]) -> list[Reservation]:
        """Change reservations.

        An additional quantity must be available (unless the reservation allows back-orders); a smaller one gives the
        difference back. All rows, or none.

        Raises:
            NotFound: a reservation, or the level it is moved to, doesn't exist.
            InsufficientInventory: some item has less than the additional quantity.
            InvalidData: a reservation is named twice or moved to another item, or a quantity isn't above zero.
        """
        if len({row["id"] for row in rows}) < len(rows):
            raise InvalidData("A reservation is named twice")
        locked: list[HeldReservation] = await self.database.rows(LOCK_RESERVATIONS, {"ids": [row["id"] for row in rows]})
        held = {row["id"]: row for row in locked}
        shifts: dict[LevelKey, Demand] = {}
        changes: Rows = []
        for row in rows:
            old = held.get(row["id"])
            if old is None:
                raise NotFound(f"Reservation item with id: {row['id']} was not found")
            if row.get("inventory_item_id", old["inventory_item_id"]) != old["inventory_item_id"]:
                raise InvalidData("A reservation can't be moved to another inventory item")
            asked: ReservationLine = {
                "inventory_item_id": old["inventory_item_id"],
                "location_id": row.get("location_id", old["location_id"]),
                "quantity": row.get("quantity", old["quantity"]),
            }
            new: HeldReservation = {
                **old,
                "location_id": asked["location_id"],
                "quantity": checked_quantity(asked),
                "allow_backorder": row.get("allow_backorder", old["allow_backorder"]),
            }
            _shift(shifts, old, -old["quantity"])
            _shift(shifts, new, new["quantity"])
            changes.append({**row, **({"quantity": new["quantity"]} if "quantity" in row else {})})
        moved = [shift for key in sorted(shifts) if (shift := shifts[key]).quantity]
        if moved:
            await self._take(moved, [])
        return await self.update("reservation_item", changes)

    async def _undo(self, table: Table, pairs: Sequence[Pair]) -> None:
        """A reservation that was changed is changed back with what it holds, under the same guard: what was given back may have been
        reserved by others since. Raises InsufficientInventory then.
        """
        changed = [(was, left) for was, left in pairs if was is not None and left is not None and "deleted_at" not in left]
        if table is not reservation_item or not changed:
            await super()._undo(table, pairs)
            return
        there = {row["id"]: row for row in await self.list("reservation_item", {"id": [was["id"] for was, _ in changed]})}
        back: list[Any] = [
            {"id": was["id"], **{name: was[name] for name in was if was[name] != left[name] and there[was["id"]].get(name) == left[name]}}
            for was, left in changed
            if was["id"] in there
        ]
        for row in back:
            if "metadata" in row:
                row["metadata"] = turned(there[row["id"]]["metadata"], row["metadata"])
        # the time of the change is stored in another form than it is shown, so comparing it would never match
        await self.update_reservations([row for row in back if len(row) > 1])

    async def _take(self, wanted: Sequence[Demand], rows: Sequence[NewReservation]) -> tuple[str, list[str]]:
        """Count demands on their levels and store the reservations. Returns the time, and the ids of the reservations."""
        lines = [{name: row.get(name) for name in _LINE} for row in rows]
        outcome = await self.answer(RESERVE, {**columns(wanted), "lines": lines, "ids": [row["id"] for row in rows]})
        if outcome["refused"]:
            raise refusal(outcome["refused"], {one.key: one for one in wanted})
        self.touch("inventory_level", "inventory_item")
        return outcome["moment"], outcome["ids"]


def _reservation(line: ReservationLine) -> NewReservation:
    quantity = checked_quantity(line)
    unknown = line.keys() - set(_LINE)
    if unknown:
        raise InvalidData(f"A reservation has no field '{sorted(unknown)[0]}'")
    return {
        "id": line.get("id") or new_id("resitem"),
        "inventory_item_id": line["inventory_item_id"],
        "location_id": line["location_id"],
        "line_item_id": line.get("line_item_id"),
        "quantity": quantity,
        "allow_backorder": bool(line.get("allow_backorder")),
        "external_id": line.get("external_id"),
        "description": line.get("description"),
        "created_by": line.get("created_by"),
        "metadata": line.get("metadata"),
    }


def _understood(lines: Sequence[ReservationLine]) -> list[NewReservation] | VelellaError:
    try:
        return [_reservation(line) for line in lines]
    except VelellaError as error:
        return error


def _decide(rows: Sequence[NewReservation], left: dict[LevelKey, Decimal]) -> VelellaError | None:
    """Subtract a message's demand from what is left of the levels; or return the error, and subtract nothing."""
    wanted = demands(rows)
    outcome = [
        {
            "item_id": one.inventory_item_id,
            "location_id": one.location_id,
            "known": one.key in left,
            "available": left.get(one.key),
            "taken": one.key in left and (one.guarded <= 0 or left[one.key] >= one.guarded),
        }
        for one in wanted
    ]
    refused = [row for row in outcome if not row["taken"]]
    if refused:
        return refusal(refused, {one.key: one for one in wanted})
    for one in wanted:
        left[one.key] -= one.quantity
    return None


def _made(rows: Sequence[NewReservation], moment: str) -> list[Reservation]:
    return [{**row, "created_at": moment, "updated_at": moment, "deleted_at": None} for row in rows]


def _shift(shifts: dict[LevelKey, Demand], line: HeldReservation, quantity: Decimal) -> None:
    key = line["inventory_item_id"], line["location_id"]
    shift = shifts.setdefault(key, Demand(*key))
    shift.quantity += quantity
    if not line["allow_backorder"]:
        shift.guarded += quantity


def refusal(refused: Sequence[Any], asked: Mapping[LevelKey, Demand]) -> VelellaError:
    """The error of what levels `refused` (see `RESERVE`) of what was `asked`."""
    unknown = next((row for row in refused if not row["known"]), None)
    if unknown is not None:
        return NotFound(f"Inventory item {unknown['item_id']} is not stocked at location {unknown['location_id']}")
    row = refused[0]
    wanted = asked[row["item_id"], row["location_id"]].guarded
    return InsufficientInventory(
        f"Not enough stock of inventory item {row['item_id']} at location {row['location_id']}: "
        f"{json.number(wanted)} wanted, {json.number(max(Decimal(row['available']), Decimal(0)))} available",
        items=[{"inventory_item_id": one["item_id"], "location_id": one["location_id"]} for one in refused],
    )
