"""A Redis that requests wait for."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis
from redis.exceptions import TimeoutError

from velella.core.errors import Unavailable
from velella.core.redis import RedisSide


async def test_a_redis_that_stays_silent_is_said_to_be_away_by_everybody() -> None:
    """Also by those who are told at once because somebody else is just trying."""
    side = RedisSide("cache", "redis://127.0.0.1:1", "url", seconds=30.0)

    async def silent(_: Redis) -> None:
        raise TimeoutError("Timeout reading from socket")

    for _ in range(6):
        side._away_until = None  # the moment for which it isn't asked is over
        with pytest.raises(Unavailable):
            await side.ask(silent)
    await side.close()
