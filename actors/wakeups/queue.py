"""The contract of a queue of wakeups."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any


class WakeupQueue(ABC):
    """Names that are due, each given to one process of the shop, once, as far as that is possible (`providers.workflow_engine`).

    Options of the settings are keyword arguments of the class. Every method raises Unavailable where the other side doesn't answer, within
    a few seconds: meanwhile the shop polls as without a queue.
    """

    @classmethod
    async def check(cls, **options: Any) -> str:
        """Whether the other side can be reached, for `velella doctor`; `options`: those of the settings. See `Provider.check`."""
        return "nothing to look at"

    @abstractmethod
    async def stop(self) -> None:
        """Disconnect."""

    @abstractmethod
    async def put(self, due: Mapping[str, float]) -> None:
        """Names → in how many seconds each is due, 0 for now. A name that waits already is due then instead. May be repeated."""

    @abstractmethod
    async def take(self, seconds: float, limit: int) -> Sequence[str]:
        """The names that are due, at most `limit`; waits up to `seconds` for the first. None of them is given to another process."""
