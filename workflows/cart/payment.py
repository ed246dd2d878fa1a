"""The payment of a cart: amount, collection, sessions and accounts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypedDict

from ...core.errors import NotFound
from ...core.rows import Row
from ...modules.payment.types import Account, CollectionAmount, PaymentCollection
from ..kit import Flow, step, workflow
from ..links import link
from .saving import load_open, lock_of, save
from .working import WorkingCart


def payable(total: Decimal) -> Decimal:
    """The amount to charge for a cart with this total: the total, which has its currency's decimals, but at least zero."""
    return max(total, Decimal(0))


class OwedAmount(TypedDict):
    amount: Decimal
    currency_code: str


class OtherAmount(TypedDict):
    """The new amount of a payment collection, and the old one."""

    id: str
    before: OwedAmount
    now: OwedAmount


async def other_amount(flow: Flow, draft: WorkingCart) -> OtherAmount | None:
    """The change of the cart's payment collection, if it has one whose amount differs from the cart's total."""
    id: str | None = draft["payment_collection_id"]
    if id is None:
        return None
    now = OwedAmount(amount=payable(draft.total()), currency_code=draft["currency_code"])
    row: CollectionAmount = await flow.modules.payment.retrieve("payment_collection", id, fields=("amount", "currency_code"))
    before = OwedAmount(amount=row["amount"], currency_code=row["currency_code"])
    return None if before == now else {"id": id, "before": before, "now": now}


async def _amount_back(flow: Flow, other: OtherAmount) -> None:
    await flow.modules.payment.set_amount(other["id"], **other["before"])


@step(undo=_amount_back)
async def update_amount(flow: Flow, other: OtherAmount) -> OtherAmount:
    """Change the amount of the collection. Sessions begun for the old amount are dropped: the buyer chooses again."""
    await flow.modules.payment.set_amount(other["id"], **other["now"])
    return other


@workflow("create-payment-collection-for-cart")
async def create_payment_collection(flow: Flow, cart_id: str, metadata: Mapping[str, Any] | None = None) -> PaymentCollection:
    """The cart's payment collection with everything in it, created if there is none, over the cart's total. May be repeated.

    Raises NotFound, InvalidData where the cart is completed.
    """
    async with flow.lock(lock_of(cart_id)):
        draft = WorkingCart(await load_open(flow, cart_id))
        collection = await flow.run(collection_for, cart_id, draft["currency_code"], payable(draft.total()), metadata)
        if draft["payment_collection_id"] != collection["id"]:
            draft.set(payment_collection_id=collection["id"])
            await save(flow, draft)
    return collection


@step
async def collection_for(
    flow: Flow, cart_id: str, currency_code: str, amount: Decimal, metadata: Mapping[str, Any] | None
) -> PaymentCollection:
    """May stay if the flow fails: the next call finds it."""
    return await flow.modules.payment.collection_for(f"cart:{cart_id}", currency_code=currency_code, amount=amount, metadata=metadata)


async def cart_of(flow: Flow, payment_collection_id: str) -> Row | None:
    """The cart that a collection pays for: `id`, `order_id`, `completed_at`, `region_id`."""
    fields = ("id", "order_id", "completed_at", "region_id")
    carts = await flow.modules.cart.list("cart", {"payment_collection_id": payment_collection_id}, fields=fields, limit=1)
    return carts[0] if carts else None


@workflow("create-payment-sessions")
async def create_payment_session(
    flow: Flow,
    payment_collection_id: str,
    provider_id: str,
    customer_id: str | None = None,
    data: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    request_key: str | None = None,
) -> PaymentCollection:
    """Begin to pay a collection by a provider; earlier sessions are dropped, and what was paid in them for a cart is given back.
    Returns the collection with everything in it. Repeated with the same `request_key`, or at once without one, it is the same session.

    Whether the cart's region offers the provider is checked when the cart is completed, not here. Raises NotFound for an unknown
    collection or provider, InvalidData where the cart is completed.
    """
    buyer: Row = dict(context or {})
    async with flow.lock(f"payment_collection:{payment_collection_id}"):
        if customer_id is not None:
            buyer["customer"], buyer["account_holder"] = await _account(flow, provider_id, customer_id)
        return await flow.run(begin_session, payment_collection_id, provider_id, data, buyer, request_key)


@step
async def begin_session(
    flow: Flow,
    collection_id: str,
    provider_id: str,
    data: Mapping[str, Any] | None,
    buyer: Mapping[str, Any],
    request_key: str | None,
) -> PaymentCollection:
    session = await flow.modules.payment.create_payment_session(
        collection_id, provider_id=provider_id, data=data, context=buyer, key=request_key
    )
    return session["payment_collection"]


ACCOUNT = ("id", "email", "company_name", "first_name", "last_name", "phone", "metadata", "addresses.*")
"""The fields of a customer that payment providers get."""


@step
async def open_account(flow: Flow, provider_id: str, customer: Row) -> Account | None:
    """The customer's account with a provider, created if there is none. None: the provider has no accounts."""
    return await flow.modules.payment.account_holder(provider_id, {"customer": customer})


async def _account(flow: Flow, provider_id: str, customer_id: str) -> tuple[Row, Account | None]:
    """A customer, and their account with the provider, if it has accounts: created the first time."""
    customers = await flow.modules.customer.list("customer", {"id": customer_id}, fields=ACCOUNT, limit=1)
    if not customers:
        raise NotFound(f"Customer with id: {customer_id} was not found")
    pairs = await flow.modules.link.linked("customer_account_holder", "customer_id", [customer_id])
    known = {"id": [pair["account_holder_id"] for pair in pairs]}
    accounts: list[Account] = await flow.modules.payment.list("account_holder", known) if pairs else []
    customers[0]["account_holders"] = accounts
    for account in accounts:
        if account["provider_id"] == provider_id:
            return customers[0], account
    holder = await flow.run(open_account, provider_id, customers[0])
    if holder is not None:
        flow.durably()
        pair = {"customer_id": customer_id, "account_holder_id": holder["id"]}
        await link(flow, {"customer_account_holder": [pair]})
    return customers[0], holder
