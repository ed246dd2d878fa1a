"""Waiting for several things at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def all_of(*work: Awaitable[T]) -> list[T]:
    """What all of these give, in their order; raises what the first of them raises that fails. They are carried out side by side, but one
    alone is carried out where it is: a task of its own costs more than much that is only looked up."""
    return [await work[0]] if len(work) == 1 else await asyncio.gather(*work)
