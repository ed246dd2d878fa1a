"""Keeping the replicas of a pool apart: Ray puts those of a dead node where it likes, and nothing brings them to a node that comes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ..core.errors import VelellaError
from ..core.logs import logger
from .members import move, one_too_many
from .topology import Pool

if TYPE_CHECKING:
    from .supervisor import Supervisor

log = logger("velella.supervisor")

LOOK_SECONDS = 3.0
SETTLE_SECONDS = 5.0
"""So long a node has to be there before replicas are moved to it: one that comes and goes is left alone."""
PAUSE_SECONDS = 300.0
"""Before a pool is tried again that could not be spread."""


class Spreading:
    """Moves one replica after another, as `velella roll` does: the new one is up before the old one finishes and goes."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._task: asyncio.Task[None] | None = None
        self._looked = 0.0
        self._came: dict[str, float] = {}
        """Node → since when it has been there."""
        self._paused: dict[str, float] = {}
        """Pool → until when it is left alone."""

    def look(self) -> None:
        """See whether somebody should move, in the background. Called at every check while nothing else is being changed."""
        if (self._task is None or self._task.done()) and time.monotonic() - self._looked >= LOOK_SECONDS:
            self._task = asyncio.create_task(self._look())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _look(self) -> None:
        import ray

        try:
            async with self._supervisor.changing:
                nodes = self._settled(await asyncio.to_thread(ray.nodes))
                for pool in self._supervisor.topology.pools:
                    if self._paused.get(pool.name, 0.0) <= time.monotonic():
                        await self._spread(pool, nodes)
        except Exception:  # whatever it was, the next look must come
            log.exception("the replicas could not be looked at for spreading")
        self._looked = time.monotonic()

    def _settled(self, nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        now = time.monotonic()
        self._came = {node["NodeID"]: self._came.get(node["NodeID"], now) for node in nodes if node["Alive"]}
        return [node for node in nodes if now - self._came.get(node["NodeID"], now) >= SETTLE_SECONDS]

    async def _spread(self, pool: Pool, nodes: list[dict[str, Any]]) -> None:
        while (left_over := one_too_many(pool, self._supervisor.all_members())) is not None:  # a supervisor died while it moved one
            await self._supervisor.retire([left_over])
            log.warning("a replica too many has gone", replica=str(left_over.id))
        found = move(pool, self._supervisor.all_members(), nodes)
        if found is None:
            return
        old, node = found
        try:
            (new,) = await self._supervisor.grow(pool, 1, node=node)
        except VelellaError as error:
            self._paused[pool.name] = time.monotonic() + PAUSE_SECONDS
            log.error("a replica could not be moved", replica=str(old.id), error=str(error))
            return
        await self._supervisor.retire([old])
        log.warning("a replica has moved", pool=pool.name, old=str(old.id), new=str(new.id), node=new.report.get("node"))
