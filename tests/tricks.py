"""How a request to somebody outside can go wrong, whoever that is: see `carrier.py` and `vault.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal, TypeVar

T = TypeVar("T")

Trick = Literal["lost", "dark", "hangs", "late", "refuses"]


async def carried_out(who: str, trick: str | None, do: Callable[[], T], later: list[Callable[[], Any]], refusal: Exception) -> T:
    """Do it and return its answer, or what the trick says instead. `later`: where what is late waits."""
    match trick:
        case "refuses":
            raise refusal
        case "dark":
            raise ConnectionRefusedError(f"the {who} is closed")
        case "hangs":
            await asyncio.sleep(3600)
        case "late":
            later.append(do)
            raise TimeoutError(f"the {who} is busy")
        case "lost":
            do()
            raise TimeoutError("the answer is lost")
    return do()
