"""Background tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from .logs import logger

T = TypeVar("T")

log = logger("velella.tasks")


class Tasks:
    """The background tasks of one owner. A reference to each is kept until it is done, since the loop has only a weak one, and a failure
    is logged.

    The owner cancels them or waits for them when it ends.
    """

    def __init__(self, failure: str, *, expected: type[BaseException] | tuple[type[BaseException], ...] = ()) -> None:
        """`failure`: the log line for a task that failed. `expected`: errors that aren't logged."""
        self._failure = failure
        self._expected = expected
        self._running: set[asyncio.Task[Any]] = set()

    def __iter__(self) -> Iterator[asyncio.Task[Any]]:
        return iter(tuple(self._running))

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a coroutine in a task of its own."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def cancel(self) -> None:
        """Cancel the tasks that aren't done."""
        for task in self._running:
            task.cancel()

    async def wait(self, seconds: float | None = None) -> None:
        """Return when all tasks that run now are done, or the time is over. Doesn't raise their errors."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, self._expected):
            log.error(self._failure, exc_info=error)
