"""Events go on to a stream, and the shop's subscribers get them, whatever happens to the stream."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgpack  # type: ignore[import-untyped]
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from velella.actors.engine import feed
from velella.actors.streams import Announced, EventStream, redis, stream
from velella.core.codec import OBJECT
from velella.core.errors import Misconfigured, Unavailable
from velella.core.flow import Event, Flow, subscriber
from velella.core.flow.definitions import _subscribers
from velella.core.settings import ProviderSettings, Settings
from velella.core.sql.db.compiled import Compiled

from .test_events import tell  # noqa: F401 - the workflow that emits toy.told and toy.unheard

if TYPE_CHECKING:
    from toy_stage import Stage

    from ..conftest import RedisServer

STREAM = "velella:events"


@pytest.fixture(autouse=True)
def one_subscriber(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It books what it hears, so that what it does twice shows. Failures are gone from soon."""
    before = dict(_subscribers)
    _subscribers.clear()

    @subscriber("toy.told", name="hearer")
    async def hear(flow: Flow, event: Event) -> None:
        await asyncio.sleep(0.01)
        await flow.modules.ledger.book("heard", 1)  # type: ignore[attr-defined]

    monkeypatch.setattr(feed, "LONGEST_PAUSE", 1.0)
    yield
    _subscribers.clear()
    _subscribers.update(before)


@asynccontextmanager
async def coordinator(database: str, use: str, url: str = "", **options: Any) -> AsyncIterator[Stage]:
    from toy_stage import stage

    given = {"url": url, **options} if use == "redis" else {}
    settings = Settings(_env_file=None, providers={"events": [ProviderSettings(use=use, options=given)]})
    async with stage(database, stream=stream(settings)) as one:
        yield one


async def emit(here: Stage, times: int) -> None:
    for _ in range(times):
        await here.coordinator.run("toy-tell", {})
    here.coordinator._relay.nudge()


