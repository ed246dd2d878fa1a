"""The supervisor looks at its replicas whatever else it is about."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from velella.actors.cluster.members import Member
from velella.actors.cluster.reconcile import Wanted
from velella.actors.cluster.supervisor import Supervisor
from velella.actors.membership.directory import Directory, ReplicaId
from velella.actors.membership.states import ReplicaState
from velella.actors.topology import Pool, Topology
from velella.core.settings import Settings


class Method:
    """A method of a Ray actor."""

    def __init__(self, call: Callable[..., Awaitable[Any]]) -> None:
        self.remote = call


class Replica:
    """A replica whose queue is long; one that finds `no_room` is never ready, and answers nothing."""

    def __init__(self, id: ReplicaId, looks: Counter[ReplicaId], no_room: bool = False, documents: int = 1) -> None:
        """`documents`: the newest schema of parcels that it knows."""
        self.heard: list[Directory] = []

        async def health(*_: Any) -> dict[str, Any]:
            looks[id] += 1
            if no_room:
                await asyncio.Event().wait()
            return {"state": "ready", "pid": 1, "waiting": 99, "running": 1, "directory": 0, "documents": {"parcel": documents}}

        async def never() -> Any:
            await asyncio.Event().wait()

        async def update(wire: Any) -> None:
            self.heard.append(Directory.from_wire(wire))

        async def stop(*_: Any) -> None: ...

        self.health, self.ready = Method(health), Method(never)
        self.update, self.stop = Method(update), Method(stop)


async def no_answer(*_: Any) -> Any:
    return {"state": "hung", "pid": 1}


def seeing(seen: list[Directory], supervisor: Supervisor) -> Callable[..., Awaitable[None]]:
    """Note the directory as it is when this is called."""

    async def see(*_: Any) -> None:
        seen.append(supervisor.directory())

    return see


@pytest.fixture
def looks() -> Counter[ReplicaId]:
    return Counter()


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch, looks: Counter[ReplicaId]) -> Supervisor:
    """Of one replica that is crowded, in a cluster that has no room for another one."""
    monkeypatch.setattr("velella.actors.cluster.supervisor.GLANCE_SECONDS", 0.01)
    monkeypatch.setattr("velella.actors.cluster.supervisor.WATCH_SECONDS", 0.01)
    monkeypatch.setattr("velella.actors.cluster.nodes.Nodes.look", lambda self: None)
    pool = Pool("product", ("product",), 1, 4)
    settings = Settings(_env_file=None)
    made = Supervisor(settings, Topology("t", (pool,), settings), inside=True)

    async def make(members: Sequence[Member]) -> None:
        for one in members:
            one.actor = Replica(one.id, looks, no_room=True)

    monkeypatch.setattr(made, "_make", make)
    monkeypatch.setattr(made, "_kill", lambda member, restart: None)
    member = made._plan(pool)
    member.actor, member.pid, member.state = Replica(member.id, looks), 1, ReplicaState.READY
    return made


async def test_replicas_are_looked_at_while_a_pool_can_not_grow(supervisor: Supervisor, looks: Counter[ReplicaId]) -> None:
    watching = asyncio.create_task(supervisor._watch())
    first = ReplicaId("product", 0)
    async with asyncio.timeout(20):
        while len(supervisor.members("product")) < 2:
            await asyncio.sleep(0.01)
        before = looks[first]
        while looks[first] < before + 5:
            await asyncio.sleep(0.01)
    assert len(supervisor.members("product")) == 2, "it still waits for the new one"
    assert looks[ReplicaId("product", 1)] == 0, "which is not asked how it is before it has begun to be"
    await ended(watching, supervisor)


async def test_documents_are_written_as_the_oldest_replica_knows_them_until_it_is_gone(
    supervisor: Supervisor, looks: Counter[ReplicaId], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor._scaling, "step", lambda *_: 0)
    (old,), pool = supervisor.members("product"), supervisor.pools[0]
    new = supervisor._plan(pool)
    new.actor, new.pid, new.state = Replica(new.id, looks, documents=2), 1, ReplicaState.READY
    supervisor.wanted["product"] = Wanted(pool, 2)
    await looked(supervisor)
    assert new.actor.heard[-1].documents == {"parcel": 1}, "told because what one knows is news"
    old.actor.health = Method(no_answer)
    await looked(supervisor)
    assert supervisor.directory().documents == {"parcel": 1}, "one that is silent may be back"
    leaving: list[Directory] = []
    old.actor.stop = Method(seeing(leaving, supervisor))
    supervisor.wanted["product"] = Wanted(Pool("product", ("product",), 1), 1)
    async with asyncio.timeout(20):
        while len(supervisor.members("product")) > 1:
            await looked(supervisor)
    assert leaving[0].documents == {"parcel": 1}, "it finishes what it has inside"
    assert new.actor.heard[-1].documents == {"parcel": 2}


async def test_a_process_that_starts_again_and_is_too_busy_to_answer_gets_the_time_of_a_start(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is merely busy would else kill each new process before it is ready, over and over."""
    killed: list[ReplicaId] = []
    monkeypatch.setattr(supervisor, "_kill", lambda member, restart: killed.append(member.id))
    monkeypatch.setattr(supervisor._scaling, "step", lambda *_: 0)
    monkeypatch.setattr("velella.actors.cluster.supervisor.ASK_SECONDS", 0.01)
    [member] = supervisor.members("product")
    busy = asyncio.Event().wait

    async def starting(*_: Any) -> dict[str, Any]:
        return {"state": "starting", "pid": 2}

    member.seen -= 60.0  # its node was lost a while ago, and it is placed elsewhere by now
    for answer, state in ((starting, ReplicaState.RESTARTING), (lambda *_: busy(), ReplicaState.RESTARTING)):
        member.actor.health = Method(answer)
        await looked(supervisor)
        assert member.state == state
    assert killed == []
    member.seen -= 200.0
    await looked(supervisor)
    assert killed == [member.id], "but no longer than that"


