"""Events reach their subscribers, at least once, and don't stay for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgpack  # type: ignore[import-untyped]
import pytest
from sqlalchemy import text

from velella.actors.engine import queries
from velella.actors.engine.events import AT_ONCE
from velella.core.codec import OBJECT
from velella.core.errors import Conflict, NotAllowed, Unavailable
from velella.core.flow import Event, Flow, step, subscriber, workflow
from velella.core.flow.definitions import _subscribers

from .test_durable_flows import left_by_a_dead_process, take_over

if TYPE_CHECKING:
    from toy_stage import Stage


@pytest.fixture(autouse=True)
def no_subscribers() -> Iterator[None]:
    """Only those of the test: a coordinator that starts with others relays beside it."""
    before = dict(_subscribers)
    _subscribers.clear()
    yield
    _subscribers.clear()
    _subscribers.update(before)


@step
async def refuse(flow: Flow) -> None:
    raise NotAllowed("No.")


@workflow("toy-tell", emits=("toy.told", "toy.unheard"))
async def tell(flow: Flow, fail: bool = False) -> None:
    flow.emit("toy.told", n=1)
    flow.emit("toy.unheard")
    if fail:
        await flow.run(refuse)


async def outbox(here: Stage) -> list[dict[str, Any]]:
    from velella.core.sql.db.compiled import Compiled

    return [dict(row) for row in await here.database.fetch(Compiled("SELECT * FROM event_outbox ORDER BY created_at, id"))]


async def deliveries(here: Stage) -> list[dict[str, Any]]:
    from velella.core.sql.db.compiled import Compiled

    return [dict(row) for row in await here.database.fetch(Compiled("SELECT * FROM event_delivery ORDER BY event_id, subscriber"))]


async def listen(here: Stage) -> None:
    """As a coordinator does when it starts: the test's subscribers are made after that."""
    await here.coordinator._relay.subscribe()


async def relay(here: Stage) -> int:
    """Deliver what is due; how many that were."""
    begun = await here.coordinator._relay.take()
    await asyncio.gather(*begun)
    return len(begun)


async def test_a_short_flow_keeps_events_only_for_those_who_listen(here: Stage) -> None:
    await here.coordinator.run("toy-tell", {})
    assert await outbox(here) == []
    heard: list[Event] = []

    @subscriber("toy.told")
    async def hear(flow: Flow, event: Event) -> None:
        heard.append(event)

    await listen(here)
    await here.coordinator.run("toy-tell", {})
    with pytest.raises(NotAllowed):
        await here.coordinator.run("toy-tell", {"fail": True})
    assert await relay(here) == 1
    assert await relay(here) == 0
    assert [(event.name, event.data) for event in heard] == [("toy.told", {"n": 1})]
    assert len(await outbox(here)) == 1
    assert await deliveries(here) == []


async def test_a_durable_flow_keeps_its_events_with_its_result(here: Stage) -> None:
    await here.coordinator.run("book-three", {"account": "a"})
    [row] = await outbox(here)
    assert row["name"] == "ledger.booked"
    assert await deliveries(here) == [], "nobody listens"
    with pytest.raises(NotAllowed):
        await here.coordinator.run("book-three", {"account": "b", "fail": True})
    assert len(await outbox(here)) == 1


async def test_no_event_of_a_short_flow_is_lost_with_its_process(engine_database: str, here: Stage) -> None:
    heard: list[Event] = []

    @subscriber("ledger.told")
    async def hear(flow: Flow, event: Event) -> None:
        heard.append(event)

    await listen(here)
    await left_by_a_dead_process(engine_database, "in between", "book-and-tell", account="a")
    await take_over(here)
    while tasks := list(here.coordinator._durable._tasks):
        await asyncio.wait(tasks)
    assert await here.booked("a") == [1]
    assert await relay(here) == 1
    assert [event.data for event in heard] == [{"account": "a"}]


