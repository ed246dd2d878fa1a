"""Settling: whatever a provider holds, or has to be told, is recorded in the database.

A session is *claimed* by the order that it pays for. Until then its row says when it has to be looked after (`settle_at`): some time
after it was begun; at once, when its provider was asked for the money and didn't answer, or when it was dropped. That is written in the
transaction that begins, doubts or drops it, and removed when an order claims it, or when the provider has confirmed that nothing is held.
The row decides whether the claim or the release comes first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from ...core.clock import iso, utc_now
from ...core.logs import logger
from ...core.message import reads, repeatable
from . import books
from .collections import moment
from .sessions import ask_of
from .types import DueSession, PaymentCollection, PaymentSession
from .webhooks import Webhooks

log = logger("velella.payment")

LATE = timedelta(minutes=10)
"""For how long an unanswered request may still be on its way, whatever status the provider returns meanwhile: its status is read again
afterwards."""
KEPT = timedelta(days=7)
"""How long a session without a payment is kept."""
COURTESY_SECONDS = 5.0
"""Seconds that a request that drops sessions waits for their providers. Providers that don't answer by then are told later."""
MOST = 200
"""Sessions that are returned at once."""


class Settling(Webhooks):
    """Releases what no order claims."""

    @reads
    async def unsettled_sessions(self, grace: float = 0.0) -> list[DueSession]:
        """Sessions that have been due for `grace` seconds and that no execution handles, the longest waiting first, at most 200."""
        before = utc_now() - timedelta(seconds=grace)
        collections = await self._find({"settle_at": {"$lt": before}}, limit=MOST, order=("settle_at",))
        rows: list[DueSession] = [
            {"id": session["id"], "payment_collection_id": collection["id"], "due": due}
            for collection in collections
            for session in books.due(collection)
            if (due := moment(session["settle_at"])) is not None and due < before
        ]
        return sorted(rows, key=lambda row: row["due"])[:MOST]

    @repeatable
    async def settling_begun(self, sessions: Sequence[DueSession]) -> None:
        """Executions handle these sessions, as `unsettled_sessions` returned them. They aren't returned again until their next due time."""
        begun = {row["id"]: iso(row["due"]) for row in sessions}

        def begin(collection: PaymentCollection) -> tuple[bool, None]:
            seen = [each for each in books.due(collection) if begun.get(each["id"]) == each["settle_at"]]
            for session in seen:
                session["settle_begun"] = session["settle_at"]
            return bool(seen), None

        for collection in await self._find({"id": sorted({row["payment_collection_id"] for row in sessions})}, limit=None):
            await self._changed(collection, begin)

    @repeatable
    async def settle_session(self, id: str) -> Literal["settled", "later", "held", "given back"]:
        """Make sure that no money is held in a session that no order claims. Returns what was done.

        `settled`: there is nothing left to do. `later`: it isn't due yet, or must be looked at again. `held`: money that the provider
        turned out to hold is booked, for the buyer to go on with or to be given back later. `given back`: the provider confirms that it
        holds nothing any more.

        Raises PaymentOutcomeUnknown, or the provider's error, if it doesn't answer: then it has to be asked again.
        """
        collection, session = await self._session(id)
        if session["settle_at"] is None:
            return "settled"
        if session["settle_at"] > iso(utc_now()):
            return "later"
        if session["deleted_at"] is None:
            said = await self._look_after(collection, session)
            if said is not None:
                return said
            _, session = await self._session(id)
        await self._give_back(session)
        return "given back"

    # -- inside

    async def _look_after(self, collection: PaymentCollection, session: PaymentSession) -> Literal["settled", "held", "later"] | None:
        """Look after a session that wasn't dropped. None: it is dropped now, and what is held in it has to be given back."""
        held = session["payment_id"] is not None
        if not held:
            outcome = await self._asked(session["provider_id"], "status", ask_of(session, "look"))
            held = outcome.status in books.HELD
            if held:
                await self._authorized(collection, session, outcome)
            elif outcome.status != "pending":
                await self._not_authorized(collection, session, outcome)
        now, begun = utc_now(), datetime.fromisoformat(session["created_at"])
        doubted = moment(session["doubted_at"]) or begun
        hold = timedelta(seconds=self.context.settings.payment_hold_seconds)
        if held:
            wait = doubted + hold - now
        elif doubted > begun and now < doubted + LATE:
            wait = doubted + LATE - now
        else:
            wait = max(hold, now - begun) if now < begun + KEPT else timedelta(0)
        if wait > timedelta(0):
            await self._looked(session, wait.total_seconds())
            return "held" if held else "later"
        return None if await self._let_go(session["id"]) else "settled"  # then an order was faster

    async def _give_back(self, session: PaymentSession) -> None:
        """Have the provider drop a dropped session, with everything held in it."""
        doubted = moment(session["doubted_at"])
        late = doubted and doubted + LATE - utc_now()
        if session["payment_id"] is not None and not books.is_let_go(session):
            await self._return_payment(session)
        else:
            # what makes it due again (money that came late) is another request; one that is repeated is due since the same time
            await self._asked(session["provider_id"], "drop", ask_of(session, f"drop:{session['settle_at']}"))
        if session["deleted_at"] is None:  # it was begun with its provider only
            return
        await self._looked(session, late.total_seconds() if late and late > timedelta(0) else None)

    async def _return_payment(self, session: PaymentSession) -> None:
        """Cancel or refund a payment that no order claims."""
        payment = await self._settle(session, await self._asked(session["provider_id"], "status", ask_of(session, "look")))
        if payment["canceled_at"] is not None:
            return
        standing = await self._standing(payment["id"])
        if not standing["captured"] and not standing["capturing"]:
            await self.cancel_payment(payment["id"])
        elif standing["captured"] > standing["refunded"]:
            await self.refund_payment(payment["id"], note="No order was placed", key="settle")

    async def _have_forgotten(self, dropped: Sequence[PaymentSession]) -> None:
        """Have the providers of dropped sessions drop them, as far as they answer soon; for the others that stays recorded as due."""

        async def settled(session: PaymentSession) -> None:
            try:
                async with asyncio.timeout(COURTESY_SECONDS):
                    await self._give_back(session)
            except (Exception, TimeoutError) as error:  # noqa: BLE001 - `settle_at` remembers it
                log.warning("a provider could not forget a payment session yet", session=session["id"], error=str(error))

        await asyncio.gather(*(settled(session) for session in dropped if session["settle_at"] is not None))

    async def _let_go(self, id: str) -> bool:
        """Drop a session that no order has claimed. False: an order has claimed it meanwhile, or it is dropped already."""
        gone = False

        def drop(session: PaymentSession) -> bool:
            nonlocal gone
            now, gone = iso(utc_now()), session["deleted_at"] is None and session["settle_at"] is not None
            if gone:
                session |= {"deleted_at": now, "settle_at": now, "updated_at": now}
            return gone

        await self._changed_session(id, drop)
        return gone

    async def _looked(self, session: PaymentSession, again: float | None) -> None:
        """Record that the session was looked at, and has to be again after `again` seconds, or not at all. Does nothing if it changed
        meanwhile."""

        def look(kept: PaymentSession) -> bool:
            is_as_seen = kept["settle_at"] == session["settle_at"]
            if is_as_seen:
                kept["settle_at"] = None if again is None else iso(utc_now() + timedelta(seconds=again))
            return is_as_seen

        await self._changed_session(session["id"], look)
