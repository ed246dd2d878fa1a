"""Checking passwords: a crowd is told to come back, and users of the shop don't wait behind it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from velella.core.errors import Busy
from velella.core.message import CallContext, call_context
from velella.modules.auth.providers.turns import Turns


class Bench:
    """Work that goes on until it is let go, and notes in which order it was begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done = threading.Semaphore(0)

    def work(self, name: str) -> str:
        self.begun.append(name)
        assert self.done.acquire(timeout=30)
        return name

    def let_go(self, times: int) -> None:
        for _ in range(times):
            self.done.release()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.let_go(100)


async def waits(turns: Turns, bench: Bench, name: str, *, first: bool = False) -> asyncio.Task[str]:
    """Asked for, and as far as it gets."""
    task = asyncio.create_task(turns.take(bench.work, name, first=first))
    await asyncio.sleep(0)
    return task


async def test_a_crowd_is_refused_at_once_and_leaves_places_for_users(bench: Bench) -> None:
    turns = Turns(threads=1, room=4, kept=2)
    crowd = [await waits(turns, bench, f"buyer {n}") for n in range(3)]
    for _ in range(200):
        with pytest.raises(Busy) as refused:
            await turns.take(bench.work, "one buyer too many")
        assert refused.value.retry_after >= 1
    users = [await waits(turns, bench, f"user {n}", first=True) for n in range(2)]
    with pytest.raises(Busy):
        await turns.take(bench.work, "one user too many", first=True)
    bench.let_go(5)
    assert await asyncio.gather(*crowd, *users) == ["buyer 0", "buyer 1", "buyer 2", "user 0", "user 1"]
    assert bench.begun == ["buyer 0", "user 0", "user 1", "buyer 1", "buyer 2"], "users go first"
    bench.let_go(1)
    assert await turns.take(bench.work, "later") == "later"


async def test_who_loses_patience_gives_the_turn_to_the_next(bench: Bench) -> None:
    turns = Turns(threads=1, room=4, kept=0)
    running, impatient, next_ = [await waits(turns, bench, name) for name in ("running", "impatient", "next")]
    impatient.cancel()
    token = call_context.set(CallContext().within(0.05))
    with pytest.raises(Busy):
        await turns.take(bench.work, "late")
    call_context.reset(token)
    bench.let_go(2)
    assert await asyncio.gather(running, next_) == ["running", "next"]
    assert bench.begun == ["running", "next"]


async def test_work_that_nobody_waits_for_any_more_still_has_its_thread(bench: Bench) -> None:
    turns = Turns(threads=1, room=1, kept=0)
    gone = await waits(turns, bench, "gone")
    while not bench.begun:
        await asyncio.sleep(0.01)
    gone.cancel()
    waiting = await waits(turns, bench, "waiting")
    with pytest.raises(Busy):
        await turns.take(bench.work, "too many")
    bench.let_go(2)
    assert await waiting == "waiting"
