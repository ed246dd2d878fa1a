"""The outbox: an event waits in a table with a delivery for each subscriber of the shop, until that subscriber has processed it.

The coordinators record which subscribers the shop has (`event_subscription`), so it doesn't matter which process emits an event, or
which subscribers that process knows. Deliveries are independent: a subscriber that is slow or fails doesn't hold up others.

Delivery is at least once. A subscriber's own writes are recorded under the event's id, so a second delivery changes nothing twice; what it
emits and starts is stored by the statement that ends the delivery. A
subscriber that fails gets the event again later, at growing intervals, then no more; its delivery stays for operators, with the error,
until the event is three days old. Events that were delivered to all, or have no subscriber, are dropped after an hour.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from ...core.codec import unpack
from ...core.errors import Busy, Unavailable, VelellaError
from ...core.flow import Event, Flow, FlowContext, Subscriber, Workflow
from ...core.flow.attempts import as_velella_error
from ...core.flow.definitions import subscribers
from ...core.flow.run import Run
from ...core.logs import logger
from ...core.message import CallContext, call_context
from ...core.sql.db.database import Database
from ...core.tasks import Tasks
from ..streams import EventStream
from . import queries
from .feed import LATE_SECONDS, STREAM, Feed
from .store import Executions, bookkeeping
from .wakeups import AGAIN_SECONDS, DELIVERIES

POLL_SECONDS = 1.0
AT_ONCE = 8
"""Deliveries to one subscriber that a coordinator carries out concurrently."""
DELIVERY_SECONDS = 50.0
"""Seconds for one delivery; less than the time after which another coordinator takes it for undelivered."""

STOP_SECONDS = 5.0
"""Seconds for handing back running deliveries. One that can't be handed back is delivered again after a minute."""

log = logger("velella.events")


