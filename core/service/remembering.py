"""Answers of a service that are cached in its process."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..codec import pack, unpack
from .context import Memory
from .recorded import RecordedWrites

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=RecordedWrites)


def remembered(*entities: str) -> Callable[[Callable[Concatenate[M, P], Awaitable[R]]], Callable[Concatenate[M, P], Awaitable[R]]]:
    """Mark a method of a service whose answer follows from its arguments and rows of these entities alone, and that is called often.

    The answer is kept as bytes until such a row changes, so each caller gets a copy of its own. Inside a transaction the database is asked.
    A process that calls the service elsewhere, and receives invalidation, caches the answer, too.
    """
    tags = frozenset(entities)

    def mark(method: Callable[Concatenate[M, P], Awaitable[R]]) -> Callable[Concatenate[M, P], Awaitable[R]]:
        @functools.wraps(method)
        async def from_memory(self: M, /, *args: P.args, **kwargs: P.kwargs) -> R:
            memory = self.context.memory
            if memory is None or self.database.transaction_running is not None:
                return await method(self, *args, **kwargs)
            answer: R = await recalled(memory, method, tags, functools.partial(method, self), *args, **kwargs)
            return answer

        from_memory.remembered = tags  # type: ignore[attr-defined]
        return from_memory

    return mark


async def recalled(
    memory: Memory, name: Hashable, tags: frozenset[str], ask: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
) -> Any:
    """The answer of `ask` to these arguments, from the cache where it is there. The answer is the caller's own."""

    async def fill() -> bytes:
        return pack(await ask(*args, **kwargs))

    return unpack(await memory.get_or_fill((name, pack([args, kwargs])), tags, fill))


def made_of_rows(method: Callable[..., Any]) -> frozenset[str] | None:
    """The entities that the answers of a `remembered` method are made of; None for any other method."""
    tags: frozenset[str] | None = getattr(method, "remembered", None)
    return tags
