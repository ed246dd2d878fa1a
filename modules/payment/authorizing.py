"""Authorising: the provider holds, or takes, the buyer's money for an order that is being placed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ...core.clock import iso, utc_now
from ...core.errors import (
    PaymentAuthorizationFailed,
    PaymentInDoubt,
    PaymentOutcomeUnknown,
    PaymentRequiresMore,
    VelellaError,
)
from ...core.message import repeatable
from . import books
from .provider import Ask, Outcome
from .sessions import let_go, no_session, paid_in
from .settling import Settling
from .types import PaymentCollection, PaymentInCollection, PaymentSession

AGAIN_SECONDS = 5.0
"""Seconds after which a buyer whose payment is in doubt may try again."""


class Authorizing(Settling):
    """Has providers hold money, once, and records when the outcome isn't known."""

    @repeatable
    async def authorize_payment_session(
        self, id: str, context: Mapping[str, Any] | None = None, *, order_id: str | None = None
    ) -> PaymentInCollection | None:
        """Have the provider hold the money for an order, once, however often and by whichever process this is called. Returns the payment
        with its captures, and as `payment_collection` its collection with everything in it.

        None: the provider needs time (`pending_authorization`) and reports the end by a webhook. In both cases the collection is the
        order's from then on (`order_id`), unless it belongs to another order already.

        The provider is called outside of any transaction, under a key made of the session and the number of its declined
        attempts: a concurrent call, or one after a crash, is the same request. A session has at most one
        payment, by a unique index. While another session of the same collection may still hold money, nothing is authorised.

        Raises:
            NotFound: there is no such session; it may have been dropped.
            PaymentRequiresMore: the buyer has to act first.
            PaymentAuthorizationFailed: declined, for certain; or authorised once and cancelled since.
            PaymentInDoubt: the provider doesn't answer in time, not even when asked for the payment's status, nor did it answer a
                concurrent call. Nothing is booked; that is recorded, and the shop asks until it gets an answer. A repetition is the same
                request.
        """
        collection, session = await self._session(id)
        if session["deleted_at"] is not None:
            raise no_session(id)
        if books.is_let_go(session):
            raise let_go(id)
        if session["payment_id"] is not None:
            return await self._claimed(collection, session, order_id)
        await self._settle_others(collection, session)
        outcome = await self._outcome(session, context or {})
        if outcome is None:
            collection, session = await self._session(id)
            return None if session["payment_id"] is None else await self._claimed(collection, session, order_id)
        if outcome.status in books.HELD:
            return await self._authorized(collection, session, outcome, claimed=True, order_id=order_id)
        pending = outcome.status == "pending_authorization"
        booked = await self._not_authorized(collection, session, outcome, claimed=pending, order_id=order_id)
        if booked is not None:  # a concurrent caller was told that it is authorised
            return booked
        if outcome.status == "pending_authorization":
            return None
        if outcome.status == "requires_more":
            raise PaymentRequiresMore(f"Payment session {id} needs something more of the buyer before it is authorized")
        raise PaymentAuthorizationFailed(f"Payment session {id} was not authorized by the provider {session['provider_id']}")

    # -- inside

    async def _claimed(self, collection: PaymentCollection, session: PaymentSession, order_id: str | None) -> PaymentInCollection:
        """Claim a payment that was made already for an order. Returns it. Raises PaymentAuthorizationFailed if it was cancelled
        meanwhile."""

        def claim(collection: PaymentCollection) -> tuple[bool, bool]:
            kept = books.session_of(collection, session["id"])
            if kept["deleted_at"] is not None or books.is_let_go(kept):
                return False, False
            return books.claim(collection, kept, order_id, iso(utc_now())), True

        collection, holds = await self._changed(collection, claim)
        if not holds:
            raise let_go(session["id"])
        return {**await self._payment(paid_in(session)), "payment_collection": collection}

    async def _settle_others(self, collection: PaymentCollection, session: PaymentSession) -> None:
        """Make sure that no money is held in sessions that were dropped before this one. Raises PaymentInDoubt if that isn't known."""
        now = iso(utc_now())
        dropped = [other for other in collection["payment_sessions"] if other["deleted_at"] is not None and other is not session]
        unsettled = [other["id"] for other in dropped if other["settle_at"] is not None and other["settle_at"] <= now]
        said = await asyncio.gather(*(self.settle_session(other) for other in unsettled), return_exceptions=True)
        for error in said:
            if isinstance(error, BaseException):
                raise PaymentInDoubt(
                    "It isn't known yet what became of an earlier payment for the same thing. Try again.",
                    hint=f"{type(error).__name__}: {error}",
                    retry_after=AGAIN_SECONDS,
                ) from error

    async def _outcome(self, session: PaymentSession, context: Mapping[str, Any]) -> Outcome | None:
        """The provider's answer. If it may have been asked before, its status of the payment is read first, and counts. None: there was no
        answer, but a concurrent caller got one, which is booked."""
        id, provider = session["id"], session["provider_id"]
        about = {**(session["context"] or {}), **context}
        ask = Ask(f"{id}:authorize:{session['attempt']}", session["data"], Decimal(session["amount"]), session["currency_code"], about)
        try:
            if session["doubted_at"] is not None or session["attempt"]:
                stands = await self._asked(provider, "status", ask)
                if stands.status in (*books.HELD, "pending_authorization"):
                    return stands
            try:
                return await self._asked(provider, "authorize", ask)
            except PaymentOutcomeUnknown:
                stands = await self._asked(provider, "status", ask)
                if stands.status == "pending":  # the request never reached it, or is still on its way
                    raise
                return stands
        except Exception as error:
            if isinstance(error, VelellaError) and error.status < 500:
                raise  # refused, for certain
            now = await self._changed_session(id, _doubt)
            if books.is_claimed(now) and not books.is_claimed(session):
                return None
            raise PaymentInDoubt(
                f"The payment provider did not answer, so it isn't known whether payment session {id} is authorized. Try again.",
                hint=f"{type(error).__name__}: {error}",
                retry_after=AGAIN_SECONDS,
            ) from error


def _doubt(session: PaymentSession) -> bool:
    """Record that the provider was asked for the money and didn't answer. What an order has claimed meanwhile, or waits for, stays its."""
    now = iso(utc_now())
    session |= {"doubted_at": now, "settle_at": session["settle_at"] if books.is_claimed(session) else now, "updated_at": now}
    return True
