"""The way of events from the outbox to the stream, and from there to the subscribers of the shop.

The outbox owes each event to the stream as to a subscriber, in the transaction that keeps the event; so while the stream can't be reached
they wait there (for three days, as for any subscriber), and go on to it when it can. A process that dies in between hands them on again.

What a process takes from the stream are ids: it begins the deliveries that the outbox has of these events, each of which it claims there,
and acknowledges. So an event that comes twice begins nothing twice, and what the stream has lost or trimmed is begun by whoever finds it
overdue in the outbox: after `LATE_SECONDS`, and at once by a process that can't reach the stream. The shop goes on without it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from ...core.codec import unpack
from ...core.errors import VelellaError
from ...core.flow import Event
from ...core.json import dumps
from ...core.logs import logger
from ...core.message import call_context
from ...core.sql.db.database import Database
from ..streams import EventStream
from . import queries

STREAM = "velella:stream"
"""The name under which the outbox owes events to the stream."""
POLL_SECONDS = 1.0
AT_ONCE = 200
"""Events that are handed on together."""
LATE_SECONDS = 5.0
"""Seconds after which a delivery is overdue that the stream hasn't brought."""
TAKE_SECONDS = 2.0
"""Seconds that the stream is asked to wait for the next event."""
STOP_SECONDS = 1.0
"""Seconds for leaving the stream in order."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds after one failure, and after many."""

log = logger("velella.events")


class Feed:
    """Hands on and takes; one in each coordinator of a shop with a stream. They share the work."""

    def __init__(self, database: Database, stream: EventStream, begin: Callable[[Sequence[str]], Awaitable[object]]) -> None:
        """`begin`: begins the deliveries of these events, by their ids, as far as there are any."""
        self.events = ("*", *stream.events)
        self._database = database
        self._stream = stream
        self._begin = begin
        self._new = asyncio.Event()
        self._failures: Counter[str] = Counter()
        """What is done to the stream → how often in a row it has failed."""
        self.counts: Counter[str] = Counter()
        """Events `handed_on` and `taken`, and attempts that `failed`."""
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def brings(self) -> bool:
        """Whether the stream brings this process what is announced, as far as it knows."""
        return bool(self._tasks) and not self._failures

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._repeat("handing on", self._hand_on_all)),
            asyncio.create_task(self._repeat("taking", self.take)),
        ]

    async def stop(self) -> None:
        """Put back what isn't handed on yet, and disconnect."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        with suppress(VelellaError, TimeoutError):  # another process takes what this one has left
            async with asyncio.timeout(STOP_SECONDS):
                await self._stream.stop()

    def nudge(self) -> None:
        """There is a new event: don't wait for the next check."""
        self._new.set()

    async def hand_on(self) -> int:
        """Hand on the next events that are owed to the stream, except those that can't be told. Returns how many were owed, or 0 where the
        stream was not asked for anything; raises Unavailable."""
        rows = await self._database.fetch(queries.TAKE_FOR_STREAM, {"stream": STREAM, "limit": AT_ONCE})
        if not rows:
            return 0
        events = [event for row in rows if (event := await self._to_tell(row)) is not None]
        if not events:
            return 0
        events.sort(key=lambda event: (event.created_at, event.id))
        these = {"stream": STREAM, "ids": [event.id for event in events]}
        try:
            await self._stream.hand_on(events)
        except BaseException:
            with suppress(VelellaError):  # else they are due again in a minute
                await self._database.execute(queries.NOT_HANDED_ON, these)
            raise
        await self._database.execute(queries.HANDED_ON, these)
        self.counts["handed_on"] += len(events)
        return len(rows)

    async def _to_tell(self, row: Any) -> Event | None:
        """The event of a row; None where it can't be told, which keeps no other waiting."""
        try:
            event = Event(row["id"], row["name"], unpack(row["data"]), row["created_at"])
        except ValueError as error:  # what it carries is of a plugin that isn't here: it stays owed
            log.error("an event can't be read", id=row["id"], name=row["name"], error=str(error))
            return None
        try:
            dumps(event.data)
        except (TypeError, ValueError) as error:  # nor is it JSON for any other process: it stays for operators
            log.error("an event can't be told to other systems", id=event.id, name=event.name, error=str(error))
            await self._database.execute(queries.NEVER_HANDED_ON, {"stream": STREAM, "id": event.id, "error": str(error)})
            return None
        return event

    async def take(self) -> bool:
        """Take the next events from the stream, and begin what waits for them here. Returns that the stream answered."""
        taken = await self._stream.take(TAKE_SECONDS)
        if taken:
            await self._begin([one.id for one in taken])
            await self._stream.acknowledge(taken)
            self.counts["taken"] += len(taken)
        return True

    # -- inside

    async def _hand_on_all(self) -> bool:
        """Hand on all that is owed, and wait for more. Returns whether the stream was asked for anything, and answered."""
        self._new.clear()
        handed_on = last = await self.hand_on()
        while last == AT_ONCE:
            last = await self.hand_on()
        if handed_on:
            self._worked("handing on")  # before the wait
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._new.wait()
        return bool(handed_on)

    async def _repeat(self, what: str, work: Callable[[], Awaitable[bool]]) -> None:
        call_context.set(None)
        while not self._stopping:  # a cancellation may be lost in the client of the stream
            try:
                if await work():
                    self._worked(what)
            except Exception as error:  # noqa: BLE001 - whatever it is, events wait in the outbox
                self._failures[what] += 1
                self.counts["failed"] += 1
                if self._failures[what] == 1:
                    log.warning("the stream of events fails; events wait in the outbox", what=what, error=_said(error))
                if self._stopping:
                    return
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures[what] - 1, 10))
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    def _worked(self, what: str) -> None:
        if self._failures.pop(what, 0):
            log.info("the stream of events answers again", what=what)


def _said(error: Exception) -> str:
    hint = getattr(error, "hint", None)
    return f"{error} {hint}" if hint else f"{type(error).__name__}: {error}"
