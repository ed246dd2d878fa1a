"""Locks: whole sets, first come first served, leases, and tokens that only rise."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from velella.actors.directory import Address, Directory, ReplicaId
from velella.actors.host import Host
from velella.actors.locking import ActorLocks, LockProvider, LockTable, Tokens, locks
from velella.actors.locking.leases import Grip
from velella.actors.locking.table import LONGEST_LEASE, counted
from velella.core.errors import Conflict, InvalidData, Unavailable
from velella.core.settings import ProviderSettings, Settings


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def table(now: list[float]) -> LockTable:
    return LockTable(Tokens(counted()), clock=lambda: now[0])


async def test_a_set_is_granted_whole_and_in_turn(table: LockTable) -> None:
    granted: list[str] = []

    async def want(owner: str, *keys: str) -> None:
        holding = await table.acquire(keys, owner, 10, 5)
        granted.append(owner)
        await asyncio.sleep(0.01)
        table.release(owner, holding.token)

    first = await table.acquire(["b"], "first", 10, 5)
    waiting = []
    for owner, keys in [("both", "ab"), ("a", "a"), ("b", "b"), ("c", "c")]:
        waiting.append(asyncio.create_task(want(owner, *keys)))
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)
    assert granted == ["c"], "a is free, but somebody who came before waits for it"
    table.release("first", first.token)
    await asyncio.gather(*waiting)
    assert granted == ["c", "both", "a", "b"]


async def test_overlapping_sets_never_wait_in_a_circle(table: LockTable, dice: random.Random) -> None:
    inside: dict[str, str] = {}
    turns = 0

    async def worker(name: int) -> None:
        nonlocal turns
        for i in range(20):
            keys = sorted(dice.sample("abcdef", dice.randint(1, 4)))
            owner = f"{name}#{i}"
            holding = await table.acquire(keys, owner, 60, 30)
            assert not inside.keys() & set(keys), "two hold the same key"
            inside.update(dict.fromkeys(keys, owner))
            await asyncio.sleep(0)
            for key in keys:
                del inside[key]
            table.release(owner, holding.token)
            turns += 1

    async with asyncio.timeout(20):
        await asyncio.gather(*(worker(name) for name in range(30)))
    assert turns == 600
    assert table.figures.held == table.figures.waiting == 0
    assert not table._queues
    assert not table._by_owner


async def test_waiting_ends_in_a_conflict_and_lets_others_pass(table: LockTable) -> None:
    await table.acquire(["a"], "holder", 60, 1)
    with pytest.raises(Conflict):
        await table.acquire(["a"], "at once", 60, 0)
    behind = asyncio.create_task(table.acquire(["b"], "behind", 60, 1))
    patient = asyncio.create_task(table.acquire(["a", "b"], "patient", 60, 0.05))
    await behind
    with pytest.raises(Conflict, match="being changed elsewhere"):
        await patient
    given_up = asyncio.create_task(table.acquire(["a"], "given up", 60, 5))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert table.figures.waiting == 0


async def test_only_owner_and_token_give_back(table: LockTable) -> None:
    holding = await table.acquire(["a"], "me", 10, 1)
    assert not table.release("you", holding.token)
    assert not table.release("me", holding.token + 1)
    with pytest.raises(Conflict):
        await table.acquire(["a"], "you", 10, 0)
    assert table.release("me", holding.token)
    assert not table.release("me", holding.token)


async def test_asking_again_under_the_same_owner_is_the_same_acquisition(table: LockTable) -> None:
    first = await table.acquire(["a"], "me", 10, 1)
    assert (await table.acquire(["a"], "me", 10, 1)).token == first.token
    with pytest.raises(InvalidData, match="holds or awaits other locks"):
        await table.acquire(["a", "b"], "me", 10, 1)
    twice = [asyncio.create_task(table.acquire(["a"], "you", 10, 5)) for _ in range(2)]
    await asyncio.sleep(0)
    table.release("me", first.token)
    second, third = await asyncio.gather(*twice)
    assert second.token == third.token > first.token


async def test_a_lease_that_is_not_renewed_ends(table: LockTable, now: list[float]) -> None:
    dead, alive = await table.acquire(["a"], "dead", 0.05, 1), await table.acquire(["b"], "alive", 0.05, 1)
    heir = asyncio.create_task(table.acquire(["a"], "heir", 10, 5))
    await asyncio.sleep(0)
    now[0] += 0.04
    assert table.renew(["b"], "alive", alive.token, 10)
    now[0] += 0.02
    assert (await heir).token > dead.token
    assert not table.renew(["a"], "dead", dead.token, 10)
    with pytest.raises(Conflict):
        await table.acquire(["b"], "other", 10, 0)


async def test_a_restarted_table_takes_its_predecessors_grants_over(table: LockTable, now: list[float]) -> None:
    draw = counted()
    old = LockTable(Tokens(draw), clock=lambda: now[0])
    first, second = await old.acquire(["a"], "first", 10, 1), await old.acquire(["b"], "second", 10, 1)
    new = LockTable(Tokens(draw), clock=lambda: now[0])
    usurper = await new.acquire(["a"], "usurper", 10, 1)
    assert usurper.token > second.token, "tokens rise across restarts"
    assert not new.renew(["a"], "first", first.token, 10), "it was granted to somebody else since"
    assert new.renew(["b"], "second", second.token, 10)
    with pytest.raises(Conflict):
        await new.acquire(["b"], "other", 10, 0)
    assert new.release("second", second.token)
    now[0] += LONGEST_LEASE + 1
    assert not new.renew(["c"], "third", 1, 10), "what comes so late has long lost its lease"


@pytest.mark.parametrize("first", ["stale", "rightful"])
async def test_a_restarted_table_believes_the_later_of_two_grants(now: list[float], first: str) -> None:
    """A holder stood still for longer than its lease, and somebody else was granted the keys; then the table was started again."""
    draw = counted()
    old = LockTable(Tokens(draw), clock=lambda: now[0])
    stale = await old.acquire(["a", "b"], "stale", 10, 1)
    now[0] += 11
    rightful = await old.acquire(["b", "c"], "rightful", 10, 1)
    new = LockTable(Tokens(draw), clock=lambda: now[0])
    if first == "stale":
        assert new.renew(["a", "b"], "stale", stale.token, 10), "nothing says yet that it is over"
    assert new.renew(["b", "c"], "rightful", rightful.token, 10)
    assert not new.renew(["a", "b"], "stale", stale.token, 10)
    assert await new.acquire(["a"], "next", 10, 0), "what the stale one held besides is free"
    assert new.release("rightful", rightful.token)
    assert new.figures.held == 1


async def test_what_is_over_by_its_owners_own_clock_is_not_adopted(now: list[float]) -> None:
    draw = counted()
    old = LockTable(Tokens(draw), clock=lambda: now[0])
    held = await old.acquire(["a"], "me", 10, 1)
    new = LockTable(Tokens(draw), clock=lambda: now[0])
    assert not new.renew(["a"], "me", held.token, 10, adopt=False)
    assert old.renew(["a"], "me", held.token, 10, adopt=False), "a table that knows of it sees that nobody had it meanwhile"


async def test_tokens_rise_beyond_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tokens, "SIZE", 8)
    draw = counted()
    one, other = LockTable(Tokens(draw)), LockTable(Tokens(draw))
    tokens = []
    for i in range(100):
        for table in (one, other):
            holding = await table.acquire([f"{id(table)}"], f"{i}", 10, 1)
            table.release(f"{i}", holding.token)
            tokens.append((id(table), holding.token))
    for table in (one, other):
        mine = [token for owner, token in tokens if owner == id(table)]
        assert mine == sorted(set(mine))
    assert len({token for _, token in tokens}) == 200


async def test_tokens_rise_when_keys_move_to_another_shard() -> None:
    draw = counted()
    shards: list[object] = [object()]
    staying, leaving = (LockTable(Tokens(draw), neighbours=lambda: shards[0]) for _ in range(2))
    await staying.acquire(["b"], "other", 10, 1)
    before = await leaving.acquire(["a"], "me", 10, 1)
    shards[0] = object()  # the other shard is gone, its keys are ours
    after = await staying.acquire(["a"], "you", 10, 1)
    assert after.token > before.token


class Partly(LockProvider[None]):
    """Locks of which some can't be renewed, because nobody answers."""

    def __init__(self) -> None:
        super().__init__()
        self.renewed: list[str] = []

    async def take(self, keys: tuple[str, ...], owner: str, *, wait: float, lease: float) -> Grip[None]:
        return self._keep(Grip(keys, owner, 1, lease, time.monotonic() + lease, None))

    async def give_back(self, held: Grip[None]) -> None:
        self._drop(held)

    async def _renew(self, grip: Grip[None]) -> bool:
        if grip.owner == "unlucky":
            await asyncio.Event().wait()
        self.renewed.append(grip.owner)
        return True


