"""Locks: first come first served, and leases."""

from __future__ import annotations

import asyncio
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from velella.actors.host import Host
from velella.actors.locking import LockProvider, LockTable, locks
from velella.actors.locking.leases import HeldLock
from velella.actors.locking.redis import RedisLocks
from velella.actors.locking.table import LONGEST_LEASE
from velella.actors.membership.directory import Directory, ReplicaAddress, ReplicaId
from velella.core.errors import Conflict, Unavailable
from velella.core.settings import ProviderSettings, Settings

from ..conftest import RedisServer


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def table(now: list[float]) -> LockTable:
    return LockTable(clock=lambda: now[0])


async def test_a_key_is_granted_in_turn(table: LockTable) -> None:
    granted: list[str] = []

    async def want(owner: str, key: str) -> None:
        await table.acquire(key, owner, 10, 5)
        granted.append(owner)
        await asyncio.sleep(0.01)
        table.release(key, owner)

    await table.acquire("a", "first", 10, 5)
    waiting = []
    for owner, key in [("second", "a"), ("third", "a"), ("other", "b")]:
        waiting.append(asyncio.create_task(want(owner, key)))
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)
    assert granted == ["other"]
    table.release("a", "first")
    assert table.try_acquire("a", "pushy", 10) is None, "it is free, but somebody who came before has it by now"
    await asyncio.gather(*waiting)
    assert granted == ["other", "second", "third"]


async def test_no_two_hold_a_key(table: LockTable, dice: random.Random) -> None:
    inside: dict[str, str] = {}
    turns = 0

    async def worker(name: int) -> None:
        nonlocal turns
        for i in range(20):
            key, owner = dice.choice("abcdef"), f"{name}#{i}"
            await table.acquire(key, owner, 60, 30)
            assert key not in inside, "two hold the same key"
            inside[key] = owner
            await asyncio.sleep(0)
            del inside[key]
            table.release(key, owner)
            turns += 1

    async with asyncio.timeout(20):
        await asyncio.gather(*(worker(name) for name in range(30)))
    assert turns == 600
    assert table.metrics.held == table.metrics.waiting == 0
    assert not table._queues
    assert not table._held


async def test_waiting_ends_in_a_conflict_and_lets_others_pass(table: LockTable) -> None:
    await table.acquire("a", "holder", 60, 1)
    with pytest.raises(Conflict):
        await table.acquire("a", "at once", 60, 0)
    patient = asyncio.create_task(table.acquire("a", "patient", 60, 0.05))
    behind = asyncio.create_task(table.acquire("a", "behind", 60, 5))
    with pytest.raises(Conflict, match="being changed elsewhere"):
        await patient
    given_up = asyncio.create_task(table.acquire("a", "given up", 60, 5))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    table.release("a", "holder")
    await behind
    assert table.metrics.waiting == 0


async def test_only_its_owner_gives_back(table: LockTable) -> None:
    await table.acquire("a", "me", 10, 1)
    assert not table.release("a", "you")
    assert not table.release("b", "me")
    with pytest.raises(Conflict):
        await table.acquire("a", "you", 10, 0)
    assert table.release("a", "me")
    assert not table.release("a", "me")


async def test_asking_again_under_the_same_owner_is_the_same_acquisition(table: LockTable) -> None:
    first = await table.acquire("a", "me", 10, 1)
    assert await table.acquire("a", "me", 10, 1) is first
    twice = [asyncio.create_task(table.acquire("a", "you", 10, 5)) for _ in range(2)]
    await asyncio.sleep(0)
    table.release("a", "me")
    second, third = await asyncio.gather(*twice)
    assert second is third
    assert second.owner == "you"


async def test_a_lease_that_is_not_renewed_ends(table: LockTable, now: list[float]) -> None:
    await table.acquire("a", "dead", 0.05, 1)
    await table.acquire("b", "alive", 0.05, 1)
    heir = asyncio.create_task(table.acquire("a", "heir", 10, 5))
    await asyncio.sleep(0)
    now[0] += 0.04
    assert table.renew("b", "alive", 10)
    now[0] += 0.02
    assert (await heir).owner == "heir"
    assert not table.renew("a", "dead", 10)
    with pytest.raises(Conflict):
        await table.acquire("b", "other", 10, 0)


