"""Jobs: once a tick in the whole cluster, whichever process dies; one run at a time; missed ticks as the job says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from velella.core.errors import Misconfigured, NotAllowed, NotFound
from velella.core.flow import Flow, definitions, job, once, workflow
from velella.core.flow.schedule import MOST_MISSED, Missed, Schedule

if TYPE_CHECKING:
    from conftest import Look
    from toy_stage import Stage, ToyClock

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of a test are gone after it."""
    monkeypatch.setattr(definitions, "_workflows", dict(definitions._workflows))


async def begin(stage: Stage) -> int:
    """Have a coordinator look at its jobs, now. How many executions it began."""
    return len(await stage.coordinator._jobs.begin_due(definitions.scheduled_workflows()))


async def runs(stage: Stage, name: str) -> list[tuple[str, str]]:
    """Key and state of a job's executions, oldest first."""
    return [(row["key"], row["state"]) for row in reversed(await stage.coordinator.list(workflow=name))]


async def test_a_job_that_is_due_while_its_process_dies_runs_once(toy: Any, engine_database: str, clock: ToyClock, look: Look) -> None:
    from toy_stage import stage

    @job("0 * * * *", missed="all")
    async def toy_hourly(flow: Flow) -> None:
        await flow.run(toy.toy_ledger.book, "hours", 1)

    async with stage(engine_database, clock=clock) as one, stage(engine_database, clock=clock) as other:
        assert await begin(one) == 0
        await clock.forward(3600)
        both = await asyncio.gather(*(begin(each) for each in (one, other) for _ in range(5)))
        assert sum(both) == 1
        one.coordinator._durable.nudge()
    # the one that was told is gone before it began
    async with stage(engine_database, clock=clock) as third:
        await look(third, 0)
        assert await begin(third) == 0
        assert await third.booked("hours") == [1]
        [(key, state)] = await runs(third, "toy-hourly")
        assert state == "done"
        assert key.endswith(":00:00.000Z"), "its tick"


@pytest.mark.parametrize(("missed", "expected"), [("once", [1]), ("all", [1, 1, 1]), ("skip", [])])
async def test_ticks_that_nobody_saw_are_made_good_as_the_job_says(
    missed: Missed, expected: list[int], toy: Any, engine_database: str, clock: ToyClock, look: Look
) -> None:
    from toy_stage import stage

    @job("30 * * * *", name="toy-missed", missed=missed)
    async def missing(flow: Flow) -> None:
        await flow.run(toy.toy_ledger.book, "missed", 1)

    async with stage(engine_database, clock=clock):
        pass
    now = clock()
    at = now.replace(minute=30, second=0, microsecond=0)
    following = at if at > now else at + timedelta(hours=1)
    await clock.forward((following - now).total_seconds() + 2 * 3600 + 600)  # three ticks, the last ten minutes ago
    async with stage(engine_database, clock=clock) as other:
        for _ in range(5):
            await begin(other)
            await look(other, 0)
        assert await other.booked("missed") == expected
        await clock.forward(50 * 60 + 5)
        await begin(other)
        await look(other, 0)
        assert await other.booked("missed") == [*expected, 1], "the next one comes in time"


async def test_one_run_at_a_time(toy: Any, engine_database: str, clock: ToyClock, look: Look) -> None:
    from toy_stage import stage

    @job("0 * * * *")
    async def toy_long(flow: Flow) -> None:
        await flow.run(toy.toy_ledger.book, "long", 1)
        await flow.sleep(3 * 3600)
        await flow.run(toy.toy_ledger.book, "long", 2)

    async with stage(engine_database, clock=clock) as one:
        await clock.forward(3600)
        assert await begin(one) == 1
        await look(one, 0)
        await clock.forward(2 * 3600)
        assert await begin(one) == 0, "it still runs"
        await look(one, 2 * 3600)
        assert await one.booked("long") == [1, 2]
        assert await begin(one) == 1, "what it missed meanwhile, once"
        assert await begin(one) == 0


async def test_a_new_schedule_begins_anew_and_a_failed_run_is_over(engine_database: str, clock: ToyClock, look: Look) -> None:
    from toy_stage import stage

    @job("0 3 1 1 *", name="toy-moved")
    async def yearly(flow: Flow) -> None: ...

    async with stage(engine_database, clock=clock):
        pass
    await clock.forward(10 * 3600)
    del definitions._workflows["toy-moved"]

    @job("*/5 * * * *", name="toy-moved")
    async def often(flow: Flow) -> None:
        raise Misconfigured("never works")

    async with stage(engine_database, clock=clock) as one:
        assert await begin(one) == 0, "none of the new ticks was missed"
        await clock.forward(300)
        assert await begin(one) == 1
        await look(one, 0)
        [listed] = [row for row in await one.coordinator.jobs() if row["name"] == "toy-moved"]
        assert (listed["cron"], listed["state"]) == ("*/5 * * * *", "reverted")
        assert "never works" in listed["error"]
        assert await begin(one) == 0, "the next tick is the next attempt"


