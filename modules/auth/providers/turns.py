"""CPU-heavy work in threads, with a bounded queue."""

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
    """Runs functions in a few threads, first come first served; a caller that would have to wait too long is refused at once.

    Callers that are `first` go before all others, and have places of their own in the queue: many other callers neither fill the queue nor
    overtake them. The threads have a lower priority than everything else that the process does.
    """

    def __init__(self, threads: int, room: int, kept: int) -> None:
        """`room`: how many callers may wait, of which `kept` places are for those that are first."""
        self._pool = ThreadPoolExecutor(threads, "turns", initializer=_yield_to_others)
        self._free = threads
        self._room = room
        self._kept = kept
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def take(self, function: Callable[..., T], *args: Any, first: bool = False) -> T:
        """Run the function in a thread and return its result. It is run once or never.

        Raises Busy if too many callers wait, or if the message's deadline passes before its turn.
        """
        await self._turn(first)
        work = asyncio.get_running_loop().run_in_executor(self._pool, function, *args)
        work.add_done_callback(self._done)  # when the thread is free again, not when its caller has given up
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
                self._next()  # it was given at the same moment: pass it on
            if isinstance(error, TimeoutError):
                raise Busy("Signing in took too long.", retry_after=RETRY_SECONDS) from None
            raise

    def _done(self, work: asyncio.Future[Any]) -> None:
        if not work.cancelled():
            work.exception()  # retrieve the error: its caller may have given up
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
    if sys.platform == "linux":  # elsewhere this would affect the whole process
        os.setpriority(os.PRIO_PROCESS, 0, 10)
