"""A merchant's operations on payments: capture, refund, cancel.

Money moves here, so these flows are durable: another process continues where one has died. Requests to a provider carry the execution's
key, so each counts once, however often its step is run. The request to the provider is the point of no return: from there on the flow goes
forward until the result is in the books of the payment and of its order. The caller gets the answer as soon as the payment's books have it.
"""

from __future__ import annotations

from decimal import Decimal

from ...commerce.types import NewTransaction
from ...core.errors import Conflict, NotAllowed, NotFound
from ...core.numbers import Amount
from ...core.rows import Row
from ...modules.payment.types import Payment
from ..kit import THREE_DAYS, Flow, step, workflow


@step(pivot=True)
async def capture(flow: Flow, payment_id: str, amount: Decimal | None, captured_by: str | None) -> Payment:
    return await flow.modules.payment.capture_payment(payment_id, amount=amount, captured_by=captured_by, key=flow.idempotency_key)


@step(pivot=True)
async def refund(
    flow: Flow, payment_id: str, amount: Decimal | None, created_by: str | None, note: str | None, refund_reason_id: str | None
) -> Payment:
    return await flow.modules.payment.refund_payment(
        payment_id, amount=amount, created_by=created_by, note=note, refund_reason_id=refund_reason_id, key=flow.idempotency_key
    )


@step
async def add_to_order(flow: Flow, payment: Payment) -> None:
    """Record at the order of a payment, if it has one, what was captured and refunded. What the order has already isn't counted again.

    Raises Conflict while the order is just being placed: try again.
    """
    if not payment["captures"] and not payment["refunds"]:
        return
    found = await flow.modules.payment.list("payment_collection", {"id": payment["payment_collection_id"]}, fields=("order_id",))
    order_id = found[0]["order_id"] if found else None
    if order_id is None:
        return
    currency = payment["currency_code"]
    transactions: list[NewTransaction] = [
        *(_moved(row["amount"], currency, "capture", row["id"]) for row in payment["captures"]),
        *(_moved(-row["amount"], currency, "refund", row["id"]) for row in payment["refunds"]),
    ]
    try:
        await flow.modules.order.add_transactions(order_id, transactions, credited=await _why(flow, payment))
    except NotFound as error:  # its payment is authorised, and the order is written next
        raise Conflict(f"Order {order_id} is just being placed") from error


def _moved(amount: Amount, currency_code: str, reference: str, reference_id: str) -> NewTransaction:
    return {"amount": amount, "reference": reference, "reference_id": reference_id, "currency_code": currency_code}


async def _why(flow: Flow, payment: Payment) -> Row:
    """The reference of an order's credit line: the reason of the last refund, or else the payment collection."""
    last = max(payment["refunds"], key=lambda refund: refund["id"], default=None)
    if last is not None and last["refund_reason_id"] is not None:
        rows = await flow.modules.payment.list("refund_reason", {"id": last["refund_reason_id"]}, fields=("label", "code"))
        if rows:
            return {"reference": rows[0]["label"], "reference_id": rows[0]["code"]}
    return {"reference": "payment_collection", "reference_id": payment["payment_collection_id"]}


@workflow("capture-payment-workflow", durable=True, retention=THREE_DAYS)
async def capture_payment(flow: Flow, payment_id: str, amount: Decimal | None = None, captured_by: str | None = None) -> str:
    """Capture authorised money; all that is left if no amount is given. Returns the payment's id.

    Raises NotFound; InvalidData for more than is left, and where the payment was cancelled.
    """
    payment = await flow.run(capture, payment_id, amount, captured_by)
    flow.answer(payment_id)
    await flow.run(add_to_order, payment)
    flow.emit("payment.captured", id=payment_id)
    return payment_id


@workflow("refund-payment-workflow", durable=True, retention=THREE_DAYS)
async def refund_payment(
    flow: Flow,
    payment_id: str,
    amount: Decimal | None = None,
    created_by: str | None = None,
    note: str | None = None,
    refund_reason_id: str | None = None,
) -> str:
    """Refund captured money; all that is left if no amount is given. Returns the payment's id.

    Raises NotFound; InvalidData for more than was captured and not yet refunded.
    """
    payment = await flow.run(refund, payment_id, amount, created_by, note, refund_reason_id)
    flow.answer(payment_id)
    await flow.run(add_to_order, payment)
    flow.emit("payment.refunded", id=payment_id)
    return payment_id


@step(reads=True)
async def check_nothing_captured(flow: Flow, payment_collection_id: str) -> None:
    """Raises NotFound; NotAllowed where something was captured."""
    collection = await flow.modules.payment.retrieve("payment_collection", payment_collection_id, fields=("payments.captures.id",))
    if any(payment["captures"] for payment in collection["payments"]):
        raise NotAllowed(f"Payment collection {payment_collection_id} has been paid and can't be cancelled")


@step(pivot=True)
async def cancel_payments(flow: Flow, payment_collection_id: str) -> None:
    payments = await flow.modules.payment.list("payment", {"payment_collection_id": payment_collection_id}, fields=("id",))
    for payment in payments:
        await flow.modules.payment.cancel_payment(payment["id"])


@step
async def drop_sessions(flow: Flow, payment_collection_id: str) -> None:
    sessions = await flow.modules.payment.list("payment_session", {"payment_collection_id": payment_collection_id}, fields=("id",))
    await flow.modules.payment.delete_payment_sessions([session["id"] for session in sessions])


@step
async def mark_canceled(flow: Flow, payment_collection_id: str) -> None:
    await flow.modules.payment.cancel_collection(payment_collection_id)


@workflow("cancel-payment-collection", durable=True, key="payment_collection_id")
async def cancel_payment_collection(flow: Flow, payment_collection_id: str) -> str:
    """Release all money that is held for a collection. Returns its id. Raises NotFound; NotAllowed where something was captured."""
    await flow.run(check_nothing_captured, payment_collection_id)
    await flow.run(cancel_payments, payment_collection_id)
    await flow.run(drop_sessions, payment_collection_id)
    await flow.run(mark_canceled, payment_collection_id)
    return payment_collection_id


@step
async def delete_sessions(flow: Flow, ids: list[str]) -> list[str]:
    return await flow.modules.payment.delete_payment_sessions(ids)


@workflow("delete-payment-sessions")
async def delete_payment_sessions(flow: Flow, ids: list[str]) -> list[str]:
    """Drop sessions in which nothing was paid. Returns the ids of the dropped ones."""
    return await flow.run(delete_sessions, ids)
