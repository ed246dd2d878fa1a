"""Settling: nothing is held by a provider, or owed to it, that only a process remembers.

A session is *claimed* by the order that it pays for. Until then its row says when somebody has to look after it (`settle_at`): some time
after it was begun; at once, when its provider was asked for the money and didn't answer, or when it was dropped. That is written in the
transaction that begins, doubts or drops it, and taken away when an order claims it, or when the provider has said that nothing is held.
Whoever comes first, the claim or the one who lets go, is decided by the row.
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
from .noticing import Noticing
from .sessions import ask_of
from .types import DueSession, PaymentCollection, PaymentSession

log = logger("velella.payment")

LATE = timedelta(minutes=10)
"""For so long a request that wasn't answered may still be on its way, whatever the provider says meanwhile: it is asked once more after."""
KEPT = timedelta(days=7)
"""How long a session is kept in which nobody pays."""
COURTESY_SECONDS = 5.0
"""What a request that drops sessions waits for their providers. Those that don't answer by then are told later."""
MOST = 200
"""Sessions that are looked for at once."""


class Settling(Noticing):
    """Letting go of what no order stands for."""

    @reads
    async def unsettled_sessions(self, grace: float = 0.0) -> list[DueSession]:
        """Sessions that have to be settled since `grace` seconds and that no execution sees to, the longest waiting first, at most 200."""
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
        """Executions see to these, as `unsettled_sessions` gave them. They aren't given again until they are due anew."""
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
        """See to it that no money is held in a session that no order stands for. What was done.

        `settled`: there is nothing left to do. `later`: it isn't time, or there has to be another look. `held`: money that the provider
        turned out to hold is in the books, for the buyer to go on with or to be given back later. `given back`: the provider says that it
        holds nothing any more.

        Raises PaymentOutcomeUnknown, or what the provider raises, where it doesn't say: then it has to be asked again.
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
        """Ask how a session stands that wasn't dropped. None: it is dropped now, and what is held in it has to be given back."""
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
        """Have the provider forget a session that was dropped, with all that is held in it."""
        doubted = moment(session["doubted_at"])
        late = doubted and doubted + LATE - utc_now()
        if session["payment_id"] is not None and not books.is_let_go(session):
            await self._return_payment(session)
        else:
            about = "drop:late" if late and late <= timedelta(0) else "drop"
            await self._asked(session["provider_id"], "drop", ask_of(session, about))
        if session["deleted_at"] is None:  # it was begun with its provider only
            return
        await self._looked(session, late.total_seconds() if late and late > timedelta(0) else None)

    async def _return_payment(self, session: PaymentSession) -> None:
        """Cancel or refund a payment that no order stands for."""
        payment = await self._settle(session, await self._asked(session["provider_id"], "status", ask_of(session, "look")))
        if payment["canceled_at"] is not None:
            return
        standing = await self._standing(payment["id"])
        if not standing["captured"] and not standing["capturing"]:
            await self.cancel_payment(payment["id"])
        elif standing["captured"] > standing["refunded"]:
            await self.refund_payment(payment["id"], note="No order was placed", key="settle")

    async def _have_forgotten(self, dropped: Sequence[PaymentSession]) -> None:
        """Tell the providers of sessions that were dropped, as far as they answer soon; the others are told later, that is written down."""

        async def told(session: PaymentSession) -> None:
            try:
                async with asyncio.timeout(COURTESY_SECONDS):
                    await self._give_back(session)
            except (Exception, TimeoutError) as error:  # noqa: BLE001 - `settle_at` remembers it
                log.warning("a provider could not forget a payment session yet", session=session["id"], error=str(error))

        await asyncio.gather(*(told(session) for session in dropped if session["settle_at"] is not None))

    async def _let_go(self, id: str) -> bool:
        """Drop what no order has claimed. False: one has, meanwhile, or it is gone already."""
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
        """`again` seconds from now somebody has to look once more, or nobody has to. Does nothing where something happened meanwhile."""

        def look(kept: PaymentSession) -> bool:
            is_as_seen = kept["settle_at"] == session["settle_at"]
            if is_as_seen:
                kept["settle_at"] = None if again is None else iso(utc_now() + timedelta(seconds=again))
            return is_as_seen

        await self._changed_session(session["id"], look)
