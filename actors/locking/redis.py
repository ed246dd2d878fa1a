"""Locks by Redis: a key with a time to live for each lock, taken and released by scripts.

A waiting flow asks again after a pause, so there is no order between processes; within one there is. If Redis loses data in a restart,
grants are lost, as with the actor provider.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ...core.errors import Misconfigured, Unavailable
from .leases import HeldLock, LockProvider
from .table import LockTable, taken

if TYPE_CHECKING:
    from ..context import HostContext

PREFIX = "velella:lock:"
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.2

# KEYS: the lock. ARGV: owner, lease in milliseconds. Gives 1 if it is the owner's now.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
# The same; gives 1 if it is still the owner's.
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
# KEYS: the lock. ARGV: owner.
_GIVE_BACK = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisLocks(LockProvider[None]):
    """`providers.locking = [{use = "redis", options = {url = "redis://…"}}]`"""

    @classmethod
    async def check(cls, *, url: str = "", **_: Any) -> str:
        try:
            async with Redis.from_url(url) as redis:
                await redis.ping()
        except (RedisError, OSError, ValueError) as error:
            raise Unavailable(f"Redis does not answer: {error}", hint="Is it up, and is `url` in providers.locking right?") from error
        return "Redis answers"

    def __init__(self, context: HostContext, *, url: str = "") -> None:
        super().__init__()
        if not url:
            raise Misconfigured(
                "Locks by Redis need its address.", hint='providers.locking = [{use = "redis", options = {url = "redis://…"}}]'
            )
        self._redis: Redis = Redis.from_url(url)
        self._turns = LockTable()
        self._scripts = {script: self._redis.register_script(script) for script in (_TAKE, _RENEW, _GIVE_BACK)}

    async def stop(self) -> None:
        await super().stop()
        await self._redis.aclose()

    async def take(self, key: str, owner: str, *, wait: float, lease: float) -> HeldLock[None]:
        end = time.monotonic() + wait
        await self._turns.acquire(key, owner, math.inf, wait)
        pause = FIRST_PAUSE
        try:
            while True:
                asked = time.monotonic()
                if await self._run(_TAKE, key, owner, _milliseconds(lease)):
                    return self._keep(HeldLock(key, owner, lease, asked + lease, None))
                if asked + pause > end:
                    raise taken(key)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(LONGEST_PAUSE, pause * 1.5)
        except BaseException:
            self._turns.release(key, owner)
            self._errand(self._run(_GIVE_BACK, key, owner))  # it may have been taken, with the answer lost
            raise

    async def give_back(self, held: HeldLock[None]) -> None:
        if self._drop(held):
            try:
                await self._run(_GIVE_BACK, held.key, held.owner)
            finally:
                self._turns.release(held.key, held.owner)

    async def _renew(self, grip: HeldLock[None]) -> bool:
        return await self._run(_RENEW, grip.key, grip.owner, _milliseconds(grip.lease))

    async def _run(self, script: str, key: str, *args: Any) -> bool:
        try:
            return bool(await self._scripts[script]([PREFIX + key], args))
        except RedisError as error:
            raise Unavailable("Redis can't be reached.", hint=str(error)) from error


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
