"""Keeping locks: the part that all providers have in common."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from ...core.errors import VelellaError
from ...core.infrastructure import InfrastructureProvider
from ...core.logs import logger
from ...core.message import CallContext, call_context
from ...core.tasks import Tasks

P = TypeVar("P")

TICK_SECONDS = 1.0

log = logger("velella.locking")


@dataclass(slots=True, eq=False)
class HeldLock(Generic[P]):
    """A lock that this process holds for a flow. Flows see it as `FlowLock`."""

    key: str
    owner: str
    lease: float
    until: float
    """Monotonic seconds; by our clock, counted from before the request, so it is never later than the provider's."""
    part: P
    """What the provider needs to find the lock again."""
    lost: bool = field(default=False)


class LockProvider(InfrastructureProvider, Generic[P]):
    """Takes and releases locks. The contract is `core.flow.Locks`, with one addition:

    `take` may be cancelled at any time; nothing stays held then.
    """

    def __init__(self) -> None:
        self._grips: set[HeldLock[P]] = set()
        self._keeping: asyncio.Task[None] | None = None
        self._renewing: dict[HeldLock[P], asyncio.Task[None]] = {}
        self._errands = Tasks("a lock is left to its lease")

    async def start(self) -> None:
        """Connect. Called once, before the first `take`."""

    async def stop(self) -> None:
        """Release everything and disconnect."""
        keeping = [*self._renewing.values(), *([self._keeping] if self._keeping is not None else ())]
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        for grip in list(self._grips):
            try:
                await self.give_back(grip)
            except Exception as error:  # noqa: BLE001 - the other locks must be released, too
                log.warning("a lock is left to its lease", key=grip.key, error=str(error))
        await self._errands.wait(2.0)

    @abstractmethod
    async def take(self, key: str, owner: str, *, wait: float, lease: float) -> HeldLock[P]: ...

    @abstractmethod
    async def give_back(self, held: HeldLock[P]) -> None: ...

    @abstractmethod
    async def _renew(self, grip: HeldLock[P]) -> bool:
        """Extend the lease. False: it is lost for good."""

    # -- renewing

    def _keep(self, grip: HeldLock[P]) -> HeldLock[P]:
        self._grips.add(grip)
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep_all())
        return grip

    def _drop(self, grip: HeldLock[P]) -> bool:
        """Stop renewing. False if it had been dropped before."""
        if grip not in self._grips:
            return False
        self._grips.remove(grip)
        return True

    async def _keep_all(self) -> None:
        """Renew locks that are held for longer than a third of their lease. Most locks are released before this ever sees them.

        Each by itself: a shard that doesn't answer must not keep the others from being renewed in time.
        """
        call_context.set(None)
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            due = [grip for grip in self._grips if not grip.lost and now > grip.until - grip.lease * 2 / 3]
            for grip in due:
                if grip not in self._renewing:
                    task = self._renewing[grip] = asyncio.create_task(self._keep_one(grip))
                    task.add_done_callback(partial(self._renewed, grip))

    def _renewed(self, grip: HeldLock[P], _: asyncio.Task[None]) -> None:
        del self._renewing[grip]

    async def _keep_one(self, grip: HeldLock[P]) -> None:
        asked, seconds = time.monotonic(), max(0.2, grip.lease / 3)
        call_context.set(CallContext().within(seconds))
        try:
            async with asyncio.timeout(seconds):  # not every provider looks at the time by itself
                gone = not await self._renew(grip)
            if not gone:
                grip.until = asked + grip.lease
                return
        except Exception as error:  # noqa: BLE001 - the other locks must be renewed, whatever becomes of this one
            log.warning("a lock could not be renewed", key=grip.key, owner=grip.owner, error=str(error))
            gone = False
        if (gone or time.monotonic() >= grip.until) and grip in self._grips:
            grip.lost = True
            log.error("a lock was lost", key=grip.key, owner=grip.owner)

    def _errand(self, work: Any) -> None:
        """Run something in the background; if it fails, the lease ends by itself."""

        async def run() -> None:
            call_context.set(CallContext().within(5.0))
            try:
                await work
            except VelellaError as error:
                log.warning("a lock is left to its lease", error=str(error))

        self._errands.begin(run())
