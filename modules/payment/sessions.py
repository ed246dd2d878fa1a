"""Payment sessions: a buyer pays by one provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypeVar

from ...core import money
from ...core.clock import iso, utc_now
from ...core.errors import Conflict, PaymentAuthorizationFailed, PaymentOutcomeUnknown
from ...core.ids import new_id
from ...core.messages import one_statement, repeatable, writes
from ...core.module import Keys, Row, Rows
from ...core.sql.shown import shown
from . import tables
from .collections import Collections
from .provider import Ask, Outcome, PaymentProvider
from .queries import AUTHORIZED, BOOK_CAPTURE, BOOK_PAYMENT, NOT_AUTHORIZED, OWE, PAYMENT_OF_SESSION

T = TypeVar("T")

TRIES = 5
"""How often a new session follows an amount that changes under it."""
UNANSWERED = (TimeoutError, ConnectionError, PaymentOutcomeUnknown)
"""Errors after which it isn't known whether the provider did what it was asked for."""
AGAIN = timedelta(seconds=30)
"""For so long asking for the same session without a key is taken for pressing twice."""
LOOK_SECONDS = 5.0
"""What a provider has to say how a payment stands: it moves nothing for that."""
PAYMENT = ("*", "captures.*", "refunds.*")
_HIDDEN = ("attempt", "doubted_at", "request_key")
COLLECTION = ("amount", "currency_code", "payment_sessions.*", *(f"payment_sessions.{name}" for name in _HIDDEN))


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
        instead: bool = False,
    ) -> Row:
        """Begin to pay a collection by a provider. Sessions begun before, in which nothing was paid, are dropped; `instead`: also one that
        was paid and that no order stands for, what was paid is given back.

        `data` is what the storefront sends to the provider, `context` the buyer (`customer`, `account_holder`). The amount
        is the collection's, with the currency's decimals; where it changes meanwhile, the session follows. Asked again with the same
        `key`, or for the same thing within seconds, the session that was begun then is given. (At the same moment it may be begun twice:
        then one of them is dropped.)

        Raises NotFound for an unknown collection or provider, PaymentOutcomeUnknown where the provider doesn't answer, and what it raises;
        then nothing changes.
        """
        self._provider(provider_id)
        collection = await self.retrieve("payment_collection", payment_collection_id, fields=COLLECTION)
        if (begun := _begun(collection, provider_id, data or {}, key)) is not None:
            return begun
        id = new_id("payses")
        ask = Ask(f"{id}:initiate", {**(data or {}), "session_id": id}, *_price(collection), context or {})
        outcome = await self._asked(provider_id, "initiate", ask)
        for attempt in range(TRIES):
            row = {
                "id": id,
                "payment_collection_id": payment_collection_id,
                "provider_id": provider_id,
                "currency_code": ask.currency_code,
                "amount": ask.amount,
                "data": {**(data or {}), **outcome.data},
                "context": dict(context or {}),
                "status": outcome.status if outcome.status in ("pending", "requires_more") else "pending",
                "metadata": metadata or {},
                "request_key": key,
            }
            made, dropped = await self._replace_sessions(row, instead)
            if made is not None:
                await self._have_forgotten(dropped)
                return made
            collection = await self.retrieve("payment_collection", payment_collection_id, fields=("amount", "currency_code"))
            ask = Ask(f"{id}:update:{attempt}", outcome.data, *_price(collection), context or {})
            outcome = await self._asked(provider_id, "update", ask)
        raise Conflict(f"The amount of payment collection {payment_collection_id} does not stop changing")

    @repeatable
    async def delete_payment_sessions(self, ids: Sequence[str]) -> Keys:
        """Drop sessions in which nothing was paid. The ids of those that were dropped."""
        dropped = await self._delete_sessions(ids)
        await self._have_forgotten(dropped)
        return [session["id"] for session in dropped]

    # -- inside

    def _provider(self, id: str) -> PaymentProvider:
        provider: PaymentProvider = self.providers.get(id)
        return provider

    async def _asked(self, provider_id: str, what: Question, ask: Ask) -> Outcome:
        """A provider's answer (of `drop` there is none: it is done). Raises as `_in_time`."""
        answer: Outcome = await self._in_time(provider_id, what, getattr(self._provider(provider_id), what)(ask))
        return answer

    async def _in_time(self, provider_id: str, what: str, answer: Awaitable[T]) -> T:
        """What a provider answers. Raises PaymentOutcomeUnknown where it doesn't in time, and what it refuses with."""
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

    async def _payment(self, id: str) -> Row:
        return await self.retrieve("payment", id, fields=PAYMENT)

    @writes
    async def _replace_sessions(self, row: Row, instead: bool) -> tuple[Row | None, Rows]:
        """Put a session in the place of those in which nothing was paid; those that providers have to forget. No session: the amount is
        another one by now."""
        held = await self._hold_collection(row["payment_collection_id"])
        if _price(held) != (row["amount"], row["currency_code"]):
            return None, []
        if row["request_key"] is not None:
            same = {"payment_collection_id": held["id"], "request_key": row["request_key"]}
            if begun := await self.list("payment_session", same, limit=1):
                return begun[0], [_never_there(row)]
        dropped = await self._drop_sessions(row["payment_collection_id"], unclaimed=instead)
        if held["payer_key"] is not None and not self._provider(row["provider_id"]).asks_nobody:
            row = {**row, "settle_at": utc_now() + timedelta(seconds=self.context.settings.payment_hold_seconds)}
        (made,) = await self.create("payment_session", [row])
        self.touch("payment_collection")
        return made, dropped

    @writes
    async def _delete_sessions(self, ids: Sequence[str]) -> Rows:
        return await self._drop_sessions(ids=ids)

    async def _authorized(self, session: Row, outcome: Outcome, *, claimed: bool = False, order_id: str | None = None) -> Row:
        """Book what the provider has authorised (and captured, if it did). Whoever comes second finds the payment.

        `claimed`: an order stands for it from here on. Raises PaymentAuthorizationFailed where the payment was cancelled since, or the
        session was dropped: what it holds is given back.
        """
        payment = await self._book_authorized(session, outcome, claimed, order_id)
        if payment is None:
            await self._owed(session["id"])
            raise PaymentAuthorizationFailed(f"Payment session {session['id']} was dropped while it was paid: begin another one")
        if payment["canceled_at"] is not None:
            raise let_go(session["id"])
        return payment

    @writes
    @one_statement()
    async def _owed(self, id: str) -> None:
        """Write down that something may be held in a session that was dropped."""
        await self.database.execute(OWE, {"id": id})

    @writes
    @one_statement(lambda session, outcome, claimed, order_id: outcome.status == "authorized")
    async def _book_authorized(self, session: Row, outcome: Outcome, claimed: bool, order_id: str | None) -> Row | None:
        """The payment; None where the session was dropped."""
        id, collection_id = session["id"], session["payment_collection_id"]
        data = {**session["data"], **outcome.data}
        payment_id = new_id("pay")
        made = await self.database.fetch_one(
            AUTHORIZED,
            {
                "id": id,
                "collection_id": collection_id,
                "status": outcome.status,
                "data": data,
                "payment_id": payment_id,
                "claimed": claimed,
                "order_id": order_id,
            },
        )
        if made is None:
            there = await self.database.fetch_value(PAYMENT_OF_SESSION, {"id": id})
            return None if there is None else await self._payment(there)
        self.touch("payment", "payment_session", "payment_collection")
        if outcome.status == "captured":
            taken = made["amount"] if outcome.captured is None else min(outcome.captured, made["amount"])
            capture = {"id": new_id("capt"), "amount": taken, "payment_id": payment_id, "created_by": None, "metadata": None}
            await self.database.execute(BOOK_CAPTURE, capture)
            await self.database.execute(BOOK_PAYMENT, {"id": payment_id, "data": data, "kind": "capture"})
            await self._refresh_collection(collection_id)
            self.touch("capture")
            return await self._payment(payment_id)
        return _as_read(dict(made) | {"data": data})

    @writes
    async def _not_authorized(self, session: Row, outcome: Outcome, *, claimed: bool = False, order_id: str | None = None) -> Row | None:
        """Keep what the provider said. The payment, where another one has authorised the session meanwhile."""
        await self._hold_collection(session["payment_collection_id"])
        declined = outcome.status in ("error", "canceled")
        await self.database.execute(
            NOT_AUTHORIZED,
            {
                "id": session["id"],
                "status": outcome.status,
                "data": {**session["data"], **outcome.data},
                "declined": declined,
                "attempt": session["attempt"],
                "claimed": claimed,
                "order_id": order_id,
            },
        )
        await self._refresh_collection(session["payment_collection_id"])
        self.touch("payment_session")
        payment_id = await self.database.fetch_value(PAYMENT_OF_SESSION, {"id": session["id"]})
        return None if payment_id is None else await self._payment(payment_id)


