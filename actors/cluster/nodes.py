"""The nodes of a Ray cluster."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ...core.logs import logger

SETTLE_SECONDS = 5.0
"""Seconds a node must have been in the cluster before replicas are moved to it, so that one that comes and goes is left alone."""

log = logger("velella.supervisor")


class Nodes:
    """The nodes that replicas may be placed on, read outside of the supervisor's watch."""

    def __init__(self) -> None:
        self.settled: list[dict[str, Any]] = []
        """Nodes that have been there for `SETTLE_SECONDS`, as `ray.nodes` last reported them."""
        self._came: dict[str, float] = {}
        """Node → since when it has been there."""
        self._looking: asyncio.Task[None] | None = None

    def look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    def stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    async def _look(self) -> None:
        import ray

        try:
            nodes = await asyncio.to_thread(ray.nodes)
        except Exception:  # whatever failed, it must be read again
            log.exception("the nodes could not be looked at")
            return
        now = time.monotonic()
        self._came = {node["NodeID"]: self._came.get(node["NodeID"], now) for node in nodes if node["Alive"]}
        self.settled = [node for node in nodes if now - self._came.get(node["NodeID"], now) >= SETTLE_SECONDS]
