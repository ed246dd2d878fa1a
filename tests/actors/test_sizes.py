"""A message that is too large is its sender's mistake, and nobody else's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from velella.actors.messaging.client import Outgoing, RayLink
from velella.actors.messaging.frames import FrameProtocol
from velella.core import codec
from velella.core.errors import NotFound, TooLarge

if TYPE_CHECKING:
    from .conftest import Colony

SMALL = 256 * 1024
GIANT = "x" * (2 * SMALL)


@pytest.fixture(autouse=True)
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "LARGEST", SMALL)
    monkeypatch.setattr(FrameProtocol, "max_frame", SMALL)


async def test_a_giant_message_or_answer_is_refused_to_its_caller_once_and_disturbs_nobody_else(colony: Colony) -> None:
    host = await colony.host(0)
    toy = await colony.connect()
    others = [asyncio.create_task(toy.slow(0.5)) for _ in range(3)]
    await asyncio.sleep(0.1)
    with pytest.raises(TooLarge, match=r"A message to toy\.echo"):
        await toy.echo(GIANT)
    assert host.admission.handled == 0, "it was never sent"
    with pytest.raises(TooLarge, match=r"The answer of toy\.giant"):
        await toy.giant(len(GIANT))
    assert host.admission.handled == 1, "it was carried out once"
    assert await asyncio.gather(*others) == ["done"] * 3
    assert len(await toy.echo("x" * (SMALL - 1000))) == SMALL - 1000


async def test_a_giant_error_travels_shortened(colony: Colony) -> None:
    await colony.host(0)
    toy = await colony.connect()
    with pytest.raises(NotFound, match="Toy with id: xxx") as refused:
        await toy.missing("x" * (SMALL - 1000))
    assert len(refused.value.message) == 1000


async def test_a_giant_message_does_not_go_by_ray_either() -> None:
    link = RayLink(lambda: pytest.fail("it was sent"))
    with pytest.raises(TooLarge):
        await link.request(Outgoing("toy", "echo", (GIANT,), {}, "trace"), 1.0)
