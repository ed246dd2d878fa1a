"""Store: returns that buyers request."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ...workflows.order.returns import create_and_complete_return
from ..kit.bodies import ABSENT, AtLeastOne, Body, Number, Part
from ..kit.filters import MANY, PAGING, Filters
from ..kit.flows import once
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View

routes = Routes()

RETURN = View(
    "return",
    "id order_id created_at updated_at deleted_at metadata",
    allowed="id order_id created_at updated_at deleted_at metadata display_id items received_at created_by canceled_at requested_at",
    limit=20,
)


class ReturnedItem(Part):
    id: str
    quantity: AtLeastOne
    reason_id: str | None = None
    note: str | None = None


class Shipping(Part):
    option_id: str
    price: Number = ABSENT


class AskForReturn(Body):
    order_id: Annotated[str, Field(min_length=1)]
    items: list[ReturnedItem]
    return_shipping: Shipping
    note: str | None = None
    receive_now: bool = ABSENT
    location_id: str | None = None


@routes.post("/store/returns", body=AskForReturn, returns=RETURN, query=Filters(PAGING, id=MANY, order_id=MANY, logical=True))
async def create(request: Request) -> Answer:
    """Request a return of items of an order. What has come back is received by merchants: `receive_now` has no effect."""
    given = {name: value for name, value in request.body.items() if name not in ("return_shipping", "receive_now")}
    id = await once(
        request, create_and_complete_return, **given, return_shipping={"option_id": request.body["return_shipping"]["option_id"]}
    )
    return await request.fetch(RETURN, id)
