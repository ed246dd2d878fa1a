"""Answers that front ends share: what every visitor of a storefront gets, and nothing of customers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ...actors.caching.shared import SharedTier
from ...core.codec import pack, unpack
from ...core.graph.dependencies import Dependencies
from ..kit.cached import Remembered


class SharedAnswers:
    """One for each front end of a shop with a shared cache."""

    def __init__(self, tier: SharedTier, namespace: bytes) -> None:
        """`namespace`: what answers follow from besides requests and rows."""
        self._tier = tier
        self._namespace = namespace

    def through(
        self, key: tuple[Any, ...], tags: frozenset[str], shown: Dependencies | None, fill: Callable[[], Awaitable[Remembered]]
    ) -> Callable[[], Awaitable[Remembered]]:
        """`fill`, behind what others have made of the same request. `key`, `tags` and `shown`: those of the answer in the process's own
        cache, the key without what means something in this process only."""
        entities = tags | shown.entities if shown is not None else tags

        async def make() -> bytes:
            made = await fill()
            return pack([made.body, made.tag, made.made_at])

        async def fetch() -> Remembered:
            return Remembered(*unpack(await self._tier.get_or_fill(self._namespace + pack(list(key)), entities, make)))

        return fetch
