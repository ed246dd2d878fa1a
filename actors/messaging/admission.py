"""Admission to a replica: bounded, so that excess messages are refused at once instead of queueing up."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ...core.errors import Busy
from ...core.metrics import Sample


class Admission:
    """Counts the messages inside; never makes a caller wait.

    `capacity` bounds running and waiting messages together. The excess is refused with Busy, whose `retry_after` grows with how long
    a message takes at present.
    """

    __slots__ = ("capacity", "handled", "inside", "refused", "seconds", "waiting")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.inside = 0
        self.waiting = 0
        """Of the messages inside: accepted, but not started yet."""
        self.handled = 0
        self.refused = 0
        self.seconds = 0.0
        """Moving average of the time a message takes."""

    def enter(self) -> None:
        """Enter. Raises Busy when the replica is full."""
        if self.inside >= self.capacity:
            self.refused += 1
            raise Busy("Too many requests are waiting here.", retry_after=self.retry_after())
        self.inside += 1

    def leave(self, seconds: float) -> None:
        """Leave after `seconds` inside."""
        self.inside -= 1
        self.handled += 1
        self.seconds += (seconds - self.seconds) * 0.05

    def retry_after(self) -> float:
        """Seconds until about half of what is inside will be done, between 1 and 30."""
        return min(30.0, max(1.0, self.seconds * self.inside / 2))

    def samples(self) -> Iterator[Sample]:
        yield "velella_admission_waiting", (), self.waiting
        yield "velella_admission_running", (), self.inside - self.waiting
        yield "velella_admission_capacity", (), self.capacity
        yield "velella_admission_handled_total", (), self.handled
        yield "velella_admission_refused_total", (), self.refused


class Stay:
    """A message's admission: given back while it waits for something outside, and taken again."""

    __slots__ = ("_admission", "_since")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._since: float | None = None

    def begin(self) -> None:
        """Enter, unless inside already. Raises Busy when the replica is full."""
        if self._since is None:
            self._admission.enter()
            self._since = time.monotonic()

    def end(self) -> None:
        """Leave, if inside."""
        if self._since is not None:
            self._admission.leave(time.monotonic() - self._since)
            self._since = None
