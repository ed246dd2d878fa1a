"""What processes remember: nothing older than the last change they can know of."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from functools import cached_property
from pathlib import Path

import pytest

from velella.actors.caching import Cache
from velella.actors.caching.invalidation import Announcer, Invalidation
from velella.actors.host import Host
from velella.actors.membership.directory import Directory, ReplicaAddress, ReplicaId
from velella.actors.services import load, module_names
from velella.core.errors import DeadlineExceeded
from velella.core.message import CallContext, call_context, current_call
from velella.core.settings import Settings
from velella.modules import REMEMBERING

PRODUCT = frozenset({"product", "price"})


class Slow:
    """A read that takes until it is let go, and counts how often it was made."""

    def __init__(self) -> None:
        self.calls = 0
        self.value = b"old"
        self.go = asyncio.Event()

    async def __call__(self) -> bytes:
        self.calls += 1
        read = self.value  # what the database showed when the read began
        await self.go.wait()
        return read


@pytest.fixture
def cache() -> Cache:
    return Cache(100_000, 60.0)


async def constant() -> bytes:
    return b"x" * 1000


async def test_of_many_who_ask_at_once_one_fetches(cache: Cache) -> None:
    slow = Slow()
    asking = [asyncio.create_task(cache.get_or_fill("page", PRODUCT, slow)) for _ in range(50)]
    await asyncio.sleep(0)
    asking[0].cancel()  # not even the first one's leaving makes a difference
    await asyncio.sleep(0)
    slow.go.set()
    assert await asyncio.gather(*asking[1:]) == [b"old"] * 49
    assert await cache.get_or_fill("page", PRODUCT, slow) == b"old"
    assert slow.calls == 1
    assert cache.metrics.hits == 1


async def within(seconds: float, call: Awaitable[bytes]) -> bytes:
    """A call that has so much time left."""
    call_context.set(CallContext().within(seconds))
    return await call


async def test_time_is_everybodys_own(cache: Cache) -> None:
    """Who came first may have hardly any left, or much more than who joins."""
    calls = 0
    go = asyncio.Event()

    async def fill() -> bytes:
        nonlocal calls
        calls += 1
        try:
            async with asyncio.timeout(current_call().left()):
                await go.wait()
        except TimeoutError:
            raise DeadlineExceeded("The answer did not come in time.") from None
        return b"page"

    def ask(seconds: float) -> asyncio.Task[bytes]:
        return asyncio.create_task(within(seconds, cache.get_or_fill("page", PRODUCT, fill)))

    hurried, patient, joined = ask(0.05), ask(60), ask(60)
    with pytest.raises(DeadlineExceeded):
        await hurried
    late = ask(0.05)
    with pytest.raises(DeadlineExceeded):
        await asyncio.wait_for(late, 5)
    assert calls == 2, "of those who go on, one fetches for all"
    go.set()
    assert await asyncio.gather(patient, joined) == [b"page"] * 2


async def test_what_was_read_before_a_change_is_not_kept_as_fresh(cache: Cache) -> None:
    slow = Slow()
    early = asyncio.create_task(cache.get_or_fill("page", PRODUCT, slow))
    while slow.calls == 0:
        await asyncio.sleep(0)
    slow.value = b"new"
    cache.changed(frozenset({"price"}))
    late = asyncio.create_task(cache.get_or_fill("page", PRODUCT, slow))
    while slow.calls == 1:
        await asyncio.sleep(0)
    slow.go.set()
    assert await early == b"old", "who asked before the change may see what was before"
    assert await late == b"new", "who asked after it must not join those"
    assert await cache.get_or_fill("page", PRODUCT, slow) == b"new"
    assert slow.calls == 2


async def test_only_what_was_made_from_the_change_is_forgotten(cache: Cache) -> None:
    slow = Slow()
    slow.go.set()
    await cache.get_or_fill("page", PRODUCT, slow)
    cache.changed(frozenset({"customer"}))
    await cache.get_or_fill("page", PRODUCT, slow)
    assert slow.calls == 1
    cache.changed(None)
    await cache.get_or_fill("page", PRODUCT, slow)
    assert slow.calls == 2


async def test_what_is_made_of_single_rows_outlives_changes_of_others(cache: Cache) -> None:
    async def ask(row: str) -> bytes:
        return await cache.get_or_fill(row, frozenset({"price"}), slow, rows=(f"product:{row}",))

    slow = Slow()
    slow.go.set()
    for row in ("a", "b"):
        await ask(row)
    cache.changed(frozenset({"product:b"}))
    assert (await ask("a"), slow.calls) == (b"old", 2)
    await ask("b")
    assert slow.calls == 3
    for forgets in ("product", "price", "price:p"):
        cache.changed(frozenset({forgets}))
        calls = slow.calls
        await ask("a"), await ask("b")
        assert slow.calls == calls + 2, forgets
    cache.changed(frozenset({"product:c"}))
    await ask("a"), await ask("b")
    assert slow.calls == calls + 2


async def test_a_row_that_changes_while_it_is_read_is_not_kept(cache: Cache) -> None:
    async def ask() -> bytes:
        return await cache.get_or_fill("page", frozenset(), slow, rows=("product:a",))

    slow = Slow()
    early = asyncio.create_task(ask())
    while slow.calls == 0:
        await asyncio.sleep(0)
    slow.value = b"new"
    cache.changed(frozenset({"product:a"}))
    late = asyncio.create_task(ask())
    while slow.calls == 1:
        await asyncio.sleep(0)
    slow.go.set()
    assert (await early, await late) == (b"old", b"new")
    assert (await ask(), slow.calls) == (b"new", 2)


async def test_nothing_is_left_of_rows_that_were_forgotten(cache: Cache) -> None:
    slow = Slow()
    slow.go.set()
    for number in range(100):
        await cache.get_or_fill(number, frozenset(), slow, rows=(f"product:{number}",))
    for number in range(100):
        cache.changed(frozenset({f"product:{number}"}))
    assert (len(cache), cache.bytes) == (0, 0)
    assert not any(cache._by_row.values())


async def test_a_failed_fetch_is_not_kept(cache: Cache) -> None:
    async def fail() -> bytes:
        raise ValueError("no")

    both = await asyncio.gather(*(cache.get_or_fill("page", PRODUCT, fail) for _ in range(2)), return_exceptions=True)
    assert [type(error) for error in both] == [ValueError, ValueError]
    assert await cache.get_or_fill("page", PRODUCT, constant) == b"x" * 1000


async def test_the_least_recently_used_go_when_the_bytes_are_full() -> None:
    cache = Cache(10_000, 60.0)
    for i in range(20):
        await cache.get_or_fill(i, PRODUCT, constant)
        await cache.get_or_fill(0, PRODUCT, constant)
    assert cache.bytes <= 10_000
    hits = cache.metrics.hits
    await cache.get_or_fill(0, PRODUCT, constant)
    assert cache.metrics.hits == hits + 1
    assert cache.metrics.evicted > 0


async def test_entries_live_a_short_time_and_none_at_all_where_caching_is_off() -> None:
    now = [0.0]
    cache, off = Cache(10_000, 5.0, clock=lambda: now[0]), Cache(10_000, 5.0, enabled=False)
    slow = Slow()
    slow.go.set()
    await cache.get_or_fill("page", PRODUCT, slow)
    now[0] = 5.1
    await cache.get_or_fill("page", PRODUCT, slow)
    assert slow.calls == 2
    for _ in range(2):
        await off.get_or_fill("page", PRODUCT, slow)
    assert slow.calls == 4


# -- between processes


class Doors:
    """Two front ends that remember, and the caching pool; each a host of its own, over sockets."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(_env_file=None, data_dir=folder, cache_seconds=2.0, modules={"review": "shop.review:MODULE"})
        ids = [ReplicaId("http", 0), ReplicaId("http", 1), ReplicaId("caching", 0), ReplicaId("product", 0), ReplicaId("pricing", 0)]
        ids += [ReplicaId("promotion", 0), ReplicaId("review", 0)]
        self.addresses = {id: ReplicaAddress(id, "here", str(folder / str(id))) for id in ids}
        self.hosts: dict[str, Host] = {}
        self.told: dict[str, list[frozenset[str] | None]] = {"http-0": [], "http-1": []}

    async def start(self, pool: str, index: int) -> None:
        id = ReplicaId(pool, index)
        directory = Directory.of((address, [address.replica.pool]) for address in self.addresses.values())
        services = ["caching"] if pool == "caching" else []
        host = self.hosts[str(id)] = Host(self.settings, services, address=self.addresses[id], directory=directory)
        if str(id) in self.told:
            host.context.on_changed(self.told[str(id)].append)
        await host.start()

    async def stop(self, id: str) -> None:
        await self.hosts.pop(id).stop(0.1)

    @cached_property
    def writer(self) -> Announcer:
        """What a module's process calls after a commit."""
        return Announcer(self.hosts["product-0"].router, self.settings)


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    with tempfile.TemporaryDirectory(prefix="vt-") as folder:
        doors = Doors(Path(folder))
        for id in doors.addresses:
            await doors.start(id.pool, id.index)
        yield doors
        for name in list(doors.hosts):
            await doors.stop(name)