async def test_a_subscriber_that_fails_gets_the_event_again_without_writing_twice(here: Stage) -> None:
    calls: list[str] = []

    @subscriber("toy.told", name="first")
    async def first(flow: Flow, event: Event) -> None:
        calls.append("first")

    @subscriber("*", name="second")
    async def second(flow: Flow, event: Event) -> None:
        again = event.id in calls
        calls.append(event.id)
        await flow.modules.ledger.book("events", 1)  # type: ignore[attr-defined]
        if not again:
            raise Unavailable("Not now.")

    await listen(here)
    await here.coordinator.run("toy-tell", {})
    await relay(here)
    assert [(row["subscriber"], row["error"]) for row in await deliveries(here)] == [("second", "Not now.")] * 2
    await here.database.script("UPDATE event_delivery SET due_at = now()")
    await relay(here)
    assert await deliveries(here) == []
    assert calls.count("first") == 1
    assert await here.booked("events") == [1, 1], "two events, two bookings, however often they came"


async def test_what_is_due_now_is_due_at_once(here: Stage) -> None:
    @subscriber("toy.told", name="busy")
    async def busy(flow: Flow, event: Event) -> None: ...

    await listen(here)
    await here.coordinator.run("toy-tell", {})
    mine = {"subscribers": ["busy"], "rooms": [1]}
    for _ in range(20):  # times are kept in milliseconds: half of these are rounded up
        async with here.database.transaction():
            await here.database.script("UPDATE event_delivery SET due_at = now(), attempts = 0")
            assert await here.database.fetch(queries.TAKE_DELIVERIES, mine), "not after another look"


async def test_a_slow_subscriber_keeps_nobody_else_waiting(engine_database: str) -> None:
    from toy_stage import stage

    heard: list[str] = []
    stuck = asyncio.Event()

    @subscriber("toy.told", name="slow")
    async def slow(flow: Flow, event: Event) -> None:
        await stuck.wait()

    @subscriber("toy.told", name="quick")
    async def quick(flow: Flow, event: Event) -> None:
        heard.append(event.id)

    async with stage(engine_database) as here:
        for _ in range(40):  # more than are delivered at once
            await here.coordinator.run("toy-tell", {})
        async with asyncio.timeout(10):
            while len(heard) < 40:
                await asyncio.sleep(0.02)
        under_way = [row for row in await deliveries(here) if row["attempts"] and row["subscriber"] == "slow"]
        assert 0 < len(under_way) <= 8, "as many as one subscriber is given at once"
    async with stage(engine_database) as here:  # what it had taken and not done is handed back, and nothing is lost
        assert len([row for row in await deliveries(here) if row["subscriber"] == "slow"]) == 40
        stuck.set()
        async with asyncio.timeout(10):
            while await deliveries(here):
                await asyncio.sleep(0.02)


async def test_an_event_waits_for_a_subscriber_that_only_others_have(engine_database: str) -> None:
    """Of a plugin that this process, a command of an operator perhaps, was started without."""
    from toy_stage import stage

    heard: list[str] = []

    @subscriber("toy.told", name="of a plugin")
    async def of_a_plugin(flow: Flow, event: Event) -> None:
        heard.append(event.id)

    async with stage(engine_database):
        pass
    plugin = _subscribers.copy()
    _subscribers.clear()

    @subscriber("toy.told", name="of everybody")
    async def of_everybody(flow: Flow, event: Event) -> None: ...

    async with stage(engine_database) as here:
        await here.coordinator.run("toy-tell", {})
        async with asyncio.timeout(10):
            while [row["subscriber"] for row in await deliveries(here)] != ["of a plugin"]:
                await asyncio.sleep(0.02)
    assert heard == []
    _subscribers.update(plugin)
    async with stage(engine_database) as here:
        async with asyncio.timeout(10):
            while await deliveries(here):
                await asyncio.sleep(0.02)
    assert len(heard) == 1


async def test_a_delivery_that_kills_its_coordinators_is_given_up(here: Stage) -> None:
    @subscriber("toy.told", name="killer")
    async def killer(flow: Flow, event: Event) -> None: ...

    await listen(here)
    await here.coordinator.run("toy-tell", {})
    await here.database.script("UPDATE event_delivery SET attempts = 12")
    assert await relay(here) == 0
    [row] = await deliveries(here)
    assert (row["due_at"], row["error"]) == (None, "Every coordinator that took it died.")


