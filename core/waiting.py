"""Waiting for several things at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def all_of(*work: Awaitable[T]) -> list[T]:
    """The results of all awaitables, in their order; raises the first error. They run concurrently, but a single one is awaited directly: a
    task of its own costs more than many look-ups."""
    return [await work[0]] if len(work) == 1 else await asyncio.gather(*work)
