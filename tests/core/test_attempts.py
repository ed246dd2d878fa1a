"""Doing things to their end."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from velella.core.flow.attempts import finished


async def test_what_is_done_to_the_end_fails_in_nobodys_face_but_into_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    loop, unseen = asyncio.get_running_loop(), list[dict[str, Any]]()
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def last_thing() -> None:
        begun.set()
        await may_end.wait()
        raise ValueError("no room for it")

    gc.collect()  # what other tests have left isn't its own
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: unseen.append(context))
    try:
        waiting = asyncio.create_task(finished(last_thing()))
        await begun.wait()
        waiting.cancel()
        await asyncio.sleep(0)
        assert not waiting.done()  # it is done to the end
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        del waiting
        gc.collect()
    finally:
        loop.set_exception_handler(before)
    assert unseen == []
    assert "no room for it" in "".join(capsys.readouterr())