async def test_an_event_that_can_not_be_read_here_keeps_no_other_waiting(here: Stage) -> None:
    """What it carries is of a plugin that this process doesn't have."""
    heard: list[str] = []

    @subscriber("*", name="hearer")
    async def hear(flow: Flow, event: Event) -> None:
        heard.append(event.name)

    await listen(here)
    await here.coordinator._store.store_events(None, [("toy.strange", {})])
    strange = msgpack.packb({"is": msgpack.ExtType(OBJECT, msgpack.packb(["Gone", 1]))})
    await here.database.execute(text("UPDATE event_outbox SET data = :data").bindparams(data=strange))
    for _ in range(AT_ONCE):
        await here.database.script("UPDATE event_delivery SET due_at = now()")
        await relay(here)
    [row] = await deliveries(here)
    assert "Gone" in row["error"]
    await here.coordinator._store.store_events(None, [("toy.plain", {})])
    await relay(here)
    assert heard == ["toy.plain"]


async def test_a_subscriber_that_nobody_has_any_more_is_forgotten(here: Stage) -> None:
    from velella.core.sql.db.compiled import Compiled

    @subscriber("toy.told", name="stays")
    async def stays(flow: Flow, event: Event) -> None: ...

    await listen(here)
    await here.database.script("INSERT INTO event_subscription VALUES ('toy.told', 'gone', now() - interval '2 days')")
    await here.coordinator.clean()
    assert [row["subscriber"] for row in await here.database.fetch(Compiled("SELECT * FROM event_subscription"))] == ["stays"]
    await here.database.script("UPDATE event_subscription SET seen_at = now() - interval '9 days'")
    await here.coordinator.clean()
    assert len(await here.database.fetch(Compiled("SELECT * FROM event_subscription"))) == 1, "the shop was only away"


async def test_subscribers_run_workflows(here: Stage) -> None:
    @workflow("toy-answer")
    async def answer(flow: Flow, n: int) -> None:
        await flow.run(write_down, n)

    @step
    async def write_down(flow: Flow, n: int) -> None:
        await flow.modules.ledger.book("answers", n)  # type: ignore[attr-defined]

    @subscriber("toy.told")
    async def hear(flow: Flow, event: Event) -> None:
        await flow.run(answer, event.data["n"])

    await listen(here)
    await here.coordinator.run("toy-tell", {})
    await relay(here)
    assert await here.booked("answers") == [1]


async def test_what_a_subscriber_starts_begins_once_when_the_event_is_settled(engine_database: str, here: Stage) -> None:
    from toy_stage import stage

    failing: list[str] = ["once"]
    gate = asyncio.Event()
    gate.set()

    @workflow("toy-long-work", durable=True)
    async def long_work(flow: Flow, n: int) -> None:
        await flow.run(toy_ledger.book, "work", n)

    @workflow("toy-keyed-work", durable=True, key="n")
    async def keyed_work(flow: Flow, n: int) -> None:
        await flow.run(toy_ledger.book, "keyed", n)

    import toy_ledger

    transactions: list[str] = []

    @subscriber("toy.told")
    async def hear(flow: Flow, event: Event) -> None:
        await gate.wait()
        transactions.append(await flow.start(long_work, n=event.data["n"]))
        assert await flow.start(keyed_work, n=event.data["n"]) == "1"
        assert await flow.start(keyed_work, n=event.data["n"]) == "1"
        flow.emit("toy.heard")
        if failing.pop():
            raise Unavailable("After all that.")

    async def executions() -> list[str]:
        return sorted(row["workflow"] for row in await here.coordinator.list() if row["workflow"] != "toy-tell")

    await listen(here)
    await here.coordinator.run("toy-tell", {})
    await relay(here)
    assert await executions() == [], "what failed has started nothing"
    failing[:] = ["", ""]
    # another coordinator has it too: this one took so long that it counts as undelivered
    async with stage(engine_database) as other:
        mine, theirs = here.coordinator._relay, other.coordinator._relay
        assert theirs._looking is not None
        theirs._looking.cancel()  # it takes what the test has it take
        await here.database.script("UPDATE event_delivery SET due_at = now()")
        gate.clear()
        (first,) = await mine.take()
        await here.database.script("UPDATE event_delivery SET due_at = now()")
        (second,) = await theirs.take()
        gate.set()
        await asyncio.gather(first, second)
        assert await executions() == ["toy-keyed-work", "toy-long-work"]
        assert [row["name"] for row in await outbox(here)] == ["toy.told", "toy.heard"]
        while not all(row["state"] == "done" for row in await here.coordinator.list()):
            await asyncio.sleep(0.01)
    assert await here.booked("work") == await here.booked("keyed") == [1]
    assert [row["id"] in transactions for row in await here.coordinator.list(workflow="toy-long-work")] == [True]


