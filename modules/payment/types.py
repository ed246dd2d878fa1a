"""Arguments and results of the payment module, as plain dicts. Amounts are decimals in major units, times are UTC as the API shows them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NotRequired, TypedDict

from ...core.numbers import Amount


class ShownSession(TypedDict):
    """A buyer's attempt to pay a collection by one provider."""

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
    """A session with the module's bookkeeping."""

    payment_id: str | None
    """The payment in it."""
    attempt: int
    """How often the provider has declined."""
    settle_at: str | None
    """When the session has to be checked for money that no order claims."""
    settle_begun: str | None
    """The `settle_at` that an execution handles."""
    doubted_at: str | None
    """When the provider was last asked for the money and didn't answer."""
    request_key: str | None
    """The client's own key."""


class NewSession(TypedDict):
    """The input of a new session."""

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
    """What a cart or an order has to be paid, and the state of that."""

    id: str
    currency_code: str
    amount: Amount
    authorized_amount: Amount | None
    captured_amount: Amount | None
    refunded_amount: Amount | None
    completed_at: str | None
    status: str
    order_id: str | None
    """The order that it pays for."""
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None


class PaymentCollection(CollectionColumns):
    """A collection with everything in it: every session that it ever had."""

    payer_key: str | None
    """`cart:<id>`."""
    version: int
    session_ids: list[str]
    settle_at: str | None
    payment_sessions: list[PaymentSession]


class NewCollection(TypedDict):
    """The input of a new collection."""

    currency_code: str
    amount: Amount
    order_id: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class CollectionAmount(TypedDict):
    """The amount of a collection."""

    id: str
    amount: Decimal
    currency_code: str


class BegunSession(ShownSession):
    """A session, and the collection that it is in."""

    payment_collection: PaymentCollection


class Capture(TypedDict):
    """Captured money."""

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
    """The authorised amount."""
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
    """A payment with its captures and refunds."""

    captures: list[Capture]
    refunds: list[Refund]


class PaymentInCollection(Payment):
    """A payment, and the collection that it is in."""

    payment_collection: PaymentCollection


class NewPayment(TypedDict):
    """A payment to be stored."""

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
    """A capture to be stored with a new payment."""

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
    """What was captured and refunded of a payment, and its pending operations."""

    captured: Decimal
    refunded: Decimal
    capturing: Decimal
    refunding: Decimal
    canceling: bool


class BegunOperation(TypedDict):
    """An operation that was begun on a payment."""

    id: str
    payment_id: str
    kind: Literal["capture", "refund", "cancel"]
    state: Literal["pending", "done", "failed"]
    amount: Amount
    details: dict[str, Any]
    mine: bool
    """Whether it was begun with the caller's key."""


class StandingAndBegun(Standing):
    """The same, and operations that were begun."""

    begun: list[BegunOperation]


class DueSession(TypedDict):
    """A session that has to be settled."""

    id: str
    payment_collection_id: str
    due: datetime


class Account(TypedDict):
    """A buyer's account with a provider."""

    id: str
    provider_id: str
    external_id: str
    email: str | None
    data: dict[str, Any]
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None
