"""From a cart to an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from ...commerce.types import NewOrder, NewTransaction
from ...core.clock import iso
from ...core.rows import Row
from ...modules.order.placing import placed
from ...modules.order.showing import numbered
from ...modules.payment.types import Payment, PaymentCollection, PaymentInCollection
from ..kit import Flow, step, workflow
from .checkout import Checkout, Use, check_checkout
from .order_of import order_of
from .saving import lock_of
from .stock import reserve_all


class Completed(TypedDict):
    """The order that a cart has become."""

    order_id: str
    order: Row | None
    """The whole order and its payment collections, for the caller that has completed the cart, if they can't have changed since."""
    payment_collections: list[PaymentCollection]


@workflow("complete-cart", durable=True, key="cart_id", by_hand=True, hooks=("validate", "beforePaymentAuthorization", "orderCreated"))
async def complete_cart(flow: Flow, cart_id: str) -> Completed:
    """Turn a cart into an order, once, however often and by whichever process this is called.

    Stock is reserved first, because it runs out. The point of no return is the buyer's payment, or if there is nothing to
    pay, the last step that the order needs: if something is refused before it, everything is undone and the cart can
    be completed again; after it the order stands, and the remaining steps are repeated until they are done.

    Raises:
        NotFound: there is no such cart.
        InvalidData: the cart is empty, or has no shipping method or payment session that it needs.
        InsufficientInventory: there isn't enough of something.
        NotAllowed: a promotion has been used up by others.
        PaymentRequiresMore, PaymentAuthorizationFailed: from the payment provider.
        PaymentInDoubt: the payment provider didn't answer. The cart is as it was before; the shop finds out what was paid.
    """
    async with flow.lock(lock_of(cart_id)):
        ready = await flow.run(prepare, cart_id)
        if ready["order_id"] is not None:
            return _completed(ready["order_id"])
        order = ready["order"]
        assert order is not None, "a cart that is no order yet has one to be placed"
        asked = {"id": cart_id}
        await flow.hooks.validate(input=asked, cart={**order, "id": cart_id})
        reservations = await reserve_all(flow, ready["demands"], ready["location_ids"])
        if ready["uses"]:
            await flow.parallel((register_usage, order["id"], ready["uses"], ready["buyer"]), (link_promotions, order["id"], ready["uses"]))
        await flow.run(close_cart, cart_id, ready["version"], order["id"])
        if ready["session_id"] is None and ready["collection_id"] is not None:
            await flow.run(assign_collection, ready["collection_id"], order["id"])
        await flow.hooks.beforePaymentAuthorization(input=asked, cart={**order, "id": cart_id}, order=order)
        payment = await flow.run(authorize_payment, ready["session_id"], order["id"])
        number = await flow.run(place_order, order)  # not earlier: a refused order is never visible and draws no number
        flow.answer(_completed(order["id"]), at_once=_at_once(order, number["display_id"], ready, payment))
        if payment is not None and payment["captures"]:
            await flow.run(book_captures, order["id"], payment)
        await flow.hooks.orderCreated(order_id=order["id"], cart_id=cart_id)
        flow.emit("order.placed", id=order["id"])
        for reservation in reservations:
            flow.emit("reservation-item.created", id=reservation["id"], order_id=order["id"])
    return _completed(order["id"])


def _completed(order_id: str) -> Completed:
    return {"order_id": order_id, "order": None, "payment_collections": []}


def _at_once(order: NewOrder, number: int, ready: Checkout, payment: PaymentInCollection | None) -> Completed | None:
    """The result made of what is in memory, if that is up to date: captured money, and hooks, change the order further."""
    known = payment["payment_collection"] if payment is not None else None
    if (ready["collection_id"] is not None and known is None) or (payment is not None and payment["captures"]):
        return None
    if complete_cart.handlers.get("orderCreated"):
        return None
    collections = [known] if known is not None else []
    return {"order_id": order["id"], "order": numbered(order, number), "payment_collections": collections}