def _as_read(made: Row) -> Row:
    """A payment that was just made, as `PAYMENT` shows it."""
    at = iso(made["created_at"])
    columns = shown(tables.payment, {**made, "created_at": at}, at)
    return {name: value for name, value in columns.items() if not name.startswith("raw_")} | {"captures": [], "refunds": []}


def let_go(session_id: str) -> PaymentAuthorizationFailed:
    return PaymentAuthorizationFailed(f"The payment of payment session {session_id} was cancelled: begin another session")


def _never_there(row: Row) -> Row:
    """A session that was begun with the provider and that nobody needs: another one of the same key was faster."""
    return {**row, "settle_at": utc_now(), "doubted_at": None, "payment_id": None, "canceled_at": None}


def ask_of(session: Mapping[str, Any], about: str) -> Ask:
    """What a provider is asked about a session that there is, under a key of its own for each thing to ask."""
    return Ask(f"{session['id']}:{about}", session["data"], session["amount"], session["currency_code"], session["context"] or {})


def _begun(collection: Row, provider_id: str, data: Mapping[str, Any], key: str | None) -> Row | None:
    """The session that this same request has begun before."""
    for session in collection["payment_sessions"]:
        if session["request_key"] != key or session["provider_id"] != provider_id:
            continue
        untried = session["status"] in ("pending", "requires_more") and not session["attempt"] and session["doubted_at"] is None
        same = (session["amount"], session["currency_code"]) == _price(collection) and data.items() <= session["data"].items()
        if key is not None or (untried and same and datetime.fromisoformat(session["created_at"]) > utc_now() - AGAIN):
            return {name: value for name, value in session.items() if name not in _HIDDEN}
    return None


def _price(collection: Mapping[str, Any]) -> tuple[Decimal, str]:
    """What a session for the collection asks for: its amount with the decimals that the currency has."""
    return money.plain(money.rounded(collection["amount"], collection["currency_code"])), collection["currency_code"]
