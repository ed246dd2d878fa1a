"""Tasks that are begun and not waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from .logs import logger

T = TypeVar("T")

log = logger("velella.tasks")


class Tasks:
    """The tasks that one owner has begun. Each is kept until it is done, since a loop only has a weak reference to it, and what it fails
    with is logged.

    The owner cancels them or waits for them when it ends.
    """

    def __init__(self, failure: str, *, expected: type[BaseException] | tuple[type[BaseException], ...] = ()) -> None:
        """`failure`: the log's line for a task that failed. `expected`: errors that aren't worth one."""
        self._failure = failure
        self._expected = expected
        self._running: set[asyncio.Task[Any]] = set()

    def __iter__(self) -> Iterator[asyncio.Task[Any]]:
        return iter(tuple(self._running))

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin something in a task of its own."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def cancel(self) -> None:
        """Cancel those that aren't done."""
        for task in self._running:
            task.cancel()

    async def wait(self, seconds: float | None = None) -> None:
        """Return when all are done that run now, or the time is over. Raises nothing of what they fail with."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, self._expected):
            log.error(self._failure, exc_info=error)
