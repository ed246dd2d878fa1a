"""Every provider beside another side that is killed, silent, slow, or answers nonsense: it says so in time, asks again only what may be
asked again, and works again as soon as the other side does."""

from __future__ import annotations

import asyncio
import time

import pytest

from velella.core.errors import Busy, Unavailable
from velella.core.message import CallContext, call_context
from velella.core.service.outside import SILENCES, OutsideParty

from ..faulty import faulty
from ..mail_desk import SendGridDesk
from ..parties import ASKING, Party


@pytest.mark.parametrize("party", ASKING, indirect=True)
class TestProvider:
    """What all of them promise, whatever they do and whomever they ask."""

    async def test_nobody_there(self, party: Party) -> None:
        raised, attempts = await party.meets("killed")
        assert isinstance(raised, Unavailable)
        assert attempts
        assert "ok" not in attempts
        assert await party.works()

    async def test_silence_ends_in_time_and_is_not_waited_for_twice(self, party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as impatient:
            impatient.setattr(party.provider.outside, "timeout", 0.5)
            raised, attempts = await party.meets("silent")
        assert isinstance(raised, (Unavailable, TimeoutError))
        assert attempts == {"timeout": 1}
        assert await party.works()

    async def test_a_broken_answer_is_no_answer(self, party: Party) -> None:
        raised, _ = await party.meets("cut")
        assert isinstance(raised, (Unavailable, OSError)), raised
        raised, _ = await party.meets("cut", 1)
        assert (raised is None) == party.again, raised

    async def test_an_error_over_there_is_asked_about_again_only_where_that_can_do_nothing_twice(self, party: Party) -> None:
        if not party.http:
            pytest.skip("it speaks something else")
        raised, attempts = await party.meets("failed", 1)
        assert (raised is None) == party.again, raised
        raised, attempts = await party.meets("failed")
        assert isinstance(raised, Unavailable)
        assert "ok" not in attempts

    async def test_who_is_asked_too_often_is_asked_again_when_it_says(self, party: Party) -> None:
        if not party.http:
            pytest.skip("it speaks something else")
        raised, _ = await party.meets("limited", 1)
        assert raised is None or isinstance(raised, Busy)
        raised, _ = await party.meets("limited")
        assert isinstance(raised, Unavailable)

    async def test_an_answer_without_end_is_not_read(self, party: Party) -> None:
        if not party.http or party.module == "file":
            pytest.skip("a file's reader takes it piece by piece")
        raised, attempts = await party.meets("endless")
        assert isinstance(raised, Unavailable)
        assert "ok" not in attempts


async def test_who_is_silent_keeps_one_waiting_and_not_everybody() -> None:
    outside = OutsideParty("Somebody", timeout=0.6)
    async with SendGridDesk() as desk, faulty(desk.url) as way:

        async def ask() -> int:
            return (await outside.ask("GET", f"http://127.0.0.1:{way.port}/v3/scopes")).status

        async def heard(many: int) -> tuple[list[object], int]:
            answers = await asyncio.gather(*(ask() for _ in range(many)), return_exceptions=True)
            return [type(answer) for answer in answers], way.met

        await way.play("silent")
        assert await heard(SILENCES) == ([Unavailable] * SILENCES, SILENCES)
        began = time.monotonic()
        assert await heard(20) == ([Unavailable] * 20, SILENCES + 1), "one tries"
        assert time.monotonic() - began < 2
        await way.play(None)
        await asyncio.sleep(0.1)
        assert await ask() == 401
        assert await asyncio.gather(*(ask() for _ in range(20))) == [401] * 20
        for trouble in ("failed", "killed"):  # who says something at once keeps nobody waiting
            await way.play(trouble)
            assert (await heard(5))[0] == [Unavailable] * 5
        await way.play(None)
        assert await asyncio.gather(*(ask() for _ in range(5))) == [401] * 5
    await outside.close()


async def test_nobody_is_asked_again_for_whom_the_time_would_be_over() -> None:
    outside = OutsideParty("Somebody", timeout=5.0, retries=5)
    async with faulty("127.0.0.1:9") as way:
        await way.play("failed")
        call_context.set(CallContext().within(0.1))
        with pytest.raises(Unavailable, match="has an error"):
            await outside.ask("GET", f"http://127.0.0.1:{way.port}/")
        assert way.met == 1
        call_context.set(None)
    await outside.close()