async def test_a_lock_that_can_not_be_renewed_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("velella.actors.locking.leases.TICK_SECONDS", 0.01)
    provider = Partly()
    await provider.take(("a",), "unlucky", wait=0, lease=0.1)
    await provider.take(("b",), "lucky", wait=0, lease=0.1)
    async with asyncio.timeout(10):
        while len(provider.renewed) < 3:
            await asyncio.sleep(0.01)
    await provider.stop()


async def test_who_waits_is_served_when_tokens_can_be_had_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """They come from the database, which may be away just when a block of them is used up."""
    monkeypatch.setattr(Tokens, "SIZE", 4)
    monkeypatch.setattr("velella.actors.locking.table.DRAW_PAUSE", 0.01)
    numbers, away = counted(), [False]

    async def draw() -> int:
        if away[0]:
            raise Unavailable("The database can't be reached.")
        return await numbers()

    table = LockTable(Tokens(draw))
    held = await table.acquire(["a"], "0", 10, 0)
    away[0] = True
    waiting = [asyncio.create_task(table.acquire(["a"], f"{number}", 10, 10)) for number in range(1, 9)]
    await asyncio.sleep(0)
    table.release("0", held.token)
    for number, one in enumerate(waiting, 1):
        if number == 4:  # the first that needs another block
            await asyncio.sleep(0.05)
            away[0] = False
        table.release(f"{number}", (await one).token)