async def looked(supervisor: Supervisor) -> None:
    """After two looks: what comes of the first is seen by the second."""
    for _ in range(2):
        await supervisor._check(ask=True)
        await asyncio.gather(*supervisor._looks.values())
        await asyncio.gather(*supervisor._moves)


async def ended(watching: asyncio.Task[None], supervisor: Supervisor) -> None:
    tasks = [watching, *supervisor._moves, *supervisor._looks.values()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_pool_that_has_grown_stays_so_when_another_supervisor_takes_over(
    supervisor: Supervisor, looks: Counter[ReplicaId], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor._members.clear()
    there = {id: Replica(id, looks) for id in (ReplicaId("product", index) for index in range(3))}
    monkeypatch.setattr("velella.actors.cluster.replica.named_actors", lambda: there)
    assert await supervisor._adopt() == 3
    supervisor._reconcile()
    assert {member.state for member in supervisor.members("product")} == {ReplicaState.READY}, "nobody has to go"
    assert supervisor.wanted["product"].replicas == 3


async def test_a_replica_that_an_earlier_supervisor_was_draining_is_ended_by_the_next(
    supervisor: Supervisor, looks: Counter[ReplicaId], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def draining(*_: Any) -> dict[str, Any]:
        return {"state": "draining", "pid": 1}

    supervisor._members.clear()
    there = {id: Replica(id, looks) for id in (ReplicaId("product", index) for index in range(3))}
    there[ReplicaId("product", 1)].health = Method(draining)
    monkeypatch.setattr("velella.actors.cluster.replica.named_actors", lambda: there)
    await supervisor._adopt()
    assert supervisor.wanted["product"].replicas == 2, "one is to go"
    assert {one.replica.index for one in supervisor.directory().draining} == {1}
    await asyncio.gather(*supervisor._moves)
    assert {member.id.index for member in supervisor.members("product")} == {0, 2}


async def test_a_change_of_several_pools_is_not_through_while_it_is_written_down(supervisor: Supervisor) -> None:
    pool = supervisor.pools[0]
    other = Pool("order", ("order",), 1, 4)
    supervisor.topology = replace(supervisor.topology, pools=(pool, other))
    supervisor.wanted["order"] = Wanted(other, 1)

    async def slow(pools: Sequence[Pool]) -> None:
        supervisor.changes.look()
        assert supervisor.changes.report()["running"]
        assert [each.replicas for each in pools] == [2, 2], "all at once"

    supervisor._pools_changed = slow
    await supervisor.changes.scale({"product": (2, 4), "order": (2, 4)})
    assert supervisor.changes._changing.keys() == {"product", "order"}
