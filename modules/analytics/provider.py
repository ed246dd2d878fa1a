"""The interface of analytics providers.

A provider is a class named in the settings (`providers.analytics`, exactly one); its options are its constructor's arguments. It is called
outside of any transaction, by the process that has the module, with whatever is there at that time: see `most` and `seconds`.

Whoever has something to tell waits until `send` has returned, and tells it again where it raised: a provider keeps nothing for later.
What is told again has the same id, so a service that knows ids counts it once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from ...core.service.providers import Provider


@dataclass(frozen=True, slots=True)
class Group:
    """An organisation, a team, a sales channel, …"""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Tracked:
    """Something that happened."""

    id: str
    """A UUID: the same whenever it is told again."""
    at: datetime
    event: str
    actor_id: str | None = None
    """Whoever did it: the id of a customer, a user, …; None: nobody, or nobody knows."""
    group: Group | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identified:
    """What is known of an actor, or of a group (then `actor_id` is who told of it, if anybody)."""

    id: str
    at: datetime
    actor_id: str | None
    group: Group | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


Told = Tracked | Identified


class AnalyticsProvider(Provider, ABC):
    """Base of all analytics providers."""

    identifier: ClassVar[str]
    most: int = 1
    """How much it takes at once. 1: each by itself, as soon as it is told."""
    seconds: float = 0.0
    """How long the first of a batch waits for others, while there are fewer than `most`."""

    @abstractmethod
    async def send(self, batch: Sequence[Told]) -> None:
        """Hand over up to `most` of them, all or none.

        Raises a refusal (4xx) for what will never be taken: of several each half comes again by itself, until it is known which one it
        is. Raises Unavailable, or anything else, where it may be taken later.
        """
