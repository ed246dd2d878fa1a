"""Store: transfers of orders to another customer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ...workflows.order.transfers import accept_transfer, cancel_transfer, decline_transfer, request_transfer
from ..kit.access import CUSTOMER
from ..kit.bodies import ABSENT, Body
from ..kit.client import network_of
from ..kit.flows import once
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from .orders import ORDER, order_text

routes = Routes()


class RequestTransfer(Body):
    description: str = ABSENT
    update_order_email: bool = ABSENT


class Token(Body):
    token: Annotated[str, Field(min_length=1)]


@routes.post("/store/orders/{id}/transfer/request", body=RequestTransfer, returns=ORDER, auth=CUSTOMER)
async def ask(request: Request) -> Answer:
    """Ask the owner of an order to transfer it to the logged-in customer."""
    me = request.actor_id
    order = await request.modules.order.retrieve("order", request.params["id"], fields=("email",))
    if order["email"] is not None:
        await request.modules.auth.count_email(order["email"], network_of(request.client_address))
    await once(request, request_transfer, order_id=request.params["id"], customer_id=me, requested_by=me, **request.body)
    return await _shown(request)


@routes.post("/store/orders/{id}/transfer/cancel", returns=ORDER, auth=CUSTOMER)
async def cancel(request: Request) -> Answer:
    """Withdraw the request for an order."""
    await once(request, cancel_transfer, order_id=request.params["id"], canceled_by=request.actor_id, actor_type="customer")
    return await _shown(request)


@routes.post("/store/orders/{id}/transfer/accept", body=Token, returns=ORDER)
async def accept(request: Request) -> Answer:
    """Transfer an order, with the token of the email."""
    await once(request, accept_transfer, order_id=request.params["id"], **request.body)
    return await _shown(request)


@routes.post("/store/orders/{id}/transfer/decline", body=Token, returns=ORDER)
async def decline(request: Request) -> Answer:
    """Decline the transfer of an order, with the token of the email."""
    await once(request, decline_transfer, order_id=request.params["id"], **request.body)
    return await _shown(request)


async def _shown(request: Request) -> bytes:
    return await order_text(request, {"id": request.params["id"], "is_draft_order": False})
