"""The contract of a stream of events."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.flow import Event
from ...core.infrastructure import InfrastructureProvider


@dataclass(frozen=True, slots=True)
class Announced:
    """An event that was taken from the stream."""

    receipt: str
    """What the stream knows it by."""
    id: str
    """The event's id."""


class EventStream(InfrastructureProvider):
    """A log of events (`providers.events`) that keeps the newest, and gives each to one process of the shop, beside all others who read it.

    Every method raises Unavailable where the other side doesn't answer, within a few seconds: the caller comes again later, at growing
    intervals, and meanwhile the shop does without.
    """

    events: Sequence[str] = ()
    """Events of modules (`product.product.updated`) that go there, too, although no subscriber names them."""

    @abstractmethod
    async def stop(self) -> None:
        """Disconnect. What was taken and not acknowledged is given to another process."""

    @abstractmethod
    async def hand_on(self, events: Sequence[Event]) -> None:
        """Append events in their order. When this returns they are there; when it raises they may be, and come again.

        So readers may get an event twice: it has the same id then.
        """

    @abstractmethod
    async def take(self, seconds: float) -> Sequence[Announced]:
        """The next events that no process of the shop has taken, and those that one took and didn't acknowledge within a minute; waits up
        to `seconds` for the first. At most 100."""

    @abstractmethod
    async def acknowledge(self, taken: Sequence[Announced]) -> None:
        """These were taken for good: no process of the shop gets them again."""
