"""The outbox: events wait in a table until every subscriber has had them.

Delivery is at least once. A subscriber's own writes are recorded under the event's id, so a second delivery changes nothing twice. One
that fails gets the event again later, less and less often, then no more; the row stays for operators, with the error, until it is three
days old. Events that everybody got, or nobody asked for, go after an hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ...core.codec import unpack
from ...core.flow import Event, Flow, FlowContext, Subscriber, Workflow
from ...core.flow.definitions import subscribers, subscribers_of
from ...core.flow.run import Run, as_velella_error
from ...core.logs import logger
from ...core.messages import CallContext, call_context
from ...core.sql.database import Database
from . import queries
from .store import Events, Executions, bookkeeping

POLL_SECONDS = 1.0
BATCH = 32
DELIVERY_SECONDS = 50.0
"""For one subscriber; less than the time after which another coordinator takes the event for undelivered."""

log = logger("velella.events")


def wanted(name: str) -> bool:
    """Whether anybody subscribes to an event."""
    return bool(subscribers_of(name))


class Relay:
    """Delivers events; one in each coordinator. They share the work by skipping what another one has locked."""

    def __init__(self, flows: FlowContext, database: Database, store: Executions) -> None:
        self._flows = flows
        self._database = database
        self._store = store
        self._delivering: asyncio.Task[None] | None = None
        self._new = asyncio.Event()

    async def start(self) -> None:
        if subscribers():
            self._delivering = asyncio.create_task(self._deliver())

    async def stop(self) -> None:
        if self._delivering is not None:
            self._delivering.cancel()
            with suppress(asyncio.CancelledError):
                await self._delivering

    def nudge(self) -> None:
        """There is something new: don't wait for the next look."""
        self._new.set()

    async def _deliver(self) -> None:
        call_context.set(None)
        while True:
            try:
                delivered = await self.round()
            except Exception as error:  # noqa: BLE001 - the next look may go better; what was not marked as delivered comes again
                log.warning("events could not be delivered", error=str(error))
                delivered = 0
            if delivered == BATCH:
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._new.wait()
            self._new.clear()

    async def round(self) -> int:
        """Deliver what is due now, at most `BATCH`; how many that were."""
        rows = await self._database.fetch(queries.DUE_EVENTS, {"limit": BATCH})
        await asyncio.gather(*(self._one(row) for row in rows))
        return len(rows)

    async def _one(self, row: Any) -> None:
        event = Event(row["id"], row["name"], unpack(row["data"]), row["created_at"])
        served: list[str] = list(row["served"])
        failed: list[str] = []
        for subscriber in subscribers_of(event.name):
            if subscriber.name in served:
                continue
            try:
                await self._tell(subscriber, event)
                served.append(subscriber.name)
            except Exception as error:
                log.exception("a subscriber failed", name=event.name, id=event.id, subscriber=subscriber.name)
                failed.append(f"{subscriber.name}: {as_velella_error(error).message}")
        params = {"id": event.id, "served": served, "error": "; ".join(failed) or None}
        await self._database.execute(queries.SERVED, params)

    async def _tell(self, subscriber: Subscriber, event: Event) -> None:
        async def deliver(flow: Flow) -> None:
            await subscriber.function(flow, event)

        run = Run(self._flows, Workflow(subscriber.name, deliver), id=f"{event.id}:{subscriber.name}", recorded=True)
        call_context.set(CallContext(event.id).within(DELIVERY_SECONDS).scoped(f"{run.id}:0"))
        async with asyncio.timeout(DELIVERY_SECONDS):
            await run.carry_out({})
        if run.events:
            await self._store.store_events(run.id, run.events)
            self.nudge()


async def tell(store: Executions, relay: Callable[[], None], execution: str, events: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Keep the events of a short flow that somebody subscribes to. Those of durable flows are kept with their result."""
    some: Events = [event for event in events if wanted(event[0])]
    if some:
        with bookkeeping():
            await store.store_events(execution, some)
        relay()
