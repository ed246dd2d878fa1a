"""Admin: payment collections of orders."""

from __future__ import annotations

from typing import Any

from ...workflows.cart.payment import create_payment_session
from ...workflows.payment.order_collections import create_order_payment_collection, delete_order_payment_collection, mark_as_paid
from ..kit.bodies import ABSENT, Body, Number
from ..kit.reply import Answer, deleted
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View
from ..store.payment_collections import show_collection

routes = Routes()

PAYMENT_COLLECTION = View(
    "payment_collection", "id currency_code amount status authorized_amount captured_amount refunded_amount *payment_sessions *payments"
)


class CreateOrderPaymentCollection(Body):
    order_id: str
    amount: Number


class MarkAsPaid(Body):
    order_id: str
    provider_id: str = ABSENT


class CreateSession(Body):
    provider_id: str
    data: dict[str, Any] = ABSENT


@routes.post("/admin/payment-collections", body=CreateOrderPaymentCollection, returns=PAYMENT_COLLECTION)
async def create(request: Request) -> Answer:
    """Add an amount to pay to an order."""
    id = await request.run(create_order_payment_collection, **request.body)
    return await request.fetch(PAYMENT_COLLECTION, id)


@routes.delete("/admin/payment-collections/{id}", query=None)
async def delete(request: Request) -> Answer:
    """Delete a payment collection in which nothing was paid."""
    id = await request.run(delete_order_payment_collection, id=request.params["id"])
    return deleted(id, "payment-collection")


routes.action(
    "/admin/payment-collections/{id}/mark-as-paid",
    PAYMENT_COLLECTION,
    mark_as_paid,
    "Book that a payment collection was paid outside of the shop.",
    body=MarkAsPaid,
    id="payment_collection_id",
    who="captured_by",
)


@routes.post("/admin/payment-collections/{id}/payment-sessions", body=CreateSession, returns=PAYMENT_COLLECTION)
async def create_session(request: Request) -> Answer:
    """Begin to pay a payment collection by a provider."""
    id = request.params["id"]
    collection = await request.run(create_payment_session, payment_collection_id=id, request_key=request.idempotency_key, **request.body)
    return await show_collection(request, PAYMENT_COLLECTION, collection)
