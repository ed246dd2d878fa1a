"""Router and links when the other side goes at an awkward moment: nobody waits for what can't come, and nothing is left running."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from velella.actors.membership.directory import Directory, ReplicaAddress, ReplicaId
from velella.actors.messaging.client import ClientProtocol, Lost, NotSent, Outgoing, RayLink
from velella.actors.messaging.frames import REQUEST
from velella.actors.messaging.router import Router
from velella.core.errors import ReplyLost, Unavailable
from velella.core.message import Message

ME, THERE = ReplicaId("http", 0), ReplicaAddress(ReplicaId("product", 1), path="/nowhere")
CALL = Message()


class Doomed:
    """A link that loses what it is given when it is told to, and can't be made again."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    async def request(self, message: Outgoing, left: float) -> Any:
        await self.lost.wait()
        raise Lost

    async def probe(self) -> bool:
        return False

    def drain(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def link() -> Doomed:
    return Doomed()


@pytest.fixture
def router(link: Doomed) -> Router:
    made = Router(ME, lambda address: link, lambda service, method: None)  # type: ignore[arg-type, return-value]
    made.update(Directory.of([(THERE, ["product"])], 1))
    return made


def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


async def test_a_retired_replica_that_takes_a_message_along_is_forgotten(router: Router, link: Doomed) -> None:
    before = others()
    call = asyncio.create_task(router.call("product", "do", CALL, (), {}))
    await asyncio.sleep(0)
    router.update(Directory.of([], 2))  # nobody sends to it any more, but the message is inside
    link.lost.set()
    with pytest.raises(ReplyLost):
        await call
    assert others() == before, "nobody tries to reach it again"


async def test_what_is_lost_while_a_router_closes_leaves_nothing_running(router: Router, link: Doomed) -> None:
    before = others()
    call = asyncio.create_task(router.send_to(THERE.replica, "product", "do"))
    await asyncio.sleep(0)
    router.close()
    link.lost.set()
    with pytest.raises(ReplyLost):
        await call
    with pytest.raises(Unavailable):
        await router.send_to(THERE.replica, "product", "do")
    assert others() == before


class Transport:
    def write(self, data: bytes) -> None: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...

    def get_extra_info(self, name: str) -> None: ...


@pytest.mark.parametrize("gone", ["connection_lost", "drain", "abort"])
async def test_a_message_for_a_connection_that_has_just_closed_goes_elsewhere_at_once(gone: str) -> None:
    protocol = ClientProtocol(None)
    protocol.connection_made(Transport())  # type: ignore[arg-type]
    getattr(protocol, gone)(*([None] if gone == "connection_lost" else []))
    with pytest.raises(NotSent):
        await asyncio.wait_for(protocol.request([REQUEST, 0, "s", "m", [], {}, 30.0, "t", None], 30.0), 5)


async def test_an_actor_that_can_not_be_found_costs_no_more_than_the_time_there_is() -> None:
    found = asyncio.Event()
    loop = asyncio.get_running_loop()

    def connect() -> Any:
        asyncio.run_coroutine_threadsafe(found.wait(), loop).result()
        raise ValueError("no such actor")

    link = RayLink(connect)
    with pytest.raises(NotSent):
        await asyncio.wait_for(link.request(Outgoing("s", "m", (), {}, "t"), 0.1), 5)
    found.set()


async def test_closing_a_link_of_ray_calls_ends_the_waiting() -> None:
    called = asyncio.Event()

    async def call(frames: list[bytes]) -> list[bytes]:
        called.set()
        await asyncio.Event().wait()
        return []

    link = RayLink(lambda: call)
    waiting = asyncio.create_task(link.request(Outgoing("s", "m", (), {}, "t"), 30.0))
    await called.wait()
    link.close()
    with pytest.raises(Lost):
        await asyncio.wait_for(waiting, 5)
