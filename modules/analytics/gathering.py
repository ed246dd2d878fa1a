"""Telling a service of many things at once, without keeping any of them for later: who tells waits until the batch has been taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context
from typing import Final

from ...core.errors import Busy, Unavailable, VelellaError
from .provider import AnalyticsProvider, Told

MOST_WAITING: Final = 10_000
"""Things that may wait to be handed over in a process."""
MOST_WAITING_BYTES: Final = 64 * 1024 * 1024
"""Bytes of their properties."""
MOST_BYTES: Final = 4 * 1024 * 1024
"""Bytes of the properties of one batch."""


class _Waiting:
    __slots__ = ("answer", "size", "told")

    def __init__(self, told: Told, size: int) -> None:
        self.told = told
        self.size = size
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Gathering:
    """Batches for one provider, one after the other. While one is on its way the next one gathers."""

    def __init__(self, provider: AnalyticsProvider) -> None:
        self._provider = provider
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._full = asyncio.Event()
        self._working: asyncio.Task[None] | None = None

    async def tell(self, told: Told, size: int) -> None:
        """Return once it has been taken. `size`: bytes of its properties. Raises what the provider raised for it; Busy where too much
        waits already."""
        if self._provider.most == 1:
            await self._provider.send([told])
            return
        if len(self._waiting) >= MOST_WAITING or self._bytes + size > MOST_WAITING_BYTES:
            raise Busy("Too much waits to be handed over to analytics", retry_after=5.0)
        one = _Waiting(told, size)
        self._waiting.append(one)
        self._bytes += size
        if len(self._waiting) >= self._provider.most:
            self._full.set()
        if self._working is None:
            # in a context of its own: it outlives whoever happened to come first
            self._working = asyncio.create_task(self._work(), context=Context())
        await one.answer

    async def close(self) -> None:
        """Whoever still waits is told that it wasn't taken."""
        if self._working is not None:
            self._working.cancel()
            with suppress(asyncio.CancelledError):
                await self._working
        while self._waiting:
            _say([self._oldest()], Unavailable("This process stops"))

    async def _work(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                if len(self._waiting) < self._provider.most:
                    self._full.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._provider.seconds):
                            await self._full.wait()
                batch = self._next()
                await self._hand_over(batch)
        finally:
            self._working = None
            _say(batch, Unavailable("This process stops"))

    def _next(self) -> list[_Waiting]:
        """Those that waited longest. Who has given up is left out: it will be told again."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < self._provider.most and (not batch or size + self._waiting[0].size <= MOST_BYTES):
            one = self._oldest()
            if not one.answer.done():
                batch.append(one)
                size += one.size
        return batch

    def _oldest(self) -> _Waiting:
        one = self._waiting.popleft()
        self._bytes -= one.size
        return one

    async def _hand_over(self, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        try:
            await self._provider.send([one.told for one in batch])
        except Exception as error:  # noqa: BLE001 - it is given to those who wait
            if len(batch) > 1 and isinstance(error, VelellaError) and error.refuses:
                half = len(batch) // 2
                await self._hand_over(batch[:half])
                await self._hand_over(batch[half:])
            else:
                _say(batch, error)
        else:
            _say(batch, None)


def _say(batch: Sequence[_Waiting], error: Exception | None) -> None:
    for one in batch:
        if one.answer.done():
            continue
        if error is None:
            one.answer.set_result(None)
        else:
            one.answer.set_exception(error)
