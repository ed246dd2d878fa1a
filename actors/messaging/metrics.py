"""Metrics of the messages that a process carries out, and of the process itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import psutil

from ... import __version__
from ...core.metrics import Histogram, Sample


class MessageMetrics:
    """How long one kind of message takes, and the errors it ends in."""

    __slots__ = ("errors", "seconds")

    def __init__(self) -> None:
        self.seconds = Histogram()
        self.errors: Counter[str] = Counter()

    def failed(self, error: BaseException) -> None:
        self.errors[type(error).__name__] += 1


class ServerMetrics:
    """All messages that are carried out in one process."""

    def __init__(self) -> None:
        self.waits = Histogram()
        """Seconds from arrival over a socket to the start."""
        self._of: dict[tuple[str, str], MessageMetrics] = {}

    def of(self, service: str, method: str) -> MessageMetrics:
        return self._of.setdefault((service, method), MessageMetrics())

    def samples(self) -> Iterator[Sample]:
        yield "velella_admission_wait_seconds", (), self.waits.value
        for labels, metrics in self._of.items():
            if metrics.seconds.sum:
                yield "velella_message_duration_seconds", labels, metrics.seconds.value
            for error, times in metrics.errors.items():
                yield "velella_message_errors_total", (*labels, error), times


def process_samples() -> Iterator[Sample]:
    process = psutil.Process()
    with process.oneshot():
        cpu = process.cpu_times()
        yield "velella_info", (__version__,), 1
        yield "process_cpu_seconds_total", (), cpu.user + cpu.system
        yield "process_resident_memory_bytes", (), process.memory_info().rss
        yield "process_open_fds", (), process.num_fds()
        yield "process_start_time_seconds", (), process.create_time()
