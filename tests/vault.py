"""A payment provider of tests that keeps true books of its own, whatever it answers to the shop.

Requests for a session can go wrong in every possible way; `Vault.tricks` says how, by the request (`authorize`,
`status`, …), for all sessions or for one:

    lost     it carries the request out, and its answer never comes
    dark     it doesn't get the request, and that is known
    hangs    it doesn't get the request, and never answers
    late     it doesn't answer, and carries the request out later (`come_back`)
    lies     it carries the request out, and says that it didn't
    broken   it carries the request out, and answers nonsense
    refuses  it says no, and does nothing
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from sqlalchemy import text

from velella.core import json
from velella.core.clock import iso
from velella.core.errors import InvalidData
from velella.core.sql.db.compiled import compiled
from velella.core.sql.db.database import Database
from velella.modules.payment.provider import AccountHolder, Ask, Data, Outcome, PaymentProvider

from .tricks import carried_out

Trick = Literal["lost", "dark", "hangs", "late", "lies", "broken", "refuses"]


@dataclass
class Purse:
    """The money of one session."""

    held: Decimal = Decimal(0)
    taken: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    at_once: bool | None = None
    """Whether money is taken as soon as it is held; None: as `Vault.takes_at_once` says."""
    forgotten: bool = False
    done: set[str] = field(default_factory=set)
    """Keys: a repeated request isn't carried out again."""

    @property
    def kept(self) -> Decimal:
        """What the buyer has paid and not got back."""
        return self.held + self.taken - self.returned


class Vault(PaymentProvider):
    identifier = "vault"
    purses: ClassVar[dict[str, Purse]] = {}
    tricks: ClassVar[dict[str, Trick]] = {}
    """`authorize`, or `authorize payses_1`."""
    asked: ClassVar[list[tuple[str, str]]] = []
    """The requests, each with its session."""
    takes_at_once: ClassVar[bool] = True
    bought: ClassVar[dict[str, str]] = {}
    """Session → what is bought in it, if a test says so: it may be paid in one session at a time."""
    twice: ClassVar[list[str]] = []
    """Sessions in which money was taken while another one for the same thing had some."""
    later: ClassVar[list[Callable[[], Outcome]]] = []

    @classmethod
    def reset(cls) -> None:
        for each in (cls.purses, cls.tricks, cls.asked, cls.later, cls.bought, cls.twice):
            each.clear()
        cls.takes_at_once = True

    @classmethod
    def come_back(cls) -> None:
        """From now on it answers truly, and carries out what is late."""
        cls.tricks.clear()
        for do in cls.later:
            do()
        cls.later.clear()

    @classmethod
    def purse_of(cls, session: str) -> Purse:
        return cls.purses.setdefault(session, Purse())

    @classmethod
    def keeps(cls, *sessions: str) -> list[Decimal]:
        return [cls.purses[session].kept for session in sessions]

    async def _do(self, what: str, ask: Ask, do: Callable[[Purse], Outcome]) -> Outcome:
        session = str(ask.data["session_id"])
        purse = self.purse_of(session)
        self.asked.append((what, session))
        await asyncio.sleep(0)

        def once() -> Outcome:
            if what != "status" and ask.key in purse.done:
                return _how(purse, ask)
            if what != "status":
                purse.done.add(ask.key)
            return do(purse)

        trick = self.tricks.get(f"{what} {session}", self.tricks.get(what))
        match trick:
            case "broken":
                once()
                raise KeyError("the vault answers nonsense")
            case "lies":
                once()
                return Outcome({}, "error")
        return await carried_out("vault", trick, once, self.later, InvalidData("the vault refuses"))

    async def account_holder(self, key: str, context: Data) -> AccountHolder | None:
        if self.tricks.get("account_holder") == "hangs":
            await asyncio.sleep(3600)
        return None

    async def initiate(self, ask: Ask) -> Outcome:
        return await self._do("initiate", ask, lambda _: Outcome({"session_id": ask.data["session_id"]}))

    async def drop(self, ask: Ask) -> None:
        def forget(purse: Purse) -> Outcome:
            purse.held, purse.returned, purse.forgotten = Decimal(0), purse.taken, True
            return Outcome({}, "canceled")

        await self._do("drop", ask, forget)

    async def authorize(self, ask: Ask) -> Outcome:
        def hold(purse: Purse) -> Outcome:
            if purse.forgotten:
                return Outcome({}, "canceled")
            if purse.kept:  # the buyer has paid in the browser
                return _how(purse, ask)
            session = str(ask.data["session_id"])
            what = self.bought.get(session, session)
            if any(self.purses[other].kept for other, same in self.bought.items() if same == what and other in self.purses):
                self.twice.append(session)
            if self.takes_at_once if purse.at_once is None else purse.at_once:
                purse.taken += ask.amount
            else:
                purse.held += ask.amount
            return _how(purse, ask)

        return await self._do("authorize", ask, hold)

    async def capture(self, ask: Ask) -> Outcome:
        def take(purse: Purse) -> Outcome:
            if ask.amount > purse.held:
                raise InvalidData("more than is held")
            purse.held -= ask.amount
            purse.taken += ask.amount
            return _how(purse, ask)

        return await self._do("capture", ask, take)

    async def refund(self, ask: Ask) -> Outcome:
        def give(purse: Purse) -> Outcome:
            if ask.amount > purse.taken - purse.returned:
                raise InvalidData("more than was taken")
            purse.returned += ask.amount
            return _how(purse, ask)

        return await self._do("refund", ask, give)

    async def cancel(self, ask: Ask) -> Outcome:
        def let_go(purse: Purse) -> Outcome:
            purse.held = Decimal(0)
            return Outcome({}, "canceled")

        return await self._do("cancel", ask, let_go)

    async def status(self, ask: Ask) -> Outcome:
        return await self._do("status", ask, lambda purse: _how(purse, ask))


def _how(purse: Purse, ask: Ask) -> Outcome:
    if purse.taken:
        return Outcome({}, "captured", purse.taken)
    if purse.held:
        return Outcome({}, "authorized")
    return Outcome({}, "canceled" if purse.forgotten else "pending")


async def happened_before(database: Database, seconds: float, sessions: Collection[str] | None = None) -> None:
    """Move the past of payment sessions, all or some, back by this many seconds."""
    back = timedelta(seconds=seconds)
    for row in await database.fetch(text("SELECT id, document FROM payment_collection")):
        document = json.loads(row["document"])
        for session in document["payment_sessions"]:
            if sessions is None or session["id"] in sessions:
                for name in ("settle_at", "doubted_at", "created_at"):
                    if session[name] is not None:
                        session[name] = iso(datetime.fromisoformat(session[name]) - back)
        due = [each["settle_at"] for each in document["payment_sessions"] if each["settle_at"] not in (None, each["settle_begun"])]
        values = {"id": row["id"], "document": json.dumps(document), "due": min(map(datetime.fromisoformat, due), default=None)}
        await database.execute(_WRITE, values)


_WRITE = compiled(
    text(
        "UPDATE payment_collection SET document = CAST(:document AS json), settle_at = CAST(:due AS timestamptz), version = version + 1"
        " WHERE id = CAST(:id AS text)"
    )
)
