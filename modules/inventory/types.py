"""Arguments and results of the inventory module, as plain dicts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from typing_extensions import ReadOnly

from ...core.numbers import Amount

Available = dict[str, dict[str, Decimal]]
"""Item → location → what can still be sold; below zero where more is reserved than is there."""


class ReservationLine(TypedDict):
    """A quantity to reserve at one level."""

    inventory_item_id: str
    location_id: str
    quantity: Amount
    """Above zero."""
    id: NotRequired[str | None]
    """Of the reservation; made if it is missing."""
    line_item_id: NotRequired[str | None]
    allow_backorder: NotRequired[bool]
    """Whether it is reserved even if less is available."""
    external_id: NotRequired[str | None]
    description: NotRequired[str | None]
    created_by: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class NewReservation(TypedDict):
    """A reservation before it is stored."""

    id: str
    inventory_item_id: str
    location_id: str
    line_item_id: str | None
    quantity: Decimal
    allow_backorder: bool
    external_id: str | None
    description: str | None
    created_by: str | None
    metadata: dict[str, Any] | None


class Reservation(NewReservation):
    """A quantity reserved at one level."""

    created_at: str
    updated_at: str
    deleted_at: str | None


class ReservationChange(TypedDict):
    """Changes of a reservation; what isn't named stays. It can't be moved to another item."""

    id: str
    location_id: NotRequired[str]
    quantity: NotRequired[Amount]
    allow_backorder: NotRequired[bool]
    line_item_id: NotRequired[str | None]
    external_id: NotRequired[str | None]
    description: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class HeldReservation(TypedDict):
    """What a reservation holds, or held."""

    id: str
    inventory_item_id: str
    location_id: str
    quantity: Decimal
    allow_backorder: bool


class HeldForLine(HeldReservation):
    """What a reservation of a line item holds, or held."""

    line_item_id: str | None


class NewLevel(TypedDict):
    """An item to be stocked at a location."""

    inventory_item_id: str
    location_id: str
    id: NotRequired[str]
    stocked_quantity: NotRequired[Amount | None]
    incoming_quantity: NotRequired[Amount | None]
    metadata: NotRequired[dict[str, Any] | None]


class LevelChange(TypedDict):
    """A level, named by item and location, and its new quantities; what isn't named, or null, stays."""

    inventory_item_id: str
    location_id: str
    id: NotRequired[str]
    """Ignored."""
    stocked_quantity: NotRequired[Amount | None]
    incoming_quantity: NotRequired[Amount | None]
    metadata: NotRequired[dict[str, Any] | None]


class LevelAdjustment(TypedDict):
    """A quantity to add to the stock of a level, or to subtract."""

    inventory_item_id: str
    location_id: str
    adjustment: Amount


class Level(TypedDict):
    """An item at a location."""

    id: str
    inventory_item_id: str
    location_id: str
    stocked_quantity: Amount
    reserved_quantity: Amount
    incoming_quantity: Amount
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class LockedLevel(TypedDict):
    """The quantities of a locked level."""

    id: str
    inventory_item_id: str
    location_id: str
    stocked_quantity: Decimal
    reserved_quantity: Decimal


class LevelsChanged(TypedDict):
    """The levels after a change, and the ids of deleted ones."""

    created: list[Level]
    updated: list[Level]
    deleted: list[str]


class WantedLine(TypedDict):
    """A quantity whose availability is asked for."""

    inventory_item_id: str
    quantity: Amount
    location_ids: NotRequired[list[str] | None]
    """None: anywhere."""
    allow_backorder: NotRequired[bool]


class Demanded(TypedDict):
    """The demand of a line on a level."""

    inventory_item_id: ReadOnly[str]
    location_id: ReadOnly[str]
    quantity: ReadOnly[Decimal]
    allow_backorder: ReadOnly[bool]


class Goods(TypedDict):
    """A quantity of an item."""

    inventory_item_id: str
    quantity: Amount


class GoodsAt(Goods):
    """A quantity of an item at a location."""

    location_id: str


class GoodsOfLine(Goods):
    """A quantity of an item for a line item."""

    line_item_id: str


class GoodsTaken(GoodsOfLine):
    """What was taken from a reservation; its `quantity` is that part of it."""

    location_id: str
    id: NotRequired[str]
    """Of the reservation."""
    allow_backorder: bool


class Sent(TypedDict):
    """What was taken for one fulfilment; `take_back_sent` undoes it."""

    taken: list[GoodsTaken]
    """The part taken from each reservation."""
    stock: list[GoodsAt]
    """The goods that left."""
    levels: list[str]
    """Ids of the levels that they left."""
    left: list[str]
    """Ids of the reservations with something left."""
    gone: list[str]
    """Ids of the reservations that are used up."""


class Back(TypedDict):
    """What was put back: ids of levels, and of the reservations that hold it."""

    levels: list[str]
    created: list[str]
    updated: list[str]
