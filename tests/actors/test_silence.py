"""Peers on other nodes that say nothing any more, and processes that come back after they were replaced."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from velella.actors.host import Host
from velella.actors.membership.directory import Directory, Identity, ReplicaAddress, ReplicaId
from velella.core.errors import ReplyLost, Unavailable

if TYPE_CHECKING:
    from .conftest import Colony


async def test_a_read_and_a_write_that_a_frozen_node_swallowed_are_done_elsewhere_and_a_call_is_given_up(
    colony: Colony, tmp_path: Path
) -> None:
    for index in range(2):
        await colony.process(index, listen="127.0.0.1", only_tcp=True)
    toy = await colony.connect()
    while len({await toy.process() for _ in range(20)}) < 2:
        pass
    frozen = colony.processes[0]
    os.kill(frozen.pid, signal.SIGSTOP)
    to_frozen = colony.addresses[0].replica
    try:
        call = asyncio.create_task(colony.client.router.send_to(to_frozen, "toy", "die"))
        asked = [asyncio.create_task(toy.process()) for _ in range(10)]
        noted = [asyncio.create_task(toy.note(str(tmp_path), f"note {n}")) for n in range(10)]
        async with asyncio.timeout(20):
            assert {await one for one in asked} == {colony.processes[1].pid}
            assert {await one for one in noted} == {f"note {n} by toys-1" for n in range(10)}
            with pytest.raises(ReplyLost):
                await call
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    async with asyncio.timeout(20):
        while (await frozen.wait() if frozen.returncode is None else -signal.SIGKILL) != -signal.SIGKILL:
            pass  # it carries out what it was sent before, `die` too
    assert sorted((tmp_path / "notes").read_text().split("\n")[:-1]) == sorted(f"note {n}" for n in range(10)), "each was done once"


async def test_a_busy_peer_is_not_a_silent_one(colony: Colony) -> None:
    await colony.process(0, listen="127.0.0.1", only_tcp=True)
    toy = await colony.connect(admission=1)
    assert await toy.slow(4.0) == "done"


def places(serving: Host, asking: Host, version: int) -> Directory:
    return Directory.of([(serving.address, ["toy"]), (asking.address, [])], version)


async def test_a_process_that_was_replaced_is_refused_and_told_so(colony: Colony) -> None:
    serving = await colony.host(0)
    old = Host(colony.settings, [], address=colony.address(1))
    new = Host(colony.settings, [], address=colony.address(1))
    ended = asyncio.Event()
    old.on_superseded = ended.set
    await old.start()
    before = places(serving, old, version=7)
    for host in (serving, old):
        host.update(before)
    toy: Any = old.modules.toy  # type: ignore[attr-defined]
    assert await toy.echo(1) == 1
    serving.update(places(serving, new, version=8))  # old was frozen meanwhile: nobody could tell it
    asking = asyncio.create_task(toy.echo(2))
    await asyncio.wait_for(ended.wait(), 5)
    with pytest.raises(Unavailable):
        await asking
    with pytest.raises(Unavailable, match="replaced"):
        await toy.echo(3)
    new_toy: Any = new.modules.toy  # type: ignore[attr-defined]
    new.update(before)  # what it was started with lists its predecessor: it is new all the same
    assert await new_toy.echo(4) == 4
    await old.stop(0.1)
    await new.stop(0.1)


async def test_a_process_that_has_nothing_to_say_knocks_and_hears_that_its_place_was_given_up(colony: Colony) -> None:
    serving = await colony.host(0)
    old = Host(colony.settings, [], address=colony.address(1))
    ended = asyncio.Event()
    old.on_superseded = ended.set
    await old.start()
    before = places(serving, old, version=7)
    for host in (serving, old):
        host.update(before)
    await old.router.knock()
    serving.update(Directory.of([(serving.address, ["toy"])], 8, suspects=[old.replica]))
    await asyncio.sleep(0.1)
    assert not ended.is_set(), "it may come back"
    serving.update(Directory.of([(serving.address, ["toy"])], 9))
    await asyncio.wait_for(ended.wait(), 5)
    await old.stop(0.1)


async def test_a_message_to_somebody_who_had_the_address_before_is_refused(colony: Colony, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("velella.actors.messaging.router.PATIENCE_SECONDS", 0.3)
    host = await colony.host(0)
    other = ReplicaAddress(ReplicaId("others", 3), host.address.node, host.address.path)
    colony.addresses[:] = [other]
    toy = await colony.connect()
    with pytest.raises(Unavailable):
        await toy.echo(1)
    assert host.admission.handled == 0


def test_who_knows_more_counts() -> None:
    me, other = ReplicaId("toys", 0), ReplicaId("toys", 1)

    def directory(incarnation: str, version: int) -> Directory:
        return Directory.of([(ReplicaAddress(me, incarnation=incarnation), []), (ReplicaAddress(other, incarnation="o"), [])], version)

    frozen = Identity(me, "old").after(directory("old", 4))
    assert frozen.is_superseded(directory("new", 5))
    assert not frozen.is_superseded(directory("old", 5)), "it was never replaced"
    assert not frozen.is_superseded(directory("older", 3)), "we are the ones who know less"
    assert not Identity(me, "new").after(directory("old", 4)).is_superseded(directory("old", 5)), "nobody has been told of it yet"
    assert frozen.after(Directory(version=5, suspects=frozenset([me]))).is_superseded(directory("new", 6)), "it was left out before"
    assert not frozen.is_superseded(Directory(version=9, suspects=frozenset([me]))), "it is away, not replaced"
    assert not frozen.is_superseded(Directory(version=9, draining=frozenset([ReplicaAddress(me, incarnation="old")]))), "it finishes"
    assert frozen.is_superseded(Directory(version=9, draining=frozenset([ReplicaAddress(me, incarnation="new")]))), (
        "its successor leaves too"
    )
    assert frozen.is_superseded(Directory(version=9)), "its place was given up"
