"""Ctrl-C and SIGTERM, for a command that has much to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.control import Control

from .output import console

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """The wish of whoever started this process to have it end."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried_by: int | None = None
        """The signal that came while the process was stopping already."""
        self.on_hurry: Callable[[], None] | None = None
        """Called when that happens."""
        self._task = asyncio.current_task()

    def _came(self, number: int) -> None:
        console.control(Control.move_to_column(0))  # over the ^C that terminals show
        if not self.asked.is_set():
            self.asked.set()
            console.print("Stopping …")
            if self._task is not None:
                self._task.cancel()
        elif self.hurried_by is None:
            self.hurried_by = number
            console.print("Stopping at once …")
            if self.on_hurry is not None:
                self.on_hurry()


@contextmanager
def stoppable() -> Iterator[Stop]:
    """A block of the running task that the first Ctrl-C or SIGTERM cancels, wherever it is, so that its `finally` clauses end what it
    has started. The block then counts as done.

    Once the block has ended, these signals do nothing any more: the process is about to end.
    """
    loop, stop = asyncio.get_running_loop(), Stop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop._came, number)
    try:
        yield stop
    except asyncio.CancelledError:
        if not stop.asked.is_set():
            raise
        asyncio.current_task().uncancel()  # type: ignore[union-attr]  # a task runs this
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
