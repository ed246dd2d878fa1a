"""Ids: a prefix that says what it is, and a ULID that sorts by time (https://github.com/ulid/spec).

Ids of one process rise even within a millisecond, so rows that one statement makes keep their order when sorted by id.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from threading import Lock

_RANDOM_BITS = 80
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _DIGITS for low in _DIGITS)
_HALF = 2**40 - 1
_lock = Lock()
_last = 0
_source: ContextVar[Callable[[], str] | None] = ContextVar("velella_ids", default=None)


def ulid() -> str:
    """48 bits of milliseconds, then 80 random bits; a second one in the same millisecond is the first plus a random step."""
    global _last
    now = time.time_ns() // 1_000_000 << _RANDOM_BITS
    chance = int.from_bytes(os.urandom(_RANDOM_BITS // 8))
    with _lock:
        # the clock may stand still or go back: then count on from the last id. Steps of at most 2^40 leave room for 2^40 ids.
        _last = value = now | chance >> 1 if now > _last else _last + 1 + (chance & _HALF)
    return _text(value)


def new_id(prefix: str) -> str:
    """`prod_01J9…`"""
    source = _source.get()
    return f"{prefix}_{ulid() if source is None else source()}"


def following(beginning: Callable[[], tuple[datetime, str]]) -> Callable[[], str]:
    """A source of ids derived from a time and a name, which it asks for with the first id: the same time and name give the same ids."""

    def ids() -> Iterator[str]:
        at, name = beginning()
        first = (
            int(at.timestamp() * 1000) << _RANDOM_BITS | int.from_bytes(blake2b(name.encode(), digest_size=_RANDOM_BITS // 8).digest()) >> 1
        )
        for number in itertools.count():
            yield _text(first + number)

    source = ids()
    return lambda: next(source)


_ULID = re.compile(rf"(?<![0-9A-Za-z])[0-7][{_DIGITS}]{{25}}(?![0-9A-Za-z])")
_AHEAD_SECONDS = 3600
"""By how much the clock of another process, which has made an id, may be ahead of ours."""


def time_in(text: str) -> datetime | None:
    """When the first id in a text was made; None where there is none that has a time: what would have been made in the future is a number,
    or a digest, that looks like one."""
    found = _ULID.search(text)
    if found is None:
        return None
    milliseconds = 0
    for digit in found[0][:10]:
        milliseconds = milliseconds << 5 | _DIGITS.index(digit)
    seconds = milliseconds / 1000
    return datetime.fromtimestamp(seconds, UTC) if seconds < time.time() + _AHEAD_SECONDS else None


class drawn_from:
    """Inside the block, new ids come from this source; None: from time and chance."""

    __slots__ = ("_source", "_token")

    def __init__(self, source: Callable[[], str] | None) -> None:
        self._source = source

    def __enter__(self) -> None:
        self._token = _source.set(self._source)

    def __exit__(self, *_: object) -> None:
        _source.reset(self._token)


def _text(value: int) -> str:
    """26 digits of 5 bits, two at a time: the time, then two halves that are small enough for fast arithmetic."""
    high, low = value >> 40 & _HALF, value & _HALF
    pairs = _PAIRS
    return (
        f"{_time_text(value >> _RANDOM_BITS)}"
        f"{pairs[high >> 30]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}{pairs[high & 1023]}"
        f"{pairs[low >> 30]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}{pairs[low & 1023]}"
    )


@lru_cache(8)
def _time_text(milliseconds: int) -> str:
    return "".join([_PAIRS[milliseconds >> shift & 1023] for shift in (40, 30, 20, 10, 0)])
