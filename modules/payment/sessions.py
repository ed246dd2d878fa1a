"""Payment sessions: a buyer pays by one provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, TypeVar

from ...commerce import money
from ...core import numbers
from ...core.budget import SESSIONS
from ...core.clock import iso, utc_now
from ...core.errors import Conflict, InvalidData, NotFound, PaymentAuthorizationFailed, PaymentOutcomeUnknown, UnexpectedState
from ...core.ids import new_id
from ...core.json import dumps
from ...core.message import repeatable, writes
from ...core.rows import Row
from ...core.service.module import Keys
from ...core.sql.write.readback import shown
from . import books, tables
from .books import Booking
from .collections import Collections, moment
from .provider import Ask, Outcome, PaymentProvider
from .queries import BOOK
from .types import BegunSession, Capture, NewSession, Payment, PaymentCollection, PaymentColumns, PaymentInCollection, PaymentSession

T = TypeVar("T")

TRIES = 5
"""How often a new session is adjusted to an amount that changes meanwhile."""
UNANSWERED = (TimeoutError, ConnectionError, PaymentOutcomeUnknown)
"""Errors after which the outcome at the provider isn't known."""
AGAIN = timedelta(seconds=30)
"""For how long a request for the same session without a key counts as a repetition."""
LOOK_SECONDS = 5.0
"""Seconds a provider has to return a payment's status, since that moves no money."""
PAYMENT = ("*", "captures.*", "refunds.*")


Question = Literal["initiate", "update", "drop", "authorize", "capture", "refund", "cancel", "status"]


