"""Processing webhooks of payment providers."""

from __future__ import annotations

from typing import TypedDict

from ...core.errors import Conflict, VelellaError
from ...modules.payment.types import Payment
from ..cart.complete import complete_cart
from ..cart.payment import cart_of
from ..cart.sellable import is_outdated
from ..kit import Flow, step, workflow
from .payments import add_to_order


class KnownCapture(TypedDict):
    id: str


class KnownPayment(TypedDict):
    """The books of a payment before its provider is asked."""

    captures: list[KnownCapture]
    canceled_at: str | None


class FoundSession(TypedDict):
    """A payment session as it is booked."""

    payment_collection_id: str
    deleted_at: str | None
    payment: KnownPayment | None


class SessionOwner(TypedDict):
    """What a payment session belongs to."""

    cart_id: str | None
    """The cart that it pays for, if that isn't an order yet."""
    payment: KnownPayment | None


class Processed(TypedDict):
    """The result of processing a webhook."""

    payment_id: str | None
    """None: there is no payment (yet)."""
    outdated_cart_id: str | None
    """The cart that was paid for and could not be completed because of its contents: the caller must refresh it."""


@step(reads=True)
async def find_session(flow: Flow, session_id: str) -> SessionOwner | None:
    """What the session belongs to. None: it isn't one of ours."""
    sessions: list[FoundSession] = await flow.modules.payment.list(
        "payment_session",
        {"id": session_id},
        fields=("payment_collection_id", "deleted_at", "payment.id", "payment.captures.id", "payment.canceled_at"),
        with_deleted=True,
        limit=1,
    )
    if not sessions:
        return None
    session = sessions[0]
    cart = await cart_of(flow, session["payment_collection_id"])
    is_open = cart is not None and cart["order_id"] is None and session["deleted_at"] is None
    return {"cart_id": cart["id"] if cart is not None and is_open else None, "payment": session["payment"]}


@step(retries=2)
async def look_up(flow: Flow, session_id: str) -> Payment | None:
    return await flow.modules.payment.look_up_session(session_id)


@workflow("process-payment-workflow", durable=True, by_hand=True)
async def process_payment(
    flow: Flow, provider_id: str, action: str, session_id: str, amount: str | None = None, notice_id: str | None = None
) -> Processed | None:
    """Process a webhook: complete a cart that was paid, book what was authorised, captured or released.

    The webhook is only the trigger: what the provider says when it is asked is booked. May be repeated.

    Returns the result; None where the session isn't ours. Raises the provider's error if it can't be
    asked, PaymentInDoubt if it doesn't return the payment's status, and Conflict while the payment is being captured or its cart changed:
    then the webhook has to be sent again.
    """
    before = await flow.run(find_session, session_id)
    if before is None:
        return None
    outdated = None
    flow.emit("payment.webhook_received", provider=provider_id, action=action, session_id=session_id, amount=amount, notice_id=notice_id)
    if before["cart_id"] is not None and action in ("authorized", "captured"):
        try:
            await flow.call(complete_cart, cart_id=before["cart_id"])
        except VelellaError as error:
            if error.status >= 500 or isinstance(error, Conflict):  # the payment is in doubt, or the cart is just being changed
                raise
            # the cart isn't ready, or can't be bought any more: the money is there all the same, and is booked
            outdated = before["cart_id"] if is_outdated(error) else None
    payment = await flow.run(look_up, session_id)
    if payment is None:
        return {"payment_id": None, "outdated_cart_id": outdated}
    await flow.run(add_to_order, payment)
    known = {capture["id"] for capture in before["payment"]["captures"]} if before["payment"] is not None else set[str]()
    if any(capture["id"] not in known for capture in payment["captures"]):
        flow.emit("payment.captured", id=payment["id"])
    return {"payment_id": payment["id"], "outdated_cart_id": outdated}
