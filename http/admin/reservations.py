"""Admin: reservations of stock."""

from __future__ import annotations

from ...workflows.inventory.reservations import RESERVATIONS, create_reservations, delete_reservations
from ..kit.bodies import ABSENT, Body, Metadata, Number
from ..kit.filters import MANY, NUMBERS, OPERATORS, STAMPS, TEXT, Filters
from ..kit.flows import signed
from ..kit.routes import Routes
from ..kit.view import View
from ..kit.write import Write
from .inventory_items import ITEM_COLUMNS

routes = Routes()

RESERVATION = View(
    "reservation_item",
    (
        *("id", "location_id", "inventory_item_id", "quantity", "line_item_id", "description", "metadata", "created_at", "updated_at"),
        *(f"inventory_item.{name}" for name in ITEM_COLUMNS),
        "*inventory_item.location_levels",
    ),
    limit=20,
    key="reservation",
)


class UpdateReservation(Body):
    location_id: str = ABSENT
    quantity: Number = ABSENT
    description: str | None = None
    metadata: Metadata = None


class CreateReservation(Body):
    line_item_id: str | None = None
    location_id: str
    inventory_item_id: str
    quantity: Number
    description: str | None = None
    metadata: Metadata = None


routes.resource(
    "/admin/reservations",
    RESERVATION,
    RESERVATIONS,
    list=Filters(
        q=TEXT,
        location_id=MANY,
        inventory_item_id=MANY,
        line_item_id=MANY,
        created_by=MANY,
        description=OPERATORS,
        quantity=NUMBERS,
        **STAMPS,
    ),
    create=Write(CreateReservation, before=signed, run=create_reservations),
    update=UpdateReservation,
    delete=delete_reservations,
    object="reservation",
)
