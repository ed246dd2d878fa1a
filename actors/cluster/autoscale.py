"""Autoscaling: when a pool grows or shrinks between its minimum and maximum."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..topology import Pool

GROW_WAITING, GROW_CHECKS = 8, 3
"""A pool grows when this many messages wait for each of its replicas, at this many checks in a row."""
SHRINK_SECONDS = 60.0


class Scaling:
    """When a pool grows or shrinks between its minimum and maximum."""

    def __init__(self) -> None:
        self._crowded: dict[str, int] = {}
        self._quiet_since: dict[str, float] = {}

    def step(self, pool: Pool, reports: Sequence[dict[str, Any]]) -> int:
        """Return +1, -1 or 0, by what the replicas report. Called once for each check."""
        if pool.at_most == pool.replicas:
            return 0
        waiting = sum(report.get("waiting", 0) for report in reports)
        busy = waiting + sum(report.get("running", 0) for report in reports)
        crowded = waiting >= GROW_WAITING * len(reports)
        self._crowded[pool.name] = self._crowded.get(pool.name, 0) + 1 if crowded else 0
        if busy > len(reports):
            self._quiet_since.pop(pool.name, None)
        now = time.monotonic()
        quiet_since = self._quiet_since.setdefault(pool.name, now) if busy <= len(reports) else now
        if self._crowded[pool.name] >= GROW_CHECKS and len(reports) < pool.at_most:
            self._crowded[pool.name] = 0
            return 1
        if now - quiet_since >= SHRINK_SECONDS and len(reports) > pool.replicas:
            self._quiet_since[pool.name] = now
            return -1
        return 0
