"""The default provider: locks of the locking pool."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...core.errors import Busy, Conflict, ReplyLost, Unavailable
from ...core.messages import CallContext, call_context
from .leases import Grip, LockProvider
from .service import table_beside
from .table import LONGEST_LEASE, LockTable

if TYPE_CHECKING:
    from ..context import HostContext
    from ..directory import ReplicaId

PAUSE_SECONDS = 0.05

Part = dict["ReplicaId", tuple[tuple[str, ...], int]]
"""Shard → the keys it granted and their token."""


class _Moved(Exception):
    """Keys that we asked a shard for belong to another one by now."""


class ActorLocks(LockProvider[Part]):
    """Asks the shard that each key belongs to. Where that one lives in this process, it is a function call.

    Keys of several shards are taken shard by shard, in the order of the shards, so that two sets never wait for each other. While a
    shard is started again its keys can't be had: waiting for it is part of `wait`. When it is lost, they are asked of another one.
    """

    def __init__(self, context: HostContext) -> None:
        super().__init__()
        self._router = context.router
        self._me = context.replica
        self._lost: frozenset[ReplicaId] = frozenset()
        """Shards whose keys we ask others for."""
        self._unaware: set[ReplicaId] = set()
        """Those that we haven't asked since that changed: keys may have moved to them."""

    async def take(self, keys: tuple[str, ...], owner: str, *, wait: float, lease: float) -> Grip[Part]:
        keys = tuple(sorted(set(keys)))
        lease = min(lease, LONGEST_LEASE)
        until = time.monotonic() + wait
        while True:
            shards = self._shards(keys)
            here = self._here(shards)
            asked = time.monotonic()
            if here is not None:
                if self._me in self._unaware:
                    here.keys_moved()
                    self._unaware.discard(self._me)
                holding = here.try_acquire(keys, owner, lease) or await here.acquire(keys, owner, lease, until - asked)
                return self._keep(Grip(keys, owner, holding.token, lease, asked + lease, {self._me: (keys, holding.token)}))
            try:
                parts, token = await self._take_from(shards, owner, lease, until)
            except _Moved:
                owner += "'"  # another acquisition: withdrawing the first one must not end it
                continue
            return self._keep(Grip(keys, owner, token, lease, asked + lease, parts))

    async def _take_from(self, shards: dict[ReplicaId, tuple[str, ...]], owner: str, lease: float, until: float) -> tuple[Part, int]:
        parts: Part = {}
        token = 0
        try:
            for replica in sorted(shards):
                token = await self._acquire(replica, shards[replica], owner, lease, until, token)
                parts[replica] = (shards[replica], token)
            # the token of the whole is the highest; the shards asked before must not give lower ones to those who come later
            for replica, (held, lower) in list(parts.items()):
                if lower < token and not await self._send(replica, "renew", list(held), owner, lower, lease, token):
                    raise Conflict(f"The lock of {', '.join(held)} was lost while the others were taken.")
        except BaseException:
            for replica in sorted(shards):
                self._errand(self._send(replica, "withdraw", owner))
            raise
        return parts, token

    async def give_back(self, held: Grip[Part]) -> None:
        if not self._drop(held):
            return
        for replica, (_, token) in held.part.items():
            table = self._local(replica)
            if table is not None:
                table.release(held.owner, token)
            else:
                self._errand(self._send(replica, "release", held.owner, token))

    async def _renew(self, grip: Grip[Part]) -> bool:
        # over while this process stood still: a shard that knows of it may extend it, one that doesn't mustn't believe us
        adopt = time.monotonic() < grip.until
        for replica, (keys, token) in grip.part.items():
            table = self._local(replica)
            if table is not None:
                renewed = table.renew(keys, grip.owner, token, grip.lease, adopt=adopt)
            else:
                renewed = await self._send(replica, "renew", list(keys), grip.owner, token, grip.lease, 0, adopt)
            if not renewed:
                return False
        return True

    # -- inside

    def _shards(self, keys: Sequence[str]) -> dict[ReplicaId, tuple[str, ...]]:
        lost = frozenset(replica for replica in self._router.replicas("locking") if self._router.is_lost(replica))
        if lost != self._lost:
            self._lost, self._unaware = lost, set(self._router.replicas("locking"))
        shards: dict[ReplicaId, tuple[str, ...]] = {}
        for key in keys:
            replica = self._router.replica_for("locking", key)
            if replica is None:
                raise Unavailable("There is no locking service.", hint="A pool of the topology has to have `locking` among its services.")
            shards[replica] = (*shards.get(replica, ()), key)
        return shards

    def _here(self, shards: dict[ReplicaId, tuple[str, ...]]) -> LockTable | None:
        return self._local(next(iter(shards))) if len(shards) == 1 else None

    def _local(self, replica: ReplicaId) -> LockTable | None:
        return table_beside(self._router) if replica == self._me else None

    async def _acquire(self, replica: ReplicaId, keys: tuple[str, ...], owner: str, lease: float, until: float, above: int) -> int:
        """From one shard. An acquisition whose answer was lost is sent again: the owner makes it the same one."""
        while True:
            left = until - time.monotonic()
            # a moment less than the message has, so that its own refusal comes before the deadline does
            wait = max(0.0, min(left, _current_left() - 0.1))
            try:
                token: int = await self._send(replica, "acquire", list(keys), owner, lease, wait, above, replica in self._unaware)
                self._unaware.discard(replica)
                return token
            except (ReplyLost, Unavailable) as error:
                if isinstance(error, Busy) or left <= PAUSE_SECONDS or _current_left() <= PAUSE_SECONDS:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)
            if set(self._shards(keys)) != {replica}:
                raise _Moved

    async def _send(self, replica: ReplicaId, method: str, *args: Any) -> Any:
        return await self._router.send_to(replica, "locking", method, *args)


def _current_left() -> float:
    return (call_context.get() or CallContext()).left()
