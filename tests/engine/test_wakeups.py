"""Who carries out what is due hears of it at once where Redis says so, and finds it without."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis

from velella.actors.engine import coordinator, events, queries, wakeups
from velella.actors.engine.lease import Lease
from velella.actors.wakeups import wakeups as named
from velella.core.codec import pack
from velella.core.errors import GoesOn, Misconfigured, Unavailable
from velella.core.flow import Event, Flow, Waits, step, subscriber, workflow
from velella.core.flow.definitions import _subscribers
from velella.core.ids import ulid
from velella.core.settings import ProviderSettings, Settings

from ..forks import forked
from .test_durable_flows import COORDINATOR

if TYPE_CHECKING:
    from toy_stage import Stage

    from ..conftest import RedisServer

KEYS = ["velella:workflows:queue", "velella:workflows:timers"]
begun: dict[str, float] = {}
"""Account → when the nap of that account was over, by `time.monotonic`."""


@step(waits=Waits(timeout=86_400))
async def ask(flow: Flow) -> None: ...


@pytest.fixture(autouse=True)
def flows(monkeypatch: pytest.MonkeyPatch, engine_toys_importable: None) -> Iterator[None]:
    """A workflow of all that somebody has to be woken for, and a subscriber that fails at first."""
    import toy_ledger

    begun.clear()
    heard: set[str] = set()
    monkeypatch.setattr(wakeups, "LONGEST_PAUSE", 0.5)

    @workflow("toy-doze", durable=True, key="account")
    async def nap(flow: Flow, account: str, seconds: float) -> None:
        await flow.sleep(seconds)
        begun.setdefault(account, time.monotonic())
        await flow.run(toy_ledger.book, account, 1)

    @workflow("toy-day", durable=True, key="account")
    async def day(flow: Flow, account: str) -> None:
        await flow.start(nap, account=f"{account}'s child", seconds=0.1)
        await flow.run(ask)
        await flow.sleep(0.3)
        await flow.run(toy_ledger.book, account, 2)
        flow.emit("toy.day-over", account=account)

    before = dict(_subscribers)
    _subscribers.clear()

    @subscriber("toy.day-over", name="diarist")
    async def write_down(flow: Flow, event: Event) -> None:
        if event.id not in heard:
            heard.add(event.id)
            raise Unavailable("The diary is elsewhere.")
        await flow.modules.ledger.book("diary", 3)  # type: ignore[attr-defined]

    yield
    _subscribers.clear()
    _subscribers.update(before)


@pytest.fixture
def hardly_any_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """None within the time of a test, after the first ones."""
    for at, name in ((coordinator, "BEAT_SECONDS"), (events, "POLL_SECONDS"), (wakeups, "SEEN_SECONDS")):
        monkeypatch.setattr(at, name, 120.0)


@asynccontextmanager
async def process(database: str, use: str, url: str, **more: Any) -> AsyncIterator[Stage]:
    """A coordinator; it hears already."""
    from toy_stage import stage

    options = {"url": url} if use == "redis" else {}
    settings = Settings(_env_file=None, providers={"workflow_engine": [ProviderSettings(use=use, options=options)]})
    async with stage(database, wakeups=named(settings), **more) as one:
        if use == "redis" and not more:
            await until(lambda: one.coordinator._wakeups._brings)
        yield one


async def until(there: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not there():
            await asyncio.sleep(0.02)


async def states(here: Stage, *workflows: str) -> list[str]:
    return [row["state"] for name in workflows for row in await here.coordinator.list(workflow=name, limit=1000)]


async def live_days(one: Stage, other: Stage, many: int) -> None:
    async def live(account: str) -> None:
        with suppress(GoesOn):
            await one.coordinator.run("toy-day", {"account": account})
        await other.coordinator.set_step_success("toy-day", account, "ask")

    await asyncio.gather(*(live(f"day {number}") for number in range(many)))


async def all_is_done(here: Stage, days: int, seconds: float = 20.0) -> None:
    """Every day with its child and its line in the diary, each once."""
    async with asyncio.timeout(seconds):
        while await states(here, "toy-day", "toy-doze") != ["done"] * 2 * days or len(await here.booked("diary")) < days:
            await asyncio.sleep(0.05)
    assert [await here.booked(f"day {number}") for number in range(days)] == [[2]] * days
    assert [await here.booked(f"day {number}'s child") for number in range(days)] == [[1]] * days
    assert await here.booked("diary") == [3] * days


class TestEveryProvider:
    @pytest.mark.parametrize("use", ["postgres", "redis"])
    async def test_everything_is_carried_out_once_by_whichever_process(
        self, engine_database: str, use: str, own_redis: RedisServer
    ) -> None:
        async with process(engine_database, use, own_redis.url) as one, process(engine_database, use, own_redis.url) as two:
            await live_days(one, two, 20)
            await all_is_done(one, 20)
            counts = [stage.coordinator._wakeups.counts for stage in (one, two)]
            assert (sum(each["taken"] for each in counts) > 0) == (use == "redis")
            told = [value for name, _, value in one.coordinator.samples() if name == "velella_workflow_wakeups_total"]
            assert (told[0] > 0, told[2]) == (use == "redis", 0)

    @pytest.mark.parametrize(
        ("use", "trouble"), [("postgres", "killed"), ("redis", "killed"), ("redis", "slow"), ("redis", "flushed, and told lies")]
    )
    async def test_everything_is_carried_out_once_whatever_becomes_of_redis(
        self, engine_database: str, use: str, trouble: str, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = 60.0 if trouble in ("killed", "slow") else 3.0  # more than there is time for: what fails is felt at once
        monkeypatch.setattr(wakeups, "SEEN_SECONDS", seen)
        async with process(engine_database, use, own_redis.url) as one, process(engine_database, use, own_redis.url) as two:
            days = asyncio.create_task(live_days(one, two, 10))
            await asyncio.sleep(0.15)
            if trouble == "killed":
                own_redis.kill()
            elif trouble == "slow":
                own_redis.process.send_signal(signal.SIGSTOP)
            else:
                everything = [row["id"] for row in await one.coordinator.list()]
                async with Redis.from_url(own_redis.url) as client:
                    await client.flushall()
                    await client.zadd(KEYS[0], {name: 0 for name in [*everything, "wfex_never", "deliveries", "deliveries of nothing"]})
            await days
            await all_is_done(one, 10)
            own_redis.process.send_signal(signal.SIGCONT)
            if use == "redis" and trouble in ("killed", "slow"):
                assert one.coordinator._wakeups.pace(1.0) == 1.0, "polls are as without it"
                assert one.coordinator._wakeups.counts["failed"] > 0
                if trouble == "killed":
                    own_redis.start()
                await until(lambda: one.coordinator._wakeups.pace(1.0) == seen)


@pytest.mark.usefixtures("hardly_any_polls")
async def test_what_is_due_begins_at_once_by_whoever_has_room(engine_database: str, own_redis: RedisServer) -> None:
    """Slept, answered, begun in a flow, offered again, queued by a visitor or by a process that is full: none of it is polled for."""
    async with (
        process(engine_database, "redis", own_redis.url) as one,
        process(engine_database, "redis", own_redis.url) as two,
        process(engine_database, "redis", own_redis.url, visits=True) as visitor,
    ):
        await live_days(one, two, 3)
        await all_is_done(one, 3, seconds=10.0)
        due = time.monotonic() + 0.5
        for number in range(5):
            await visitor.coordinator.start_durable("toy-doze", {"account": f"nap {number}", "seconds": 0.5})
        await until(lambda: len(begun) == 3 + 5, seconds=5.0)
        assert max(begun.values()) < due + 1.0
        one.coordinator._durable._resumed = 16
        await one.coordinator.start_durable("toy-doze", {"account": "passed on", "seconds": 0.0})
        await until(lambda: "passed on" in begun, seconds=3.0)

        for _ in range(3):  # whichever of the two is woken
            one.coordinator._relay._at_work["diarist"] = events.AT_ONCE
            said, account = len(await one.booked("diary")), ulid()
            with suppress(GoesOn):
                await two.coordinator.run("toy-day", {"account": account})
            await two.coordinator.set_step_success("toy-day", account, "ask")
            async with asyncio.timeout(10):
                while len(await one.booked("diary")) == said:
                    await asyncio.sleep(0.05)


@pytest.mark.usefixtures("hardly_any_polls")
async def test_the_end_of_a_lease_wakes_another_process(
    engine_database: str, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(engine_database, "redis", own_redis.url) as here:
        silent = Lease(here.database, "silent", here.coordinator._wakeups)
        with monkeypatch.context() as soon:
            soon.setattr(queries, "LEASE_SECONDS", 1.0)
            await silent.beat()
        input = pack({"account": "left"}).hex()
        await here.database.script(f"""
            UPDATE workflow_coordinator SET lease_until = now() + interval '0.5 seconds' WHERE id = '{silent.id}';
            INSERT INTO workflow_execution (id, workflow, state, input, owner, trace_id, started_at)
            VALUES ('wfex_left', 'book-three', 'invoking', '\\x{input}', '{silent.id}', 't', now())
        """)
        async with asyncio.timeout(5):
            while (await here.coordinator.show("wfex_left"))["state"] != "done":
                await asyncio.sleep(0.05)


async def test_what_a_process_was_woken_for_and_did_not_claim_before_it_died_is_found_by_the_polls_of_others(
    engine_database: str, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "SEEN_SECONDS", 2.5)
    environment = {**os.environ, "DIE_AT": "woken", "WAKEUPS": own_redis.url}
    async with process(engine_database, "redis", own_redis.url) as here:
        here.coordinator._wakeups._tasks[1].cancel()  # it isn't woken itself
        slow = json.dumps({"account": "slow", "seconds": 1.5})
        dying = asyncio.create_task(forked(COORDINATOR, engine_database, "book-slowly", slow, environment=environment))
        while not await here.booked("slow"):
            await asyncio.sleep(0.05)
        here.coordinator._durable._resumed = 16  # so that it passes on what it queues
        await here.coordinator.start_durable("toy-doze", {"account": "left", "seconds": 0.0})
        assert (await dying)[0] == -signal.SIGKILL
        assert begun == {}
        async with Redis.from_url(own_redis.url) as client:
            assert await client.zcard(KEYS[0]) == 0, "it had taken it"
        here.coordinator._durable._resumed = 0
        async with asyncio.timeout(20):
            while await states(here, "toy-doze", "book-slowly") != ["done"] * 2:
                await asyncio.sleep(0.05)
        assert (await here.booked("left"), await here.booked("slow")) == ([1], [1])


def test_a_misspelt_provider_or_option_stops_the_start() -> None:
    for use, options, hint in (
        ("rediss", {}, "redis"),
        ("redis", {"urls": "redis://x"}, "url"),
        ("redis", {"url": "http://x"}, "redis://"),
    ):
        settings = Settings(_env_file=None, providers={"workflow_engine": [ProviderSettings(use=use, options=options)]})
        with pytest.raises(Misconfigured) as refused:
            named(settings)
        assert hint in f"{refused.value} {refused.value.hint}"
