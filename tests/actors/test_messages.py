"""Messages between processes, as a caller of a handle sees them."""

from __future__ import annotations

import asyncio
import os
import struct
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from velella.actors.host import local_host
from velella.actors.membership.directory import ReplicaAddress, ReplicaId
from velella.actors.messaging.router import LONGEST_PAUSE, Peer
from velella.core.errors import Busy, DeadlineExceeded, NotFound, Unavailable, VelellaError
from velella.core.message import CallContext, call_context
from velella.core.settings import Settings

if TYPE_CHECKING:
    from .conftest import Colony

VALUE = {"amount": Decimal("10.990"), "lines": [{"id": "a", "quantity": 2}], "none": None, "text": "Größe"}


async def test_a_message_crosses_processes_over_a_unix_socket(colony: Colony) -> None:
    await colony.process(0)
    toy = await colony.connect()
    assert await toy.echo(VALUE) == VALUE
    assert await toy.process() != os.getpid()


async def test_a_message_crosses_processes_over_tcp(colony: Colony) -> None:
    await colony.process(0, listen="127.0.0.1", only_tcp=True)
    toy = await colony.connect()
    assert await toy.echo(VALUE) == VALUE


async def test_a_wrong_token_is_refused(colony: Colony, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("velella.actors.messaging.router.PATIENCE_SECONDS", 0.3)
    await colony.process(0, listen="127.0.0.1", only_tcp=True)
    toy = await colony.connect(cluster_token="another one")
    with pytest.raises(Unavailable):
        await toy.echo(1)


async def test_a_stranger_on_the_tcp_port_is_heard_only_until_its_first_frame(colony: Colony) -> None:
    await colony.process(0, listen="127.0.0.1", only_tcp=True)
    reader, writer = await asyncio.open_connection("127.0.0.1", colony.addresses[0].port)
    await reader.readexactly(struct.unpack(">I", await reader.readexactly(4))[0])  # its hello
    writer.write(struct.pack(">I", 50_000_000))
    assert await asyncio.wait_for(reader.read(), 2.0) == b""
    writer.close()


async def test_a_big_message_arrives_whole(colony: Colony) -> None:
    await colony.host(0)
    toy = await colony.connect()
    big = os.urandom(3_000_000)
    assert await toy.echo(big) == big


async def test_many_messages_share_a_connection_and_none_is_mixed_up(colony: Colony) -> None:
    await colony.host(0)
    toy = await colony.connect()
    assert await asyncio.gather(*(toy.echo(number) for number in range(500))) == list(range(500))
    assert len((colony.client).router._peers) == 1


async def test_errors_arrive_as_they_were_raised(colony: Colony) -> None:
    await colony.host(0)
    toy = await colony.connect()
    with pytest.raises(NotFound, match="Toy with id: x was not found") as caught:
        await toy.missing("x")
    assert caught.value.data == {"id": "x"}


async def test_a_mistake_in_a_service_tells_the_caller_nothing_of_its_inside(colony: Colony) -> None:
    await colony.host(0)
    toy = await colony.connect()
    with pytest.raises(VelellaError) as caught:
        await toy.broken()
    assert caught.value.status == 500
    assert "secret" not in str(caught.value)


async def test_what_can_not_travel_is_the_callers_mistake(colony: Colony) -> None:
    await colony.host(0)
    toy = await colony.connect()
    with pytest.raises(TypeError, match="object"):
        await toy.echo(object())
    assert await toy.echo("and the connection lives") == "and the connection lives"


async def test_a_method_that_is_no_message_is_said_so(colony: Colony) -> None:
    toy = await colony.connect()
    with pytest.raises(AttributeError, match="toy has no message stop"):
        _ = toy.stop


async def test_trace_and_deadline_travel_along(colony: Colony) -> None:
    await colony.process(0)
    toy = await colony.connect()
    call_context.set(CallContext(trace_id="trace-1", deadline=time.monotonic() + 5))
    assert await toy.trace() == "trace-1"
    assert 4.5 < await toy.seconds_left() <= 5


async def test_a_message_that_takes_too_long_is_ended_on_both_sides(colony: Colony) -> None:
    host = await colony.host(0)
    toy = await colony.connect()
    call_context.set(CallContext(deadline=time.monotonic() + 0.2))
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await toy.slow(30)
    assert time.monotonic() - started < 0.45
    service: Any = host.services["toy"]
    assert (service.started, service.cancelled) == (1, 1)
    assert host.admission.inside == 0


async def test_an_expired_message_is_not_sent(colony: Colony) -> None:
    host = await colony.host(0)
    toy = await colony.connect()
    call_context.set(CallContext(deadline=time.monotonic() - 1))
    with pytest.raises(DeadlineExceeded):
        await toy.slow(0)
    service: Any = host.services["toy"]
    assert service.started == 0


async def test_a_caller_who_gives_up_ends_the_work(colony: Colony) -> None:
    host = await colony.host(0)
    toy = await colony.connect()
    calling = asyncio.create_task(toy.slow(30))
    await asyncio.sleep(0.1)
    calling.cancel()
    await asyncio.sleep(0.1)
    service: Any = host.services["toy"]
    assert (service.started, service.cancelled, host.admission.inside) == (1, 1, 0)


async def test_a_full_mailbox_refuses_at_once(colony: Colony) -> None:
    await colony.host(0, admission=4)
    toy = await colony.connect()
    inside = [asyncio.create_task(toy.slow(0.3)) for _ in range(4)]
    await asyncio.sleep(0.1)
    started = time.monotonic()
    with pytest.raises(Busy) as caught:
        await toy.echo(1)
    assert time.monotonic() - started < 0.1
    assert caught.value.status == 503
    assert caught.value.retry_after >= 1
    assert await asyncio.gather(*inside) == ["done"] * 4
    assert await toy.echo(1) == 1


async def test_a_full_mailbox_sends_the_message_to_another_replica(colony: Colony) -> None:
    await colony.host(0, admission=1)
    await colony.host(1)
    toy = await colony.connect()
    await asyncio.gather(*(toy.slow(0.05) for _ in range(20)))


async def test_stopping_finishes_what_is_inside_and_refuses_the_rest(colony: Colony, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("velella.actors.messaging.router.PATIENCE_SECONDS", 0.2)
    host = await colony.host(0)
    toy = await colony.connect()
    inside = asyncio.create_task(toy.slow(0.3))
    await asyncio.sleep(0.1)
    stopping = asyncio.create_task(host.endpoint.close(5.0))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await toy.echo(1)
    assert await inside == "done"
    await stopping


async def test_in_process_nothing_is_copied_unless_asked(settings: Settings) -> None:
    value: dict[str, Any] = {"lines": []}
    async with local_host(settings, ["toy"]) as host:
        assert await host.modules.toy.echo(value) is value  # type: ignore[attr-defined]
    async with local_host(settings, ["toy"], wire_check=True) as host:
        copy = await host.modules.toy.echo(value)  # type: ignore[attr-defined]
        assert copy == value
        assert copy is not value
        with pytest.raises(TypeError):
            await host.modules.toy.echo(object())  # type: ignore[attr-defined]


def test_a_replica_that_is_away_for_long_is_asked_again_in_the_end() -> None:
    class Away:
        """Never reached."""

    peer = Peer(ReplicaAddress(ReplicaId("toys", 0), "here", "/nowhere"), Away())  # type: ignore[arg-type]
    for _ in range(5000):
        peer.failed()
    assert time.monotonic() < peer.up_again <= time.monotonic() + LONGEST_PAUSE
