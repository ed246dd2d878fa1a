"""What a front end remembers between requests: keys, sessions, API keys. Small, short-lived, forgotten when it changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key, filled once at a time, kept for a few seconds, forgotten as a whole when one of `entities` changes.

    What was read before a change but arrives after it is handed to those who asked before the change, and not kept.
    """

    def __init__(self, entities: frozenset[str], seconds: float, size: int = 4096) -> None:
        self.entities = entities
        self.seconds = seconds
        self._values: LRUCache[K, tuple[float, V]] = LRUCache(size)
        self._filling: dict[K, asyncio.Future[V]] = {}
        self._generation = 0

    def changed(self, names: frozenset[str] | None) -> None:
        """Called with the names of entities that changed anywhere; None: everything."""
        if names is None or not self.entities.isdisjoint(names):
            self._generation += 1
            self._values.clear()
            self._filling.clear()  # who asks from now on must see the change

    async def get(self, key: K, fill: Callable[[], Awaitable[V]]) -> V:
        kept = self._values.get(key)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        while (filling := self._filling.get(key)) is not None:
            try:
                return await asyncio.shield(filling)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not filling.cancelled() or (task is not None and task.cancelling()):
                    raise
                # not we but the one who filled was cancelled: somebody else has to
        future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._filling[key] = future
        generation = self._generation
        try:
            value = await fill()
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                future.cancel()  # whoever waits along asks anew
            else:
                future.set_exception(error)
                future.exception()  # it is raised here, too; without waiters nobody else would look at it
            raise
        else:
            future.set_result(value)
            if generation == self._generation and self.seconds > 0:
                self._values[key] = (time.monotonic() + self.seconds, value)
            return value
        finally:
            if self._filling.get(key) is future:
                del self._filling[key]
