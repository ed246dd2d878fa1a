"""Webhooks, and reading a payment's status from its provider.

A webhook may come twice, late, out of order or never. So only its subject is believed: the provider is asked for the
payment's status now, and that is booked.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...core.errors import Conflict, PaymentAuthorizationFailed
from ...core.ids import new_id
from ...core.message import repeatable, writes
from . import books
from .operations import Operations
from .provider import Notice, Outcome
from .queries import BOOK_CAPTURE, BOOK_PAYMENT
from .sessions import ask_of, paid_in
from .types import Payment, PaymentSession


class Webhooks(Operations):
    """Keeps the books consistent with the providers."""

    @repeatable
    async def read_notice(self, provider_id: str, body: bytes, headers: Mapping[str, str]) -> Notice:
        """Read a webhook. Raises NotFound for an unknown provider, InvalidData if the provider didn't sign it."""
        return await self._in_time(provider_id, "notice", self._provider(provider_id).notice(body, headers))

    @repeatable
    async def look_up_session(self, id: str) -> Payment | None:
        """Ask the provider for the status of a session's payment, and book it. Returns the payment, if there is one, with captures and
        refunds.

        A dropped session stays dropped: what the buyer has paid in it meanwhile is given back.

        Raises NotFound; Conflict while a capture is under way (try again); the provider's error if it can't be asked.
        """
        collection, session = await self._session(id)
        if session["payment_id"] is None and session["deleted_at"] is not None:
            await self._have_forgotten([await self._owed(session)])
            return None
        outcome = await self._asked(session["provider_id"], "status", ask_of(session, "look"))
        if session["payment_id"] is not None:
            return await self._settle(session, outcome)
        if outcome.status in books.HELD:
            return await self._authorized(collection, session, outcome)
        return await self._not_authorized(collection, session, outcome)

    # -- inside

    async def _settle(self, session: PaymentSession, outcome: Outcome) -> Payment:
        """Update an authorised payment to the provider's status."""
        id = paid_in(session)
        if outcome.status == "captured" and books.is_let_go(session):
            # it was cancelled for certain, and has been taken all the same
            await self._asked(session["provider_id"], "drop", ask_of(session, "drop:canceled"))
        elif outcome.status == "captured":
            return await self._captured_outside(session, outcome)
        elif outcome.status == "canceled" and not books.is_let_go(session):
            return await self.cancel_payment(id)  # the provider has nothing left to release; it confirms that once more
        return await self._payment(id)

    @writes
    async def _captured_outside(self, session: PaymentSession, outcome: Outcome) -> Payment:
        """Book a capture of the provider that isn't booked yet: made in the provider's own dashboard, or by a request whose answer was
        lost.

        While a capture of ours is in doubt, its amount can't be told from a capture made elsewhere: then ours is settled first.
        """
        id = paid_in(session)
        payment = await self._hold_both(id, session["payment_collection_id"])
        standing = await self._standing(id)
        if standing["capturing"]:
            raise Conflict(f"Payment {id} is being captured")
        if payment["canceled_at"] is not None:
            raise PaymentAuthorizationFailed(f"Payment {id} was cancelled here, but its provider says that it was captured")
        taken = payment["amount"] if outcome.captured is None else min(outcome.captured, payment["amount"])
        missing = taken - standing["captured"]
        if missing > 0:
            capture = {"id": new_id("capt"), "amount": missing, "payment_id": id, "created_by": None, "metadata": None}
            await self.database.execute(BOOK_CAPTURE, capture)
            data = {**(payment["data"] or {}), **outcome.data}
            await self.database.execute(BOOK_PAYMENT, {"id": id, "data": data})
            await self._refresh_collection(session["payment_collection_id"])
            self.touch("payment", "capture")
        return await self._payment(id)
