"""The router under all that happens to replicas: they come, go, die with messages inside, freeze, are full, and are there again."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from velella.actors.membership.directory import Directory, ReplicaAddress, ReplicaId
from velella.actors.messaging.client import Lost, NotSent, Outgoing
from velella.actors.messaging.router import Router
from velella.core.errors import Busy, DeadlineExceeded, Unavailable, VelellaError
from velella.core.message import CallContext, Message, call_context

from ..simulated import SimulatedLoop

ME = ReplicaId("http", 0)
INDEXES = range(3)
SECONDS = 10.0
"""What each message has."""

clock: list[SimulatedLoop] = []
"""The loop of the running example."""


@pytest.fixture(autouse=True)
def simulated_time(monkeypatch: pytest.MonkeyPatch) -> None:
    simulated = SimpleNamespace(monotonic=lambda: clock[-1].now)
    monkeypatch.setattr("velella.actors.messaging.router.time", simulated)
    monkeypatch.setattr("velella.core.message.time", simulated)


class Replica:
    """One place: whether somebody is there, what is inside, and what it was asked by name."""

    def __init__(self) -> None:
        self.up = True
        self.full = False
        self.inside: list[tuple[str, asyncio.Future[Any]]] = []


class Way:
    """The link to a place, as long as the directory has it."""

    def __init__(self, machine: Routing, address: ReplicaAddress) -> None:
        self.machine, self.index, self.left = machine, address.replica.index, False

    async def request(self, message: Outgoing, left: float) -> Any:
        replica = self.machine.replicas[self.index]
        if self.left or not replica.up:
            raise NotSent
        assert self.index in self.machine.listed, "nothing is sent to who has left"
        if replica.full:
            raise NotSent(Busy("Too many requests are waiting here."))
        answer: asyncio.Future[Any] = self.machine.loop.create_future()
        replica.inside.append((message.args[0], answer))
        self.machine.carried_out[message.args[0]] += 1
        try:
            async with asyncio.timeout(left):
                return await answer
        except TimeoutError:
            raise DeadlineExceeded("The answer did not come in time.") from None

    async def probe(self) -> bool:
        return not self.left and self.machine.replicas[self.index].up

    def drain(self) -> None:
        self.left = True

    def close(self) -> None:
        self.left = True


class Routing(RuleBasedStateMachine):
    """One service with up to three replicas, and one process that sends to it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = SimulatedLoop()
        clock.append(self.loop)
        self.replicas = {index: Replica() for index in INDEXES}
        self.carried_out: Counter[str] = Counter()
        self.kinds: dict[str, str] = {}
        self.sent: dict[str, asyncio.Task[Any]] = {}
        self.version = 0
        self.listed: frozenset[int] = frozenset()
        asyncio.set_event_loop(self.loop)
        self.router = self.loop.inside(self._made)
        self.change(frozenset(INDEXES))

    def _made(self) -> Router:
        return Router(ME, lambda address: Way(self, address), lambda service, method: None)  # type: ignore[arg-type, return-value]

    @rule(kind=st.sampled_from(("read", "write", "call")), key=st.none() | st.sampled_from("xy"))
    def send(self, kind: Any, key: str | None) -> None:
        name = f"m{len(self.sent)}"
        self.kinds[name] = kind
        message = Message(kind, "key" if key is not None else None, 1)

        async def sending() -> Any:
            call_context.set(CallContext().within(SECONDS))
            return await self.router.call("product", "do", message, (name, key), {})

        self.sent[name] = self.loop.begin(sending())

    @rule(index=st.sampled_from(INDEXES))
    def answer(self, index: int) -> None:
        replica = self.replicas[index]
        for name, answer in replica.inside:
            if not answer.done():
                answer.set_result(name)
        replica.inside.clear()
        self.loop.settle()

    @rule(index=st.sampled_from(INDEXES))
    def die(self, index: int) -> None:
        replica = self.replicas[index]
        replica.up, inside, replica.inside = False, replica.inside, []
        for _, answer in inside:
            if not answer.done():
                answer.set_exception(Lost())
        self.loop.settle()

    @rule(index=st.sampled_from(INDEXES))
    def come_back(self, index: int) -> None:
        self.replicas[index].up = True
        self.loop.settle()

    @rule(index=st.sampled_from(INDEXES), full=st.booleans())
    def fill(self, index: int, full: bool) -> None:
        self.replicas[index].full = full

    @rule(listed=st.frozensets(st.sampled_from(INDEXES)))
    def change(self, listed: frozenset[int]) -> None:
        self.version += 1
        self.listed = listed
        addresses = [(ReplicaAddress(ReplicaId("product", index), path=f"/{index}"), ["product"]) for index in sorted(listed)]

        self.loop.inside(lambda: self.router.update(Directory.of(addresses, self.version)))

    @rule(seconds=st.sampled_from((0.05, 1.0, 6.0)))
    def go_on(self, seconds: float) -> None:
        self.loop.go_on(seconds)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        self.sent[data.draw(st.sampled_from(sorted(self.sent)))].cancel()
        self.loop.settle()

    def teardown(self) -> None:
        for index, replica in self.replicas.items():
            if index not in self.listed:  # its process goes, too, with whatever is inside
                self.die(index)
            else:
                replica.up, replica.full = True, False
        self.loop.go_on(1.0)
        waiting = self.loop.unfinished() - set(self.sent.values())
        assert waiting == set(), "nobody tries to reach who has left, or who is there"
        if self.listed:
            self.send("read", None)
            last = f"m{len(self.sent) - 1}"
            for index in self.listed:
                self.answer(index)
            assert self.sent[last].done(), "who is there again is sent to"
            assert self.sent[last].result() == last
        self.loop.go_on(SECONDS + 1)
        for name, task in self.sent.items():
            assert task.done(), "every message ends when its time is up"
            if not task.cancelled() and (error := task.exception()) is not None:
                assert isinstance(error, VelellaError)
                assert isinstance(error, Unavailable)
            if self.kinds[name] == "call":
                assert self.carried_out[name] <= 1, "what may not be repeated is not"
        self.loop.inside(self.router.close)
        assert self.loop.unfinished() == set()
        self.loop.close()
        clock.pop()


def test_whatever_happens_every_message_ends_and_nothing_is_left_running() -> None:
    run_state_machine_as_test(Routing, settings=settings(max_examples=100, stateful_step_count=30))
