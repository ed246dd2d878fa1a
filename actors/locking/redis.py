"""Locks by Redis: a key with a time to live for each lock, taken and released by scripts.

A waiting flow asks again after a pause, so there is no order between processes; within one there is. If Redis loses data in a restart,
grants are lost and claimed again, as with the actor provider. While Redis can't be reached, or takes longer than a second, a key is
granted to one in each process: the shop goes on, and what the locks protect is guarded in the database.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import TYPE_CHECKING, Any

from ...core.errors import Unavailable
from ...core.redis import RedisSide, check_redis
from .leases import HeldLock, LockProvider
from .table import LockTable, taken

if TYPE_CHECKING:
    from ..context import HostContext

PREFIX = "velella:lock:"
URL = "url in providers.locking"
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
        return await check_redis(url, URL)

    def __init__(self, context: HostContext, *, url: str) -> None:
        super().__init__()
        self._side = RedisSide("locking", url, URL)
        self._turns = LockTable()
        self._scripts = {script: self._side.client.register_script(script) for script in (_TAKE, _RENEW, _GIVE_BACK)}

    async def stop(self) -> None:
        await super().stop()
        await self._side.close()

    async def take(self, key: str, owner: str, *, wait: float, lease: float) -> HeldLock[None]:
        end = time.monotonic() + wait
        await self._turns.acquire(key, owner, math.inf, wait)
        pause = FIRST_PAUSE
        try:
            while True:
                asked = time.monotonic()
                if await self._run(_TAKE, key, owner, _milliseconds(lease)) is not False:
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
        # claimed again where Redis has lost it, unless the lease has passed while this process stood still
        script = _TAKE if time.monotonic() < grip.until else _RENEW
        return await self._run(script, grip.key, grip.owner, _milliseconds(grip.lease)) is not False

    async def _run(self, script: str, key: str, *args: Any) -> bool | None:
        """What the script says; None while Redis can't be reached."""
        try:
            return bool(await self._side.ask(lambda _: self._scripts[script]([PREFIX + key], args)))
        except Unavailable:
            return None


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
