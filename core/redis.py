"""Clients of Redis, for all that may stand on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError

from .errors import Misconfigured, Unavailable

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
"""Seconds for one answer. What blocks in Redis asks for less."""
AGAIN = 1


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
    except (RedisError, OSError) as error:  # TimeoutError is an OSError
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
