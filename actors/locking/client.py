"""The default provider: locks of the locking pool."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ...core.errors import Busy, ReplyLost, Unavailable
from ...core.message import CallContext, call_context
from .leases import HeldLock, LockProvider
from .service import table_beside
from .table import LONGEST_LEASE, LockTable

if TYPE_CHECKING:
    from ..context import HostContext
    from ..membership.directory import ReplicaId

PAUSE_SECONDS = 0.05


class _Moved(Exception):
    """The key that we asked a shard for belongs to another shard by now."""


class ActorLocks(LockProvider["ReplicaId"]):
    """Asks the shard that a key belongs to. If that shard lives in this process, it is a function call.

    While a shard is restarted its keys can't be had: waiting for it is part of `wait`. When it is lost, another shard is asked for them.
    """

    def __init__(self, context: HostContext) -> None:
        super().__init__()
        self._router = context.router
        self._me = context.replica

    async def take(self, key: str, owner: str, *, wait: float, lease: float) -> HeldLock[ReplicaId]:
        lease = min(lease, LONGEST_LEASE)
        until = time.monotonic() + wait
        while True:
            shard = self._shard(key)
            table = self._local(shard)
            asked = time.monotonic()
            if table is not None:
                if table.try_acquire(key, owner, lease) is None:
                    await table.acquire(key, owner, lease, until - asked)
                return self._keep(HeldLock(key, owner, lease, asked + lease, shard))
            try:
                await self._acquire(shard, key, owner, lease, until)
                return self._keep(HeldLock(key, owner, lease, asked + lease, shard))
            except _Moved:
                self._errand(self._send(shard, "withdraw", key, owner))
                owner += "'"  # another acquisition: withdrawing the first one must not end it
            except BaseException:
                self._errand(self._send(shard, "withdraw", key, owner))
                raise

    async def give_back(self, held: HeldLock[ReplicaId]) -> None:
        if not self._drop(held):
            return
        table = self._local(held.part)
        if table is not None:
            table.release(held.key, held.owner)
        else:
            self._errand(self._send(held.part, "release", held.key, held.owner))

    async def _renew(self, grip: HeldLock[ReplicaId]) -> bool:
        # the lease has passed while this process stood still: a shard that has the grant may extend it, another one must not adopt it
        adopt = time.monotonic() < grip.until
        table = self._local(grip.part)
        if table is not None:
            return table.renew(grip.key, grip.owner, grip.lease, adopt=adopt)
        return bool(await self._send(grip.part, "renew", grip.key, grip.owner, grip.lease, adopt))

    # -- inside

    def _shard(self, key: str) -> ReplicaId:
        replica = self._router.replica_for("locking", key)
        if replica is None:
            raise Unavailable("There is no locking service.", hint="A pool of the topology has to have `locking` among its services.")
        return replica

    def _local(self, replica: ReplicaId) -> LockTable | None:
        return table_beside(self._router) if replica == self._me else None

    async def _acquire(self, shard: ReplicaId, key: str, owner: str, lease: float, until: float) -> None:
        """Acquire from another process. If the answer is lost, it is sent again: the owner identifies it as the same acquisition."""
        while True:
            left = until - time.monotonic()
            # a moment less than the message has, so that the shard's own refusal comes before the deadline
            wait = max(0.0, min(left, _current_left() - 0.1))
            try:
                await self._send(shard, "acquire", key, owner, lease, wait)
                return
            except (ReplyLost, Unavailable) as error:
                if isinstance(error, Busy) or left <= PAUSE_SECONDS or _current_left() <= PAUSE_SECONDS:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)
            if self._shard(key) != shard:
                raise _Moved

    async def _send(self, replica: ReplicaId, method: str, *args: Any) -> Any:
        return await self._router.send_to(replica, "locking", method, *args)


def _current_left() -> float:
    return (call_context.get() or CallContext()).left()
