"""Sessions in Redis: a key for each, which Redis forgets when it runs out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from redis.asyncio import Redis

from ...core.clock import utc_now
from ...core.errors import SessionsAway, Unavailable
from ...core.json import dumps, loads
from ...core.redis import RedisSide, check_redis
from ...core.rows import Row
from .sessions import SessionStore

T = TypeVar("T")

URL = "url in providers.session"


class RedisSessions(SessionStore):
    """`providers.session = [{use = "redis", options = {url = "redis://…"}}]`"""

    @classmethod
    async def check(cls, *, url: str = "", **_: Any) -> str:
        return await check_redis(url, URL)

    def __init__(self, service: object, *, url: str, prefix: str = "velella:session:") -> None:
        self._side = RedisSide("session", url, URL)
        self._prefix = prefix

    async def stop(self) -> None:
        await self._side.close()

    async def open(self, digest: str, data: Mapping[str, Any], expires_at: datetime, ends_at: datetime) -> None:
        kept = dumps({"data": data, "ends_at": ends_at.timestamp()})
        milliseconds = _until(expires_at.timestamp())
        if milliseconds > 0:
            await self._ask(lambda redis: redis.set(self._prefix + digest, kept, px=milliseconds))

    async def use(self, digest: str, life: timedelta) -> Row | None:
        key = self._prefix + digest

        async def look(redis: Redis) -> list[Any]:
            async with redis.pipeline(transaction=True) as both:
                both.get(key)
                both.pttl(key)
                answers: list[Any] = await both.execute()
                return answers

        kept, left = await self._ask(look)
        if kept is None:
            return None
        session = loads(kept)
        longest = int(life.total_seconds() * 1000)
        until_end = _until(float(session["ends_at"]))
        if until_end <= 0:
            return None
        if left < longest * 0.9 and left < until_end - 1:
            await self._ask(lambda redis: redis.pexpire(key, min(longest, until_end)))  # of a key that was closed meanwhile: nothing
        data: Row = session["data"]
        return data

    async def close(self, digest: str) -> bool:
        return bool(await self._ask(lambda redis: redis.delete(self._prefix + digest)))

    async def _ask(self, do: Callable[[Redis], Awaitable[T]]) -> T:
        try:
            return await self._side.ask(do)
        except Unavailable as error:
            raise SessionsAway("Sessions can't be looked up now.", hint=error.hint) from error


def _until(moment: float) -> int:
    """Milliseconds until then."""
    return int((moment - utc_now().timestamp()) * 1000)
