"""What travels to and from the payment module, as plain dicts. Amounts are decimals in major units, times are UTC as the API shows them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NotRequired, TypedDict

from ...core.numbers import Amount


class ShownSession(TypedDict):
    """A buyer's way to pay a collection, by one provider."""

    id: str
    currency_code: str
    amount: Amount
    provider_id: str
    data: dict[str, Any]
    """What the provider returned last."""
    context: dict[str, Any] | None
    """The buyer: `customer`, `account_holder`, what the storefront sent."""
    status: str
    authorized_at: str | None
    payment_collection_id: str
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class PaymentSession(ShownSession):
    """The same with the module's books."""

    payment_id: str | None
    """Of what was paid in it."""
    attempt: int
    """How often the provider has declined."""
    settle_at: str | None
    """When somebody has to look whether money is held in it that no order stands for."""
    settle_begun: str | None
    """The `settle_at` that an execution sees to."""
    doubted_at: str | None
    """When the provider was last asked for the money and didn't answer."""
    request_key: str | None
    """The client's own key."""


class NewSession(TypedDict):
    """What a session is begun with."""

    id: str
    provider_id: str
    currency_code: str
    amount: Decimal
    data: dict[str, Any]
    context: dict[str, Any]
    status: str
    metadata: dict[str, Any]
    request_key: str | None


class CollectionColumns(TypedDict):
    """What a cart or an order has to be paid, and what became of it."""

    id: str
    currency_code: str
    amount: Amount
    authorized_amount: Amount | None
    captured_amount: Amount | None
    refunded_amount: Amount | None
    completed_at: str | None
    status: str
    order_id: str | None
    """Of the order that it pays for."""
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class PaymentCollection(CollectionColumns):
    """A collection with all that is in it: every session that there ever was."""

    payer_key: str | None
    """`cart:<id>`."""
    version: int
    session_ids: list[str]
    settle_at: str | None
    payment_sessions: list[PaymentSession]


class ShownCollection(CollectionColumns):
    """A collection with the sessions that weren't dropped."""

    payment_sessions: list[ShownSession]


class NewCollection(TypedDict):
    """What is to be paid."""

    currency_code: str
    amount: Amount
    order_id: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class CollectionAmount(TypedDict):
    """What a collection asks for."""

    id: str
    amount: Decimal
    currency_code: str


class BegunSession(ShownSession):
    """A session, and the collection that it is in."""

    payment_collection: PaymentCollection


class Capture(TypedDict):
    """Authorised money that was taken."""

    id: str
    amount: Amount
    payment_id: str
    created_by: str | None
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class Refund(TypedDict):
    """Captured money that was given back."""

    id: str
    amount: Amount
    payment_id: str
    refund_reason_id: str | None
    note: str | None
    created_by: str | None
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class PaymentColumns(TypedDict):
    """Money that a provider holds, or has taken."""

    id: str
    amount: Amount
    """That was authorised."""
    currency_code: str
    provider_id: str
    data: dict[str, Any] | None
    captured_at: str | None
    """When all of it was captured."""
    canceled_at: str | None
    payment_collection_id: str
    payment_session_id: str
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class Payment(PaymentColumns):
    """A payment with what was taken of it and given back."""

    captures: list[Capture]
    refunds: list[Refund]


class PaymentInCollection(Payment):
    """A payment, and the collection that it is in."""

    payment_collection: PaymentCollection


class NewPayment(TypedDict):
    """A payment that is to be stored."""

    id: str
    amount: Amount
    currency_code: str
    provider_id: str
    data: dict[str, Any]
    captured_at: str | None
    payment_collection_id: str
    payment_session_id: str
    created_at: str


class NewCapture(TypedDict):
    """A capture that is to be stored with a new payment."""

    id: str
    amount: Amount
    payment_id: str
    created_at: str


class HeldPayment(TypedDict):
    """A payment whose row is locked."""

    id: str
    amount: Decimal
    currency_code: str
    provider_id: str
    data: dict[str, Any] | None
    captured_at: datetime | None
    canceled_at: datetime | None
    payment_collection_id: str
    payment_session_id: str


class Standing(TypedDict):
    """What was captured and given back of a payment, and what its provider is being asked for right now."""

    captured: Decimal
    refunded: Decimal
    capturing: Decimal
    refunding: Decimal
    canceling: bool


class BegunOperation(TypedDict):
    """What is asked of a provider for a payment."""

    id: str
    payment_id: str
    kind: Literal["capture", "refund", "cancel"]
    state: Literal["pending", "done", "failed"]
    amount: Decimal
    details: dict[str, Any]
    mine: bool
    """It was begun with the caller's key."""


class DueSession(TypedDict):
    """A session that has to be settled."""

    id: str
    payment_collection_id: str
    due: datetime


class Account(TypedDict):
    """A buyer as a provider knows them."""

    id: str
    provider_id: str
    external_id: str
    email: str | None
    data: dict[str, Any]
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None
