"""Ids: a prefix that says what it is, and a ULID that sorts by time (https://github.com/ulid/spec).

Ids of one process rise even within a millisecond, so rows that one statement makes keep their order when sorted by id.
"""

from __future__ import annotations

import secrets
import time
from threading import Lock

_RANDOM_BITS = 80
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _DIGITS for low in _DIGITS)
_SHIFTS = tuple(range(120, -1, -10))
"""26 digits of 5 bits, two at a time."""
_lock = Lock()
_last = 0


def ulid() -> str:
    """48 bits of milliseconds, then 80 random bits; of two in one millisecond the second is the first plus a little."""
    global _last
    now = time.time_ns() // 1_000_000 << _RANDOM_BITS
    with _lock:
        # the clock may stand still or go back: then count on from the last one. A step of 2^40 at most leaves room for 2^40 of them.
        value = now | secrets.randbits(_RANDOM_BITS - 1) if now > _last else _last + 1 + secrets.randbits(40)
        _last = value
    return "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])


def new_id(prefix: str) -> str:
    """`prod_01J9…`"""
    return f"{prefix}_{ulid()}"
