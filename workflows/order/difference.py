"""The payment collection of what a changed order still owes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ...commerce.types import Order
from ...core.numbers import difference
from ...modules.payment.types import CollectionColumns, NewCollection, PaymentCollection
from ..kit import Flow, step, workflow

UNPAID = ("not_paid", "awaiting")
_FIELDS = (
    "id",
    "status",
    "amount",
    "authorized_amount",
    "captured_amount",
    "payment_sessions.status",
    "payment_sessions.amount",
)


@step
async def settle_difference(flow: Flow, order_id: str, anyhow: bool = True) -> str | None:
    """Have one unpaid payment collection ask for what the order owes beyond what is held for it already; none where it owes nothing, or
    is cancelled.

    Its id. What is held and not captured yet counts as paid: it is taken before more is asked for. So do payments whose providers need
    time, and captures that the order hasn't heard of yet. `anyhow` off: nothing is asked for where nothing was asked for before.
    """
    order = await flow.modules.order.load(order_id)
    collections: list[PaymentCollection] = await flow.modules.payment.list("payment_collection", {"order_id": order_id}, fields=_FIELDS)
    live = [one for one in collections if one["status"] != "canceled"]
    paid = sum((max(_held(one), Decimal(0)) + _coming(one) for one in live), _unheard(order, collections))
    owed = difference(Decimal(order["summary"]["pending_difference"]), paid) if order["status"] != "canceled" else Decimal(0)
    unpaid = sorted((one for one in live if one["status"] in UNPAID and not _coming(one)), key=lambda one: one["id"])
    for spare in unpaid if owed <= 0 else unpaid[1:]:
        await flow.modules.payment.delete_collection(spare["id"], begun=True)
    if owed <= 0 or not (live or anyhow):
        return None
    if not unpaid:
        collection = NewCollection(currency_code=order["currency_code"], amount=owed, order_id=order_id)
        return (await flow.modules.payment.create_collections([collection]))[0]["id"]
    if Decimal(unpaid[0]["amount"]) != owed:
        await flow.modules.payment.set_amount(unpaid[0]["id"], amount=owed)
    return unpaid[0]["id"]


def _held(collection: CollectionColumns) -> Decimal:
    """The amount that is authorised and not captured."""
    return Decimal(collection["authorized_amount"] or 0) - Decimal(collection["captured_amount"] or 0)


def _coming(collection: PaymentCollection) -> Decimal:
    """The amount that a buyer is paying by a provider that needs time."""
    waiting = (session for session in collection["payment_sessions"] if session["status"] == "pending_authorization")
    return sum((Decimal(session["amount"]) for session in waiting), Decimal(0))


def _unheard(order: Order, collections: Sequence[CollectionColumns]) -> Decimal:
    """The amount that is captured, and isn't counted by the order yet: its books follow those of the payment."""
    captured = sum((Decimal(one["captured_amount"] or 0) for one in collections), Decimal(0))
    return max(difference(captured, Decimal(order["summary"]["paid_total"])), Decimal(0))


@workflow("create-or-update-order-payment-collection", durable=True)
async def create_or_update_order_payment_collection(flow: Flow, order_id: str) -> str | None:
    """Have a payment collection ask for what an order owes. Its id; None where it owes nothing. Raises NotFound."""
    return await flow.run(settle_difference, order_id)
