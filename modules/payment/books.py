"""The contents of a payment collection: pure changes of a collection in memory, which its module then writes as a whole.

A collection comes with all its columns, and in `payment_sessions` with every session that it ever had. Times are ISO 8601 as the API shows
them, all UTC and of one length, so they sort as texts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...core import numbers
from ...core.ids import new_id
from .provider import Outcome
from .tables import BOOKKEEPING
from .types import BegunSession, NewCapture, NewCollection, NewPayment, NewSession, PaymentCollection, PaymentSession

_NONE = Decimal(0)
MOST_DROPPED = 50
"""How many dropped sessions of providers without an outside party a collection keeps."""
HELD = ("authorized", "captured")
"""States of a session in which the provider holds money, or has taken it."""
_STAYS = (*HELD, "pending_authorization")
"""States in which a session isn't dropped."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What a provider has authorised, and captured if it did so at once: rows besides the collection's document."""

    payment: NewPayment
    capture: NewCapture | None


def session_of(collection: PaymentCollection, id: str) -> PaymentSession:
    """A session of the collection, also a dropped one."""
    return next(session for session in collection["payment_sessions"] if session["id"] == id)


def living(collection: PaymentCollection) -> list[PaymentSession]:
    """The sessions that weren't dropped."""
    return [session for session in collection["payment_sessions"] if session["deleted_at"] is None]


def may_be_paid(collection: PaymentCollection) -> bool:
    """Whether something is paid in one of its sessions, or is on its way by a provider that needs time."""
    return any(session["status"] in _STAYS for session in living(collection))


def pays_for_cart(collection: PaymentCollection) -> bool:
    """Whether it pays for a cart that isn't an order yet: what is held in it is given back unless an order claims it."""
    return collection["payer_key"] is not None and collection["order_id"] is None


def is_paid_for_order(collection: PaymentCollection) -> bool:
    """Whether a cart has become an order by what is paid in the collection, or may still be. An order that was free, or whose payment has
    failed, can be paid in it like in any other."""
    if collection["payer_key"] is None or collection["order_id"] is None:
        return False
    return collection["status"] not in ("not_paid", "awaiting") or may_be_paid(collection)


def is_let_go(session: PaymentSession) -> bool:
    """Whether the session's payment was cancelled. The buyer can't pay in it any more."""
    return session["payment_id"] is not None and session["status"] == "canceled"


def begun(collection: PaymentCollection, session: PaymentSession) -> BegunSession:
    """A session as business code sees it, and its collection."""
    shown: Any = {name: value for name, value in session.items() if name not in BOOKKEEPING} | {"payment_collection": collection}
    begun: BegunSession = shown
    return begun


def new_collection(now: str, given: NewCollection, payer_key: str | None = None) -> PaymentCollection:
    """A new collection: all its columns, and no sessions."""
    return {
        "id": new_id("pay_col"),
        "currency_code": given["currency_code"],
        "amount": given["amount"],
        "authorized_amount": None,
        "captured_amount": None,
        "refunded_amount": None,
        "completed_at": None,
        "status": "not_paid",
        "payer_key": payer_key,
        "order_id": given.get("order_id"),
        "metadata": given.get("metadata"),
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "deleted_at": None,
        "session_ids": [],
        "settle_at": None,
        "payment_sessions": [],
    }


def new_session(collection: PaymentCollection, now: str, given: NewSession, settle_at: str | None) -> PaymentSession:
    """A new session of the collection, not in it yet."""
    return {
        **given,
        "authorized_at": None,
        "payment_collection_id": collection["id"],
        "payment_id": None,
        "attempt": 0,
        "settle_at": settle_at,
        "settle_begun": None,
        "doubted_at": None,
        "created_at": now,
        "updated_at": now,
        "deleted_at": None,
    }


def put(collection: PaymentCollection, session: PaymentSession, now: str, *, quiet: Collection[str]) -> list[PaymentSession]:
    """Put a session in the place of those in which nothing was paid, or, for a cart, of those that no order claims. Returns the dropped
    ones.

    Only the last ones are kept of sessions that were dropped long ago at providers without an outside party, which never report on them: so
    beginning one session after the other doesn't make the document grow without limit.
    """
    dropped = drop(collection, now, quiet=quiet, unclaimed=pays_for_cart(collection))
    sessions = collection["payment_sessions"]
    over = [each for each in sessions if each["deleted_at"] is not None and each["payment_id"] is None and each["provider_id"] in quiet]
    forgotten = {each["id"] for each in over[:-MOST_DROPPED]}
    collection["payment_sessions"] = [*(each for each in sessions if each["id"] not in forgotten), session]
    return dropped


