"""Changes of running pools by an operator: how many replicas they have, and new processes for old ones. One change at a time.

A command only changes what is wanted (see `reconcile.py`). The supervisor brings that about, and tries again later what fails. The
progress of a change is reported until its pools are as wanted, or something has prevented that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ...core.errors import Conflict, Misconfigured, VelellaError
from ...core.logs import logger
from ..topology import Pool
from .members import Member
from .reconcile import Wanted, is_settled

log = logger("velella.supervisor")


class Pools(Protocol):
    """The wanted and the actual pools: the supervisor."""

    @property
    def wanted(self) -> Mapping[str, Wanted]: ...
    def members(self, pool: str, /) -> Sequence[Member]: ...
    def all_members(self) -> Sequence[Member]: ...
    async def want(self, changed: Sequence[Wanted], /) -> None: ...


class Rollout:
    """Started by a message, and followed by calling `report`."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._changing: dict[str, int] = {}
        """Pools of the running change → how many replicas they had before."""
        self._lines: list[str] = []
        self._error: VelellaError | None = None

    def report(self) -> dict[str, Any]:
        """The progress of the last change: whether it runs, what was done, and the error that stopped it."""
        error = self._error.to_wire() if self._error is not None else None
        return {"running": bool(self._changing), "lines": list(self._lines), "error": error}

    async def scale(self, wanted: Mapping[str, tuple[int, int]]) -> None:
        """Scale pools: minimum and maximum of replicas. Raises Misconfigured for an unknown pool, Conflict while a change runs."""
        for name, (least, most) in wanted.items():
            self._wanted(name)
            if not 1 <= least <= most:
                raise Misconfigured(f"{name} can't have {least} to {most} replicas.", hint="At least 1.")
        await self._resize([replace(self._wanted(name).pool, replicas=least, most=most) for name, (least, most) in wanted.items()])

    async def roll(self, names: Sequence[str]) -> None:
        """Replace each replica of these pools, or of all, by a new process. Raises as `scale` does."""
        for name in names:
            self._wanted(name)
        self._begin(names or self._pools.wanted)
        rolled = [self._wanted(name) for name in self._changing]
        await self._pools.want([replace(now, generation=now.generation + 1) for now in rolled])

    async def apply(self, pools: Sequence[Pool]) -> None:
        """Change the pools to what a cluster file says now. Placement and resources apply to replicas started from now on.

        Raises Misconfigured where services move to other pools: that takes a restart.
        """
        before = {name: wanted.pool for name, wanted in self._pools.wanted.items()}
        if {name: set(pool.services) for name, pool in before.items()} != {pool.name: set(pool.services) for pool in pools}:
            raise Misconfigured(
                "The file has other pools than what runs, or other services in them.", hint="`velella down`, then up again."
            )
        if {pool.name: pool.database for pool in pools} != {name: pool.database for name, pool in before.items()}:
            raise Misconfigured("The file gives other databases to pools than what runs has.", hint="`velella down`, then up again.")
        await self._resize(pools)

    # -- progress, reported by the supervisor

    def say(self, pool: str, line: str) -> None:
        """Something was done to a pool that an operator wants to know of."""
        log.info(line)
        if pool in self._changing:
            self._lines.append(line)

    def fail(self, pool: str, error: VelellaError) -> None:
        """A replica of a pool could not be started."""
        log.error("a replica could not be started", pool=pool, error=str(error))
        if pool in self._changing:
            self._error, self._changing = error, {}

    def look(self) -> None:
        """Check whether the change is finished."""
        members = self._pools.all_members()
        for name in [name for name in self._changing if is_settled(self._wanted(name), members)]:
            if (now := len(self._pools.members(name))) != (before := self._changing[name]):
                self.say(name, f"{name}: {before} → {now} replicas")
            del self._changing[name]

    # -- inside

    def _wanted(self, name: str) -> Wanted:
        wanted = self._pools.wanted.get(name)
        if wanted is None:
            raise Misconfigured(f"There is no pool {name}.", hint=f"There are: {', '.join(self._pools.wanted)}.")
        return wanted

    def _begin(self, names: Iterable[str]) -> None:
        if self._changing:
            raise Conflict("Another change is being carried out.", hint="Try again when it is done.")
        self._lines, self._error = [], None
        self._changing = {name: len(self._pools.members(name)) for name in names}

    async def _resize(self, pools: Sequence[Pool]) -> None:
        self._begin(pool.name for pool in pools)
        before = [self._wanted(pool.name) for pool in pools]
        await self._pools.want([now.resized(pool, now.replicas) for now, pool in zip(before, pools, strict=True)])
