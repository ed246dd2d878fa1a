"""An event loop whose clock a test moves: a wait of an hour takes no time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Runs when it is told to, and only what is due. Code under test must wait by this loop's time alone."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def settle(self) -> None:
        """Run everything that doesn't wait for the clock."""
        for _ in range(10_000):
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready and not (self._scheduled and self._scheduled[0].when() <= self.now):  # type: ignore[attr-defined]
                return
        raise AssertionError("it never comes to rest")

    def go_on(self, seconds: float) -> None:
        """Let this much time pass; what becomes due meanwhile runs at its time."""
        until = self.now + seconds
        while True:
            self.settle()
            due = [handle.when() for handle in self._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
            if not due or min(due) > until:
                break
            self.now = max(self.now, min(due))
        self.now = until
        self.settle()

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a coroutine and run it as far as it gets now."""
        task = self.create_task(work)
        self.settle()
        return task

    def inside(self, work: Callable[[], T]) -> T:
        """Call a function that expects to be called on the loop, and run what follows from it."""

        async def call() -> T:
            return work()

        return self.begin(call()).result()

    def unfinished(self) -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks(self)
