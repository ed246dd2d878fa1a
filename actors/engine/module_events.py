"""Events of modules (`product.product.created`): which of them modules have to write, and their way from there to the outbox.

A module may have a database of its own, so the two have no transaction in common. Its triggers write an event in the transaction of the
change, under the id that the event keeps (`core/sql/write/outbox.py`). Every coordinator looks for such events, stores them with their
deliveries, and has them dropped then. One that dies in between leaves them to be found again: what is stored already isn't stored twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from ...core.errors import VelellaError
from ...core.logs import logger
from ...core.message import CallContext, call_context
from ...core.sql.db.database import Database
from ...core.sql.write.outbox import module_of
from . import queries
from .store import Executions

AT_ONCE = 500
"""Events that are brought together."""
AGAIN_SECONDS = 5.0
"""Seconds after which a module that couldn't be told is told again."""
UNKNOWN_SECONDS = 30.0
"""Seconds after which a module that doesn't have some of the events is told again: while the shop is rolled out, an older replica may have
answered for a newer one."""
BRING_SECONDS = 20.0
"""Seconds for bringing them. Far less than the time for which the outbox keeps events: one that was brought by another coordinator in
between, delivered and forgotten would come a second time."""

log = logger("velella.events")


class ModuleEvents:
    """Brings events of modules to the outbox; one in each coordinator."""

    def __init__(
        self,
        modules: object,
        database: Database,
        store: Executions,
        subscribed: Callable[[], frozenset[str]],
        brought: Callable[[], None],
    ) -> None:
        """
        Args:
            modules: has the handles of all modules by name.
            subscribed: gives what the shop subscribes to, as last read.
            brought: called when there is something to deliver.
        """
        self._modules = modules
        self._subscribed = subscribed
        self._database = database
        self._store = store
        self._brought = brought
        self._told: dict[str, frozenset[str]] = {}
        """Module → the events that it has been told to write."""
        self._told_of: frozenset[str] | None = None
        """What was subscribed to when all modules had been told."""
        self._again: dict[str, float] = {}
        """Module → when one that couldn't be told is told again, by `time.monotonic`."""
        self._unknown: dict[str, tuple[float, list[str]]] = {}
        """Module → when one that was told, but doesn't have some of the events, is told again; and those events."""

    async def look(self) -> None:
        """Tell modules what is subscribed to, where that has changed, and bring what they have written. To be repeated."""
        if self._subscribed() != self._told_of or any(at <= time.monotonic() for at, _ in self._unknown.values()):
            await self._tell_all()
        if bringing := [name for name, each in self._told.items() if each]:
            await asyncio.gather(*map(self._bring, bringing))

    async def _tell_all(self) -> None:
        """Tell the modules that don't know yet what is subscribed to of theirs."""
        seen = self._subscribed()
        wanted, version = await self._subscriptions()
        now = time.monotonic()
        again = {name for name, (at, _) in self._unknown.items() if at <= now}
        to_tell = [
            name for name, each in wanted.items() if (self._told.get(name) != each or name in again) and self._again.get(name, now) <= now
        ]
        await asyncio.gather(*(self._tell(name, wanted[name], version) for name in to_tell))
        if self._told == wanted == self._by_module(seen):
            self._told_of = seen

    async def _subscriptions(self) -> tuple[dict[str, frozenset[str]], int]:
        """`_by_module` of what the shop subscribes to by now, and a number that is higher for every later look, whoever looks."""
        async with self._database.transaction():
            await self._database.execute(queries.LOCK_SUBSCRIPTIONS)
            row = await self._database.fetch_one(queries.SUBSCRIPTIONS_NOW)
        assert row is not None
        return self._by_module(row["events"]), row["version"]

    def _by_module(self, events: Iterable[str]) -> dict[str, frozenset[str]]:
        """Every module of the shop → its events among these."""
        found: dict[str, set[str]] = {name: set() for name in vars(self._modules)}
        for event in events:
            if (module := module_of(event)) is not None and module in found:
                found[module].add(event)
        return {name: frozenset(each) for name, each in found.items()}

    async def _tell(self, name: str, events: frozenset[str], version: int) -> None:
        try:
            unknown = await vars(self._modules)[name].write_events(sorted(events), version)
        except Exception as error:  # noqa: BLE001 - it is told again, and the others aren't kept waiting
            self._again[name] = time.monotonic() + AGAIN_SECONDS
            log.warning("a module was not told which events to write", module=name, error=str(error))
        else:
            self._told[name] = events
            _, known_before = self._unknown.pop(name, (0.0, None))
            if unknown:
                self._unknown[name] = time.monotonic() + UNKNOWN_SECONDS, list(unknown)
                if unknown != known_before:
                    log.warning("a subscriber waits for events that its module doesn't have", module=name, events=unknown)

    async def _bring(self, name: str) -> None:
        module = vars(self._modules)[name]
        token = call_context.set(CallContext().within(BRING_SECONDS))
        until = time.monotonic() + BRING_SECONDS
        try:
            while rows := await module.written_events(AT_ONCE):
                if time.monotonic() > until:  # this process was stopped; the next look reads them again
                    return
                await self._store.store_written([tuple(row) for row in rows])
                self._brought()
                await module.drop_events([id for id, _, _ in rows])
                if len(rows) < AT_ONCE:
                    return
        except VelellaError as error:  # they are found again by the next look
            log.warning("the events of a module could not be brought", module=name, error=str(error))
        finally:
            call_context.reset(token)