class Sessions(Collections):
    """Sessions in which payments are begun and authorised."""

    @repeatable
    async def create_payment_session(
        self,
        payment_collection_id: str,
        *,
        provider_id: str,
        data: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> BegunSession:
        """Begin to pay a collection by a provider. Earlier sessions without a payment are dropped; for a cart also a paid one that no order
        claims, and its payment is given back.

        `data` is what the storefront sends to the provider, `context` the buyer (`customer`, `account_holder`). The amount
        is the collection's, with the currency's decimals; if it changes meanwhile, the session is adjusted. A repetition with the same
        `key`, or for the same thing within seconds, returns the session that was begun before. (Concurrent calls may begin two:
        then one of them is dropped.)

        Returns the session, and its collection with everything in it as `payment_collection`.

        Raises NotFound for an unknown collection or provider, InvalidData where the cart that it is for has become an order by what is
        paid in it, where its order was cancelled, or where too much was begun in it, PaymentOutcomeUnknown if the provider doesn't answer,
        Conflict if the amount keeps changing, and the provider's error; then nothing changes.
        """
        self._provider(provider_id)
        collection = await self._collection(payment_collection_id)
        if (begun := _begun(collection, provider_id, data or {}, key)) is not None:
            return books.begun(collection, begun)
        _check_open(collection)
        _check_room(collection, data or {}, context or {})
        id = new_id("payses")
        ask = Ask(f"{id}:initiate", {**(data or {}), "session_id": id}, *_price(collection), context or {})
        outcome = await self._asked(provider_id, "initiate", ask)

        def put(collection: PaymentCollection) -> tuple[bool, tuple[PaymentSession, list[PaymentSession]] | None]:
            """The session that there is now, and those that providers have to drop. None: the amount has changed meanwhile."""
            _check_open(collection)
            if _price(collection) != (ask.amount, ask.currency_code):
                return False, None
            session = self._new_session(
                collection,
                {
                    "id": id,
                    "provider_id": provider_id,
                    "currency_code": ask.currency_code,
                    "amount": ask.amount,
                    "data": {**(data or {}), **outcome.data},
                    "context": dict(context or {}),
                    "status": outcome.status if outcome.status in ("pending", "requires_more") else "pending",
                    "metadata": dict(metadata or {}),
                    "request_key": key,
                },
            )
            for begun in books.living(collection) if key is not None else ():
                if begun["request_key"] == key:  # a concurrent call with the same key was faster
                    return False, (begun, [{**session, "settle_at": session["created_at"]}])
            dropped = books.put(collection, session, session["created_at"], quiet=self._quiet)
            return True, (session, dropped)

        for attempt in range(TRIES):
            collection, done = await self._changed(collection, put)
            if done is not None:
                made, dropped = done
                await self._have_forgotten(dropped)
                return books.begun(collection, made)
            collection = await self._collection(payment_collection_id)
            ask = Ask(f"{id}:update:{attempt}", outcome.data, *_price(collection), context or {})
            outcome = await self._asked(provider_id, "update", ask)
        raise Conflict(f"The amount of payment collection {payment_collection_id} does not stop changing")

    @repeatable
    async def delete_payment_sessions(self, ids: Sequence[str]) -> Keys:
        """Drop sessions in which nothing was paid. Returns the ids of the dropped ones."""

        def change(collection: PaymentCollection) -> tuple[bool, list[PaymentSession]]:
            dropped = books.drop(collection, iso(utc_now()), quiet=self._quiet, ids=ids)
            return bool(dropped), dropped

        dropped: list[PaymentSession] = []
        for collection in await self._find({"session_ids": {"$overlap": list(ids)}}, limit=None):
            dropped += (await self._changed(collection, change))[1]
        await self._have_forgotten(dropped)
        return [session["id"] for session in dropped]

    # -- inside

    def _provider(self, id: str) -> PaymentProvider:
        provider: PaymentProvider = self.providers.get(id)
        return provider

    async def _asked(self, provider_id: str, what: Question, ask: Ask) -> Outcome:
        """A provider's answer (`drop` has none: it is done). Raises as `_in_time`."""
        answer: Outcome = await self._in_time(provider_id, what, getattr(self._provider(provider_id), what)(ask))
        return answer

    async def _in_time(self, provider_id: str, what: str, answer: Awaitable[T]) -> T:
        """Await a provider's answer. Raises PaymentOutcomeUnknown if it doesn't come in time, and the provider's refusals."""
        patience = self.context.settings.payment_provider_timeout
        try:
            async with asyncio.timeout(min(patience, LOOK_SECONDS) if what == "status" else patience):
                return await answer
        except PaymentOutcomeUnknown:
            raise
        except UNANSWERED as error:
            raise PaymentOutcomeUnknown(
                f"The payment provider {provider_id} did not answer", hint=f"{what}: {type(error).__name__}: {error}", retry_after=5.0
            ) from error

    async def _payment(self, id: str) -> Payment:
        return await self.retrieve("payment", id, fields=PAYMENT)

    async def _session(self, id: str) -> tuple[PaymentCollection, PaymentSession]:
        """A session, also a dropped one, and the collection that it is in. Raises NotFound."""
        found = await self._find(
            {"session_ids": {"$contains": [id]}}, limit=None
        )  # with a limit, the planner might scan rows in their order
        if not found:
            raise no_session(id)
        return found[0], books.session_of(found[0], id)

    def _new_session(self, collection: PaymentCollection, given: NewSession) -> PaymentSession:
        """A session that isn't in its collection yet. One in which a cart is paid at an outside party has to be settled later."""
        now, settle_at = utc_now(), None
        if books.pays_for_cart(collection) and not self._provider(given["provider_id"]).asks_nobody:
            settle_at = iso(now + timedelta(seconds=self.context.settings.payment_hold_seconds))
        return books.new_session(collection, iso(now), given, settle_at)

    async def _authorized(
        self,
        collection: PaymentCollection,
        session: PaymentSession,
        outcome: Outcome,
        *,
        claimed: bool = False,
        order_id: str | None = None,
    ) -> PaymentInCollection:
        """Book what the provider has authorised (and captured, if it did). Returns the payment with its `payment_collection`; a second call
        finds the same payment.

        `claimed`: an order claims it from here on, the collection belongs to `order_id`. Raises PaymentAuthorizationFailed where the
        payment was cancelled since, or the session was dropped: what it holds is given back.
        """
        id = session["id"]

        def book(collection: PaymentCollection) -> tuple[bool, Booking | str | None]:
            """The new payment, or the id of the existing one. None: the session was dropped."""
            kept, now = books.session_of(collection, id), iso(utc_now())
            if kept["deleted_at"] is not None:
                return False, None
            there = kept["payment_id"]
            if there is not None:
                return claimed and not books.is_let_go(kept) and books.claim(collection, kept, order_id, now), there
            new = books.authorize(collection, kept, outcome, now)
            if claimed:
                books.claim(collection, kept, order_id, now)
            return True, new

        collection, booked = await self._changed(collection, book, self._book)
        if booked is None:
            await self._owed(session)
            raise dropped_meanwhile(id)
        if not isinstance(booked, str):
            return {**_as_read(booked), "payment_collection": collection}
        payment = await self._payment(booked)
        if payment["canceled_at"] is not None:
            raise let_go(id)
        return {**payment, "payment_collection": collection}

    @writes(one_statement=True)
    async def _book(self, collection: PaymentCollection, new: Booking | str | None) -> bool:
        """`_write`, with a new payment and its capture, if there is one."""
        if not isinstance(new, Booking):
            return await self._write(collection)
        at, capture = moment(new.payment["created_at"]), new.capture
        params: Row = {f"payment_{name}": value for name, value in new.payment.items()}
        params |= {"payment_created_at": at, "payment_updated_at": at, "payment_captured_at": moment(new.payment["captured_at"])}
        params |= {"capture_id": capture and capture["id"], "capture_amount": capture and capture["amount"]}
        written = await self.database.fetch_value(BOOK, self._written(collection) | params)
        if written is not None:
            self.touch("payment", "payment_session", "payment_collection", "capture")
        return written is not None

    async def _not_authorized(
        self,
        collection: PaymentCollection,
        session: PaymentSession,
        outcome: Outcome,
        *,
        claimed: bool = False,
        order_id: str | None = None,
    ) -> PaymentInCollection | None:
        """Record the provider's answer. Returns the payment, if a concurrent call has authorised the session meanwhile.

        Raises PaymentAuthorizationFailed where an order was to claim what may still be paid, and the session was dropped meanwhile.
        """
        id, attempt = session["id"], session["attempt"]

        def keep(collection: PaymentCollection) -> tuple[bool, PaymentSession]:
            kept, now = books.session_of(collection, id), iso(utc_now())
            if books.keep_answer(kept, outcome, attempt, now) and claimed and kept["deleted_at"] is None:
                books.claim(collection, kept, order_id, now)
            books.restate(collection, now)
            return True, kept

        collection, kept = await self._changed(collection, keep)
        if kept["deleted_at"] is not None and claimed:
            await self._owed(session)
            raise dropped_meanwhile(id)
        return None if kept["payment_id"] is None else {**await self._payment(kept["payment_id"]), "payment_collection": collection}

    async def _owed(self, session: PaymentSession) -> PaymentSession:
        """Record that something may be held in a dropped session. Returns the session as it is now."""

        def owe(kept: PaymentSession) -> bool:
            kept["settle_at"] = iso(utc_now())
            return kept["deleted_at"] is not None

        return await self._changed_session(session["id"], owe)

    async def _changed_session(self, id: str, change: Callable[[PaymentSession], bool]) -> PaymentSession:
        """Read a session, change it and write it, if the change says so. Returns the session as it is now."""

        def changed(collection: PaymentCollection) -> tuple[bool, PaymentSession]:
            kept = books.session_of(collection, id)
            return change(kept), kept

        collection, _ = await self._session(id)
        return (await self._changed(collection, changed))[1]


def _as_read(new: Booking) -> Payment:
    """A payment that was just created, as `PAYMENT` shows it."""
    at = new.payment["created_at"]
    captures: list[Capture] = [] if new.capture is None else [shown(tables.capture, new.capture, at, twins=False)]
    payment: PaymentColumns = shown(tables.payment, new.payment, at, twins=False)
    return {**payment, "captures": captures, "refunds": []}


def paid_in(session: PaymentSession) -> str:
    """The id of the payment in a session. Raises UnexpectedState if there is none."""
    if session["payment_id"] is None:
        raise UnexpectedState(f"Nothing was paid in payment session {session['id']}")
    return session["payment_id"]


def let_go(session_id: str) -> PaymentAuthorizationFailed:
    return PaymentAuthorizationFailed(f"The payment of payment session {session_id} was cancelled: begin another session")


def dropped_meanwhile(session_id: str) -> PaymentAuthorizationFailed:
    return PaymentAuthorizationFailed(f"Payment session {session_id} was dropped while it was paid: begin another one")


def no_session(id: str) -> NotFound:
    return NotFound(f"Payment session with id: {id} was not found")


def ask_of(session: PaymentSession, about: str) -> Ask:
    """A request to a provider about an existing session, with a key of its own for each purpose."""
    return Ask(f"{session['id']}:{about}", session["data"], Decimal(session["amount"]), session["currency_code"], session["context"] or {})


def _check_open(collection: PaymentCollection) -> None:
    """Refuse new sessions for a cart that has become an order: they must not replace what the order is paid with. And for an order whose
    collection was cancelled: it would be paid for nothing."""
    if collection["order_id"] is not None and collection["status"] == "canceled":
        raise InvalidData(f"Payment collection {collection['id']} is canceled")
    if books.is_paid_for_order(collection):
        raise InvalidData(f"Payment collection {collection['id']} is paid for an order already")


def _check_room(collection: PaymentCollection, data: Mapping[str, Any], context: Mapping[str, Any]) -> None:
    """Refuse a session beyond `SESSIONS` bytes of all that were begun: a client that begins one after the other, none of them to pay."""
    begun = sum(len(dumps(session["data"])) + len(dumps(session["context"])) for session in collection["payment_sessions"])
    if begun + len(dumps(data)) + len(dumps(context)) > SESSIONS:
        raise InvalidData(f"Too many payments were begun in payment collection {collection['id']}: pay in the last, or by another cart")


def _begun(collection: PaymentCollection, provider_id: str, data: Mapping[str, Any], key: str | None) -> PaymentSession | None:
    """The session that an earlier delivery of this request has begun, or None."""
    for session in books.living(collection):
        if session["request_key"] != key or session["provider_id"] != provider_id:
            continue
        untried = session["status"] in ("pending", "requires_more") and not session["attempt"] and session["doubted_at"] is None
        same = (session["amount"], session["currency_code"]) == _price(collection) and data.items() <= session["data"].items()
        begun = moment(session["created_at"])
        if key is not None or (untried and same and begun is not None and begun > utc_now() - AGAIN):
            return session
    return None


def _price(collection: PaymentCollection) -> tuple[Decimal, str]:
    """Amount and currency of a session for the collection, rounded to the currency's decimals."""
    return numbers.plain(money.rounded(collection["amount"], collection["currency_code"])), collection["currency_code"]