def test_an_uncontended_lock_costs_microseconds() -> None:
    async def measure() -> float:
        table = LockTable(Tokens(counted()))
        await table.acquire(["warm"], "up", 10, 1)
        started = time.perf_counter()
        for i in range(2000):
            owner = f"me#{i}"
            holding = table.try_acquire(("cart:1",), owner, 10)
            assert holding is not None
            table.release(owner, holding.token)
        return (time.perf_counter() - started) / 2000

    assert min(asyncio.run(measure()) for _ in range(3)) < 50e-6


# -- between processes


class Shards:
    """Two shards of the locking pool and two clients, each a host of its own, over sockets and with one database."""

    def __init__(self, settings: Settings, folder: Path, stack: AsyncExitStack) -> None:
        self.settings = settings
        self.folder = folder
        self.stack = stack
        self.addresses = [Address(ReplicaId("locking", i), "here", str(folder / f"locking-{i}")) for i in range(2)]
        self.directory = Directory.of((address, ["locking"]) for address in self.addresses)
        self.hosts: dict[int, Host] = {}

    async def start(self, index: int) -> None:
        self.hosts[index] = Host(self.settings, ["locking"], address=self.addresses[index], directory=self.directory)
        await self.hosts[index].start()

    async def stop(self, index: int) -> None:
        await self.hosts.pop(index).stop(0.1)

    async def client(self, index: int) -> LockProvider[object]:
        host = Host(self.settings, [], address=Address(ReplicaId("client", index), "here"), directory=self.directory)
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


async def test_a_set_over_two_shards_excludes_and_its_tokens_rise(shards: Shards) -> None:
    one, two = await shards.client(1), await shards.client(2)
    a, b = shards.key_of(0), shards.key_of(1)
    tokens = []
    for i in range(5):
        both = await one.take((a, b), f"one#{i}", wait=5, lease=5)
        waiting = asyncio.create_task(two.take((a,), f"two#{i}", wait=5, lease=5))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        await one.give_back(both)
        single = await waiting
        tokens += [both.token, single.token]
        with pytest.raises(Conflict):
            await one.take((a, b), f"again#{i}", wait=0.05, lease=5)
        free = await two.take((b,), f"free#{i}", wait=1, lease=5)  # nothing of the failed set stays held
        await two.give_back(free)
        await two.give_back(single)
    assert tokens == sorted(set(tokens)), "of one key, a later grant has a higher token"


