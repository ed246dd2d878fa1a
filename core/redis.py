"""Clients of Redis, for all that may stand on it."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError, RedisError, TimeoutError

from .errors import Misconfigured, Unavailable
from .logs import logger
from .service.outside import Missed, OutsideParty

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
"""Seconds for one answer. What blocks in Redis asks for less."""
AGAIN = 1
REQUEST_SECONDS = 1.0
"""Seconds for an answer that a request waits for."""
AWAY_SECONDS = 2.0
"""Seconds for which a Redis that didn't answer one isn't asked by others."""

T = TypeVar("T")

log = logger("velella.redis")


def redis_client(url: str, option: str, *, seconds: float = ANSWER_SECONDS, again: int = AGAIN) -> Redis:
    """A client that gives up in time. Answers are bytes. `option`: where the settings have the URL. `seconds`: for one answer. `again`: how
    often a command is sent once more whose connection broke, or whose answer didn't come; so it may be done twice.

    Raises Misconfigured for what is no URL of a Redis.
    """
    try:
        return Redis.from_url(
            url,
            socket_connect_timeout=min(CONNECT_SECONDS, seconds),
            socket_timeout=seconds,
            protocol=2,
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), again),
        )
    except ValueError as error:
        raise Misconfigured(f"{option}: {error}", hint="redis://:password@host:6379/0, rediss://… (TLS), or unix:///path.") from error


@contextmanager
def answering() -> Iterator[None]:
    """Raises Unavailable where Redis doesn't answer, or refuses."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("Redis can't be reached.", hint=str(error)) from error


async def check_redis(url: str, option: str) -> str:
    """Whether Redis answers, for `velella doctor`. Raises Misconfigured or Unavailable."""
    redis = redis_client(url, option)
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        raise Unavailable(f"Redis does not answer: {error}", hint=f"Is it up, and is {option} right?") from error
    finally:
        await redis.aclose()
    return "Redis answers"


class RedisSide:
    """A Redis that requests wait for: one that doesn't answer isn't asked again for a moment, so that only few wait in vain. Each time that
    it is asked is counted and timed (`velella_provider_duration_seconds`)."""

    def __init__(self, kind: str, url: str, option: str, *, seconds: float = REQUEST_SECONDS) -> None:
        """`kind`: what it is a provider of. `seconds`: for an answer. Raises Misconfigured for what is no URL of a Redis."""
        self.client = redis_client(url, option, seconds=seconds, again=0)
        self._party = OutsideParty("Redis", timeout=seconds)
        self._party.count_as(kind, "redis")
        self._option = option
        self._away_until: float | None = None
        """Until when Redis isn't asked, by `time.monotonic`; None while it answers."""

    @property
    def is_away(self) -> bool:
        """Whether Redis hasn't answered when it was last asked."""
        return self._away_until is not None

    async def ask(self, do: Callable[[Redis], Awaitable[T]]) -> T:
        """What Redis answers. Raises Unavailable, at once where it has just not answered."""
        if self._away_until is not None and time.monotonic() < self._away_until:
            raise Unavailable("Redis can't be reached.", hint=f"{self._option}: asked again in a moment.")
        try:
            with self._party.attempt() as attempt, answering():
                try:
                    answer = await do(self.client)
                except (ConnectionError, TimeoutError) as error:
                    attempt.went = "timeout" if isinstance(error, TimeoutError) else "unreachable"
                    raise
        except Missed as missed:  # it is silent, and somebody else is just trying
            raise missed.error from missed
        except Unavailable as error:
            if self._away_until is None:
                log.warning("Redis can't be reached", option=self._option, error=error.hint)
            self._away_until = time.monotonic() + AWAY_SECONDS * random.uniform(0.5, 1.0)
            raise
        if self._away_until is not None:
            log.info("Redis answers again", option=self._option)
            self._away_until = None
        return answer

    async def close(self) -> None:
        await self.client.aclose()