async def until(there: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await there():
            await asyncio.sleep(0.05)


async def owed(here: Stage) -> list[str]:
    rows = await here.database.fetch(Compiled("SELECT subscriber FROM event_delivery"))
    return [row["subscriber"] for row in rows]


async def settled(here: Stage, heard: int) -> None:
    """Until nothing is owed to anybody, and each event was heard, once."""

    async def there() -> bool:
        return not await owed(here)

    await until(there)
    assert len(await here.booked("heard")) == heard


async def entries(url: str) -> list[dict[str, str]]:
    async with Redis.from_url(url, decode_responses=True) as client:
        return [fields for _, fields in await client.xrange(STREAM)]


@pytest.mark.parametrize("use", ["outbox", "redis"])
async def test_every_provider_brings_every_event_once_to_its_subscribers_however_many_processes(
    engine_database: str, use: str, own_redis: RedisServer
) -> None:
    async with coordinator(engine_database, use, own_redis.url) as one, coordinator(engine_database, use, own_redis.url) as two:
        await asyncio.gather(emit(one, 20), emit(two, 20))
        await settled(one, 40)
        if use == "outbox":
            return
        there = await entries(own_redis.url)
        assert sorted(each["name"] for each in there) == ["toy.told"] * 40 + ["toy.unheard"] * 40, "* is all that is announced"
        assert len({each["id"] for each in there}) == 80
        told = next(each for each in there if each["name"] == "toy.told")
        assert json.loads(told["data"]) == {"n": 1}
        assert told["created_at"].endswith("Z")
        async with Redis.from_url(own_redis.url) as client:
            [group] = await client.xinfo_groups(STREAM)
            assert group["pending"] == 0
            assert group["consumers"] == 2
        samples = {labels: value for name, labels, value in one.coordinator.samples() if name == "velella_event_stream_total"}
        others = {labels: value for name, labels, value in two.coordinator.samples() if name == "velella_event_stream_total"}
        assert samples["handed_on",] + others["handed_on",] == samples["taken",] + others["taken",] == 80
    async with Redis.from_url(own_redis.url) as client:
        assert (await client.xinfo_groups(STREAM))[0]["consumers"] == 0, "those that ended in order are gone"


async def test_while_redis_is_dead_or_slow_the_shop_goes_on_and_events_wait_for_it_in_the_outbox(
    engine_database: str, own_redis: RedisServer
) -> None:
    async with coordinator(engine_database, "redis", own_redis.url) as here:
        await emit(here, 1)
        await settled(here, 1)
        own_redis.kill()

        async def heard(times: int) -> None:
            async def there() -> bool:
                return set(await owed(here)) <= {feed.STREAM}

            await until(there)
            assert len(await here.booked("heard")) == times

        await emit(here, 10)
        await heard(11)
        assert (await owed(here)).count(feed.STREAM) == 20
        own_redis.start()  # it has lost its stream and the group
        await settled(here, 11)
        assert len({each["id"] for each in await entries(own_redis.url)}) == 20

        own_redis.process.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        await emit(here, 1)
        assert time.monotonic() - started < 3, "no flow waits for Redis, which is given 5 s"
        await heard(12)
        own_redis.process.send_signal(signal.SIGCONT)
        await settled(here, 12)
        told = [each["id"] for each in await entries(own_redis.url)]
        assert len(set(told)) == 22, "at least once: what was handed on without an answer comes again"


async def test_what_a_dead_process_has_taken_is_taken_by_another_one(
    engine_database: str, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "LEFT_SECONDS", 0.3)
    monkeypatch.setattr(redis, "GONE_SECONDS", 0.5)
    monkeypatch.setattr(feed, "LATE_SECONDS", 3600.0)
    async with Redis.from_url(own_redis.url) as client:
        await client.xgroup_create(STREAM, "velella", mkstream=True)
        async with coordinator(engine_database, "redis", own_redis.url) as here:
            running = here.coordinator._relay.feed
            assert running is not None
            running._tasks[1].cancel()  # the dead one is faster
            await emit(here, 3)

            async def handed_on() -> bool:
                return feed.STREAM not in await owed(here)

            await until(handed_on)
            taken = await client.xreadgroup("velella", "dead", {STREAM: ">"})
            assert len(taken[0][1]) == 6
            assert await here.booked("heard") == []
            running._tasks[1] = asyncio.create_task(running._repeat("taking", running.take))
            await settled(here, 3)

            async def forgotten() -> bool:
                return [one["name"] for one in await client.xinfo_consumers(STREAM, "velella")] == [running._stream._consumer.encode()]  # type: ignore[attr-defined]

            await until(forgotten)


async def test_what_a_process_that_stops_has_taken_is_taken_by_another_one(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "LEFT_SECONDS", 0.2)
    one, two = (redis.RedisStream(url=own_redis.url) for _ in range(2))
    await one.take(0.01)  # makes the group
    await one.hand_on([Event("evt_1", "toy.told", {}, datetime.now(UTC))])
    assert [each.id for each in await one.take(1)] == ["evt_1"]
    await one.stop()
    await asyncio.sleep(0.3)
    taken = await two.take(1)
    assert [each.id for each in taken] == ["evt_1"]
    await two.acknowledge(taken)
    name = two._consumer.encode()
    async with Redis.from_url(own_redis.url) as client:
        assert name in [each["name"] for each in await client.xinfo_consumers(STREAM, "velella")]
        await two.stop()
        assert name not in [each["name"] for each in await client.xinfo_consumers(STREAM, "velella")]


async def test_what_a_process_had_handed_on_when_it_died_comes_again_under_the_same_id_and_begins_nothing_twice(
    engine_database: str, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with coordinator(engine_database, "redis", own_redis.url) as dying, coordinator(engine_database, "redis", own_redis.url) as other:
        for one in (dying, other):
            assert one.coordinator._relay.feed is not None
            one.coordinator._relay.feed._tasks[0].cancel()
        running = dying.coordinator._relay.feed
        assert running is not None

        class Dead:
            """It takes what is to be handed on, and is gone before it has written down that it is."""

            async def fetch(self, *asked: Any) -> Any:
                return await dying.database.fetch(*asked)

            async def execute(self, *_: Any) -> None:
                raise Unavailable("The process is gone.")

        monkeypatch.setattr(running, "_database", Dead())
        await emit(dying, 2)
        with pytest.raises(Unavailable):
            await running.hand_on()
        assert (await owed(other)).count(feed.STREAM) == 4
        assert other.coordinator._relay.feed is not None
        assert await other.coordinator._relay.feed.hand_on() == 0, "it may still be about to"
        await other.database.script("UPDATE event_delivery SET due_at = now() WHERE subscriber = 'velella:stream'")  # a minute later
        assert await other.coordinator._relay.feed.hand_on() == 4
        await settled(other, 2)
        there = [each["id"] for each in await entries(own_redis.url)]
        assert len(there) == 8
        assert len(set(there)) == 4


async def test_what_was_trimmed_or_lost_before_it_was_taken_comes_out_of_the_outbox(
    engine_database: str, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("velella.actors.engine.events.LATE_SECONDS", 0.5)

    class Forgetful(redis.RedisStream):
        async def hand_on(self, events: Any) -> None:
            await super().hand_on(events)
            await self._redis.xtrim(STREAM, 0, approximate=False)

    from toy_stage import stage

    async with stage(engine_database, stream=Forgetful(url=own_redis.url)) as here:
        await emit(here, 5)
        await settled(here, 5)


class Told(EventStream):
    """A stream in memory that brings nothing back."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def stop(self) -> None: ...

    async def hand_on(self, events: Sequence[Event]) -> None:
        self.names += [event.name for event in events]

    async def take(self, seconds: float) -> Sequence[Announced]:
        await asyncio.sleep(seconds)
        return ()

    async def acknowledge(self, taken: Sequence[Announced]) -> None: ...


async def test_an_event_that_can_not_be_read_here_or_told_keeps_no_other_from_the_stream(engine_database: str) -> None:
    from toy_stage import stage

    told = Told()
    async with stage(engine_database, stream=told) as here:
        running = here.coordinator._relay.feed
        assert running is not None
        await running.stop()
        await here.coordinator._store.store_events(None, [("toy.strange", {})])
        strange = msgpack.packb({"is": msgpack.ExtType(OBJECT, msgpack.packb(["Gone", 1]))})
        await here.database.execute(text("UPDATE event_outbox SET data = :data").bindparams(data=strange))
        await here.coordinator._store.store_events(None, [("toy.plain", {})])
        await running.hand_on()
        assert told.names == ["toy.plain"]
        assert await owed(here) == [feed.STREAM], "somebody who can read it may come"
        await here.coordinator._store.store_events(None, [("toy.set", {"numbers": {1, 2}}), ("toy.plain", {})])
        await running.hand_on()
        assert told.names == ["toy.plain"] * 2
        [never] = await here.database.fetch(Compiled("SELECT error FROM event_delivery WHERE due_at IS NULL"))
        assert "set has no JSON form" in never["error"]


async def test_a_stream_keeps_about_so_many_events_and_a_shop_says_which_of_its_modules_go_there(
    engine_database: str, redis_url: str
) -> None:
    of_redis = redis.RedisStream(url=redis_url, stream="short", length=100, events=["product.product.updated"])
    events = [Event(f"evt_{number}", "toy.told", {}, feed_time()) for number in range(1000)]
    await of_redis.hand_on(events)
    async with Redis.from_url(redis_url) as client:
        assert 100 <= await client.xlen("short") <= 300
        await client.xadd("short", {"by": "another system"})
    assert await of_redis.take(0.1) == (), "the group is made"
    ids = [one.id for one in [*await of_redis.take(0.1), *await of_redis.take(0.1), *await of_redis.take(0.1)]]
    assert ids[-1] == ""
    assert ids[:-1] == [event.id for event in events][-len(ids) + 1 :], "in their order"
    from toy_stage import stage

    async with stage(engine_database, stream=of_redis) as here:
        wanted = await here.database.fetch(Compiled("SELECT event FROM event_subscription WHERE subscriber = 'velella:stream'"))
        assert {row["event"] for row in wanted} == {"*", "product.product.updated"}
    async with stage(engine_database) as here:
        wanted = await here.database.fetch(Compiled("SELECT event FROM event_subscription WHERE subscriber = 'velella:stream'"))
        assert wanted == [], "a shop without a stream owes it nothing"


def feed_time() -> Any:
    from velella.core.clock import utc_now

    return utc_now()


@pytest.mark.parametrize(
    ("use", "options", "said"),
    [
        ("redsi", {}, "providers.events has no `redsi`. Did you mean `redis`?"),
        ("redis", {"url": "redis://a", "lenght": 9}, "providers.events: `redis` takes no option `lenght`. Did you mean `length`?"),
        ("redis", {}, "providers.events: `redis` needs the option `url`."),
        ("redis", {"url": "http://a"}, "url in providers.events: "),
        ("redis", {"url": "redis://a", "length": 0}, "length in providers.events is less than 1."),
        ("velella.core.flow:Event", {}, "providers.events: `velella.core.flow:Event` doesn't derive from"),
        ("velella.core.flow:Evnt", {}, "providers.events: `velella.core.flow:Evnt` can't be imported"),
    ],
)
def test_a_mistake_stops_the_start(use: str, options: dict[str, Any], said: str) -> None:
    settings = Settings(_env_file=None, providers={"events": [ProviderSettings(use=use, options=options)]})
    with pytest.raises(Misconfigured) as refused:
        stream(settings)
    assert refused.value.message.startswith(said)
    assert refused.value.hint


async def test_its_check_says_whether_redis_answers(redis_url: str) -> None:
    assert await redis.RedisStream.check(url=redis_url) == "Redis answers"
    with pytest.raises(Unavailable) as refused:
        await redis.RedisStream.check(url="unix:///nowhere.sock", stream="a")
    assert "url in providers.events" in str(refused.value.hint)
    assert issubclass(redis.RedisStream, EventStream)
