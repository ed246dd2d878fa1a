"""Payment sessions: a buyer pays by one provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...core import money
from ...core.clock import iso
from ...core.errors import Conflict, NotFound, PaymentAuthorizationFailed, PaymentOutcomeUnknown, PaymentRequiresMore
from ...core.ids import new_id
from ...core.messages import one_statement, repeatable, writes
from ...core.module import Keys, Row, Rows
from ...core.sql.shown import shown
from . import tables
from .collections import Collections
from .provider import Ask, Outcome, PaymentProvider
from .queries import AUTHORIZED, BOOK_CAPTURE, BOOK_PAYMENT, NOT_AUTHORIZED, PAYMENT_OF_SESSION, SESSION

TRIES = 5
"""How often a new session follows an amount that changes under it."""
UNANSWERED = (TimeoutError, ConnectionError, PaymentOutcomeUnknown)
"""Errors after which it isn't known whether the provider did what it was asked for."""
PAYMENT = ("*", "captures.*", "refunds.*")


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
    ) -> Row:
        """Begin to pay a collection by a provider. Sessions begun before, in which nothing was paid, are dropped.

        `data` is what the storefront sends to the provider, `context` the buyer (`customer`, `account_holder`). The amount
        is the collection's, with the currency's decimals; where it changes meanwhile, the session follows.

        Raises NotFound for an unknown collection or provider, and what the provider raises; then nothing changes.
        """
        provider = self._provider(provider_id)
        id = new_id("payses")
        collection = await self.retrieve("payment_collection", payment_collection_id, fields=("amount", "currency_code"))
        ask = Ask(f"{id}:initiate", {**(data or {}), "session_id": id}, *_price(collection), context or {})
        outcome = await provider.initiate(ask)
        for attempt in range(TRIES):
            row = {
                "id": id,
                "payment_collection_id": payment_collection_id,
                "provider_id": provider_id,
                "currency_code": ask.currency_code,
                "amount": ask.amount,
                "data": {**(data or {}), **outcome.data},
                "context": dict(context) if context else None,
                "status": outcome.status if outcome.status in ("pending", "requires_more") else "pending",
                "metadata": metadata,
            }
            made, dropped = await self._replace_sessions(row)
            if made is not None:
                await self._drop_at_providers(dropped)
                return made
            collection = await self.retrieve("payment_collection", payment_collection_id, fields=("amount", "currency_code"))
            ask = Ask(f"{id}:update:{attempt}", outcome.data, *_price(collection), context or {})
            outcome = await provider.update(ask)
        raise Conflict(f"The amount of payment collection {payment_collection_id} does not stop changing")

    @repeatable
    async def delete_payment_sessions(self, ids: Sequence[str]) -> Keys:
        """Drop sessions in which nothing was paid. The ids of those that were dropped."""
        dropped = await self._delete_sessions(ids)
        await self._drop_at_providers(dropped)
        return [session["id"] for session in dropped]

    @repeatable
    async def authorize_payment_session(self, id: str, context: Mapping[str, Any] | None = None) -> Row | None:
        """Have the provider hold the money, once, however often and from wherever it is asked. The payment, with its captures.

        None: the provider takes its time (`pending_authorization`) and will tell the end by a webhook.

        The provider is asked outside of any transaction, under a key made of the session and the number of its declined
        attempts: who asks at the same time, or again after a crash, asks for the same thing. A session has at most one
        payment; that is a unique index.

        Raises:
            NotFound: there is no such session.
            PaymentRequiresMore: the buyer has to act first.
            PaymentAuthorizationFailed: declined, for certain; or authorized once and cancelled since.
            PaymentOutcomeUnknown: the provider doesn't answer, not even when asked how it stands. Nothing is booked; ask again.
        """
        session = await self._session(id)
        if session["canceled_at"] is not None:
            raise _let_go(id)
        if session["payment_id"] is not None:
            return await self._payment(session["payment_id"])
        provider = self._provider(session["provider_id"])
        attempt: int = session["attempt"]
        ask = Ask(
            f"{id}:authorize:{attempt}",
            session["data"],
            session["amount"],
            session["currency_code"],
            {**(session["context"] or {}), **(context or {})},
        )
        try:
            outcome = await provider.authorize(ask)
        except UNANSWERED as error:
            outcome = await self._how_it_stands(provider, ask, error)
        if outcome.status in ("authorized", "captured"):
            return await self._authorized(session, outcome)
        booked = await self._not_authorized(session, outcome)
        if booked is not None:  # another one, who asked at the same time, was told that it is authorised
            return booked
        if outcome.status == "pending_authorization":
            return None
        if outcome.status == "requires_more":
            raise PaymentRequiresMore(f"Payment session {id} needs something more of the buyer before it is authorized")
        raise PaymentAuthorizationFailed(f"Payment session {id} was not authorized by the provider {session['provider_id']}")

    # -- inside

    def _provider(self, id: str) -> PaymentProvider:
        provider: PaymentProvider = self.providers.get(id)
        return provider

    async def _session(self, id: str) -> Row:
        found = await self.database.fetch_one(SESSION, {"id": id})
        if found is None:
            raise NotFound(f"Payment session with id: {id} was not found")
        return dict(found)

    async def _payment(self, id: str) -> Row:
        return await self.retrieve("payment", id, fields=PAYMENT)

    async def _how_it_stands(self, provider: PaymentProvider, ask: Ask, unanswered: Exception) -> Outcome:
        """What became of an authorisation whose answer never came: asked of the provider, never guessed."""
        try:
            outcome = await provider.status(ask)
        except Exception as error:
            raise PaymentOutcomeUnknown(
                f"The payment provider did not answer, so it isn't known whether payment session {ask.key.partition(':')[0]} is authorized",
                hint=f"{type(unanswered).__name__}: {unanswered}; asked again: {type(error).__name__}: {error}",
            ) from error
        if outcome.status == "pending":  # the request never reached it
            raise PaymentOutcomeUnknown("The payment provider did not answer. Try again.", hint=str(unanswered)) from unanswered
        return outcome

    @writes
    async def _replace_sessions(self, row: Row) -> tuple[Row | None, Rows]:
        """Put a session in the place of those in which nothing was paid. No session: the amount is another one by now."""
        held = await self._hold_collection(row["payment_collection_id"])
        if _price(held) != (row["amount"], row["currency_code"]):
            return None, []
        dropped = await self._drop_sessions(row["payment_collection_id"])
        (made,) = await self.create("payment_session", [row])
        self.touch("payment_collection")
        return made, dropped

    @writes
    async def _delete_sessions(self, ids: Sequence[str]) -> Rows:
        return await self._drop_sessions(ids=ids)

    @writes
    @one_statement(lambda session, outcome: outcome.status == "authorized")
    async def _authorized(self, session: Row, outcome: Outcome) -> Row:
        """Book what the provider has authorised (and captured, if it did). Whoever comes second finds the payment."""
        id, collection_id = session["id"], session["payment_collection_id"]
        data = {**session["data"], **outcome.data}
        payment_id = new_id("pay")
        made = await self.database.fetch_one(
            AUTHORIZED, {"id": id, "collection_id": collection_id, "status": outcome.status, "data": data, "payment_id": payment_id}
        )
        if made is None:
            payment = await self._payment(await self.database.fetch_value(PAYMENT_OF_SESSION, {"id": id}))
            if payment["canceled_at"] is not None:
                raise _let_go(id)
            return payment
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
    async def _not_authorized(self, session: Row, outcome: Outcome) -> Row | None:
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


def _let_go(session_id: str) -> PaymentAuthorizationFailed:
    return PaymentAuthorizationFailed(f"The payment of payment session {session_id} was cancelled: begin another session")


def _price(collection: Mapping[str, Any]) -> tuple[Decimal, str]:
    """What a session for the collection asks for: its amount with the decimals that the currency has."""
    return money.plain(money.rounded(collection["amount"], collection["currency_code"])), collection["currency_code"]