async def test_old_rows_go(here: Stage) -> None:
    await here.coordinator.run("book-three", {"account": "a"})
    await here.coordinator.clean()
    assert len(await outbox(here)) == len(await here.coordinator.list()) == 1
    await here.database.script("UPDATE event_outbox SET created_at = now() - interval '2 hours'")
    await here.database.script("UPDATE workflow_execution SET expires_at = now() - interval '1 second'")
    await here.coordinator.clean()
    assert await outbox(here) == await here.coordinator.list() == []


async def test_a_flow_keeps_its_locks_until_it_has_been_undone(here: Stage) -> None:
    seen: list[str] = []

    async def undo(flow: Flow, _: None) -> None:
        with pytest.raises(Conflict):
            await here.locks.take("a", "somebody else", wait=0.05, lease=1)
        seen.append("undone under the lock")

    @step(undo=undo)
    async def change(flow: Flow) -> None: ...

    @workflow("toy-inner-lock")
    async def inner(flow: Flow) -> None:
        async with flow.lock("a"):  # held already: not waited for
            await flow.run(change)

    @workflow("toy-lock")
    async def locking(flow: Flow, fail: bool) -> None:
        async with flow.lock("a"):
            await flow.run(inner)
            if fail:
                await flow.run(refuse)

    await here.coordinator.run("toy-lock", {"fail": False})
    with pytest.raises(NotAllowed):
        await here.coordinator.run("toy-lock", {"fail": True})
    assert seen == ["undone under the lock"]
    await here.coordinator.run("toy-lock", {"fail": False})
    assert here.locks.table.metrics.held == 0


async def test_a_flow_stops_when_its_lock_is_lost(here: Stage) -> None:
    @step
    async def nothing(flow: Flow) -> None: ...

    @workflow("toy-lost")
    async def losing(flow: Flow) -> None:
        async with flow.lock("a", lease=0.3) as held:
            here.locks.table.withdraw("a", f"{flow.execution_id}#1")
            async with asyncio.timeout(20):
                while not held.lost:
                    await asyncio.sleep(0.01)
            await flow.run(nothing)

    with pytest.raises(Conflict, match="was lost"):
        await here.coordinator.run("toy-lost", {})


async def test_what_can_not_be_undone_is_shown_and_tried_again(here: Stage) -> None:
    stuck = [True]

    @step(name="sticky")
    async def sticky(flow: Flow) -> str:
        made: str = await flow.modules.ledger.book("stuck", 1)  # type: ignore[attr-defined]
        return made

    async def unstick(flow: Flow, id: str) -> None:
        if stuck[0]:
            raise NotAllowed("It sticks.")
        await flow.modules.ledger.strike(id)  # type: ignore[attr-defined]

    resisting = step(undo=unstick, name="sticky")(sticky.function)

    @workflow("toy-stuck")
    async def sticking(flow: Flow) -> None:
        await flow.run(resisting)
        await flow.run(refuse)

    with pytest.raises(NotAllowed, match="No"):
        await here.coordinator.run("toy-stuck", {})
    [row] = await here.coordinator.list(state="failed")
    assert row["error"] == "NotAllowed: It sticks."
    assert (await here.coordinator.show(row["id"]))["to_undo"] == [f"1 {resisting.reference}"]
    stuck[0] = False
    await here.coordinator.retry(row["id"])
    assert await here.coordinator.recover() == 1
    async with asyncio.timeout(5):
        while (await here.coordinator.list())[0]["state"] != "reverted":
            await asyncio.sleep(0.02)
    assert await here.booked("stuck") == []


async def test_what_the_settings_switch_off_is_kept_nothing_for(here: Stage) -> None:
    """Also when it was on before: other processes learn that nobody listens any more."""
    wanted = [True]
    heard: list[str] = []

    @subscriber("toy.told", when=lambda settings: wanted[0])
    async def hear(flow: Flow, event: Event) -> None:
        heard.append(event.id)

    await listen(here)
    assert here.coordinator._relay.wants("toy.told")
    wanted[0] = False
    await listen(here)
    assert not here.coordinator._relay.wants("toy.told")
    await here.coordinator.run("toy-tell", {})
    assert (await outbox(here), await here.coordinator._relay.take(), heard) == ([], [], [])
