"""The outbox under all that happens to it: subscribers that fail, hang or kill their coordinator, and processes that know only some."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from velella.actors.engine import queries
from velella.actors.engine.events import AT_ONCE, Relay
from velella.actors.engine.lease import Lease
from velella.actors.engine.store import Executions
from velella.actors.engine.wakeups import Wakeups
from velella.core.errors import Unavailable
from velella.core.flow import Event, Flow, FlowContext, Subscriber
from velella.core.settings import Settings
from velella.core.sql.db.database import Database

T = TypeVar("T")

EVERYBODY = ("mailer", "searcher", "plugin")
"""Each of two coordinators of the shop has two of them; a visitor has none, or others."""
SHARED = {"one": ("mailer", "searcher"), "two": ("mailer", "plugin")}
EVENTS = {"mailer": ("order.placed",), "searcher": ("product.updated", "order.placed"), "plugin": ("*",)}
NAMES = tuple(sorted({name for names in EVENTS.values() for name in names} - {"*"}))


class Outbox(RuleBasedStateMachine):
    """A shop of two coordinators, and a visitor, over a real database. Time goes on where a rule makes what waits due."""

    loop: asyncio.AbstractEventLoop
    database: Database

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    @initialize()
    def begin(self) -> None:
        self.mood: dict[str, str] = dict.fromkeys(EVERYBODY, "well")
        self.stuck: dict[str, asyncio.Event] = {}
        self.heard: Counter[tuple[str, str]] = Counter()
        self.due: set[tuple[str, str]] = set()
        """(event, subscriber) of all that was emitted and that the shop subscribes to."""
        self.do(self._begin())

    async def _begin(self) -> None:
        await self.database.script("TRUNCATE event_outbox, event_subscription CASCADE")
        self.relays = {place: self._relay(names) for place, names in SHARED.items()}
        self.visitor = self._relay(("stranger",))
        self.stuck = {name: asyncio.Event() for name in EVERYBODY}
        for relay in self.relays.values():
            await relay.subscribe()
        await self.visitor.learn()

    def _relay(self, names: tuple[str, ...]) -> Relay:
        store = Executions(self.database, Lease(self.database, "local", Wakeups(None)), Wakeups(None))
        flows = FlowContext(cast(Any, None), cast(Any, None), Settings(_env_file=None), cast(Any, None))
        here = [Subscriber(name, EVENTS.get(name, ("*",)), self._function(name)) for name in names]
        return Relay(flows, self.database, store, lambda: None, lambda: here)

    def _function(self, name: str) -> Any:
        async def function(flow: Flow, event: Event) -> None:
            assert name in EVERYBODY, "a visitor delivers nothing"
            match self.mood[name]:
                case "fails":
                    raise Unavailable("Not now.")
                case "hangs":
                    await self.stuck[name].wait()
            self.heard[event.data["n"], name] += 1

        return function

    @rule(event=st.sampled_from(NAMES), place=st.sampled_from(("one", "two", "visitor")), times=st.sampled_from((1, 3, AT_ONCE + 1)))
    def emit(self, event: str, place: str, times: int) -> None:
        relay = self.visitor if place == "visitor" else self.relays[place]
        for _ in range(times):
            number = f"{len({event for event, _ in self.due})}"
            self.due |= {(number, name) for name, events in EVENTS.items() if event in events or "*" in events}
            self.do(relay._store.store_events("wfx_1", [(event, {"n": number})]))

    @rule(name=st.sampled_from(EVERYBODY), mood=st.sampled_from(("well", "fails", "hangs")))
    def feel(self, name: str, mood: str) -> None:
        async def feel() -> None:
            self.mood[name] = mood
            if mood != "hangs":
                self.stuck[name].set()
                self.stuck[name] = asyncio.Event()

        self.do(feel())

    @rule(name=st.sampled_from(EVERYBODY), place=st.sampled_from(("one", "two", "visitor")))
    def hang_in_a_burst(self, name: str, place: str) -> None:
        """More of what everybody subscribes to than a subscriber that hangs can be given at once."""
        self.feel(name, "hangs")
        self.emit("order.placed", place, AT_ONCE + 1)

    @rule(place=st.sampled_from(sorted(SHARED)))
    def look(self, place: str) -> None:
        self.do(self.relays[place].take())

    @rule()
    def an_hour_goes_by(self) -> None:
        self.do(self.database.script("UPDATE event_delivery SET due_at = due_at - interval '1 hour'"))

    @rule(place=st.sampled_from(sorted(SHARED)), dies=st.booleans())
    def restart(self, place: str, dies: bool) -> None:
        """In order, handing back what is under way; or killed."""

        async def restart() -> None:
            relay = self.relays[place]
            if dies:
                database, relay._database = relay._database, cast(Any, Gone())
                await relay.stop()
                relay._database = database
            else:
                await relay.stop()
            self.relays[place] = self._relay(SHARED[place])
            await self.relays[place].subscribe()

        self.do(restart())

    @precondition(lambda self: self.due)
    @rule()
    def who_is_well_waits_for_nobody(self) -> None:
        """However others are, what is due for a subscriber that is well arrives."""
        self.do(self._arrive({name for name in EVERYBODY if self.mood[name] == "well"}))

    async def _arrive(self, names: set[str]) -> None:
        async with asyncio.timeout(30):
            while missing := {one for one in self.due if one[1] in names and not self.heard[one]}:
                # what a dead coordinator had taken is due again after its minute
                await self.database.script("UPDATE event_delivery SET due_at = due_at - interval '61 seconds' WHERE due_at > now()")
                # and an operator gives another chance to what was given up
                await self.database.script("UPDATE event_delivery SET attempts = 0, due_at = now() WHERE due_at IS NULL")
                for relay in self.relays.values():
                    await relay.take()
                await asyncio.sleep(0.001)
        assert not missing

    def teardown(self) -> None:
        if not hasattr(self, "relays"):
            return
        for name in EVERYBODY:
            self.feel(name, "well")
        self.do(self._arrive(set(EVERYBODY)))
        assert set(self.heard) == self.due, "everybody heard what they subscribe to, and nothing else"
        self.do(self._end())

    async def _end(self) -> None:
        async with asyncio.timeout(30):
            while await self.database.fetch_value(queries._sql("SELECT count(*) FROM event_delivery")):
                await self.database.script("UPDATE event_delivery SET due_at = now(), attempts = 0")
                for relay in self.relays.values():
                    await asyncio.gather(*await relay.take())
        for relay in (*self.relays.values(), self.visitor):
            await relay.stop()


class Gone:
    """The database to a process that is dead: it tells it nothing any more."""

    async def execute(self, *_: Any) -> int:
        raise Unavailable("This process is dead.")


@pytest.mark.usefixtures("engine_toys_importable")
async def test_whatever_happens_every_subscriber_hears_of_every_event(engine_database: str) -> None:
    database = Database(engine_database, connections=8)
    await database.open()
    machine = type("Outbox", (Outbox,), {"loop": asyncio.get_running_loop(), "database": database})
    try:
        await asyncio.to_thread(run_state_machine_as_test, machine, settings=settings(max_examples=15, stateful_step_count=20))
    finally:
        await database.close()
