"""What a payment collection holds: pure changes of one that was read, which its module then writes as a whole.

A collection comes with all its columns, and in `payment_sessions` every session that there ever was. Times are ISO 8601 as the API shows
them, all UTC and of one length, so they sort as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...core import numbers
from ...core.ids import new_id
from ...core.rows import Row, Rows
from .provider import Outcome
from .tables import BOOKKEEPING, payment_collection

MOST_DROPPED = 50
"""Dropped sessions of providers that ask nobody that a collection keeps."""
HELD = ("authorized", "captured")
"""States of a session in which the provider holds money, or has taken it."""
_STAYS = (*HELD, "pending_authorization")
"""States in which a session isn't dropped."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What a provider has authorised, and taken at once, if it did: rows that belong to a collection beside its document."""

    payment: Row
    capture: Row | None


def session_of(collection: Row, id: str) -> Row:
    """A session of the collection, be it dropped."""
    return next(session for session in collection["payment_sessions"] if session["id"] == id)


def living(collection: Mapping[str, Any]) -> Rows:
    """The sessions that weren't dropped."""
    return [session for session in collection["payment_sessions"] if session["deleted_at"] is None]


def is_let_go(session: Mapping[str, Any]) -> bool:
    """Whether the session's payment was cancelled. Nobody can pay in it any more."""
    return session["payment_id"] is not None and session["status"] == "canceled"


def shown(session: Mapping[str, Any]) -> Row:
    """A session as business code is shown it."""
    return {name: value for name, value in session.items() if name not in BOOKKEEPING}


def new_collection(now: str, **given: Any) -> Row:
    """A collection that isn't there yet: all its columns, and no sessions."""
    kept = {column.name: None for column in payment_collection.c if column.name not in ("document", "document_schema")}
    new = {"id": new_id("pay_col"), "status": "not_paid", "version": 1, "session_ids": [], "created_at": now, "updated_at": now}
    return {**kept, **new, **given, "payment_sessions": []}


def new_session(collection: Mapping[str, Any], now: str, **given: Any) -> Row:
    """A session of the collection that isn't in it yet."""
    nothing = dict.fromkeys(("authorized_at", "payment_id", "settle_at", "settle_begun", "doubted_at", "deleted_at"))
    return {**nothing, "payment_collection_id": collection["id"], "attempt": 0, "created_at": now, "updated_at": now, **given}


def put(collection: Row, session: Row, now: str, *, quiet: Collection[str]) -> Rows:
    """Put a session in the place of those in which nothing was paid, of a cart's that no order stands for. Those that were dropped.

    Of those that were dropped long ago at providers that ask nobody, none of which will ever be heard of, the last ones are kept: whoever
    begins one after the other makes no document that grows and grows.
    """
    dropped = drop(collection, now, quiet=quiet, unclaimed=collection["payer_key"] is not None)
    sessions: Rows = collection["payment_sessions"]
    over = [each for each in sessions if each["deleted_at"] is not None and each["payment_id"] is None and each["provider_id"] in quiet]
    forgotten = {each["id"] for each in over[:-MOST_DROPPED]}
    collection["payment_sessions"] = [*(each for each in sessions if each["id"] not in forgotten), session]
    return dropped


def drop(collection: Row, now: str, *, quiet: Collection[str], ids: Collection[str] | None = None, unclaimed: bool = False) -> Rows:
    """Drop sessions, all or those of some `ids`, that nothing was paid in, or whose payment was let go again; `unclaimed`: also those that
    money was paid in and that no order stands for. Those that were dropped.

    Their providers have to forget them: that is owed from here on, but to those that ask nobody (`quiet`).
    """
    dropped = []
    for session in living(collection):
        free = session["status"] not in _STAYS and (session["payment_id"] is None or is_let_go(session))
        if (ids is None or session["id"] in ids) and (free or (unclaimed and session["settle_at"] is not None)):
            session |= {"deleted_at": now, "updated_at": now, "settle_at": None if session["provider_id"] in quiet else now}
            dropped.append(session)
    return dropped


def claim(collection: Row, session: Row, order_id: str | None, now: str) -> bool:
    """Have an order stand for what is paid in a session. Whether that changes anything. A collection stays its first order's."""
    belongs = collection["order_id"] is None and order_id is not None
    if not belongs and session["settle_at"] is None:
        return False
    collection["order_id"] = collection["order_id"] or order_id
    session |= {"settle_at": None, "updated_at": now}
    return True


def authorize(collection: Row, session: Row, outcome: Outcome, now: str) -> Booking:
    """Keep that a provider has authorised a session in which nothing was paid yet, and has taken the money, if it did."""
    id, amount, data = new_id("pay"), session["amount"], {**session["data"], **outcome.data}
    session |= {"status": outcome.status, "data": data, "payment_id": id, "updated_at": now}
    session["authorized_at"] = session["authorized_at"] or now
    payment = {name: session[name] for name in ("amount", "currency_code", "provider_id", "data", "payment_collection_id")}
    payment |= {"id": id, "payment_session_id": session["id"], "captured_at": None, "created_at": now}
    capture = None
    if outcome.status == "captured":
        taken = amount if outcome.captured is None else min(outcome.captured, amount)
        capture = {"id": new_id("capt"), "amount": taken, "payment_id": id, "created_at": now}
        payment["captured_at"] = now if taken >= amount else None
        collection["captured_amount"] = numbers.total((collection["captured_amount"] or Decimal(0), taken))
    collection["authorized_amount"] = numbers.total((collection["authorized_amount"] or Decimal(0), amount))
    restate(collection, now)
    return Booking(payment, capture)


def keep_answer(session: Row, outcome: Outcome, attempt: int, now: str) -> bool:
    """Keep what a provider said that hasn't authorised the session. Whether it counts: not where the session was authorised first, or was
    declined meanwhile. A decline lets the next try be another one."""
    if session["attempt"] != attempt or session["status"] in HELD or session["payment_id"] is not None:
        return False
    session |= {"status": outcome.status, "data": {**session["data"], **outcome.data}, "updated_at": now}
    session["attempt"] += outcome.status in ("error", "canceled")
    return True


def restate(collection: Row, now: str) -> None:
    """Have the status follow from the amounts and the sessions."""
    for name in ("authorized_amount", "captured_amount", "refunded_amount"):
        collection[name] = collection[name] or Decimal(0)
    wanted, authorized, captured = (collection[name] for name in ("amount", "authorized_amount", "captured_amount"))
    if captured > 0 and captured >= wanted:
        status = "completed"
    elif authorized > 0:
        status = "authorized" if authorized >= wanted else "partially_authorized"
    elif collection["status"] == "canceled":
        status = "canceled"
    else:
        status = "awaiting" if living(collection) else "not_paid"
    collection |= {"status": status, "updated_at": now}
    collection["completed_at"] = (collection["completed_at"] or now) if status == "completed" else None


def due(collection: Mapping[str, Any]) -> Rows:
    """The sessions that have to be settled at some time and that no execution sees to."""
    sessions: Rows = collection["payment_sessions"]
    return [session for session in sessions if session["settle_at"] is not None and session["settle_begun"] != session["settle_at"]]
