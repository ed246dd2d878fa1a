"""What a process counts and times, and the names of these metrics in Prometheus.

Each part keeps its own metrics in the cheapest way: all run in one event loop, so nothing is locked. Nothing is added up, named or
formatted before a scrape: then each part gives `Sample`s, whose names are rows of `METRICS`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

K = TypeVar("K", bound=Hashable)

BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of a histogram's buckets, in seconds: from an answer out of memory to the longest wait of a client."""

Sample = tuple[str, tuple[str, ...], float | list[float]]
"""Name of the metric, values of its labels in their order, and a number; for a histogram the counts of its buckets, and the sum."""


class Histogram:
    """Counts durations by bucket."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds

    @property
    def value(self) -> list[float]:
        """The value of a `Sample`."""
        return [*self.counts, self.sum]


class Timings(dict[K, Histogram]):
    """Histograms by their labels: `timings[labels].observe(seconds)`."""

    def __missing__(self, key: K) -> Histogram:
        made = self[key] = Histogram()
        return made


class MetricSources:
    """The metrics of one process: every part adds a function that gives its own."""

    def __init__(self) -> None:
        self._sources: list[Callable[[], Iterable[Sample]]] = []

    def add(self, source: Callable[[], Iterable[Sample]]) -> None:
        self._sources.append(source)

    def samples(self) -> Iterator[Sample]:
        for source in self._sources:
            yield from source()


@dataclass(frozen=True, slots=True)
class Metric:
    """The name of a metric, and what it means."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    """Counters end in `_total` and only rise while the process lives."""
    help: str
    labels: tuple[str, ...] = ()
    """Besides `pool` and `replica`, which all metrics of a process have."""


def quantile(share: float, counts: list[float]) -> float | None:
    """The seconds below which that share of a histogram's entries lie, as Prometheus estimates it; None for an empty histogram."""
    rank = share * sum(counts)
    if not rank:
        return None
    below, lower = 0.0, 0.0
    for bound, count in zip(BOUNDS, counts, strict=False):
        if below + count >= rank:
            return lower + (bound - lower) * (rank - below) / count
        below, lower = below + count, bound
    return lower


def _by_name(*metrics: Metric) -> Mapping[str, Metric]:
    return {metric.name: metric for metric in metrics}


METRICS = _by_name(
    Metric("velella_info", "gauge", "Always 1; tells the version.", ("version",)),
    Metric("velella_replica_up", "gauge", "Whether the replica answered this scrape."),
    Metric("velella_replica_restarts_total", "counter", "How often the replica was started again since the shop was started."),
    # requests
    Metric("velella_http_request_duration_seconds", "histogram", "Requests, by route.", ("method", "route", "status")),
    # messages
    Metric("velella_message_duration_seconds", "histogram", "Messages carried out here, without their wait.", ("service", "method")),
    Metric("velella_message_errors_total", "counter", "Messages that ended in an error.", ("service", "method", "error")),
    Metric("velella_admission_wait_seconds", "histogram", "How long messages over sockets waited before they were started."),
    Metric("velella_admission_waiting", "gauge", "Messages that wait to be started."),
    Metric("velella_admission_running", "gauge", "Messages and requests being carried out."),
    Metric("velella_admission_capacity", "gauge", "Messages that may be inside; more are refused."),
    Metric("velella_admission_handled_total", "counter", "Messages and requests that have been inside."),
    Metric("velella_admission_refused_total", "counter", "Messages and requests that found the queue for admission full."),
    # PostgreSQL
    Metric("velella_sql_statement_duration_seconds", "histogram", "Statements, without the wait for a connection.", ("database",)),
    Metric("velella_sql_transactions_total", "counter", "Transactions of several statements.", ("database", "outcome")),
    Metric("velella_sql_connection_wait_seconds", "histogram", "Waits for a connection where none was free.", ("database",)),
    Metric("velella_sql_connections", "gauge", "Connections that are open.", ("database", "state")),
    Metric("velella_sql_connections_max", "gauge", "Connections that may be open.", ("database",)),
    # caches
    Metric("velella_cache_lookups_total", "counter", "Hit; missed; joined: the same was just being fetched.", ("cache", "result")),
    Metric("velella_cache_dropped_total", "counter", "Evicted for want of room; outdated before it was kept.", ("cache", "reason")),
    Metric("velella_cache_entries", "gauge", "What is remembered.", ("cache",)),
    Metric("velella_cache_bytes", "gauge", "Bytes of what is remembered.", ("cache",)),
    Metric("velella_cache_capacity_bytes", "gauge", "Bytes that may be remembered.", ("cache",)),
    # workflows
    Metric("velella_workflow_duration_seconds", "histogram", "Runs of workflows, by how they ended.", ("workflow", "outcome")),
    Metric("velella_workflow_running", "gauge", "Durable executions that this coordinator carries out."),
    Metric("velella_workflow_executions", "gauge", "Durable executions of the shop that run or have failed.", ("state",)),
    Metric("velella_events_waiting", "gauge", "Events of the whole shop that a subscriber has not got yet."),
    Metric("velella_event_stream_total", "counter", "Events handed on to a stream, and taken from it; attempts that failed.", ("outcome",)),
    Metric(
        "velella_workflow_wakeups_total",
        "counter",
        "Wakeups for workflows and deliveries told to a queue, and taken from it; attempts that failed.",
        ("outcome",),
    ),
    # locks
    Metric("velella_locks_held", "gauge", "Locks held."),
    Metric("velella_locks_waiting", "gauge", "Those who wait for a lock."),
    Metric("velella_locks_total", "counter", "Locks granted; expired: not given back in time; given up: waited for in vain.", ("outcome",)),
    # third parties
    Metric(
        "velella_provider_duration_seconds",
        "histogram",
        "Attempts to have something of a third party, by how they went.",
        ("module", "provider", "outcome"),
    ),
    # the process
    Metric("process_cpu_seconds_total", "counter", "CPU time of the process."),
    Metric("process_resident_memory_bytes", "gauge", "Memory of the process."),
    Metric("process_open_fds", "gauge", "Files and sockets the process has open."),
    Metric("process_start_time_seconds", "gauge", "When the process was started, in seconds since 1970."),
)
