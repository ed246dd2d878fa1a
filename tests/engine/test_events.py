"""Events reach their subscribers, at least once, and don't stay for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from velella.core.errors import Conflict, NotAllowed, Unavailable
from velella.core.flow import Event, Flow, step, subscriber, workflow
from velella.core.flow.definitions import _subscribers

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


@workflow("toy-tell")
async def tell(flow: Flow, fail: bool = False) -> None:
    flow.emit("toy.told", n=1)
    flow.emit("toy.unheard")
    if fail:
        await flow.run(refuse)


async def outbox(here: Stage) -> list[dict[str, Any]]:
    from velella.core.sql.compiled import Compiled

    return [dict(row) for row in await here.database.fetch(Compiled("SELECT * FROM event_outbox ORDER BY created_at, id"))]


async def relay(here: Stage) -> int:
    return await here.coordinator._relay.round()


async def test_a_short_flow_keeps_events_only_for_those_who_listen(here: Stage) -> None:
    await here.coordinator.run("toy-tell", {})
    assert await outbox(here) == []
    heard: list[Event] = []

    @subscriber("toy.told")
    async def listen(flow: Flow, event: Event) -> None:
        heard.append(event)

    await here.coordinator.run("toy-tell", {})
    with pytest.raises(NotAllowed):
        await here.coordinator.run("toy-tell", {"fail": True})
    assert await relay(here) == 1
    assert await relay(here) == 0
    assert [(event.name, event.data) for event in heard] == [("toy.told", {"n": 1})]
    [row] = await outbox(here)
    assert row["due_at"] is None


async def test_a_durable_flow_keeps_its_events_with_its_result(here: Stage) -> None:
    await here.coordinator.run("book-three", {"account": "a"})
    [row] = await outbox(here)
    assert row["name"] == "ledger.booked"
    assert row["due_at"] is None, "nobody listens"
    with pytest.raises(NotAllowed):
        await here.coordinator.run("book-three", {"account": "b", "fail": True})
    assert len(await outbox(here)) == 1


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

    await here.coordinator.run("toy-tell", {})
    await relay(here)
    assert {row["error"] for row in await outbox(here)} == {"second: Not now."}
    await here.database.script("UPDATE event_outbox SET due_at = now() WHERE due_at IS NOT NULL")
    async with asyncio.timeout(20):  # the coordinator's own round may have taken them at the same moment
        while [row["error"] for row in await outbox(here)] != [None, None]:
            await relay(here)
            await asyncio.sleep(0.02)
    assert calls.count("first") == 1
    assert await here.booked("events") == [1, 1], "two events, two bookings, however often they came"


async def test_subscribers_run_workflows(here: Stage) -> None:
    @workflow("toy-answer")
    async def answer(flow: Flow, n: int) -> None:
        await flow.run(write_down, n)

    @step
    async def write_down(flow: Flow, n: int) -> None:
        await flow.modules.ledger.book("answers", n)  # type: ignore[attr-defined]

    @subscriber("toy.told")
    async def listen(flow: Flow, event: Event) -> None:
        await flow.run(answer, event.data["n"])

    await here.coordinator.run("toy-tell", {})
    await relay(here)
    assert await here.booked("answers") == [1]


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
            await here.locks.take(("a",), "somebody else", wait=0.05, lease=1)
        seen.append("undone under the lock")

    @step(undo=undo)
    async def change(flow: Flow) -> None: ...

    @workflow("toy-inner-lock")
    async def inner(flow: Flow) -> None:
        async with flow.lock("a"):  # held already: not waited for
            await flow.run(change)

    @workflow("toy-lock")
    async def locking(flow: Flow, fail: bool) -> int:
        async with flow.lock("b", "a") as held:
            await flow.run(inner)
            if fail:
                await flow.run(refuse)
            return held.token

    first = await here.coordinator.run("toy-lock", {"fail": False})
    with pytest.raises(NotAllowed):
        await here.coordinator.run("toy-lock", {"fail": True})
    assert seen == ["undone under the lock"]
    assert await here.coordinator.run("toy-lock", {"fail": False}) > first
    assert here.locks.table.figures.held == 0


async def test_a_flow_stops_when_its_lock_is_lost(here: Stage) -> None:
    @step
    async def nothing(flow: Flow) -> None: ...

    @workflow("toy-lost")
    async def losing(flow: Flow) -> None:
        async with flow.lock("a", lease=0.3):
            here.locks.table.withdraw(f"{flow.execution_id}#1")
            await asyncio.sleep(1.3)
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