@step(reads=True)
async def prepare(flow: Flow, cart_id: str) -> Checkout:
    """The order that the cart is to become, and what that takes; or the id of the order that it has become already."""
    cart = await flow.modules.cart.load(cart_id)
    if cart["order_id"] is not None:
        return {**_NOTHING, "order_id": cart["order_id"]}
    return await check_checkout(flow, cart, placed(order_of(cart), iso(flow.now())))


_NOTHING: Checkout = {
    "order_id": None,
    "order": None,
    "version": 0,
    "demands": [],
    "location_ids": [],
    "collection_id": None,
    "session_id": None,
    "uses": [],
    "buyer": {},
}


# -- promotions


async def _revert_usage(flow: Flow, key: str) -> None:
    await flow.modules.promotion.revert_usage(key)


@step(undo=_revert_usage)
async def register_usage(flow: Flow, order_id: str, uses: Sequence[Use], buyer: Mapping[str, Any]) -> str:
    """Count the order against the limits of its promotions and the budgets of their campaigns: all of them, or none."""
    await flow.modules.promotion.register_usage(order_id, uses, buyer)
    return order_id


async def _unlink_promotions(flow: Flow, links: Mapping[str, list[Row]]) -> None:
    await flow.modules.link.detach_all(links)


@step(undo=_unlink_promotions)
async def link_promotions(flow: Flow, order_id: str, uses: Sequence[Use]) -> Mapping[str, list[Row]]:
    """Link the order to its promotions."""
    links = [{"order_id": order_id, "promotion_id": use["promotion_id"]} for use in uses]
    return await flow.modules.link.attach_all({"order_promotion": links})


# -- the order and the cart


async def _discard_order(flow: Flow, placed: Row) -> None:
    await flow.modules.order.discard(placed["id"])


@step(undo=_discard_order)
async def place_order(flow: Flow, order: NewOrder) -> Row:
    """Write the order, which draws its number: nothing may refuse it any more."""
    return {"id": order["id"], "display_id": await flow.modules.order.place(order)}


async def _reopen_cart(flow: Flow, closed: Row) -> None:
    await flow.modules.cart.reopen(closed["id"], closed["version"])


@step(undo=_reopen_cart)
async def close_cart(flow: Flow, cart_id: str, version: int, order_id: str) -> Row:
    """Mark the cart as completed, if it is still as the order was made from it. A cart has one order, which is a column of it."""
    return {"id": cart_id, "version": await flow.modules.cart.complete(cart_id, version, order_id)}


# -- money


async def _unassign_collection(flow: Flow, assigned: Mapping[str, str]) -> None:
    await flow.modules.payment.unassign(assigned["id"], assigned["order_id"])


@step(undo=_unassign_collection)
async def assign_collection(flow: Flow, id: str, order_id: str) -> Mapping[str, str]:
    """Set the order of a collection with nothing to pay."""
    await flow.modules.payment.assign(id, order_id)
    return {"id": id, "order_id": order_id}


@step(pivot=True)
async def authorize_payment(flow: Flow, session_id: str | None, order_id: str) -> PaymentInCollection | None:
    """Have the provider hold the money for the order. None: there is nothing to pay, or it needs time and a webhook will report the end.

    If it doesn't answer, it is asked for the payment's status; only if that fails too everything is undone, and the shop finds out later
    what was paid. Completing the cart again then makes the same request, under the same key.
    """
    return None if session_id is None else await flow.modules.payment.authorize_payment_session(session_id, order_id=order_id)


@step
async def book_captures(flow: Flow, order_id: str, payment: Payment) -> list[str]:
    """Record captured money at the order."""
    transactions: list[NewTransaction] = [
        {"amount": capture["amount"], "currency_code": payment["currency_code"], "reference": "capture", "reference_id": capture["id"]}
        for capture in payment["captures"]
    ]
    return await flow.modules.order.add_transactions(order_id, transactions)
