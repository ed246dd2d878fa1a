"""The locks of one shard, in memory: first come first served, without polling."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ...core.errors import NotLocked

LONGEST_LEASE = 30.0
"""Seconds. Also how long after its start a table adopts grants of its predecessor: none of them can be older."""


@dataclass(slots=True, eq=False)
class Holding:
    """A key that is held."""

    key: str
    owner: str
    until: float


@dataclass(slots=True, eq=False)
class _Waiter:
    key: str
    owner: str
    lease: float
    granted: asyncio.Future[Holding] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    askers: int = 1
    """An acquisition that is repeated, because its answer was lost, waits in the place of the first."""


@dataclass(slots=True)
class LockMetrics:
    """The metrics of a table."""

    held: int = 0
    waiting: int = 0
    granted: int = 0
    expired: int = 0
    given_up: int = 0


class LockTable:
    """Which owner holds which key. Times are monotonic seconds of this process.

    An owner is one acquisition of one key: a repetition with its name is the same acquisition.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.metrics = LockMetrics()
        self._clock = clock
        self._held: dict[str, Holding] = {}
        self._queues: dict[str, deque[_Waiter]] = {}
        self._alarms: dict[Holding, asyncio.TimerHandle] = {}
        self._adopting_until = clock() + LONGEST_LEASE
        self._known_since_start: set[str] | None = set()
        """Keys that were granted or claimed here; None once the time for claims is over."""

    # -- acquiring

    def try_acquire(self, key: str, owner: str, lease: float) -> Holding | None:
        """The key, if no owner holds it or waits for it."""
        if key in self._queues:
            return None
        held = self._held.get(key)
        if held is not None and not self._expire(held):
            return None
        return self._grant(key, owner, lease)

    async def acquire(self, key: str, owner: str, lease: float, wait: float) -> Holding:
        """The key, as soon as it is free and earlier owners have had it.

        Repeated by the same owner, it is the same acquisition: it returns what that has or waits for. Raises NotLocked if the key
        doesn't become free within `wait` seconds.
        """
        held = self._held.get(key)
        if held is not None and held.owner == owner:
            held.until = max(held.until, self._clock() + lease)
            return held
        for waiter in self._queues.get(key, ()):
            if waiter.owner == owner:
                waiter.askers += 1
                return await self._wait(waiter, wait)
        granted = self.try_acquire(key, owner, lease)
        if granted is not None:
            return granted
        if wait <= 0:
            raise taken(key)
        waiter = _Waiter(key, owner, lease)
        self._queues.setdefault(key, deque()).append(waiter)
        self.metrics.waiting += 1
        self._watch(key)
        return await self._wait(waiter, wait)

    async def _wait(self, waiter: _Waiter, wait: float) -> Holding:
        try:
            async with asyncio.timeout(wait):
                return await asyncio.shield(waiter.granted)
        except (TimeoutError, asyncio.CancelledError) as error:
            waiter.askers -= 1
            if waiter.granted.done() and not waiter.granted.cancelled():  # granted at the very moment of giving up
                if isinstance(error, TimeoutError):
                    return waiter.granted.result()
                if waiter.askers == 0:
                    self.release(waiter.key, waiter.owner)
            elif waiter.granted.cancelled():
                raise NotLocked(f"{waiter.owner} was withdrawn.") from None
            elif waiter.askers == 0:
                self._leave(waiter)
            if isinstance(error, TimeoutError):
                raise taken(waiter.key) from None
            raise

    # -- holding

    def renew(self, key: str, owner: str, lease: float, *, adopt: bool = True) -> bool:
        """Extend the lease. False: it is over, and another owner may hold the key.

        A table that has just been started adopts a grant of its predecessor, unless it has granted the key since, or another owner has
        claimed it. `adopt`: whether the lease still runs by the clock of its owner, whose process may have stood still for longer than
        that.
        """
        held = self._held.get(key)
        if held is not None and held.owner == owner:
            held.until = self._clock() + lease
            return True
        known = self._known_since_start
        if not adopt or known is None or key in known or self._clock() > self._adopting_until:
            return False
        known.add(key)
        self._enter(Holding(key, owner, self._clock() + lease))
        return True

    def release(self, key: str, owner: str) -> bool:
        """Release the key. False: that owner doesn't hold it; then nothing happens."""
        held = self._held.get(key)
        if held is None or held.owner != owner:
            return False
        self._remove(held)
        return True

    def withdraw(self, key: str, owner: str) -> None:
        """Release the key, or stop waiting for it: for an owner that doesn't know whether it was granted."""
        if self.release(key, owner):
            return
        for waiter in tuple(self._queues.get(key, ())):
            if waiter.owner == owner:
                self._leave(waiter)
                waiter.granted.cancel()

    def sweep(self) -> None:
        """Drop leases that ran out while no owner waited for them."""
        for held in tuple(self._held.values()):
            self._expire(held)
        if self._known_since_start is not None and self._clock() > self._adopting_until:
            self._known_since_start = None

    # -- inside

    def _grant(self, key: str, owner: str, lease: float) -> Holding:
        held = Holding(key, owner, self._clock() + lease)
        self._enter(held)
        self.metrics.granted += 1
        if self._known_since_start is not None:
            if self._clock() <= self._adopting_until:
                self._known_since_start.add(key)
            else:  # not every table is swept
                self._known_since_start = None
        return held

    def _enter(self, held: Holding) -> None:
        self._held[held.key] = held
        self.metrics.held += 1

    def _remove(self, held: Holding) -> None:
        del self._held[held.key]
        self.metrics.held -= 1
        if self._alarms and (alarm := self._alarms.pop(held, None)) is not None:
            alarm.cancel()
        if held.key in self._queues:
            self._serve(held.key)

    def _expire(self, held: Holding) -> bool:
        """Whether the lease is over and the key hasn't been granted since; then it is free."""
        if held.until > self._clock():
            return False
        if self._held.get(held.key) is held:
            self.metrics.expired += 1
            self._remove(held)
        return held.key not in self._held

    def _leave(self, waiter: _Waiter) -> None:
        queue = self._queues[waiter.key]
        queue.remove(waiter)
        if not queue:
            del self._queues[waiter.key]
        self.metrics.waiting -= 1
        self.metrics.given_up += 1

    def _serve(self, key: str) -> None:
        """Grant a free key to the first owner in its queue."""
        queue = self._queues[key]
        waiter = queue.popleft()
        if not queue:
            del self._queues[key]
        self.metrics.waiting -= 1
        waiter.granted.set_result(self._grant(key, waiter.owner, waiter.lease))
        if queue:
            self._watch(key)

    def _watch(self, key: str) -> None:
        """Wake up when the lease of the key's holder ends: only for keys with waiting owners."""
        held = self._held[key]
        if held not in self._alarms:
            loop = asyncio.get_running_loop()
            self._alarms[held] = loop.call_later(max(0.0, held.until - self._clock()), self._alarm, held)

    def _alarm(self, held: Holding) -> None:
        self._alarms.pop(held, None)
        if self._held.get(held.key) is held and not self._expire(held) and self._held.get(held.key) is held:
            self._watch(held.key)  # it was renewed


def taken(key: str) -> NotLocked:
    return NotLocked(f"{key} is being changed elsewhere. Try again.")