class Relay:
    """Delivers events to the subscribers that this process has; one in each coordinator. They share the work by SKIP LOCKED."""

    def __init__(
        self,
        flows: FlowContext,
        database: Database,
        store: Executions,
        begun: Callable[[], None],
        here: Callable[[], Sequence[Subscriber]] = subscribers,
        stream: EventStream | None = None,
    ) -> None:
        """`begun`: a started execution is there to be carried out. `here` gives the subscribers of this process. `stream`: where the shop's
        events go on to."""
        self._begun = begun
        self._here = here
        self._flows = flows
        self._database = database
        self._store = store
        self._looking: asyncio.Task[None] | None = None
        self._deliveries = Tasks("a delivery failed")
        self._runs: set[Run] = set()
        self._at_work: Counter[str] = Counter()
        """Running deliveries by subscriber."""
        self._new = asyncio.Event()
        self.feed = Feed(database, stream, self.take_announced) if stream is not None else None
        self._behind: set[str] = set()
        """Subscribers with more announced events than there was room for."""
        self.wanted: frozenset[str] = frozenset()
        """Events that have a subscriber in the shop, as last read; * for all."""

    async def start(self) -> None:
        """Record which subscribers are here, and deliver to them until `stop`."""
        await self.subscribe()
        if self._wanted_here():
            self._looking = asyncio.create_task(self._look())
        if self.feed is not None:
            self.feed.start()

    async def stop(self) -> None:
        """Hand running deliveries to another coordinator; what can't be handed back comes again later."""
        if self.feed is not None:
            await self.feed.stop()
        for run in self._runs:
            run.abandoned = True
        tasks = [*self._deliveries, *([self._looking] if self._looking is not None else ())]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)

    async def subscribe(self) -> None:
        """Record the subscribers that are here, and that the shop has none of those that its settings switch off. To be repeated: a
        subscriber that no coordinator records for a day is dropped."""
        unwanted = [one.name for one in self._here() if not one.when(self._flows.settings)]
        pairs = [(event, one.name) for one in self._wanted_here() for event in one.events]
        if self.feed is not None:
            pairs += [(event, STREAM) for event in self.feed.events]
        else:
            unwanted.append(STREAM)
        await self._database.execute(queries.UNSUBSCRIBE, {"subscribers": unwanted})
        if pairs:
            params = {"events": [event for event, _ in pairs], "subscribers": [name for _, name in pairs]}
            await self._database.execute(queries.SUBSCRIBE, params)
        await self.learn()

    def _wanted_here(self) -> list[Subscriber]:
        return [one for one in self._here() if one.when(self._flows.settings)]

    async def learn(self) -> None:
        """Read what the shop subscribes to. To be repeated."""
        self.wanted = frozenset(row["event"] for row in await self._database.fetch(queries.SUBSCRIPTIONS))

    def wants(self, event: str) -> bool:
        """Whether the event has a subscriber in the shop."""
        return event in self.wanted or "*" in self.wanted

    def nudge(self) -> None:
        """There is a new event: don't wait for the next check."""
        self._new.set()
        if self.feed is not None:
            self.feed.nudge()

    def woken(self) -> None:
        """There are deliveries, a wakeup says: look for them. Another coordinator is to look, too, where there is no room for all here."""
        if len(self._free()) < len(self._wanted_here()) or not self._wanted_here():
            self._store.wakeups.tell(DELIVERIES, AGAIN_SECONDS)
        self.nudge()

    async def _look(self) -> None:
        call_context.set(None)
        while True:
            self._new.clear()
            pause = POLL_SECONDS
            try:
                await self.take()
                if self.feed is None:  # else it is what the stream owes that is looked for
                    pause = self._store.wakeups.pace(POLL_SECONDS)
            except Exception as error:  # noqa: BLE001 - the next attempt may succeed
                log.warning("events could not be looked for", error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._new.wait()

    async def take(self) -> list[asyncio.Task[None]]:
        """Begin the deliveries that are due, as far as there is room; where a stream brings them, those that it hasn't brought. Returns the
        ones begun."""
        free = self._free()
        if not free:
            return []
        rooms = {"subscribers": list(free), "rooms": list(free.values())}
        if self.feed is None or not self.feed.brings:
            rows = await self._database.fetch(queries.TAKE_DELIVERIES, rooms)
            if any(number >= free[name] for name, number in Counter(row["subscriber"] for row in rows).items()):
                self._store.wakeups.tell(DELIVERIES)  # there may be more, for others
            return self._begin(rows)
        behind, self._behind = self._behind, set()  # what is announced meanwhile may be missed
        left = behind
        try:
            rows = await self._database.fetch(queries.TAKE_LATE, {**rooms, "behind": list(behind), "late": LATE_SECONDS})
            taken = Counter(row["subscriber"] for row in rows)
            left = {name for name in behind if taken[name] >= free.get(name, 0)}
        finally:
            self._behind |= left
        return self._begin(rows)

    async def take_announced(self, ids: Sequence[str]) -> list[asyncio.Task[None]]:
        """Begin the deliveries of these events that are due, as far as there is room; `take` begins the others. Returns the ones begun."""
        free = self._free()
        params = {"subscribers": list(free), "rooms": list(free.values()), "ids": list(ids)}
        rows = await self._database.fetch(queries.TAKE_ANNOUNCED, params) if free else []
        taken = Counter(row["subscriber"] for row in rows)
        behind = {one.name for one in self._wanted_here() if taken[one.name] >= free.get(one.name, 0)}
        if behind:
            self._behind |= behind
            self._new.set()
        return self._begin(rows)

    def _free(self) -> dict[str, int]:
        """The subscribers of this process that there is room for, with how many deliveries."""
        rooms = {one.name: AT_ONCE - self._at_work[one.name] for one in self._wanted_here()}
        return {name: room for name, room in rooms.items() if room > 0}

    def _begin(self, rows: Sequence[Any]) -> list[asyncio.Task[None]]:
        here = {one.name: one for one in self._here()}
        begun = []
        for row in rows:
            if row["due_at"] is None:
                log.error("an event was given up", name=row["name"], id=row["id"], subscriber=row["subscriber"])
                continue
            self._at_work[row["subscriber"]] += 1
            begun.append(self._deliveries.begin(self._deliver(here[row["subscriber"]], row)))
        return begun

    async def _deliver(self, subscriber: Subscriber, row: Any) -> None:
        id = row["id"]
        standing = {"id": id, "subscriber": subscriber.name, "attempts": row["attempts"]}
        settle: Callable[[], Awaitable[object]] = functools.partial(self._database.execute, queries.HAND_BACK, standing)
        try:
            run = await self._call(subscriber, row)
            if isinstance(run, Run):
                settle = functools.partial(self._store.settle, id, subscriber.name, run.id, run.events, run.starts or ())
            else:
                settle = functools.partial(self._database.execute, queries.NOT_DELIVERED, {**standing, "error": run})
            with bookkeeping(id):
                await settle()
            if not isinstance(run, Run):
                self._store.wakeups.tell(f"{DELIVERIES} {id}", queries.AGAIN_BASE ** row["attempts"])
            elif run.starts:
                self._begun()
        except asyncio.CancelledError:
            with suppress(VelellaError), bookkeeping(id):  # else it is delivered again in a minute
                await settle()
            raise
        except VelellaError as error:  # it is delivered again in a minute, and changes nothing twice
            log.warning("a delivery could not be written down", id=id, subscriber=subscriber.name, error=str(error))
        finally:
            self._at_work[subscriber.name] -= 1
            self._new.set()

    async def _call(self, subscriber: Subscriber, row: Any) -> Run | str:
        """Hand the event to the subscriber. Returns its run, with what it has emitted and started, or the error text if it failed."""
        id = row["id"]

        async def deliver(flow: Flow[Any]) -> None:  # what it carries may be of a plugin that isn't here
            await subscriber.function(flow, Event(id, row["name"], unpack(row["data"]), row["created_at"]))

        run = Run(self._flows, Workflow(subscriber.name, deliver), id=f"{id}:{subscriber.name}", settled=True)
        self._runs.add(run)
        call_context.set(CallContext(id).within(DELIVERY_SECONDS).scoped(f"{run.id}:0"))
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                await run.carry_out({})
        except Exception as error:
            about = {"name": row["name"], "id": id, "subscriber": subscriber.name, "error": str(error)}
            if isinstance(error, Unavailable | Busy):  # somebody is away, for all events of a while: one line of the log each
                log.warning("a subscriber failed", **about, hint=error.hint)
            else:
                log.exception("a subscriber failed", **about)
            return as_velella_error(error).message
        finally:
            self._runs.discard(run)
        return run
