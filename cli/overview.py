"""An operator's overview from two snapshots of one cluster: rates, latencies, queues, hit rates."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..actors.cluster.control import SupervisorService
from ..actors.membership.directory import HOST
from ..actors.membership.states import ReplicaState
from ..core.metrics import Sample, quantile

Labels = tuple[str, ...]

REQUESTS = "velella_http_request_duration_seconds"
MESSAGES = "velella_message_duration_seconds"
STATEMENTS = "velella_sql_statement_duration_seconds"
LOOKUPS = "velella_cache_lookups_total"
RUNS = "velella_workflow_duration_seconds"
CPU = "process_cpu_seconds_total"
MEMORY = "process_resident_memory_bytes"
STARTED = "process_start_time_seconds"

ANSWERS = "answers"
"""The cache of a front end's answers."""


@dataclass(frozen=True)
class Snapshot:
    """The metrics of a cluster at one moment."""

    status: dict[str, Any]
    metrics: dict[str, dict[str, dict[Labels, Any]]]
    """Replica (`product-0`) → metric → labels → value."""
    at: float = field(default_factory=time.monotonic)

    @classmethod
    async def at_cluster(cls, supervisor: SupervisorService) -> Snapshot:
        metrics = await supervisor.metrics()
        return cls(await supervisor.status(), {replica: _by_name(samples) for replica, samples in metrics.items()})


def _by_name(samples: Iterable[Sample]) -> dict[str, dict[Labels, Any]]:
    found: dict[str, dict[Labels, Any]] = {}
    for name, labels, value in samples:
        found.setdefault(name, {})[tuple(labels)] = value
    return found


class Span:
    """What happened between two snapshots."""

    def __init__(self, before: Snapshot, after: Snapshot) -> None:
        self.before, self.after = before, after
        self.seconds = max(1e-6, after.at - before.at)

    def grown(self, replica: str, name: str) -> Iterator[tuple[Labels, Any]]:
        """By how much counters and histograms have grown. Those of a restarted replica began at zero."""
        now, past = self.after.metrics.get(replica, {}), self.before.metrics.get(replica, {})
        earlier = past.get(name, {}) if past.get(STARTED) == now.get(STARTED) else {}
        for labels, value in now.get(name, {}).items():
            start = earlier.get(labels)
            if start is None:
                yield labels, value
            elif isinstance(value, list):
                yield labels, [one - other for one, other in zip(value, start, strict=True)]
            else:
                yield labels, value - start


@dataclass
class Throughput:
    """A count, and the time that it took."""

    counts: list[float] = field(default_factory=list)
    errors: float = 0.0

    def add(self, value: list[float], *, error: bool = False) -> None:
        counts = value[:-1]
        self.counts = [one + other for one, other in zip(self.counts, counts, strict=True)] if self.counts else counts
        if error:
            self.errors += sum(counts)

    def shown(self, seconds: float) -> dict[str, Any]:
        """Rate per second, and milliseconds; None where nothing happened."""
        return {
            "per_second": round(sum(self.counts) / seconds, 2),
            "errors_per_second": round(self.errors / seconds, 2),
            "p50_ms": _ms(quantile(0.5, self.counts)),
            "p95_ms": _ms(quantile(0.95, self.counts)),
        }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)


def overview(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """What `velella top` shows, and prints as JSON. Rates are per second between the two snapshots; queues and memory are current."""
    span = Span(before, after)
    replicas = list(after.metrics)
    requests, statements, routes, workflows = Throughput(), Throughput(), dict[Labels, Throughput](), dict[Labels, Throughput]()
    for replica in replicas:
        for (method, route, status), value in span.grown(replica, REQUESTS):
            failed = status.startswith("5")
            requests.add(value, error=failed)
            routes.setdefault((method, route), Throughput()).add(value, error=failed)
        for _, value in span.grown(replica, STATEMENTS):
            statements.add(value)
        for (workflow, outcome), value in span.grown(replica, RUNS):
            workflows.setdefault((workflow,), Throughput()).add(value, error=outcome != "done")
    return {
        "topology": after.status["topology"],
        "url": after.status["url"],
        "up_seconds": after.status["up_seconds"],
        "seconds": round(span.seconds, 3),
        "requests": requests.shown(span.seconds),
        "statements": statements.shown(span.seconds),
        "hit_rate": _hit_rate(span, replicas),
        "pools": [_pool(span, pool) for pool in after.status["pools"]],
        "routes": _busiest(routes, ("method", "route"), span.seconds),
        "workflows": _busiest(workflows, ("workflow",), span.seconds),
    }


def _busiest(flows: dict[Labels, Throughput], names: Labels, seconds: float) -> list[dict[str, Any]]:
    shown = [{**dict(zip(names, labels, strict=True)), **flow.shown(seconds)} for labels, flow in flows.items()]
    return sorted((row for row in shown if row["per_second"]), key=lambda row: -row["per_second"])


def _hit_rate(span: Span, replicas: Iterable[str], cache: str = ANSWERS) -> float | None:
    """The share of look-ups that the cache could answer; None where there were none."""
    times = {"hit": 0.0, "miss": 0.0, "joined": 0.0}
    for replica in replicas:
        for (name, result), value in span.grown(replica, LOOKUPS):
            if name == cache:
                times[result] += value
    asked = sum(times.values())
    return round((times["hit"] + times["joined"]) / asked, 4) if asked else None


def _pool(span: Span, pool: dict[str, Any]) -> dict[str, Any]:
    """A pool's overview: its work is requests for front ends, else messages."""
    replicas = [f"{pool['name']}-{replica['index']}" for replica in pool["replicas"]]
    work, statements, cpu, memory = Throughput(), Throughput(), 0.0, 0.0
    works_by = REQUESTS if "http" in pool["services"] else MESSAGES
    for replica in replicas:
        for labels, value in span.grown(replica, works_by):
            if labels[0] == HOST:  # health checks aren't work
                continue
            work.add(value, error=works_by is REQUESTS and labels[-1].startswith("5"))
        for _, value in span.grown(replica, STATEMENTS):
            statements.add(value)
        cpu += sum(value for _, value in span.grown(replica, CPU)) if replica in span.before.metrics else 0.0
        memory += sum(span.after.metrics.get(replica, {}).get(MEMORY, {}).values())
    return {
        "name": pool["name"],
        "services": pool["services"],
        "replicas": len(replicas),
        "ready": sum(replica["state"] == ReplicaState.READY for replica in pool["replicas"]),
        "restarts": sum(replica["restarts"] for replica in pool["replicas"]),
        "waiting": _now(span, replicas, "velella_admission_waiting"),
        "inside": _now(span, replicas, "velella_admission_running"),
        "refused_per_second": round(
            sum(v for r in replicas for _, v in span.grown(r, "velella_admission_refused_total")) / span.seconds, 2
        ),
        "work": work.shown(span.seconds),
        "statements": statements.shown(span.seconds),
        "cpu_percent": round(100 * cpu / span.seconds, 1),
        "memory_bytes": int(memory),
    }


def _now(span: Span, replicas: Iterable[str], name: str) -> int:
    return int(sum(value for replica in replicas for value in span.after.metrics.get(replica, {}).get(name, {}).values()))