async def test_a_writer_returns_when_every_front_end_knows(doors: Doors) -> None:
    await doors.writer(frozenset({"product"}))
    assert doors.told == {"http-0": [frozenset({"product"})], "http-1": [frozenset({"product"})]}


async def test_a_writer_that_is_cancelled_leaves_nobody_in_the_dark(doors: Doors) -> None:
    writing = asyncio.create_task(doors.writer(frozenset({"product"})))
    while not doors.writer._sending:
        await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    async with asyncio.timeout(3):
        while not all(doors.told.values()):
            await asyncio.sleep(0.01)


async def test_who_others_fill_from_hears_of_a_change_before_them(doors: Doors) -> None:
    """A door that forgot, and fills again from a source that still remembers, would keep the old answer as a fresh one."""
    heard: list[str] = []
    sources = ["pricing-0", "promotion-0", "review-0"]
    for id in ("http-0", "http-1", *sources):
        doors.hosts[id].context.on_changed(lambda _, id=id: heard.append(id))
    for _ in range(20):
        await doors.writer(frozenset({"price"}))
        assert sorted(heard[:3]) == sources
        assert sorted(heard[3:]) == ["http-0", "http-1"]
        heard.clear()


def test_every_module_that_remembers_is_told_first_and_has_a_memory() -> None:
    settings = Settings(_env_file=None, database_url="postgresql:///x")
    remembering = [
        name
        for name in module_names()
        if any(hasattr(getattr(load(name, settings).service, method), "remembered") for method in dir(load(name, settings).service))
    ]
    assert sorted(REMEMBERING) == sorted(remembering)
    assert all(Host(settings, [name])._memory is not None for name in remembering)
    assert Host(settings, ["product"])._memory is None


