"""How an invalidation reaches every process that may have cached what a change made stale."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ...core.errors import VelellaError
from ...core.logs import logger
from ...core.message import CallContext, call_context
from ...core.tasks import Tasks
from ..services import remembering_modules
from .shared import DISTRUST, SharedTier

if TYPE_CHECKING:
    from ...core.settings import Settings
    from ..membership.directory import ReplicaId
    from ..messaging.router import Router

HOST = "host"
FILLERS = ("http", "workflows")
"""Services whose processes cache answers of modules."""
PATIENCE_SECONDS = 0.1
"""Seconds that a writer waits for a process that doesn't confirm."""
ATTEMPT_SECONDS = 1.0
PAUSE_SECONDS = 0.2

LONGEST_WAIT = 0.02
"""Seconds that a change may wait to be sent together with others of the same flow."""

Announce = Callable[[frozenset[str]], Coroutine[Any, Any, None]]

log = logger("velella.caching")


def sources(settings: Settings) -> tuple[str, ...]:
    """Modules that cache answers themselves, so that others fill from them. A module from elsewhere may do so, so it is included."""
    return (*remembering_modules(), *settings.modules)


class Invalidation:
    """Sends invalidation to the processes that cache.

    Each gets one message at a time; changes that come meanwhile go together into the next. A process that doesn't confirm isn't waited for
    again until it does: it has missed something, so its next message is to drop everything. Until then its entries live
    `cache_seconds` at most.
    """

    def __init__(self, router: Router, settings: Settings, *, shared: SharedTier | None = None, itself: bool = False) -> None:
        """`shared`: what is invalidated before all processes, which may fill from it. `itself`: this process is told as well, if it
        caches, because the change was made in another one."""
        self._router = router
        self._shared = shared
        self._itself = itself or shared is not None  # it may have filled since it dropped what it knows to have changed
        self._forget_after = settings.longest_cached
        self._sources = sources(settings)
        self._targets: dict[ReplicaId, _Target] = {}
        self._owed: set[str] = set()
        self._owed_everything = False
        self._settling: asyncio.Task[None] | None = None

    def holders(self) -> set[ReplicaId]:
        """The processes that cache."""
        holders = {replica for service in (*FILLERS, *self._sources) for replica in self._router.replicas(service)}
        return holders if self._itself else holders - {self._router.me}

    def _waves(self, holders: set[ReplicaId]) -> tuple[set[ReplicaId], set[ReplicaId]]:
        """The processes to invalidate first, and second. The sources come first: a process that has dropped an entry and asks a source that
        hasn't would take the old answer for a fresh one. A source that also fills from others is invalidated again in the second wave.
        """
        by_source = [set(self._router.replicas(service)) for service in self._sources]
        first = {replica for replica in holders if any(replica in there for there in by_source)}
        fillers = {replica for service in FILLERS for replica in self._router.replicas(service)} & holders
        asks_others = {replica for replica in fillers if any(there and replica not in there for there in by_source)}
        return first, (holders - first) | asks_others

    async def send(self, names: Collection[str] | None) -> None:
        """Return when all have confirmed, or after twice `PATIENCE_SECONDS`. None: everything may have changed."""
        if self._shared is not None and not await self._shared.invalidate(names) and names is not None:
            names = {*names, DISTRUST}
        holders = self.holders()
        if not holders:
            return
        for gone in self._targets.keys() - holders:
            del self._targets[gone]
        sources, others = self._waves(holders)
        await self._send_all(sources, names)
        await self._send_all(others, names)
        if others and self._are_late(sources):
            self._owe(names)

    def _are_late(self, sources: set[ReplicaId]) -> bool:
        return any(target.missed for replica, target in self._targets.items() if replica in sources)

    def _owe(self, names: Collection[str] | None) -> None:
        """A source didn't confirm in time, and others may have filled from it since: once it has confirmed, they are invalidated again."""
        if names is None:
            self._owed_everything = True
        else:
            self._owed.update(names)
        if self._settling is None:
            self._settling = asyncio.create_task(self._settle())

    async def _settle(self) -> None:
        try:
            while self._owed or self._owed_everything:
                while self._are_late(self._waves(self.holders())[0]):  # noqa: ASYNC110 - there are several, and they come and go
                    await asyncio.sleep(PAUSE_SECONDS)
                names = None if self._owed_everything else sorted(self._owed)
                self._owed, self._owed_everything = set(), False
                await self._send_all(self._waves(self.holders())[1], names)
        finally:
            self._settling = None

    async def _send_all(self, replicas: set[ReplicaId], names: Collection[str] | None) -> None:
        waiting: dict[asyncio.Future[None], _Target] = {}
        for replica in replicas:
            target = self._targets.get(replica)
            if target is None:
                target = self._targets[replica] = _Target(self._router, replica, self._forget_after)
            if (confirmation := target.send(names)) is not None:
                waiting[confirmation] = target
        if waiting:
            _, unheard = await asyncio.wait(list(waiting), timeout=PATIENCE_SECONDS)
            for confirmation in unheard:
                waiting[confirmation].missed = True


