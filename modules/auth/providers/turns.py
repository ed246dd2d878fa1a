"""Work that takes a core for a while, and those who wait for their turn."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ....core.errors import Busy
from ....core.message import current_call

T = TypeVar("T")

RETRY_SECONDS = 2.0


class Turns:
    """Runs functions in a few threads, in the order in which they were asked for; who would have to wait too long is told so at once.

    Those who are `first` go before all others, and have places of their own: a crowd of others neither fills the room nor gets before
    them. The threads yield to everything else that the process does.
    """

    def __init__(self, threads: int, room: int, kept: int) -> None:
        """`room`: how many may wait, of which `kept` are for those who are first."""
        self._pool = ThreadPoolExecutor(threads, "turns", initializer=_yield_to_others)
        self._free = threads
        self._room = room
        self._kept = kept
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def take(self, function: Callable[..., T], *args: Any, first: bool = False) -> T:
        """What the function returns. It is run once or never.

        Raises Busy where too many wait, or where the message's time is over before its turn comes.
        """
        await self._turn(first)
        work = asyncio.get_running_loop().run_in_executor(self._pool, function, *args)
        work.add_done_callback(self._done)  # when the thread is free again, not when its caller lost patience
        return await asyncio.shield(work)

    async def _turn(self, first: bool) -> None:
        if self._free:
            self._free -= 1
            return
        if len(self._first) + len(self._others) >= (self._room if first else self._room - self._kept):
            raise Busy("Too many people sign in at the moment.", retry_after=RETRY_SECONDS)
        line = self._first if first else self._others
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            async with asyncio.timeout(max(0.0, current_call().left())):
                await turn
        except BaseException as error:
            if turn in line:
                line.remove(turn)
            elif turn.done() and not turn.cancelled():
                self._next()  # it was given at the same moment: another's turn
            if isinstance(error, TimeoutError):
                raise Busy("Signing in took too long.", retry_after=RETRY_SECONDS) from None
            raise

    def _done(self, work: asyncio.Future[Any]) -> None:
        if not work.cancelled():
            work.exception()  # where nobody waits for it any more, nobody else looks at it
        self._next()

    def _next(self) -> None:
        for line in (self._first, self._others):
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1


def _yield_to_others() -> None:
    if sys.platform == "linux":  # elsewhere that would be the whole process
        os.setpriority(os.PRIO_PROCESS, 0, 10)
