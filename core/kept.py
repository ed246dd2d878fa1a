"""Results that are computed once for each shape of request, kept up to a number of bytes, since clients choose the shapes."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

OBJECT = 60
"""Bytes of a text or a tuple besides its contents."""
TIMES = 8
"""About how many times the memory of a text its result takes (a tree, a plan)."""
SHARE = 16
"""A value that would take more than one part in this many of the capacity isn't kept: it would evict many others."""


class BoundedCache(Generic[T]):
    """Values by key; the least recently used ones are evicted when `capacity` bytes are full."""

    __slots__ = ("_entries", "bytes", "capacity")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.bytes = 0
        self._entries: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> T | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def keep(self, key: Hashable, value: T, size: int) -> None:
        """Keep a value. `size`: the bytes that it takes with its key."""
        if size > self.capacity // SHARE:
            return
        before = self._entries.pop(key, None)
        self.bytes += size - (before[1] if before is not None else 0)
        self._entries[key] = (value, size)
        while self.bytes > self.capacity:
            self.bytes -= self._entries.popitem(last=False)[1][1]

    def clear(self) -> None:
        self._entries.clear()
        self.bytes = 0


def kept(capacity: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorator: cache a function's results, by positional arguments that can be hashed, in at most `capacity` bytes."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        known: BoundedCache[T] = BoundedCache(capacity)
        entries = known._entries  # read without a call: a purchase does this a hundred times

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            entry = entries.get(args)
            if entry is not None:
                entries.move_to_end(args)
                return entry[0]
            value = function(*args, **kwargs)
            known.keep(args, value, TIMES * weight(args))
            return value

        return call

    return decorate


def weight(key: Any) -> int:
    """About how many bytes a key of texts and tuples takes."""
    if isinstance(key, str | bytes):
        return OBJECT + len(key)
    if isinstance(key, tuple):
        return OBJECT + sum(map(weight, key))
    return OBJECT
