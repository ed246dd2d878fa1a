"""The mailbox and the order in which messages are started."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from velella.actors.membership.directory import HOST
from velella.actors.messaging.admission import Admission
from velella.actors.messaging.frames import REFUSED, REPLY, REQUEST
from velella.actors.messaging.server import Dispatcher, RunningMessage
from velella.core.codec import unpack
from velella.core.errors import Busy
from velella.core.message import Service, reads
from velella.core.service.module import ModuleService


class Shelf(ModuleService):
    """A module's service that only sleeps."""

    def __init__(self) -> None:
        self.most = 0
        self.inside = 0
        self.begun: list[int] = []

    @reads
    async def take(self, number: int) -> int:
        self.begun.append(number)
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0.02)
        self.inside -= 1
        return number


class Caller:
    def __init__(self) -> None:
        self.running: dict[int, RunningMessage] = {}
        self.answers: list[list[Any]] = []

    def send(self, payload: bytes) -> None:
        self.answers.append(unpack(payload))


def request(number: int, left: float = 5.0) -> list[Any]:
    return [REQUEST, number, "shelf", "take", [number], {}, left, "trace", None]


def test_a_full_mailbox_says_when_to_come_back() -> None:
    admission = Admission(2)
    admission.enter()
    admission.enter()
    with pytest.raises(Busy) as caught:
        admission.enter()
    assert 1 <= caught.value.retry_after <= 30
    admission.leave(0.1)
    admission.enter()
    assert (admission.inside, admission.handled, admission.refused) == (2, 1, 1)


async def test_messages_to_modules_wait_their_turn_in_order() -> None:
    shelf, caller, admission = Shelf(), Caller(), Admission(100)
    dispatcher = Dispatcher({"shelf": shelf}, admission, at_once=3)
    for number in range(9):
        dispatcher.accept(request(number), caller)
    assert (admission.inside, admission.waiting) == (9, 6)
    while len(caller.answers) < 9:
        await asyncio.sleep(0.01)
    assert shelf.most == 3
    assert shelf.begun == list(range(9))
    assert (admission.inside, admission.waiting) == (0, 0)


class Itself(Service):
    """The process, as a service."""

    async def ping(self) -> str:
        return "here"


async def test_a_full_process_still_says_how_it_is() -> None:
    caller, admission = Caller(), Admission(2)
    dispatcher = Dispatcher({"shelf": Shelf(), HOST: Itself()}, admission, at_once=1)
    for number in (1, 2, 3):
        dispatcher.accept(request(number), caller)
    dispatcher.accept([REQUEST, 4, HOST, "ping", [], {}, 5.0, "trace", None], caller)
    while len(caller.answers) < 4:
        await asyncio.sleep(0.005)
    kinds = {number: kind for kind, number, *_ in caller.answers}
    assert kinds == {1: REPLY, 2: REPLY, 3: REFUSED, 4: REPLY}
    assert (admission.inside, admission.handled, admission.refused) == (0, 2, 1)


async def test_a_message_that_expired_while_it_waited_is_not_started() -> None:
    shelf, caller = Shelf(), Caller()
    dispatcher = Dispatcher({"shelf": shelf}, Admission(100), at_once=1)
    dispatcher.accept(request(1), caller)
    dispatcher.accept(request(2, left=0.005), caller)
    dispatcher.accept(request(3), caller)
    while len(caller.answers) < 3:
        await asyncio.sleep(0.01)
    assert shelf.begun == [1, 3]
    assert {answer[1]: answer[0] == REPLY for answer in caller.answers} == {1: True, 2: False, 3: True}


async def test_a_message_given_up_while_it_waited_is_not_started() -> None:
    shelf, caller, admission = Shelf(), Caller(), Admission(100)
    dispatcher = Dispatcher({"shelf": shelf}, admission, at_once=1)
    dispatcher.accept(request(1), caller)
    dispatcher.accept(request(2), caller)
    caller.running[2].cancel()
    while admission.inside:
        await asyncio.sleep(0.01)
    assert shelf.begun == [1]


async def test_draining_hands_back_what_waits_and_finishes_what_runs() -> None:
    shelf, caller, admission = Shelf(), Caller(), Admission(100)
    dispatcher = Dispatcher({"shelf": shelf}, admission, at_once=2)
    for number in range(5):
        dispatcher.accept(request(number), caller)
    await asyncio.sleep(0)
    started = time.monotonic()
    await dispatcher.drain(5.0)
    assert time.monotonic() - started < 1.0
    assert {answer[1]: answer[0] for answer in caller.answers} == {0: REPLY, 1: REPLY, 2: REFUSED, 3: REFUSED, 4: REFUSED}
    assert (admission.inside, admission.waiting) == (0, 0)