async def test_a_job_is_begun_by_hand_also_by_a_process_that_does_not_know_it(
    toy: Any, engine_database: str, clock: ToyClock, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toy_stage import stage

    @job("0 3 * * *")
    async def toy_nightly(flow: Flow) -> None:
        await flow.run(toy.toy_ledger.book, "night", 7)

    known = definitions._workflows
    async with stage(engine_database, clock=clock) as shop:
        monkeypatch.setattr(definitions, "_workflows", {})
        async with stage(engine_database, clock=clock, visits=True) as visitor:
            [listed] = await visitor.coordinator.jobs()
            assert (listed["name"], listed["state"]) == ("toy-nightly", None)
            await visitor.coordinator.begin_job("toy-nightly")
            with pytest.raises(NotFound, match="Job with name: toy-daily was not found"):
                await visitor.coordinator.begin_job("toy-daily")
        monkeypatch.setattr(definitions, "_workflows", known)
        await look(shop, 0)
        assert await shop.booked("night") == [7]


def test_a_tick_goes_by_the_clock_of_its_time_zone() -> None:
    night = Schedule("30 2 * * *", "Europe/Berlin")
    assert night.after(datetime(2026, 1, 10, tzinfo=UTC)) == datetime(2026, 1, 10, 1, 30, tzinfo=UTC)
    assert night.after(datetime(2026, 7, 10, tzinfo=UTC)) == datetime(2026, 7, 10, 0, 30, tzinfo=UTC)
    forward, back = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
    for change in (forward, back):
        ticks, at = [], change - DAY / 2
        while (at := night.after(at)) < change + DAY / 2:
            ticks.append(at)
        assert len(ticks) == 1, "once a night, also in that of the change"


def test_no_more_is_made_good_than_can_be() -> None:
    every_minute = Schedule("* * * * *", missed="all")
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert every_minute.due(now - 400 * DAY, now) == now - (MOST_MISSED - 1) * timedelta(minutes=1)
    assert every_minute.due(now, now) is None


@pytest.mark.parametrize(
    ("cron", "zone", "said"),
    [
        ("0 25 * * *", "UTC", "is no schedule"),
        ("often", "UTC", "is no schedule"),
        ("0 0 30 2 *", "UTC", "never comes|is no schedule"),
        ("0 3 * * *", "Europe/Atlantis", "There is no time zone Europe/Atlantis"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_when_it_is_loaded(cron: str, zone: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):

        @job(cron, time_zone=zone)
        async def toy_never(flow: Flow) -> None: ...


def test_a_job_takes_nothing_and_a_schedule_needs_a_durable_workflow() -> None:
    with pytest.raises(Misconfigured, match="takes a flow, and nothing else"):
        job("0 3 * * *")(with_input)  # type: ignore[arg-type]
    with pytest.raises(Misconfigured, match="has to be durable"):
        workflow("toy-short", schedule=Schedule("0 3 * * *"))(without_input)


async def with_input(flow: Flow, cart_id: str) -> None: ...


async def without_input(flow: Flow) -> None: ...


async def test_what_is_done_once_is_done_once_whoever_dies_and_however_often_it_fails(
    toy: Any, engine_database: str, clock: ToyClock, look: Look
) -> None:
    from toy_stage import stage

    tries: list[int] = []

    @once()
    async def toy_fill(flow: Flow) -> None:
        tries.append(len(tries))
        await flow.run(toy.toy_ledger.book, "filled", 1)
        if len(tries) < 3:
            raise NotAllowed("Not yet.")

    async with stage(engine_database, clock=clock) as one, stage(engine_database, clock=clock) as other:
        assert [state for _, state in await runs(one, "toy-fill")] == ["invoking"], "both have begun it, and it is one"
    # both are gone before they took it up
    async with stage(engine_database, clock=clock) as one, stage(engine_database, clock=clock) as other:
        for tried, booked in ((1, []), (2, []), (3, [1]), (3, [1])):
            await asyncio.gather(*(look(each, 0) for each in (one, other)))
            assert (len(tries), await one.booked("filled")) == (tried, booked), "what failed was undone, and what is done stays"
            await asyncio.gather(*(each.coordinator._jobs.begin_once() for each in (one, other) for _ in range(3)))
    await clock.forward(400 * DAY.total_seconds())
    async with stage(engine_database, clock=clock) as later:
        await later.coordinator.clean()
        await later.coordinator._jobs.begin_once()
        await look(later, 0)
        assert await later.booked("filled") == [1], "however long ago that was"
    with pytest.raises(Misconfigured, match="takes a flow, and nothing else"):

        @once()  # type: ignore[arg-type]
        async def toy_wrong(flow: Flow, size: int) -> None: ...


async def test_what_a_process_has_no_code_for_is_left_to_those_that_have_it_for_a_day(
    toy: Any, shop: Stage, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old coordinators of a roll see first what the new ones have begun."""
    former = dict(definitions._workflows)

    @once()
    async def toy_refill(flow: Flow) -> None:
        await flow.run(toy.toy_ledger.book, "refilled", 1)

    later = dict(definitions._workflows)
    await shop.coordinator._jobs.begin_once()
    await shop.database.script("""
        INSERT INTO workflow_execution (id, workflow, state, input, undo, owner, trace_id, started_at)
        VALUES ('wfex_left', 'toy-of-another-version', 'compensating', '\\x80', '\\x90', 'wfco_dead', 't', now())
    """)
    monkeypatch.setattr(definitions, "_workflows", former)
    assert await look(shop, 60) == 0
    assert [state for _, state in await runs(shop, "toy-refill")] == ["invoking"]
    monkeypatch.setattr(definitions, "_workflows", later)
    assert await look(shop, 0) == 1
    assert await shop.booked("refilled") == [1]
    assert await look(shop, DAY.total_seconds()) == 1
    row = await shop.coordinator.show("wfex_left")
    assert (row["state"], row["error"]) == ("failed", "NotFound: Workflow with name: toy-of-another-version was not found")
    await shop.coordinator.retry("wfex_left")
    assert await look(shop, 0) == 0, "who tries it again has brought its code, and has a day, too"
