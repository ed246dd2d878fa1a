"""Store: payment collections of carts, and payment providers."""

from __future__ import annotations

from typing import Any

from ...core.json import dumps
from ...modules.payment.showing import shown
from ...modules.payment.types import PaymentCollection
from ...workflows.cart.payment import create_payment_collection, create_payment_session
from ..kit.bodies import ABSENT, Body
from ..kit.filters import TEXT, Filters, required
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View, words
from .views import sessions_without_buyer, under

routes = Routes()

PAYMENT_COLLECTION = View(
    "payment_collection",
    "id currency_code amount *payment_sessions",
    stars=sessions_without_buyer("payment_sessions"),
    allowed=(
        *words("id currency_code amount payment_sessions status payment_providers payment_providers.id"),
        *under("payment_sessions", "id amount currency_code provider_id data status"),
    ),
    label="Payment collection",
)
PAYMENT_PROVIDER = View("payment_provider", "id is_enabled", allowed="id is_enabled", limit=20, label="Payment provider")


class CreatePaymentCollection(Body):
    cart_id: str


class CreatePaymentSession(Body):
    provider_id: str
    data: dict[str, Any] = ABSENT


@routes.post("/store/payment-collections", body=CreatePaymentCollection, returns=PAYMENT_COLLECTION)
async def create_collection(request: Request) -> Answer:
    """Create a cart's payment collection. A repetition gets the same collection."""
    collection = await request.run(create_payment_collection, cart_id=request.body["cart_id"])
    return await show_collection(request, PAYMENT_COLLECTION, collection)


@routes.post("/store/payment-collections/{id}/payment-sessions", body=CreatePaymentSession, returns=PAYMENT_COLLECTION)
async def create_session(request: Request) -> Answer:
    """Choose a payment provider."""
    collection = await request.run(
        create_payment_session,
        payment_collection_id=request.params["id"],
        request_key=request.idempotency_key,
        customer_id=request.customer_id,
        **request.body,
    )
    return await show_collection(request, PAYMENT_COLLECTION, collection)


async def show_collection(request: Request, view: View, collection: PaymentCollection) -> Answer:
    """A collection that was just written, from memory if the request wants nothing else."""
    fields = request.fields_of(view)
    rows = shown([collection], request.graph.own_fields("payment_collection", fields))
    if rows is None or request.page.with_deleted:
        return await request.fetch(view, collection["id"])
    await request.graph.complete("payment_collection", rows, fields)
    return dumps({view.key: rows[0]})


@routes.get("/store/payment-providers", returns=PAYMENT_PROVIDER, query=Filters(region_id=required(TEXT)), many=True)
async def list_providers(request: Request) -> Answer:
    """List the payment providers of a region."""
    return await request.fetch_list(PAYMENT_PROVIDER, {"regions": {"id": request.filters["region_id"]}, "is_enabled": True})
