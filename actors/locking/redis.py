"""Locks by Redis: a key with a time to live for each lock, taken and given back by scripts, so a set of them is one step.

Who waits asks again after a pause, so between processes nobody is served in order; within one they are. What Redis loses when it is
restarted are grants, as with the actor provider; tokens go on rising all the same, because they start above a number of the database
whenever Redis has no counter.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import TYPE_CHECKING, Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ...core.errors import Conflict, Misconfigured, Unavailable
from .leases import Grip, LockProvider
from .service import drawn_from
from .table import Holding, LockTable, Tokens, counted

if TYPE_CHECKING:
    from ..context import HostContext

PREFIX = "velella:lock:"
COUNTER = "velella:fencing"
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.2

# KEYS: counter, locks… ARGV: owner, lease in milliseconds. Gives the token, 0 when one is taken, -1 without a counter.
_TAKE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
for i = 2, #KEYS do
  local holder = redis.call('GET', KEYS[i])
  if holder and holder ~= ARGV[1] then return 0 end
end
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
return redis.call('INCR', KEYS[1])
"""
# KEYS: locks… ARGV: owner, lease. Gives 1 when all are still the owner's.
_RENEW = """
for i = 1, #KEYS do if redis.call('GET', KEYS[i]) ~= ARGV[1] then return 0 end end
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
return 1
"""
# KEYS: locks… ARGV: owner.
_GIVE_BACK = """
for i = 1, #KEYS do if redis.call('GET', KEYS[i]) == ARGV[1] then redis.call('DEL', KEYS[i]) end end
return 1
"""


class RedisLocks(LockProvider[Holding]):
    """`providers.locking = [{use = "redis", options = {url = "redis://…"}}]`"""

    def __init__(self, context: HostContext, *, url: str = "") -> None:
        super().__init__()
        if not url:
            raise Misconfigured(
                "Locks by Redis need its address.", hint='providers.locking = [{use = "redis", options = {url = "redis://…"}}]'
            )
        self._redis: Redis = Redis.from_url(url)
        self._draw = drawn_from(context.database("engine"))
        self._turns = LockTable(Tokens(counted()))
        self._scripts = {script: self._redis.register_script(script) for script in (_TAKE, _RENEW, _GIVE_BACK)}

    async def stop(self) -> None:
        await super().stop()
        await self._redis.aclose()

    async def take(self, keys: tuple[str, ...], owner: str, *, wait: float, lease: float) -> Grip[Holding]:
        keys = tuple(sorted(set(keys)))
        end = time.monotonic() + wait
        turn = await self._turns.acquire(keys, owner, math.inf, wait)
        pause = FIRST_PAUSE
        try:
            while True:
                asked = time.monotonic()
                token = await self._try(keys, owner, lease)
                if token:
                    return self._keep(Grip(keys, owner, token, lease, asked + lease, turn))
                if asked + pause > end:
                    raise Conflict(f"{', '.join(keys)} is being changed elsewhere. Try again.")
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(LONGEST_PAUSE, pause * 1.5)
        except BaseException:
            self._turns.release(owner, turn.token)
            self._errand(self._run(_GIVE_BACK, _names(keys), [owner]))  # it may have been taken without our hearing of it
            raise

    async def give_back(self, held: Grip[Holding]) -> None:
        if self._drop(held):
            try:
                await self._run(_GIVE_BACK, _names(held.keys), [held.owner])
            finally:
                self._turns.release(held.owner, held.part.token)

    async def _renew(self, grip: Grip[Holding]) -> bool:
        return bool(await self._run(_RENEW, _names(grip.keys), [grip.owner, _milliseconds(grip.lease)]))

    async def _try(self, keys: tuple[str, ...], owner: str, lease: float) -> int:
        """The token, or 0."""
        for _ in range(2):
            token = await self._run(_TAKE, [COUNTER, *_names(keys)], [owner, _milliseconds(lease)])
            if token >= 0:
                return token
            await self._start_counter()
        raise Unavailable("Redis does not keep what it is told.")

    async def _start_counter(self) -> None:
        above = await self._draw() * Tokens.SIZE
        try:
            await self._redis.set(COUNTER, above, nx=True)
        except RedisError as error:
            raise Unavailable("Redis can't be reached.", hint=str(error)) from error

    async def _run(self, script: str, keys: list[str], args: list[Any]) -> int:
        try:
            return cast(int, await self._scripts[script](keys, args))
        except RedisError as error:
            raise Unavailable("Redis can't be reached.", hint=str(error)) from error


def _names(keys: tuple[str, ...]) -> list[str]:
    return [PREFIX + key for key in keys]


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