async def test_a_restarted_table_takes_its_predecessors_grants_over(table: LockTable, now: list[float]) -> None:
    await table.acquire("usurped", "usurper", 10, 1)
    assert not table.renew("usurped", "first", 10), "it was granted to somebody else since"
    assert table.renew("b", "second", 10)
    assert not table.renew("b", "stale", 10), "somebody else has claimed it"
    with pytest.raises(Conflict):
        await table.acquire("b", "other", 10, 0)
    assert table.release("b", "second")
    assert not table.renew("b", "stale", 10), "somebody else has had it since"
    now[0] += LONGEST_LEASE + 1
    assert not table.renew("c", "third", 10), "what comes so late has long lost its lease"


async def test_keys_are_remembered_only_for_as_long_as_grants_may_be_claimed(table: LockTable, now: list[float]) -> None:
    """Also by a table that nobody sweeps: those behind Redis and PostgreSQL."""
    for key in map(str, range(100)):
        assert table.try_acquire(key, "me", 10) is not None
        assert table.release(key, "me")
    now[0] += LONGEST_LEASE + 1
    assert table.try_acquire("a", "me", 10) is not None
    assert not table._known_since_start


async def test_what_is_over_by_its_owners_own_clock_is_not_adopted(table: LockTable, now: list[float]) -> None:
    assert not table.renew("a", "me", 10, adopt=False)
    await table.acquire("a", "me", 10, 1)
    assert table.renew("a", "me", 10, adopt=False), "a table that knows of it sees that nobody had it meanwhile"


class Partly(LockProvider[None]):
    """Locks of which some can't be renewed, because nobody answers."""

    def __init__(self) -> None:
        super().__init__()
        self.renewed: list[str] = []

    async def take(self, key: str, owner: str, *, wait: float, lease: float) -> HeldLock[None]:
        return self._keep(HeldLock(key, owner, lease, time.monotonic() + lease, None))

    async def give_back(self, held: HeldLock[None]) -> None:
        self._drop(held)

    async def _renew(self, grip: HeldLock[None]) -> bool:
        if grip.owner == "unlucky":
            await asyncio.Event().wait()
        self.renewed.append(grip.owner)
        return True


async def test_a_lock_that_can_not_be_renewed_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("velella.actors.locking.leases.TICK_SECONDS", 0.01)
    provider = Partly()
    unlucky = await provider.take("a", "unlucky", wait=0, lease=0.1)
    await provider.take("b", "lucky", wait=0, lease=0.1)
    async with asyncio.timeout(10):
        while len(provider.renewed) < 3 or not unlucky.lost:
            await asyncio.sleep(0.01)
    await provider.stop()


def test_an_uncontended_lock_costs_microseconds() -> None:
    async def measure() -> float:
        table = LockTable()
        started = time.perf_counter()
        for i in range(2000):
            owner = f"me#{i}"
            assert table.try_acquire("cart:1", owner, 10) is not None
            table.release("cart:1", owner)
        return (time.perf_counter() - started) / 2000

    assert min(asyncio.run(measure()) for _ in range(3)) < 50e-6


# -- between processes


class Shards:
    """Two shards of the locking pool and two clients, each a host of its own, over sockets and with one database."""

    def __init__(self, settings: Settings, folder: Path, stack: AsyncExitStack) -> None:
        self.settings = settings
        self.folder = folder
        self.stack = stack
        self.addresses = [ReplicaAddress(ReplicaId("locking", i), "here", str(folder / f"locking-{i}")) for i in range(2)]
        self.directory = Directory.of((address, ["locking"]) for address in self.addresses)
        self.hosts: dict[int, Host] = {}

    async def start(self, index: int) -> None:
        self.hosts[index] = Host(self.settings, ["locking"], address=self.addresses[index], directory=self.directory)
        await self.hosts[index].start()

    async def stop(self, index: int) -> None:
        await self.hosts.pop(index).stop(0.1)

    async def client(self, index: int) -> LockProvider[object]:
        host = Host(self.settings, [], address=ReplicaAddress(ReplicaId("client", index), "here"), directory=self.directory)
        made = locks(host.context)
        await host.start()
        self.stack.push_async_callback(host.stop, 0.1)
        await made.start()
        self.stack.push_async_callback(made.stop)
        return made

    def key_of(self, shard: int) -> str:
        router = self.hosts[0].router
        return next(key for key in map(str, range(100)) if router.replica_for("locking", key) == self.addresses[shard].replica)


