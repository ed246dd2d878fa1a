"""What coordinators tell each other by a queue of wakeups: that there is something to look for, now or at a time.

Each tells what it has committed, in the background. One with room waits for what is due, and looks in PostgreSQL then, which alone says
what there is. While the queue brings this process what it is told, its polls are rare; they come as often as without a queue as soon as
it doesn't, and where this coordinator has no room.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ...core.errors import VelellaError
from ...core.logs import logger
from ...core.message import call_context
from ..wakeups import WakeupQueue

SEEN_SECONDS = 15.0
"""Seconds between two polls while the queue answers: so late is what it has lost."""
TAKE_SECONDS = 1.0
"""Seconds that the queue is asked to wait for the next wakeup."""
ROOM_SECONDS = 0.1
"""Seconds between two looks of a full coordinator at whether it has room."""
AGAIN_SECONDS = 1.0
"""Seconds until another coordinator hears of deliveries that this one has no room for."""
STOP_SECONDS = 1.0
"""Seconds for telling the last, and leaving the queue in order."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds after one failure, and after many."""
UNTOLD = 10_000
"""How much waits to be told at the most; more is found by polls."""
EXECUTIONS = "executions"
"""The name that stands for any execution that can be taken up."""
DELIVERIES = "deliveries"
"""What the names of wakeups for deliveries of events begin with."""

log = logger("velella.workflows")


class Wakeups:
    """One in each coordinator. Without a queue nobody is told, and polls stay as they are."""

    def __init__(self, queue: WakeupQueue | None) -> None:
        self._queue = queue
        self._untold: dict[str, float] = {}
        """Name → when it is due, by `time.monotonic`."""
        self._new = asyncio.Event()
        self._brings = self._stopping = False
        self._failures: Counter[str] = Counter()
        """What is done with the queue → how often in a row it has failed."""
        self._look: Callable[[bool, bool], None] = lambda executions, deliveries: None
        self._tasks: list[asyncio.Task[None]] = []
        self.counts: Counter[str] = Counter()
        """Wakeups `told` and `taken`, and attempts that `failed`."""

    def start(self, room: Callable[[], int] | None, look: Callable[[bool, bool], None]) -> None:
        """`room`: how many more executions this coordinator can take up now; None: it only tells. `look`: there may be executions,
        deliveries."""
        if self._queue is None:
            return
        self._look = look
        self._tasks.append(asyncio.create_task(self._repeat("telling", self._tell_all)))
        if room is not None:
            self._tasks.append(asyncio.create_task(self._repeat("taking", lambda: self._take(room))))

    def pace(self, seconds: float) -> float:
        """Seconds until the next poll, which without a queue come after `seconds`."""
        return max(seconds, SEEN_SECONDS) if self._brings and not self._failures else seconds

    def tell(self, name: str, seconds: float = 0.0) -> None:
        """There is something to look for in so many seconds: an execution, or deliveries of events (`DELIVERIES`). It is committed."""
        if self._queue is not None and not self._failures and len(self._untold) < UNTOLD:
            self._untold[name] = time.monotonic() + seconds
            self._new.set()

    async def stop(self) -> None:
        """Tell the last, and that what this coordinator was woken for is to be looked for by another one."""
        if self._queue is None:
            return
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.tell(EXECUTIONS)
        self.tell(DELIVERIES)
        for last in (self._tell_all, self._queue.stop) if not self._failures else (self._queue.stop,):
            with suppress(VelellaError, TimeoutError):  # polls find it
                async with asyncio.timeout(STOP_SECONDS):
                    await last()

    # -- inside

    async def _tell_all(self) -> None:
        assert self._queue is not None
        await self._new.wait()
        self._new.clear()
        untold, self._untold = self._untold, {}
        now = time.monotonic()
        try:
            await self._queue.put({name: max(0.0, due - now) for name, due in untold.items()})
        except asyncio.CancelledError:  # this coordinator stops
            self._untold = untold | self._untold
            raise
        self.counts["told"] += len(untold)

    async def _take(self, room: Callable[[], int]) -> None:
        assert self._queue is not None
        until = time.monotonic() + TAKE_SECONDS
        while (limit := room()) <= 0:
            if self._stopping:
                return
            if time.monotonic() >= until:
                self._brings_no_more()
            await asyncio.sleep(ROOM_SECONDS)
        names = await self._queue.take(TAKE_SECONDS, limit)
        self._brings = True
        self.counts["taken"] += len(names)
        deliveries = sum(name.startswith(DELIVERIES) for name in names)
        self._look(deliveries < len(names), deliveries > 0)

    async def _repeat(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        call_context.set(None)
        while not self._stopping:  # a cancellation may be lost in the client of the queue
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, polls find what there is
                self._failures[what] += 1
                self.counts["failed"] += 1
                self._untold.clear()
                self._new.set()  # so that telling is tried again
                self._brings_no_more()
                if self._failures[what] == 1:
                    log.warning(
                        "the queue of wakeups fails; workflows are polled for", what=what, error=getattr(error, "hint", None) or str(error)
                    )
                if self._stopping:
                    return
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures[what] - 1, 10))
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            else:
                if self._failures.pop(what, 0):
                    log.info("the queue of wakeups answers again", what=what)

    def _brings_no_more(self) -> None:
        if self._brings:
            self._brings = False
            self._look(True, True)
