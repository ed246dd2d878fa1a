"""Payment collections that merchants add to an order, and settle themselves."""

from __future__ import annotations

from decimal import Decimal

from ...commerce.money import check_movable
from ...core.errors import InvalidData, NotAllowed
from ...modules.payment.types import CollectionColumns, NewCollection, PaymentInCollection
from ..cart.complete import authorize_payment
from ..kit import Flow, step, workflow
from .payments import add_to_order, capture


@workflow("create-order-payment-collection", durable=True)
async def create_order_payment_collection(flow: Flow, order_id: str, amount: Decimal) -> str:
    """Add an amount to pay to an order, in its currency. Returns the collection's id.

    Raises NotFound, InvalidData for an amount that can't be paid in its currency.
    """
    order = await flow.graph.one("order", order_id, ("currency_code",))
    check_movable(amount, order["currency_code"], "An amount to be paid")
    collection = NewCollection(currency_code=order["currency_code"], amount=amount, order_id=order_id)
    return await flow.run(create_collection, collection)


async def _delete(flow: Flow, id: str) -> None:
    await flow.modules.payment.delete_collection(id)


@step(undo=_delete)
async def create_collection(flow: Flow, row: NewCollection) -> str:
    return (await flow.modules.payment.create_collections([row]))[0]["id"]


@step
async def delete_unpaid(flow: Flow, id: str) -> str:
    await flow.modules.payment.delete_collection(id)
    return id


@workflow("delete-order-payment-collectionworkflow", durable=True)
async def delete_order_payment_collection(flow: Flow, id: str) -> str:
    """Delete a collection in which nothing was paid. Returns its id. Raises NotFound; NotAllowed where something was."""
    return await flow.run(delete_unpaid, id)


@step(reads=True)
async def check_unpaid(flow: Flow, id: str, order_id: str) -> None:
    collection: CollectionColumns = await flow.modules.payment.retrieve("payment_collection", id, fields=("status", "order_id"))
    if collection["order_id"] != order_id:
        raise InvalidData(f"Payment collection {id} is not one of order {order_id}")
    if collection["status"] != "not_paid":
        raise NotAllowed(f"Can only mark payment collections as paid that are not_paid; {id} is {collection['status']}")


async def _drop_session(flow: Flow, id: str) -> None:
    await flow.modules.payment.delete_payment_sessions([id])


@step(undo=_drop_session)
async def begin_session(flow: Flow, payment_collection_id: str, provider_id: str) -> str:
    made = await flow.modules.payment.create_payment_session(payment_collection_id, provider_id=provider_id, key=flow.idempotency_key)
    return made["id"]


async def _let_go(flow: Flow, payment: PaymentInCollection | None) -> None:
    if payment is None:
        return
    if payment["captures"]:
        await flow.modules.payment.refund_payment(payment["id"], key=flow.idempotency_key)
    else:
        await flow.modules.payment.cancel_payment(payment["id"])


@step(undo=_let_go, retries=4)
async def hold_payment(flow: Flow, session_id: str) -> PaymentInCollection | None:
    return await flow.modules.payment.authorize_payment_session(session_id)


@workflow("mark-payment-collection-as-paid", durable=True, key="payment_collection_id")
async def mark_as_paid(
    flow: Flow, payment_collection_id: str, order_id: str, captured_by: str | None = None, provider_id: str = "pp_system_default"
) -> str | None:
    """Book that a collection was paid outside of the shop, once, however often this is called. Returns the payment's id.

    Raises NotFound; InvalidData where it isn't the order's; NotAllowed where something was paid already.
    """
    await flow.run(check_unpaid, payment_collection_id, order_id)
    session = await flow.run(begin_session, payment_collection_id, provider_id)
    held = await flow.run(hold_payment, session)
    if held is None:
        return None
    payment = await flow.run(capture, held["id"], None, captured_by)
    flow.answer(payment["id"])
    await flow.run(add_to_order, payment)
    flow.emit("payment.captured", id=payment["id"])
    return payment["id"]


@step(reads=True)
async def check_waiting(flow: Flow, session_id: str, order_id: str) -> None:
    session = await flow.modules.payment.retrieve("payment_session", session_id, fields=("status", "payment_collection.order_id"))
    if session["status"] != "pending_authorization":
        raise NotAllowed(f"Payment session {session_id} is not in pending_authorization status")
    if session["payment_collection"]["order_id"] != order_id:
        raise InvalidData(f"Payment session {session_id} is not one of order {order_id}")


@workflow("authorize-payment-session-for-order", durable=True, emits=("payment.captured",))
async def authorize_session_for_order(flow: Flow, order_id: str, payment_session_id: str) -> bool:
    """Ask the provider of a payment session that needed time whether the money of an order is there by now. Whether it is; what was
    captured of it is booked at the order.

    Raises NotFound; NotAllowed for a session that doesn't wait for its provider; InvalidData for one of another order; and what the
    provider refuses it for.
    """
    await flow.run(check_waiting, payment_session_id, order_id)
    payment = await flow.run(authorize_payment, payment_session_id, order_id)
    if payment is None:
        return False
    flow.answer(True)
    await flow.run(add_to_order, payment)
    if payment["captures"]:
        flow.emit("payment.captured", id=payment["id"])
    return True
