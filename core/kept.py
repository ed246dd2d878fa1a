"""What is worked out once for each shape of request: kept as long as there is room, in bytes, since clients choose the shapes."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

OBJECT = 60
"""Bytes of a text or a tuple beside what it holds."""
TIMES = 8
"""What is made of a text (a tree, a plan) takes about so many times as much."""
SHARE = 16
"""A value that would take more than this part of the room isn't kept: it would drive out those of everybody else."""


class Kept(Generic[T]):
    """Values by key; the least recently used ones go when `capacity` bytes are full."""

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
        """`size`: the bytes that the value takes with its key."""
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
    """Decorator: remember what a function gives for positional arguments that can be hashed, in at most `capacity` bytes."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        known: Kept[T] = Kept(capacity)
        entries = known._entries  # looked into without a call: this is done a hundred times in a purchase

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
    """About how many bytes a key takes that is made of texts and tuples."""
    if isinstance(key, str | bytes):
        return OBJECT + len(key)
    if isinstance(key, tuple):
        return OBJECT + sum(map(weight, key))
    return OBJECT