async def test_locks_survive_the_restart_of_their_shard(shards: Shards) -> None:
    one, two = await shards.client(1), await shards.client(2)
    key = shards.key_of(0)
    held = await one.take((key,), "one", wait=1, lease=1.5)
    await shards.stop(0)
    absent = asyncio.create_task(two.take((key,), "two", wait=0.3, lease=5))
    with pytest.raises((Unavailable, Conflict)):
        await absent
    await shards.start(0)
    async with asyncio.timeout(5):
        while shards.hosts[0].services["locking"].table.figures.held == 0:  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
    assert not held.lost
    with pytest.raises(Conflict):
        await two.take((key,), "three", wait=0.05, lease=5)
    await one.give_back(held)
    later = await two.take((key,), "four", wait=2, lease=5)
    assert later.token > held.token
    await two.give_back(later)


async def test_keys_of_a_lost_shard_are_had_elsewhere_and_tokens_rise_there_and_back(
    shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("velella.actors.router.LOST_SECONDS", 0.3)
    one = await shards.client(1)
    tokens = []

    async def turn(key: str, owner: str) -> None:
        held = await one.take((key,), owner, wait=10, lease=5)
        tokens.append(held.token)
        await one.give_back(held)

    await turn(shards.key_of(1), "so that the other shard's tokens are the lower ones")
    key = shards.key_of(0)
    await turn(key, "at home")
    cut_off, path = shards.hosts[0], Path(str(shards.addresses[0].path))
    path.rename(f"{path}.away")
    for connection in list(cut_off.endpoint._connections):
        connection.abort()
    async with asyncio.timeout(5):
        await turn(key, "elsewhere")
    Path(f"{path}.away").rename(path)
    async with asyncio.timeout(5):
        granted = cut_off.services["locking"].table.figures  # type: ignore[attr-defined]
        before = granted.granted
        while granted.granted == before:
            await turn(key, f"back {len(tokens)}")
            await asyncio.sleep(0.05)
    assert tokens == sorted(set(tokens))


async def test_a_holder_that_stood_still_does_not_claim_its_lock_from_a_restarted_shard(shards: Shards) -> None:
    one = await shards.client(1)
    held = await one.take((shards.key_of(0),), "one", wait=1, lease=10)
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
    held = await one.take((key,), "one", wait=1, lease=1.0)
    await shards.stop(0)
    async with asyncio.timeout(5):
        while not held.lost:
            await asyncio.sleep(0.05)
    await one.give_back(held)


@pytest.mark.parametrize("use", ["postgres", "redis"])
async def test_other_providers_keep_the_same_promise(shards: Shards, use: str, request: pytest.FixtureRequest) -> None:
    options = {"url": request.getfixturevalue("redis_url")} if use == "redis" else {}
    shards.settings = shards.settings.model_copy(update={"providers": {"locking": [ProviderSettings(use=use, options=options)]}})
    one, two = await shards.client(1), await shards.client(2)
    assert not isinstance(one, ActorLocks)
    both = await one.take(("b", "a"), "one#1", wait=2, lease=5)
    with pytest.raises(Conflict):
        await two.take(("a",), "two#1", wait=0.1, lease=5)

    async def turn(client: LockProvider[object]) -> int:
        held = await client.take(("a", "b"), f"{id(client)}#2", wait=5, lease=5)
        await client.give_back(held)
        return held.token

    waiting = [asyncio.create_task(turn(client)) for client in (one, two)]
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in waiting)
    await one.give_back(both)
    tokens = [both.token, *await asyncio.gather(*waiting)]
    assert len(set(tokens)) == 3
    assert min(tokens) == both.token
    third = await two.take(("a",), "two#3", wait=1, lease=5)
    assert third.token > max(tokens)
    await two.give_back(third)
