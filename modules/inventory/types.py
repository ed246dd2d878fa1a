"""What travels to and from the inventory module, as plain dicts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from typing_extensions import ReadOnly

from ...core.numbers import Amount

Available = dict[str, dict[str, Decimal]]
"""Item → location → what can still be sold; below zero where more is reserved than is there."""


class ReservationLine(TypedDict):
    """What is to be reserved of one level."""

    inventory_item_id: str
    location_id: str
    quantity: Amount
    """Above zero."""
    id: NotRequired[str | None]
    """Of the reservation; made where it is missing."""
    line_item_id: NotRequired[str | None]
    allow_backorder: NotRequired[bool]
    """Taken whatever there is."""
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
    """What is held of one level."""

    created_at: str
    updated_at: str
    deleted_at: str | None


class ReservationChange(TypedDict):
    """What of a reservation is to be another; what isn't named stays. It can't be moved to another item."""

    id: str
    location_id: NotRequired[str]
    quantity: NotRequired[Amount]
    allow_backorder: NotRequired[bool]
    line_item_id: NotRequired[str | None]
    external_id: NotRequired[str | None]
    description: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class Held(TypedDict):
    """What a reservation holds, or held."""

    id: str
    inventory_item_id: str
    location_id: str
    quantity: Decimal
    allow_backorder: bool


class HeldForLine(Held):
    """What a reservation of a line item holds, or held."""

    line_item_id: str | None


class NewLevel(TypedDict):
    """An item that is to be stocked at a location."""

    inventory_item_id: str
    location_id: str
    id: NotRequired[str]
    stocked_quantity: NotRequired[Amount | None]
    incoming_quantity: NotRequired[Amount | None]
    metadata: NotRequired[dict[str, Any] | None]


class LevelChange(TypedDict):
    """A level, named by item and location, and its new figures; what isn't named, or null, stays."""

    inventory_item_id: str
    location_id: str
    id: NotRequired[str]
    """Passed over."""
    stocked_quantity: NotRequired[Amount | None]
    incoming_quantity: NotRequired[Amount | None]
    metadata: NotRequired[dict[str, Any] | None]


class LevelAdjustment(TypedDict):
    """What is to be added to the stock of a level, or taken away."""

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
    """What a level that is held counts."""

    id: str
    inventory_item_id: str
    location_id: str
    stocked_quantity: Decimal
    reserved_quantity: Decimal


class LevelsChanged(TypedDict):
    """Levels as they are then, and the ids of those that are gone."""

    created: list[Level]
    updated: list[Level]
    deleted: list[str]


class WantedLine(TypedDict):
    """Goods that are asked for, of which it is to be known whether they could be had."""

    inventory_item_id: str
    quantity: Amount
    location_ids: NotRequired[list[str] | None]
    """None: anywhere."""
    allow_backorder: NotRequired[bool]


class Demanded(TypedDict):
    """What a line asks of a level."""

    inventory_item_id: ReadOnly[str]
    location_id: ReadOnly[str]
    quantity: ReadOnly[Decimal]
    allow_backorder: ReadOnly[bool]


class Goods(TypedDict):
    """So many of an item."""

    inventory_item_id: str
    quantity: Amount


class GoodsAt(Goods):
    """So many of an item at a location."""

    location_id: str


class GoodsOfLine(Goods):
    """So many of an item that a line item takes."""

    line_item_id: str


class GoodsTaken(GoodsOfLine):
    """What was taken of a reservation; its `quantity` is that part of it."""

    location_id: str
    id: NotRequired[str]
    """Of the reservation."""
    allow_backorder: NotRequired[bool]


class Sent(TypedDict):
    """What was taken for one fulfilment; `take_back_sent` takes it back."""

    taken: list[GoodsTaken]
    """Of each reservation what was used of it."""
    stock: list[GoodsAt]
    """What left."""
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