@pytest.fixture
async def shards(engine_database: str) -> AsyncIterator[Shards]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vt-")))
        settings = Settings(_env_file=None, data_dir=folder, database_url=engine_database)
        shards = Shards(settings, folder, stack)
        await shards.start(0)
        await shards.start(1)
        yield shards
        for index in list(shards.hosts):
            await shards.stop(index)


async def test_a_lock_excludes_across_processes(shards: Shards) -> None:
    one, two = await shards.client(1), await shards.client(2)
    key, other = shards.key_of(0), shards.key_of(1)
    for i in range(5):
        held = await one.take(key, f"one#{i}", wait=5, lease=5)
        waiting = asyncio.create_task(two.take(key, f"two#{i}", wait=5, lease=5))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        free = await two.take(other, f"free#{i}", wait=1, lease=5)
        await two.give_back(free)
        await one.give_back(held)
        theirs = await waiting
        with pytest.raises(Conflict):
            await one.take(key, f"again#{i}", wait=0.05, lease=5)
        await two.give_back(theirs)


async def test_locks_survive_the_restart_of_their_shard(shards: Shards) -> None:
    one, two = await shards.client(1), await shards.client(2)
    key = shards.key_of(0)
    held = await one.take(key, "one", wait=1, lease=1.5)
    await shards.stop(0)
    absent = asyncio.create_task(two.take(key, "two", wait=0.3, lease=5))
    with pytest.raises((Unavailable, Conflict)):
        await absent
    await shards.start(0)
    async with asyncio.timeout(5):
        while shards.hosts[0].services["locking"].table.metrics.held == 0:  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
    assert not held.lost
    with pytest.raises(Conflict):
        await two.take(key, "three", wait=0.05, lease=5)
    await one.give_back(held)
    await two.give_back(await two.take(key, "four", wait=2, lease=5))


