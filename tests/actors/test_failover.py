"""What becomes of a message when the process it went to is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from velella.actors.membership.directory import Directory, ReplicaAddress, ReplicaId
from velella.actors.messaging.router import rendezvous
from velella.core.errors import ReplyLost, TookDown, Unavailable
from velella.core.message import CallContext, call_context

if TYPE_CHECKING:
    from .conftest import Colony


async def test_a_read_whose_replica_is_killed_is_answered_by_another(colony: Colony, tmp_path: Path) -> None:
    await asyncio.gather(colony.process(0), colony.process(1))
    toy = await colony.connect()
    reading = asyncio.create_task(toy.slow_once(str(tmp_path)))
    while not (tmp_path / "pid").exists():
        await asyncio.sleep(0.01)
    victim = int((tmp_path / "pid").read_text())
    os.kill(victim, signal.SIGKILL)
    assert await asyncio.wait_for(reading, 2.0) not in (0, victim)


@pytest.mark.parametrize("hog", ["hog", "hog_and_note"])
async def test_a_message_that_its_process_died_of_is_not_sent_to_another_and_those_beside_it_are(
    colony: Colony, tmp_path: Path, hog: str
) -> None:
    await asyncio.gather(colony.process(0), colony.process(1))
    toy = await colony.connect()
    waiting = [asyncio.create_task(toy.slow(2.0)) for _ in range(8)]
    await asyncio.sleep(0.3)
    with pytest.raises(TookDown):
        await (toy.hog(str(tmp_path)) if hog == "hog" else toy.hog_and_note(str(tmp_path), "sold"))
    assert await asyncio.gather(*waiting) == ["done"] * 8
    assert len(list(tmp_path.glob("hogged-*"))) == 1
    assert sorted(process.returncode is None for process in colony.processes) == [False, True]
    assert await toy.echo(1) == 1


async def test_what_cannot_be_known_of_a_process_on_another_node_takes_down_two_at_most(colony: Colony, tmp_path: Path) -> None:
    for index in range(3):
        await colony.process(index, listen="127.0.0.1", only_tcp=True)
    toy = await colony.connect()
    with pytest.raises(ReplyLost):
        await toy.hog(str(tmp_path))
    assert len(list(tmp_path.glob("hogged-*"))) == 2
    assert await toy.echo(1) == 1


async def test_a_write_whose_answer_was_lost_is_done_once(colony: Colony, tmp_path: Path) -> None:
    await asyncio.gather(colony.process(0), colony.process(1))
    toy = await colony.connect()
    reply = await toy.note(str(tmp_path), "sold", True)
    assert reply.startswith("sold by toys-")
    assert (tmp_path / "notes").read_text() == "sold\n"
    assert (tmp_path / "fresh").read_text() == "True\nFalse\n", "who gets it second knows that it may have come before"
    await asyncio.sleep(0.2)
    assert sorted(process.returncode is None for process in colony.processes) == [False, True]


async def test_a_message_that_is_neither_is_never_sent_twice(colony: Colony) -> None:
    await asyncio.gather(colony.process(0), colony.process(1))
    toy = await colony.connect()
    with pytest.raises(ReplyLost):
        await toy.die()
    await asyncio.sleep(0.2)
    assert sorted(process.returncode is None for process in colony.processes) == [False, True]


async def test_after_a_kill_everything_goes_to_those_that_live(colony: Colony) -> None:
    await asyncio.gather(colony.process(0), colony.process(1))
    toy = await colony.connect()
    assert len({await toy.process() for _ in range(40)}) == 2
    colony.processes[0].kill()
    assert {await toy.process() for _ in range(40)} == {colony.processes[1].pid}


async def test_a_restarted_replica_is_found_again_at_its_old_address(colony: Colony) -> None:
    first = await colony.process(0)
    toy = await colony.connect()
    assert await toy.process() == first.pid
    first.kill()
    await first.wait()
    asking = asyncio.create_task(toy.process())
    second = await colony.process(0)
    assert await asking == second.pid


async def test_nobody_there_is_unavailable_after_a_while(colony: Colony, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("velella.actors.messaging.router.PATIENCE_SECONDS", 0.3)
    colony.addresses.append(colony.address(0))
    toy = await colony.connect()
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        await toy.echo(1)
    assert caught.value.status == 503
    assert 0.2 < time.monotonic() - started < 1.0


async def test_the_directory_can_change_under_running_messages(colony: Colony) -> None:
    await colony.host(0)
    toy = await colony.connect()
    staying = asyncio.create_task(toy.slow(0.2))
    await asyncio.sleep(0.05)
    await colony.host(1)
    colony.client.router.update(colony.directory())
    assert await toy.replica() == "toys-1", "the less busy of the two"
    assert await staying == "done"


async def test_a_key_stays_with_its_replica_and_others_keep_theirs_when_one_goes(colony: Colony) -> None:
    for index in range(3):
        await colony.host(index)
    toy = await colony.connect()
    keys = [f"cart_{number}" for number in range(60)]
    before = {key: await toy.replica_of(key) for key in keys}
    assert set(before.values()) == {"toys-0", "toys-1", "toys-2"}
    assert {key: await toy.replica_of(key=key) for key in keys} == before
    colony.client.router.update(Directory.of((address, ["toy"]) for address in colony.addresses[:2]))
    after = {key: await toy.replica_of(key) for key in keys}
    assert all(after[key] == replica for key, replica in before.items() if replica != "toys-2")


def test_every_process_computes_the_same_replica_for_a_key() -> None:
    addresses = [ReplicaAddress(ReplicaId("locking", index)) for index in range(5)]
    assert [rendezvous(f"k{n}", addresses).replica.index for n in range(8)] == [
        rendezvous(f"k{n}", list(reversed(addresses))).replica.index for n in range(8)
    ]


async def test_a_broadcast_reaches_all_and_reports_each(colony: Colony) -> None:
    await colony.host(0)
    await colony.host(1)
    colony.addresses.append(colony.address(2))  # nobody listens there
    await colony.connect()
    answers: dict[ReplicaId, Any] = await colony.client.router.broadcast("toy", "replica")
    assert answers[ReplicaId("toys", 0)] == "toys-0"
    assert answers[ReplicaId("toys", 1)] == "toys-1"
    assert isinstance(answers[ReplicaId("toys", 2)], Unavailable)


async def test_writes_of_a_scope_have_the_same_ids_when_it_runs_again(colony: Colony, tmp_path: Path) -> None:
    await colony.host(0)
    toy = await colony.connect()
    for _ in range(2):  # a durable step, run again after a crash
        call_context.set(CallContext().scoped("wfex_1:reserve"))
        assert await toy.note(str(tmp_path), "one") == "one by toys-0"
        assert await toy.note(str(tmp_path), "two") == "two by toys-0"
    assert (tmp_path / "notes").read_text() == "one\ntwo\n"
    assert (tmp_path / "fresh").read_text() == "False\n" * 4, "another coordinator may have sent it before"