async def test_a_source_that_is_a_door_too_forgets_again_when_all_sources_have() -> None:
    """Else its door would fill, between the two, from another source that had not heard yet."""
    both, other, whole = (ReplicaAddress(ReplicaId(pool, 0), path=f"/{pool}") for pool in ("both", "other", "whole"))
    settings = Settings(_env_file=None)
    rest = [name for name in REMEMBERING if name != "tax"]
    me = ReplicaAddress(ReplicaId("me", 0), path="/me")
    split = Host(settings, [], address=me, directory=Directory.of([(both, ["http", *rest]), (other, ["tax"])], 1))
    spread = Invalidation(split.router, settings)
    assert spread._waves(spread.holders()) == ({both.replica, other.replica}, {both.replica})
    packed = Host(settings, [], address=me, directory=Directory.of([(whole, ["http", *REMEMBERING])], 1))
    spread = Invalidation(packed.router, settings)
    assert spread._waves(spread.holders()) == ({whole.replica}, set()), "who has all of them asks nobody else"


async def test_changes_of_the_same_moment_travel_together(doors: Doors) -> None:
    await asyncio.gather(*(doors.writer(frozenset({f"entity_{i}"})) for i in range(100)))
    for told in doors.told.values():
        assert len(told) < 50
        assert frozenset().union(*(names or () for names in told)) == {f"entity_{i}" for i in range(100)}


async def test_a_front_end_that_missed_something_forgets_everything(doors: Doors) -> None:
    await doors.writer(frozenset({"product"}))
    await doors.stop("http-1")
    started = time.monotonic()
    for _ in range(5):
        await doors.writer(frozenset({"price"}))
    assert time.monotonic() - started < 0.5, "nobody waits again and again for one who doesn't answer"
    await doors.start("http", 1)
    async with asyncio.timeout(3):
        while None not in doors.told["http-1"]:
            await asyncio.sleep(0.02)


async def test_who_filled_from_a_source_that_heard_late_forgets_again(doors: Doors) -> None:
    """Between the two it may have taken what the source still remembered."""
    await doors.stop("pricing-0")
    await doors.writer(frozenset({"price"}))
    for told in doors.told.values():
        assert told == [frozenset({"price"})], "nobody waits for a source that is away"
    await doors.start("pricing", 0)
    async with asyncio.timeout(10):
        while any(told.count(frozenset({"price"})) < 2 for told in doors.told.values()):
            await asyncio.sleep(0.02)


async def test_changes_are_told_although_the_caching_pool_is_away(doors: Doors) -> None:
    await doors.stop("caching-0")
    await doors.writer(frozenset({"product"}))
    assert doors.told == {"http-0": [frozenset({"product"})], "http-1": [frozenset({"product"})]}


async def test_a_process_of_the_caching_pool_that_remembers_itself_forgets_as_well() -> None:
    """As that of coordinators does, where these share a pool with it."""
    with tempfile.TemporaryDirectory(prefix="vt-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder))
        addresses = {name: ReplicaAddress(ReplicaId(name, 0), "here", f"{folder}/{name}") for name in ("engine", "product")}
        directory = Directory.of([(addresses["engine"], ["caching", "workflows"]), (addresses["product"], ["product"])])
        engine = Host(settings, ["caching"], address=addresses["engine"], directory=directory)
        product = Host(settings, [], address=addresses["product"], directory=directory)
        told: list[frozenset[str] | None] = []
        engine.context.on_changed(told.append)
        for host in (engine, product):
            await host.start()
        try:
            await Announcer(product.router, settings)(frozenset({"product"}))
            assert told == [frozenset({"product"})]
        finally:
            for host in (product, engine):
                await host.stop(0.1)
