"""The payment collection of what a changed order still owes."""

from __future__ import annotations

from decimal import Decimal

from ...core.numbers import difference
from ...modules.payment.types import CollectionColumns, NewCollection
from ..kit import Flow, step, workflow

_UNPAID = ("not_paid", "awaiting")


@step
async def settle_difference(flow: Flow, order_id: str, anyhow: bool = True) -> str | None:
    """Have one unpaid payment collection ask for what the order owes beyond what is held for it already; none where it owes nothing.

    Its id. What is held and not captured yet counts as paid: it is taken before more is asked for.
    `anyhow` off: nothing is asked for where nothing was asked for before.
    """
    order = await flow.modules.order.load(order_id)
    fields = ("id", "status", "amount", "authorized_amount", "captured_amount")
    collections: list[CollectionColumns] = await flow.modules.payment.list("payment_collection", {"order_id": order_id}, fields=fields)
    live = [one for one in collections if one["status"] != "canceled"]
    held = sum((max(_held(one), Decimal(0)) for one in live), Decimal(0))
    owed = difference(Decimal(order["summary"]["pending_difference"]), held)
    unpaid = sorted((one for one in live if one["status"] in _UNPAID), key=lambda one: one["id"])
    for spare in unpaid if owed <= 0 else unpaid[1:]:
        await flow.modules.payment.delete_collection(spare["id"])
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


@workflow("create-or-update-order-payment-collection", durable=True)
async def create_or_update_order_payment_collection(flow: Flow, order_id: str) -> str | None:
    """Have a payment collection ask for what an order owes. Its id; None where it owes nothing. Raises NotFound."""
    return await flow.run(settle_difference, order_id)
