"""Wakeups by Redis: a sorted set of what is due later, by its time, and one of what is due, which processes wait for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...core.redis import answering, check_redis, redis_client
from .queue import WakeupQueue

URL = "url in providers.workflow_engine"
BLOCK_SECONDS = 1.0
"""Seconds that Redis is asked to wait at the longest."""
SILENT_SECONDS = 2.0
"""Seconds without an answer after which Redis is away."""
TIMERS = b""
"""A name in the queue that says: there is an earlier timer than those that you wait for."""

_NOW = "local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
# KEYS: queue, timers. ARGV: milliseconds from now and name, for each.
_PUT = f"""{_NOW}
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]
for i = 1, #ARGV, 2 do
    local due = now + tonumber(ARGV[i])
    if due <= now then
        redis.call('ZREM', KEYS[2], ARGV[i + 1])
        redis.call('ZADD', KEYS[1], due, ARGV[i + 1])
    else
        redis.call('ZADD', KEYS[2], due, ARGV[i + 1])
        if not first or due < tonumber(first) then redis.call('ZADD', KEYS[1], 0, '') end
    end
end
"""
# KEYS: the same. ARGV: how many names at most. Gives the milliseconds until the next timer (-1: there is none), and what is due.
_TAKE = f"""{_NOW}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 1000)) do
    redis.call('ZREM', KEYS[2], name)
    redis.call('ZADD', KEYS[1], now, name)
end
local names = {{-1}}
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]
if first then names[1] = math.max(1, tonumber(first) - now) end
for i, name in ipairs(redis.call('ZPOPMIN', KEYS[1], ARGV[1])) do
    if i % 2 == 1 then names[#names + 1] = name end
end
return names
"""


class RedisWakeups(WakeupQueue):
    """`providers.workflow_engine = [{use = "redis", options = {url = "redis://…"}}]`"""

    @classmethod
    async def check(cls, *, url: str = "", **_: Any) -> str:
        return await check_redis(url, URL)

    def __init__(self, *, url: str, prefix: str = "velella:workflows:") -> None:
        self._redis = redis_client(url, URL, seconds=SILENT_SECONDS, again=0)
        self._keys = [f"{prefix}queue", f"{prefix}timers"]
        self._put, self._take = self._redis.register_script(_PUT), self._redis.register_script(_TAKE)

    async def stop(self) -> None:
        await self._redis.aclose()

    async def put(self, due: Mapping[str, float]) -> None:
        pairs = ((max(0, math.ceil(seconds * 1000)), name) for name, seconds in due.items())
        with answering():
            await self._put(self._keys, [each for pair in pairs for each in pair])

    async def take(self, seconds: float, limit: int) -> Sequence[str]:
        with answering():
            milliseconds, *names = await self._take(self._keys, [limit])
            if not names:
                pause = min(seconds, BLOCK_SECONDS, milliseconds / 1000 if milliseconds > 0 else math.inf)
                popped: Any = await self._redis.bzpopmin(self._keys[0], timeout=pause)
                names = [popped[1]] if popped else []
        return [name.decode() for name in names if name != TIMERS]
