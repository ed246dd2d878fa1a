"""The shared cache in Redis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from ...core.redis import RedisSide, check_redis
from ...core.shared_cache import SharedCache

URL = "url in providers.cache"
SECONDS = 0.25
"""Seconds for an answer: longer than that takes what is looked for."""


class RedisCache(SharedCache):
    """`providers.cache = [{use = "redis", options = {url = "redis://…"}}]`"""

    @classmethod
    async def check(cls, *, url: str = "", **_: Any) -> str:
        return await check_redis(url, URL)

    def __init__(self, *, url: str) -> None:
        self._side = RedisSide("cache", url, URL, seconds=SECONDS)

    async def stop(self) -> None:
        await self._side.close()

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        values: Any = await self._side.ask(lambda redis: redis.mget(keys))
        return {key: value for key, value in zip(keys, values, strict=True) if value is not None}

    async def set(self, values: Mapping[str, bytes], seconds: float | None) -> None:
        milliseconds = None if seconds is None else max(1, int(seconds * 1000))

        async def send(redis: Redis) -> None:
            async with redis.pipeline(transaction=False) as together:
                for key, value in values.items():
                    together.set(key, value, px=milliseconds)
                await together.execute()

        await self._side.ask(send)
