"""Reservations that merchants make by hand."""

from __future__ import annotations

from collections.abc import Sequence

from ...modules.inventory.service import InventoryService
from ...modules.inventory.types import Reservation, ReservationLine
from ..kit import Flow, step, workflow
from ..plain import Plain


async def _release(flow: Flow, reservations: list[Reservation]) -> None:
    await flow.modules.inventory.release_reservations([row["id"] for row in reservations])


@step(undo=_release)
async def reserve(flow: Flow, reservations: Sequence[ReservationLine]) -> list[Reservation]:
    return await flow.modules.inventory.reserve(reservations)


@workflow("create-reservations-workflow", emits=("reservation-item.created",))
async def create_reservations(flow: Flow, reservations: list[ReservationLine]) -> list[Reservation]:
    """Reserve all, or nothing. Raises InsufficientInventory, and NotFound where an item isn't stocked at a location."""
    made = await flow.run(reserve, reservations)
    for row in made:
        flow.emit("reservation-item.created", id=row["id"])
    return made


RESERVATIONS = Plain(
    "reservation_item",
    update="update-reservations-workflow",
    event="reservation-item",
    update_by=InventoryService.update_reservations,
)


async def _restore(flow: Flow, ids: list[str]) -> None:
    await flow.modules.inventory.restore_reservations(ids)


@step(undo=_restore)
async def release(flow: Flow, ids: Sequence[str], line_item_ids: Sequence[str]) -> list[str]:
    return [row["id"] for row in await flow.modules.inventory.release_reservations(ids, line_item_ids=line_item_ids)]


@workflow("delete-reservations", emits=("reservation-item.deleted",))
async def delete_reservations(flow: Flow, ids: list[str]) -> list[str]:
    """Delete reservations and give back what they held. Returns the ids of those that existed."""
    return _released(flow, await flow.run(release, ids, []))


@workflow("delete-reservations-by-line-items", emits=("reservation-item.deleted",))
async def delete_reservations_by_line_items(flow: Flow, ids: list[str]) -> list[str]:
    """Delete all reservations of line items. Returns the ids of the reservations."""
    return _released(flow, await flow.run(release, [], ids))


def _released(flow: Flow, ids: list[str]) -> list[str]:
    for id in ids:
        flow.emit("reservation-item.deleted", id=id)
    return ids