def drop(
    collection: PaymentCollection, now: str, *, quiet: Collection[str], ids: Collection[str] | None = None, unclaimed: bool = False
) -> list[PaymentSession]:
    """Drop sessions, all or those with some `ids`, in which nothing was paid, or whose payment was cancelled; `unclaimed`: also paid
    ones that no order claims. Returns the dropped ones.

    Their providers must drop them, too, except providers without an outside party (`quiet`): that is recorded as due.
    """
    dropped: list[PaymentSession] = []
    for session in living(collection):
        free = session["status"] not in _STAYS and (session["payment_id"] is None or is_let_go(session))
        if (ids is None or session["id"] in ids) and (free or (unclaimed and session["settle_at"] is not None)):
            session |= {"deleted_at": now, "updated_at": now, "settle_at": None if session["provider_id"] in quiet else now}
            dropped.append(session)
    return dropped


def close(collection: PaymentCollection, now: str, *, quiet: Collection[str]) -> list[PaymentSession]:
    """Cancel a collection that nobody is to pay any more. Returns the sessions that are dropped: all in which nothing was paid, also those
    whose providers need time. What is paid in them all the same is given back."""
    dropped = [session for session in living(collection) if session["payment_id"] is None]
    for session in dropped:
        session |= {"deleted_at": now, "updated_at": now, "settle_at": None if session["provider_id"] in quiet else now}
    collection |= {"status": "canceled", "updated_at": now}
    return dropped


def claim(collection: PaymentCollection, session: PaymentSession, order_id: str | None, now: str) -> bool:
    """Let an order claim what is paid in a session. Returns whether that changes anything. A collection stays its first order's."""
    belongs = collection["order_id"] is None and order_id is not None
    if not belongs and session["settle_at"] is None:
        return False
    collection["order_id"] = collection["order_id"] or order_id
    session |= {"settle_at": None, "updated_at": now}
    return True


def is_claimed(session: PaymentSession) -> bool:
    """Whether an order has claimed what is paid in the session, or is on its way by a provider that needs time."""
    return session["settle_at"] is None and (session["payment_id"] is not None or session["status"] == "pending_authorization")


def authorize(collection: PaymentCollection, session: PaymentSession, outcome: Outcome, now: str) -> Booking:
    """Record that a provider has authorised a session without a payment, and has captured the money, if it did."""
    id, amount, data = new_id("pay"), session["amount"], {**session["data"], **outcome.data}
    session |= {"status": outcome.status, "data": data, "payment_id": id, "updated_at": now}
    session["authorized_at"] = session["authorized_at"] or now
    payment: NewPayment = {
        "id": id,
        "amount": amount,
        "currency_code": session["currency_code"],
        "provider_id": session["provider_id"],
        "data": data,
        "captured_at": None,
        "payment_collection_id": session["payment_collection_id"],
        "payment_session_id": session["id"],
        "created_at": now,
    }
    capture: NewCapture | None = None
    if outcome.status == "captured":
        taken = amount if outcome.captured is None else min(outcome.captured, amount)
        capture = {"id": new_id("capt"), "amount": taken, "payment_id": id, "created_at": now}
        payment["captured_at"] = now if taken >= amount else None
        collection["captured_amount"] = numbers.total((collection["captured_amount"] or Decimal(0), taken))
    collection["authorized_amount"] = numbers.total((collection["authorized_amount"] or Decimal(0), amount))
    restate(collection, now)
    return Booking(payment, capture)


def keep_answer(session: PaymentSession, outcome: Outcome, attempt: int, now: str) -> bool:
    """Record an answer other than an authorisation. Returns whether it counts: not if the session was authorised or
    declined meanwhile. After a decline the next try counts as another attempt."""
    if session["attempt"] != attempt or session["status"] in HELD or session["payment_id"] is not None:
        return False
    session |= {"status": outcome.status, "data": {**session["data"], **outcome.data}, "updated_at": now}
    session["attempt"] += outcome.status in ("error", "canceled")
    return True


def restate(collection: PaymentCollection, now: str) -> None:
    """Compute the status from the amounts and the sessions. A collection that was cancelled with its order stays so: what comes in it later
    is given back. That of a cart may be paid again."""
    wanted, authorized, captured = collection["amount"], collection["authorized_amount"] or _NONE, collection["captured_amount"] or _NONE
    collection |= {
        "authorized_amount": authorized,
        "captured_amount": captured,
        "refunded_amount": collection["refunded_amount"] or _NONE,
    }
    if collection["status"] == "canceled" and collection["order_id"] is not None:
        status = "canceled"
    elif captured > 0 and captured >= wanted:
        status = "completed"
    elif authorized > 0:
        status = "authorized" if authorized >= wanted else "partially_authorized"
    elif collection["status"] == "canceled":
        status = "canceled"
    else:
        status = "awaiting" if living(collection) else "not_paid"
    collection |= {"status": status, "updated_at": now}
    collection["completed_at"] = (collection["completed_at"] or now) if status == "completed" else None


def due(collection: PaymentCollection) -> list[PaymentSession]:
    """The sessions that have to be settled at some time and that no execution handles."""
    sessions = collection["payment_sessions"]
    return [session for session in sessions if session["settle_at"] is not None and session["settle_begun"] != session["settle_at"]]
