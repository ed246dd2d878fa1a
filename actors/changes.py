"""What an operator changes about running pools: how many replicas they have, and new processes for old ones. One change at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import Conflict, Misconfigured, VelellaError
from ..core.logs import logger
from .topology import Pool

if TYPE_CHECKING:
    from .supervisor import Supervisor

log = logger("velella.supervisor")

LAST = ("workflows", "http")
"""Services whose pools are rolled last: they should meet the new version of what they call, not the other way round."""


class Changes:
    """Begun by a message, carried out in the background, followed by asking `report`."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._task: asyncio.Task[None] | None = None
        self._lines: list[str] = []
        self._error: VelellaError | None = None

    def report(self) -> dict[str, Any]:
        """How the last change goes: whether it runs, what was done, and the error it ended in."""
        running = self._task is not None and not self._task.done()
        return {"running": running, "lines": list(self._lines), "error": self._error.to_wire() if self._error is not None else None}

    def scale(self, wanted: Mapping[str, tuple[int, int]]) -> None:
        """Give pools so many replicas: least and most. Raises Misconfigured for a pool that isn't there, Conflict while a change runs."""
        for name, (least, most) in wanted.items():
            self._pool(name)
            if not 1 <= least <= most:
                raise Misconfigured(f"{name} can't have {least} to {most} replicas.", hint="At least 1.")
        self._begin(self._scale(dict(wanted)))

    def roll(self, names: Sequence[str]) -> None:
        """Put a new process in the place of each replica of these pools, or of all. Raises as `scale` does."""
        for name in names:
            self._pool(name)
        pools = [pool for pool in self._supervisor.topology.pools if not names or pool.name in names]
        self._begin(self._roll(sorted(pools, key=lambda pool: [service in pool.services for service in LAST])))

    def apply(self, pools: Sequence[Pool]) -> None:
        """Make the pools what a cluster file says by now. What places and equips replicas holds for those started from now on.

        Raises Misconfigured where services live in other pools than before: that takes a new start.
        """
        before = {pool.name: pool for pool in self._supervisor.topology.pools}
        if {name: set(pool.services) for name, pool in before.items()} != {pool.name: set(pool.services) for pool in pools}:
            raise Misconfigured(
                "The file has other pools than what runs, or other services in them.", hint="`velella down`, then up again."
            )
        if {pool.name: pool.database for pool in pools} != {name: pool.database for name, pool in before.items()}:
            raise Misconfigured("The file gives other databases to pools than what runs has.", hint="`velella down`, then up again.")
        self._begin(self._apply(pools))

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    # -- inside
    def _pool(self, name: str) -> Pool:
        pool = self._supervisor.pool(name)
        if pool is None:
            known = ", ".join(pool.name for pool in self._supervisor.topology.pools)
            raise Misconfigured(f"There is no pool {name}.", hint=f"There are: {known}.")
        return pool

    def _begin(self, change: Coroutine[Any, Any, None]) -> None:
        if self._task is not None and not self._task.done():
            change.close()
            raise Conflict("Another change is being carried out.", hint="Try again when it is done.")
        self._lines, self._error = [], None
        self._task = asyncio.create_task(self._carry_out(change))

    async def _carry_out(self, change: Coroutine[Any, Any, None]) -> None:
        try:
            async with self._supervisor.changing:
                await change
        except VelellaError as error:
            self._error = error
        except Exception as error:  # whoever asked wants to know, and the log has the traceback
            log.exception("a change failed")
            self._error = VelellaError(f"{type(error).__name__}: {error}")
        finally:
            change.close()

    def _say(self, line: str) -> None:
        self._lines.append(line)
        log.info(line)

    async def _scale(self, wanted: Mapping[str, tuple[int, int]]) -> None:
        for name, (least, most) in wanted.items():
            pool = replace(self._pool(name), replicas=least, most=most)
            await self._supervisor.set_pool(pool)
            await self._fit(pool)

    async def _apply(self, pools: Sequence[Pool]) -> None:
        for pool in pools:
            await self._supervisor.set_pool(pool)
        for pool in pools:
            await self._fit(pool)

    async def _fit(self, pool: Pool) -> None:
        """As many replicas as the pool has to have at least and may have at most."""
        supervisor = self._supervisor
        before = len(supervisor.members(pool.name))
        if (missing := pool.replicas - before) > 0:
            await supervisor.grow(pool, missing)
        while len(members := supervisor.members(pool.name)) > pool.at_most:
            await supervisor.retire([members[-1]])
        if (now := len(supervisor.members(pool.name))) != before:
            self._say(f"{pool.name}: {before} → {now} replicas")

    async def _roll(self, pools: Sequence[Pool]) -> None:
        for pool in pools:
            for old in self._supervisor.members(pool.name):
                (new,) = await self._supervisor.grow(self._pool(pool.name), 1, node=old.place)
                await self._supervisor.retire([old])
                self._say(f"{old.id} (process {old.pid}) → {new.id} (process {new.pid})")
