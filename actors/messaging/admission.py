"""Admission to a replica: bounded, so that a crowd is turned away at once instead of queueing up."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ...core.errors import Busy
from ...core.metrics import Sample


class Admission:
    """Counts what is inside; never makes anybody wait.

    `capacity` bounds what runs and waits together. The excess is refused with Busy, whose `retry_after` grows with how long
    a message takes at present.
    """

    __slots__ = ("capacity", "handled", "inside", "refused", "seconds", "waiting")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.inside = 0
        self.waiting = 0
        """Of those inside: accepted, but not started yet."""
        self.handled = 0
        self.refused = 0
        self.seconds = 0.0
        """Moving average of the time a message takes."""

    def enter(self) -> None:
        """Take a place. Raises Busy when there is none."""
        if self.inside >= self.capacity:
            self.refused += 1
            raise Busy("Too many requests are waiting here.", retry_after=self.retry_after())
        self.inside += 1

    def leave(self, seconds: float) -> None:
        """Give the place back after `seconds` inside."""
        self.inside -= 1
        self.handled += 1
        self.seconds += (seconds - self.seconds) * 0.05

    def retry_after(self) -> float:
        """Seconds until half of what is inside may be done, between 1 and 30."""
        return min(30.0, max(1.0, self.seconds * self.inside / 2))

    def samples(self) -> Iterator[Sample]:
        yield "velella_admission_waiting", (), self.waiting
        yield "velella_admission_running", (), self.inside - self.waiting
        yield "velella_admission_capacity", (), self.capacity
        yield "velella_admission_handled_total", (), self.handled
        yield "velella_admission_refused_total", (), self.refused


class Stay:
    """One's place among the admitted: taken, given back while one waits for something outside, and taken again."""

    __slots__ = ("_admission", "_since")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._since: float | None = None

    def begin(self) -> None:
        """Take a place, unless it is held. Raises Busy when there is none."""
        if self._since is None:
            self._admission.enter()
            self._since = time.monotonic()

    def end(self) -> None:
        """Give the place back, if it is held."""
        if self._since is not None:
            self._admission.leave(time.monotonic() - self._since)
            self._since = None