class _Target:
    """One process to invalidate."""

    def __init__(self, router: Router, replica: ReplicaId, forget_after: float) -> None:
        self._router = router
        self._replica = replica
        self._forget_after = forget_after
        self._names: set[str] = set()
        self._everything = False
        self.missed = False
        """Whether it may have missed something: then its next message is to drop everything, and no writer waits for it."""
        self._confirmation: asyncio.Future[None] | None = None
        self._sending: asyncio.Task[None] | None = None

    def send(self, names: Collection[str] | None) -> asyncio.Future[None] | None:
        """Send an invalidation. Returns a future to wait for; None where waiting is pointless."""
        if names is None:
            self._everything = True
        else:
            self._names.update(names)
        if self._confirmation is None:
            self._confirmation = asyncio.get_running_loop().create_future()
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return None if self.missed else self._confirmation

    async def _send(self) -> None:
        try:
            while self._confirmation is not None:
                names, confirmation = self._take(), self._confirmation
                self._confirmation = None
                await self._until_confirmed(names)
                confirmation.set_result(None)
        finally:
            self._sending = None

    def _take(self) -> list[str] | None:
        names = None if self._everything else sorted(self._names)
        self._names, self._everything = set(), False
        return names

    async def _until_confirmed(self, names: list[str] | None) -> None:
        loop = asyncio.get_running_loop()
        pointless = loop.time() + self._forget_after
        while loop.time() < pointless and self._router.directory.address(self._replica) is not None:
            call_context.set(CallContext().within(ATTEMPT_SECONDS))
            try:
                await self._router.send_to(self._replica, HOST, "forget", None if self.missed else names)
            except VelellaError as error:
                if not self.missed:
                    log.warning("a process doesn't confirm an invalidation", replica=str(self._replica), error=str(error))
                self.missed = True
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                break
        self.missed = False


class Announcer:
    """Called by a process that has committed a change: the caching pool sends the invalidation; while it is down, the process does so
    itself."""

    def __init__(self, router: Router, settings: Settings, shared: SharedTier | None = None) -> None:
        self._router = router
        self._invalidation = Invalidation(router, settings, shared=shared)
        self._sending = Tasks("an invalidation could not be sent")

    async def __call__(self, names: frozenset[str]) -> None:
        """Return when the invalidation is sent. If the caller is cancelled meanwhile, the sending goes on: the change is committed."""
        if not self._invalidation.holders():
            return
        together = _coalescing.get()
        if together is not None and together.add(names, self._announce):
            return
        await asyncio.shield(self._sending.begin(self._announce(names)))

    async def _announce(self, names: frozenset[str]) -> None:
        everybody = self._router.replicas("caching")
        pool = [replica for replica in everybody if not self._router.is_lost(replica)]
        if pool and self._router.me not in everybody:
            token = call_context.set(CallContext().within(2 * PATIENCE_SECONDS))  # the request's own time may be used up: the write is done
            try:
                await self._router.send_to(pool[hash(self._router.me) % len(pool)], "caching", "bump", sorted(names))
                return
            except VelellaError as error:
                log.warning("the caching pool can't be reached", names=sorted(names), error=str(error))
            finally:
                call_context.reset(token)
        await self._invalidation.send(names)


class coalesced:
    """Coalesced invalidation: the changes of this block and its tasks are sent to other processes in one message when the block is left.

    That is before any reply. A slow flow doesn't hold invalidation back: no change is sent later than
    `LONGEST_WAIT` after its commit.
    """

    __slots__ = ("_announce", "_late", "_names", "_open", "_sending", "_token")

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._announce: Announce | None = None
        self._late: asyncio.TimerHandle | None = None
        self._sending = Tasks("an invalidation could not be sent")
        self._open = True

    async def __aenter__(self) -> None:
        self._token = _coalescing.set(self)

    async def __aexit__(self, *_: object) -> None:
        """Return when everything is sent. If the caller is cancelled meanwhile, the sending goes on."""
        _coalescing.reset(self._token)
        self._open = False
        self._send()
        await self._sending.wait()

    def add(self, names: frozenset[str], announce: Announce) -> bool:
        """Add a change. False when the block has been left: a task that outlives the flow must send its own."""
        if not self._open:
            return False
        self._names |= names
        self._announce = announce
        if self._late is None:
            self._late = asyncio.get_running_loop().call_later(LONGEST_WAIT, self._send)
        return True

    def _send(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        if self._names and self._announce is not None:
            self._sending.begin(self._announce(frozenset(self._names)))
            self._names.clear()


_coalescing: ContextVar[coalesced | None] = ContextVar("velella_coalesced_invalidation", default=None)
