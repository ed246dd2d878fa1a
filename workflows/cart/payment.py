"""What a cart has to be paid, and by whom it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from ...core.errors import InvalidData, NotFound
from ...core.flow import Flow, step, workflow
from ..links import link
from .draft import Draft
from .saving import load_open, lock_of

Row = dict[str, Any]


def payable(total: Decimal) -> Decimal:
    """What is charged for a cart with this total: the total itself, which has its currency's decimals, or nothing."""
    return max(total, Decimal(0))


class _Amount(TypedDict):
    collection_id: str
    amount: Decimal
    currency_code: str


async def _amount_back(flow: Flow, before: _Amount | None) -> None:
    if before is not None:
        await flow.modules.payment.set_amount(before["collection_id"], amount=before["amount"], currency_code=before["currency_code"])


@step(undo=_amount_back)
async def update_amount(flow: Flow, draft: Draft, collection_ids: Sequence[str]) -> _Amount | None:
    """Have the cart's payment collection, if it has one, ask for what the cart costs now.

    Sessions that were begun for another amount are dropped: the buyer chooses again. Returns what it asked for before.
    """
    if not collection_ids:
        return None
    id, amount, currency = collection_ids[-1], payable(draft.total()), draft["currency_code"]
    before = await flow.modules.payment.retrieve("payment_collection", id, fields=("amount", "currency_code"))
    if (before["amount"], before["currency_code"]) == (amount, currency):
        return None
    await flow.modules.payment.set_amount(id, amount=amount, currency_code=currency)
    return {"collection_id": id, "amount": before["amount"], "currency_code": before["currency_code"]}


async def collections_of(flow: Flow, cart_id: str) -> list[str]:
    """Ids of the cart's payment collections, the newest last."""
    return [tie["payment_collection_id"] for tie in await flow.modules.link.linked("cart_payment_collection", "cart_id", [cart_id])]


@workflow("create-payment-collection-for-cart")
async def create_payment_collection(flow: Flow, cart_id: str, metadata: Mapping[str, Any] | None = None) -> str:
    """The cart's payment collection, made where there is none, asking for what the cart costs. Its id; may be repeated.

    Raises NotFound, InvalidData where the cart is completed.
    """
    async with flow.lock(lock_of(cart_id)):
        draft = Draft(await load_open(flow, cart_id))
        id = await flow.modules.payment.collection_for(
            f"cart:{cart_id}", currency_code=draft["currency_code"], amount=payable(draft.total()), metadata=metadata
        )
        await flow.modules.link.attach("cart_payment_collection", [{"cart_id": cart_id, "payment_collection_id": id}])
    return id


@workflow("create-payment-sessions")
async def create_payment_session(
    flow: Flow,
    payment_collection_id: str,
    provider_id: str,
    customer_id: str | None = None,
    data: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    request_key: str | None = None,
) -> str:
    """Begin to pay a collection by a provider; sessions begun before are dropped, and what was paid in them for a cart is given back.
    The new session's id. Repeated with the same `request_key`, or at once without one, it is the session begun before.

    Raises NotFound for an unknown collection or provider, InvalidData where the region of its cart doesn't offer the provider, or the cart
    is completed.
    """
    link = flow.modules.link
    carts = [tie["cart_id"] for tie in await link.linked("cart_payment_collection", "payment_collection_id", [payment_collection_id])]
    buyer: Row = dict(context or {})
    async with flow.lock(lock_of(carts[0]) if carts else f"payment_collection:{payment_collection_id}"):
        if carts:
            await _check_offered(flow, carts[0], provider_id)
        if customer_id is not None:
            buyer["customer"], buyer["account_holder"] = await _account(flow, provider_id, customer_id)
        session = await flow.modules.payment.create_payment_session(
            payment_collection_id, provider_id=provider_id, data=data, context=buyer, key=request_key, instead=bool(carts)
        )
    return str(session["id"])


async def _check_offered(flow: Flow, cart_id: str, provider_id: str) -> None:
    """Raises InvalidData where a cart can't be paid by a provider, or not any more."""
    cart = (await flow.modules.cart.list("cart", {"id": cart_id}, fields=("region_id", "completed_at"), limit=1))[0]
    if cart["completed_at"] is not None:
        raise InvalidData(f"Cart {cart_id} is already completed.")
    if cart["region_id"] is not None:
        offered = await flow.graph.ties("region_payment_provider", "region_id", [cart["region_id"]])
        if provider_id not in {tie["payment_provider_id"] for tie in offered}:
            raise InvalidData(f"Payment provider {provider_id} is not available in region {cart['region_id']}")


ACCOUNT = ("id", "email", "company_name", "first_name", "last_name", "phone", "metadata", "addresses.*")
"""What payment providers are told of a customer."""


async def _account(flow: Flow, provider_id: str, customer_id: str) -> tuple[Row, Row | None]:
    """A customer, and their account with the provider, if it keeps any: opened the first time."""
    customers = await flow.modules.customer.list("customer", {"id": customer_id}, fields=ACCOUNT, limit=1)
    if not customers:
        raise NotFound(f"Customer with id: {customer_id} was not found")
    ties = await flow.modules.link.linked("customer_account_holder", "customer_id", [customer_id])
    known = {"id": [tie["account_holder_id"] for tie in ties]}
    customers[0]["account_holders"] = await flow.modules.payment.list("account_holder", known) if ties else []
    for holder in customers[0]["account_holders"]:
        if holder["provider_id"] == provider_id:
            return customers[0], holder
    holder = await flow.modules.payment.account_holder(provider_id, {"customer": customers[0]})
    if holder is not None:
        tie = {"customer_id": customer_id, "account_holder_id": holder["id"]}
        await link(flow, {"customer_account_holder": [tie]})
    return customers[0], holder
