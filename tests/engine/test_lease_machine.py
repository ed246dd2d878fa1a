"""Coordinators that start, freeze, wake and die in any order, while others take over what they had begun: nothing is done twice, nothing is
written beside the one that has the execution, everything ends, and the books agree with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from velella.core.errors import NotAllowed, Unavailable
from velella.core.flow import Flow, step, workflow
from velella.core.message import call_context
from velella.core.sql.db.database import Database

if TYPE_CHECKING:
    from toy_stage import Stage, ToyClock

BEAT_SECONDS = 2.5
REAL = time.monotonic
BEHIND = "6"
"""The place behind the pivot from which the outside is asked."""


class Process:
    """A coordinator whose every word to the outside can be held up, as if it were stopped there."""

    def __init__(self, stage: Stage, stack: AsyncExitStack) -> None:
        self.stage = stage
        self.stack = stack
        self.running = asyncio.Event()
        self.running.set()
        self.held_up = 0

    async def gate(self) -> None:
        self.held_up += 1
        try:
            await self.running.wait()
        finally:
            self.held_up -= 1

    @property
    def quiet(self) -> bool:
        return len(self.stage.coordinator._durable._active) == self.held_up

    def die(self) -> None:
        """Nothing of it is heard of again; its lease runs on."""
        for task in [*self.stage.coordinator._durable._tasks, *self.stage.coordinator._chores]:
            task.cancel()


async def strike(flow: Flow, id: str) -> None:
    await flow.modules.ledger.strike(id)  # type: ignore[attr-defined]


@step(undo=strike)
async def enter(flow: Flow, account: str, amount: int) -> str:
    made: str = await flow.modules.ledger.book(account, amount)  # type: ignore[attr-defined]
    return made


async def _ask(flow: Flow, moods: list[str]) -> None:
    """The outside: each execution meets these moods one after the other, whoever asks."""
    await flow.modules.outside.ask(flow.execution_id, flow.path, moods)  # type: ignore[attr-defined]


ask = step(_ask)


@step(pivot=True, name="commit")
async def commit(flow: Flow, moods: list[str]) -> None:
    await _ask(flow, moods)


@workflow("toy-machine", durable=True, key="account")
async def machine(flow: Flow, account: str, before: list[str], pivot: list[str], after: list[str]) -> str:
    await flow.run(enter, account, 1)
    await flow.run(ask, before)
    await flow.run(enter, account, 2)
    await flow.run(commit, pivot)
    await flow.run(enter, account, 3)
    await flow.run(ask, after)
    await flow.run(enter, account, 4)
    return account


class Outside:
    """Third parties: what they were asked is remembered by the place it was asked from."""

    def __init__(self, process: Process, asked: dict[tuple[str, str], int]) -> None:
        self._process = process
        self._asked = asked

    async def ask(self, execution: str, path: str, moods: list[str]) -> None:
        await self._process.gate()
        count = self._asked.get((execution, path), 0)
        mood = moods[count] if count < len(moods) else "yes"
        if mood != "no" or path == BEHIND:  # elsewhere a refusal is its last word
            self._asked[execution, path] = count + 1
        await self._process.gate()
        if mood == "no":
            raise NotAllowed("No.")
        if mood == "away":
            raise Unavailable("Away.")


MOODS = st.lists(st.sampled_from(["yes", "away", "no"]), max_size=2)


class Coordinators(RuleBasedStateMachine):
    url: str
    clock: ToyClock
    loop: asyncio.AbstractEventLoop

    def do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    @initialize()
    def begin(self) -> None:
        self.processes: list[Process] = []
        self.dead: list[Process] = []
        self.asked: dict[tuple[str, str], int] = {}
        self.starts: list[asyncio.Task[Any]] = []
        self.ended: dict[str, tuple[str, list[int]]] = {}
        self.number = 0
        for _ in range(2):
            self.arrive()

    @precondition(lambda self: len(self.processes) < 3)
    @rule()
    def arrive(self) -> None:
        self.do(self._arrive())

    async def _arrive(self) -> None:
        from toy_stage import Handle, stage

        stack = AsyncExitStack()
        one = await stack.enter_async_context(stage(self.url, clock=self.clock))
        process = Process(one, stack)
        modules: Any = one.coordinator._flows.modules
        for method in ("book", "strike"):
            self._hold_up(one.ledger, method, process)
        modules.ledger = Handle(one.ledger)
        modules.outside = Outside(process, self.asked)
        one.coordinator._lease._machine = None  # deaths are seen by time only
        self.processes.append(process)

    @staticmethod
    def _hold_up(ledger: Any, method: str, process: Process) -> None:
        """Between the look at the time and the first statement, and after the last."""
        function = getattr(ledger, method)
        said = function.message

        async def slowly(*args: Any) -> Any:
            await process.gate()
            result = await function(*args)
            await process.gate()
            return result

        slowly.message = said  # type: ignore[attr-defined]
        setattr(ledger, method, slowly)

    @rule(which=st.integers(0, 2), before=MOODS, pivot=MOODS, after=MOODS)
    def start(self, which: int, before: list[str], pivot: list[str], after: list[str]) -> None:
        self.number += 1
        input = {"account": f"{id(self)}-{self.number}", "before": before, "pivot": pivot, "after": after}
        self.do(self._start(self._pick(which), input))

    async def _start(self, process: Process, input: dict[str, Any]) -> None:
        call_context.set(None)
        self.starts.append(asyncio.create_task(process.stage.coordinator.run("toy-machine", input)))
        await self._quiet()

    @rule(which=st.integers(0, 2))
    def freeze(self, which: int) -> None:
        self._pick(which).running.clear()

    @rule(which=st.integers(0, 2))
    def freeze_in_the_middle(self, which: int) -> None:
        """All it does is held up at its next word, and a new start goes just so far."""
        self.freeze(which)
        self.start(which, ["away"], [], [])

    @precondition(lambda self: len(self.processes) > 1)
    @rule(which=st.integers(0, 2), before=MOODS, pivot=MOODS)
    def be_overtaken(self, which: int, before: list[str], pivot: list[str]) -> None:
        """One stops in the middle of a write for longer than its lease, and wakes while another one is in the middle of the same."""
        first, other = self._pick(which), self._pick(which + 1)
        first.running.clear()
        self.start(which, before, pivot, [])
        self.do(self._overtake(first, other))

    async def _overtake(self, first: Process, other: Process) -> None:
        await self.clock.forward(20.0)
        other.running.clear()
        call_context.set(None)
        await other.stage.coordinator._beat()
        await other.stage.coordinator.recover()
        await self._quiet()
        first.running.set()
        await self._quiet()
        other.running.set()
        await self._quiet()

    @rule(which=st.integers(0, 2))
    def wake(self, which: int) -> None:
        self._pick(which).running.set()
        self.do(self._quiet())

    @precondition(lambda self: len(self.processes) > 1)
    @rule(which=st.integers(0, 2))
    def die(self, which: int) -> None:
        process = self._pick(which)
        self.processes.remove(process)
        self.dead.append(process)
        self.do(self._die(process))

    async def _die(self, process: Process) -> None:
        process.die()
        await asyncio.sleep(0.01)

    @rule(seconds=st.sampled_from([1.0, 5.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.do(self._pass(seconds))

    async def _pass(self, seconds: float) -> None:
        while seconds > 0:
            await self.clock.forward(min(seconds, BEAT_SECONDS))
            seconds -= BEAT_SECONDS
            for process in self.processes:
                if process.running.is_set():
                    call_context.set(None)
                    await process.stage.coordinator._beat()
                    await process.stage.coordinator.recover()
            await self._quiet()

    def _pick(self, which: int) -> Process:
        return self.processes[which % len(self.processes)]

    async def _quiet(self) -> None:
        """Let everybody do what they can without time passing; what has ended stays as it is."""
        async with asyncio.timeout(20):
            while True:
                await asyncio.sleep(0.005)
                if all(process.quiet for process in self.processes):
                    break
        await self._check()

    async def _check(self) -> None:
        stage = self.processes[0].stage
        for row in await stage.coordinator.list(workflow="toy-machine", limit=1000):
            if not row["key"].startswith(f"{id(self)}-") or row["state"] not in ("done", "reverted", "failed"):
                continue
            booked = await self._booked(row["key"])
            assert row["state"] != "failed", row
            assert booked == ([1, 2, 3, 4] if row["state"] == "done" else []), (row, booked)
            assert self.ended.setdefault(row["id"], (row["state"], booked)) == (row["state"], booked)

    async def _booked(self, account: str) -> list[int]:
        return sorted(row["amount"] for row in await self.processes[0].stage.ledger.entries(account))

    def teardown(self) -> None:
        if not getattr(self, "processes", None):
            return
        self.do(self._end())

    async def _end(self) -> None:
        for process in self.processes:
            process.running.set()
        await self._quiet()
        for _ in range(12):
            await self._pass(10)
        rows = [row for row in await self.processes[0].stage.coordinator.list(limit=1000) if row["key"].startswith(f"{id(self)}-")]
        assert {row["state"] for row in rows} <= {"done", "reverted"}, rows
        for start in self.starts:
            start.cancel()
        await asyncio.gather(*self.starts, return_exceptions=True)
        for process in [*self.processes, *self.dead]:
            await process.stack.aclose()


def test_coordinators_in_any_order(engine_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from toy_stage import ToyClock

    loop = asyncio.new_event_loop()
    database = Database(engine_database, connections=1)
    loop.run_until_complete(database.open())
    clock = ToyClock(database)
    loop.run_until_complete(clock.set_up())
    monkeypatch.setattr(time, "monotonic", lambda: REAL() + clock.ahead)

    class Machine(Coordinators):
        pass

    Machine.url, Machine.clock, Machine.loop = engine_database, clock, loop
    try:
        some = settings(
            max_examples=8,
            stateful_step_count=16,
            database=None,
            phases=[Phase.generate],  # a smaller example isn't worth the minutes it takes
        )
        run_state_machine_as_test(Machine, settings=some)
    finally:
        loop.run_until_complete(database.close())
        loop.close()