async def test_keys_of_a_lost_shard_are_had_elsewhere_and_at_home_again(shards: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("velella.actors.messaging.router.LOST_SECONDS", 0.3)
    one = await shards.client(1)
    turns = 0

    async def turn(key: str) -> None:
        nonlocal turns
        turns += 1
        await one.give_back(await one.take(key, f"one#{turns}", wait=10, lease=5))

    key = shards.key_of(0)
    await turn(key)
    await one._errands.wait()  # it is given back: else the key is held there until the lease is over
    cut_off, path = shards.hosts[0], Path(str(shards.addresses[0].path))
    path.rename(f"{path}.away")
    for connection in list(cut_off.endpoint._connections):
        connection.abort()
    async with asyncio.timeout(5):
        await turn(key)
    Path(f"{path}.away").rename(path)
    async with asyncio.timeout(5):
        granted = cut_off.services["locking"].table.metrics  # type: ignore[attr-defined]
        before = granted.granted
        while granted.granted == before:
            await turn(key)
            await asyncio.sleep(0.05)


async def test_a_holder_that_stood_still_does_not_claim_its_lock_from_a_restarted_shard(shards: Shards) -> None:
    one = await shards.client(1)
    held = await one.take(shards.key_of(0), "one", wait=1, lease=10)
    held.until = time.monotonic() - 1  # it stood still for longer than the lease
    assert await one._renew(held), "its shard knows that nobody had it since"
    await shards.stop(0)
    await shards.start(0)
    held.until = time.monotonic() - 1
    async with asyncio.timeout(10):
        while True:
            try:
                assert not await one._renew(held)
                break
            except Unavailable:  # the shard is just starting
                await asyncio.sleep(0.02)


async def test_a_holder_learns_that_its_lock_is_lost(shards: Shards) -> None:
    one = await shards.client(1)
    key = shards.key_of(0)
    held = await one.take(key, "one", wait=1, lease=1.0)
    await shards.stop(0)
    async with asyncio.timeout(5):
        while not held.lost:
            await asyncio.sleep(0.05)
    await one.give_back(held)


@pytest.mark.parametrize("use", ["actor", "postgres", "redis"])
class TestLocks:
    """What every provider promises to flows of two processes."""

    @pytest.fixture
    async def clients(
        self, shards: Shards, use: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> list[LockProvider[object]]:
        monkeypatch.setattr("velella.actors.locking.leases.TICK_SECONDS", 0.1)
        options = {"url": request.getfixturevalue("redis_url")} if use == "redis" else {}
        shards.settings = shards.settings.model_copy(update={"providers": {"locking": [ProviderSettings(use=use, options=options)]}})
        return [await shards.client(1), await shards.client(2)]

    async def test_a_key_is_one_owners_and_the_next_has_it_when_it_is_given_back(self, clients: list[LockProvider[object]]) -> None:
        one, two = clients
        held = await one.take("a", "one#1", wait=2, lease=5)
        for client in clients:
            with pytest.raises(Conflict):
                await client.take("a", f"{id(client)}#2", wait=0.1, lease=5)
        await two.give_back(await two.take("b", "two#2", wait=1, lease=5))

        async def turn(client: LockProvider[object]) -> None:
            await client.give_back(await client.take("a", f"{id(client)}#3", wait=5, lease=5))

        waiting = [asyncio.create_task(turn(client)) for client in clients]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        assert await one._renew(held)
        await one.give_back(held)
        await asyncio.gather(*waiting)

    async def test_it_is_kept_for_as_long_as_it_is_held(self, clients: list[LockProvider[object]]) -> None:
        one, two = clients
        held = await one.take("a", "one#1", wait=2, lease=0.6)
        with pytest.raises(Conflict):
            await two.take("a", "two#1", wait=1.5, lease=5)
        assert not held.lost
        await one.give_back(held)
        await two.give_back(await two.take("a", "two#2", wait=1, lease=5))

    async def test_who_gives_up_waiting_holds_nothing(self, clients: list[LockProvider[object]]) -> None:
        one, two = clients
        held = await one.take("a", "one#1", wait=2, lease=5)
        waiting = [asyncio.create_task(client.take("a", f"{id(client)}#2", wait=5, lease=5)) for client in clients]
        await asyncio.sleep(0.05)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await one.give_back(held)
        await two.give_back(await two.take("a", "two#3", wait=2, lease=5))

    async def test_giving_back_twice_takes_it_from_nobody(self, clients: list[LockProvider[object]]) -> None:
        one, two = clients
        held = await one.take("a", "one#1", wait=2, lease=5)
        await one.give_back(held)
        theirs = await two.take("a", "two#1", wait=2, lease=5)
        await one.give_back(held)
        with pytest.raises(Conflict):
            await one.take("a", "one#2", wait=0.1, lease=5)
        await two.give_back(theirs)

    async def test_one_flow_holds_many_and_each_is_given_back_by_itself(self, clients: list[LockProvider[object]]) -> None:
        """More than a provider has connections; and none of them keeps other flows from theirs."""
        one, two = clients
        many = [await one.take(f"many-{i}", f"wfex_many#{i}", wait=10, lease=30) for i in range(12)]
        other = await one.take("a", "wfex_other#1", wait=10, lease=30)
        for i in (0, 5, 11):
            with pytest.raises(Conflict):
                await two.take(f"many-{i}", f"wfex_two#{i}", wait=0.1, lease=5)
        assert all(await asyncio.gather(*map(one._renew, many)))
        for held in many[:6]:
            await one.give_back(held)
        theirs = [await two.take(f"many-{i}", f"wfex_two#{i}", wait=10, lease=30) for i in range(6)]
        for i in (3, 6, 11):
            with pytest.raises(Conflict):
                await (one if i == 3 else two).take(f"many-{i}", f"wfex_late#{i}", wait=0.1, lease=5)
        giving = [asyncio.create_task(client.give_back(held)) for client, part in ((one, many[6:]), (two, theirs)) for held in part]
        await asyncio.gather(*giving, one.give_back(other))
        again = [await two.take(f"many-{i}", f"wfex_again#{i}", wait=10, lease=30) for i in range(12)]
        await asyncio.gather(*map(two.give_back, again))

    async def test_giving_back_hurts_nobody_whatever_it_meets(self, clients: list[LockProvider[object]]) -> None:
        one, two = clients
        held = await one.take("a", "one#1", wait=10, lease=30)
        renewing = asyncio.create_task(one._renew(held))
        await asyncio.sleep(0)
        await one.give_back(held)  # while it is renewed
        await asyncio.gather(renewing, return_exceptions=True)
        held = await one.take("a", "one#2", wait=10, lease=0.5)
        giving = asyncio.create_task(one.give_back(held))
        await asyncio.sleep(0)
        giving.cancel()
        await asyncio.gather(giving, return_exceptions=True)
        await two.give_back(await two.take("a", "two#1", wait=10, lease=30))
        await one.give_back(await one.take("a", "one#3", wait=10, lease=30))


async def test_locks_whose_connection_was_cut_are_seen_to_be_lost_and_hurt_nobody(shards: Shards, engine_database: str) -> None:
    shards.settings = shards.settings.model_copy(update={"providers": {"locking": [ProviderSettings(use="postgres")]}})
    one, two = await shards.client(1), await shards.client(2)
    held = [await one.take(f"cut-{i}", f"wfex_cut#{i}", wait=10, lease=30) for i in range(3)]
    operator = await asyncpg.connect(engine_database)
    mine = "datname = current_database() AND application_name = 'velella locks'"
    await operator.execute(f"SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE {mine}")
    await operator.close()
    theirs = await two.take("cut-0", "wfex_two#1", wait=10, lease=30)
    assert await asyncio.gather(*map(one._renew, held)) == [False] * 3
    with pytest.raises(Unavailable):
        await one.take("cut-3", "wfex_cut#3", wait=10, lease=30)
    for each in held:
        await one.give_back(each)
    await two.give_back(theirs)
    again = [await one.take(f"cut-{i}", f"wfex_cut#{i + 4}", wait=10, lease=30) for i in range(4)]
    waiting = asyncio.create_task(one.take("cut-9", "wfex_cut#9", wait=10, lease=30))
    await asyncio.sleep(0)
    waiting.cancel()  # it may have it already
    await asyncio.gather(waiting, return_exceptions=True)
    await two.give_back(await two.take("cut-9", "wfex_two#2", wait=10, lease=30))
    for each in again:
        await one.give_back(each)


async def test_while_redis_is_dead_or_slow_each_process_grants_locks_by_itself(shards: Shards, own_redis: RedisServer) -> None:
    named = [ProviderSettings(use="redis", options={"url": own_redis.url})]
    shards.settings = shards.settings.model_copy(update={"providers": {"locking": named}})
    one, two = await shards.client(1), await shards.client(2)
    assert isinstance(one, RedisLocks)
    before = await one.take("before", "one#1", wait=1, lease=30)
    for trouble in ("dead", "slow"):
        if trouble == "dead":
            own_redis.kill()
        else:
            own_redis.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        held = await one.take("a", f"one#{trouble}", wait=1, lease=30)
        assert time.monotonic() - began < 2
        with pytest.raises(Conflict):
            await one.take("a", f"another#{trouble}", wait=0.1, lease=5)
        assert await one._renew(before), "nobody else can have got it"
        if trouble == "dead":
            own_redis.start()
        else:
            own_redis.process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(10):
            while one._side.is_away:  # it is claimed when it is renewed
                assert await one._renew(held)
                await asyncio.sleep(0.1)
        with pytest.raises(Conflict):
            await two.take("a", f"two#{trouble}", wait=0.1, lease=5)
        await one.give_back(held)
        await two.give_back(await two.take("a", f"two#{trouble}again", wait=1, lease=5))
