"""The analytics module's messages. It has no tables: what is to be told is kept by whoever tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID, uuid4, uuid5

from ...core import json
from ...core.clock import utc_now
from ...core.errors import InvalidData, Misconfigured
from ...core.ids import time_in
from ...core.message import repeatable
from ...core.service.context import ModuleContext
from ...core.service.third_party import ThirdPartyService
from ...core.sql.schema.columns import module_metadata
from ...core.sql.schema.schema import Schema
from .gathering import Gathering
from .provider import AnalyticsProvider, Group, Identified, Tracked

MOST_TEXT: Final = 200
"""Characters of an event's name, of an actor's or a group's id."""
MOST_BYTES: Final = 256 * 1024
"""Bytes of properties."""
OURS: Final = UUID("6f3a7c1e-0d0b-5c58-9a35-5f2a4e1c7b90")
"""The namespace of ids that are made of keys."""


class AnalyticsService(ThirdPartyService):
    """Tells a service what happens in the shop.

    It is meant for subscribers and durable workflows: they wait until the service has taken it, and come again where it hasn't. While the
    service is away nothing else waits for it.
    """

    name: ClassVar[str] = "analytics"
    schema = Schema("analytics", metadata=module_metadata())

    def __init__(self, context: ModuleContext) -> None:
        super().__init__(context)
        if len(self.providers) != 1:
            raise Misconfigured("Analytics go to exactly one provider.", hint="Name one in providers.analytics.")
        [(_, provider)] = self.providers.items()
        self._provider: AnalyticsProvider = provider
        self._gathering = Gathering(provider)

    async def stop(self) -> None:
        await self._gathering.close()
        await self._provider.close()
        await super().stop()

    async def find(self, entity: str, keys: Mapping[str, Sequence[Any]]) -> Sequence[Mapping[str, Any]]:
        return ()

    @repeatable(stands_alone=True)
    async def track(
        self,
        event: str,
        *,
        actor_id: str | None = None,
        group: Mapping[str, str] | None = None,
        properties: Mapping[str, Any] | None = None,
        key: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Tell that something happened, at least once; under one `key` and `at` it counts once, where the service knows ids.

        Args:
            actor_id: whoever did it.
            group: `{type, id}` of what it was done for: an organisation, a sales channel.
            key: the id of the event, or of the execution, that tells of it. None: each call tells of something else.
            at: when it happened. Default: the time in the `key`, where that is an id that has one (that of an event of a workflow, or of
                an execution), so that it is the same when it is told again; else now.

        Raises InvalidData for what can't be told, and what the provider refuses; Unavailable where it couldn't be told now.
        """
        said, size = _properties(properties)
        name = _text("event", event)
        tracked = Tracked(_id(key, name), at or _time(key), name, _actor(actor_id), _group(group), said)
        await self._gathering.tell(tracked, size)

    @repeatable(stands_alone=True)
    async def identify(
        self,
        *,
        actor_id: str | None = None,
        group: Mapping[str, str] | None = None,
        properties: Mapping[str, Any] | None = None,
        key: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Tell what is known of an actor; or of a group, with the actor who told of it, if anybody. Otherwise as `track`."""
        if actor_id is None and group is None:
            raise InvalidData("Either actor_id or group has to be given")
        said, size = _properties(properties)
        identified = Identified(_id(key, "identify"), at or _time(key), _actor(actor_id), _group(group), said)
        await self._gathering.tell(identified, size)


def _id(key: str | None, what: str) -> str:
    return str(uuid4() if key is None else uuid5(OURS, f"{key}:{what}"))


def _time(key: str | None) -> datetime:
    return (time_in(key) if key is not None else None) or utc_now()


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MOST_TEXT:
        raise InvalidData(f"{name} is a text of up to {MOST_TEXT} characters")
    return value


def _actor(id: str | None) -> str | None:
    return None if id is None else _text("actor_id", id)


def _group(given: Mapping[str, str] | None) -> Group | None:
    if given is None:
        return None
    return Group(_text("group.type", given.get("type")), _text("group.id", given.get("id")))


def _properties(given: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], int]:
    """The properties, and the bytes that they take."""
    said = dict(given or {})
    try:
        size = len(json.dumps(said))
    except (TypeError, ValueError) as error:
        raise InvalidData(f"The properties have no form in JSON: {error}") from None
    if size > MOST_BYTES:
        raise InvalidData(f"The properties take {size} bytes; they may take {MOST_BYTES}")
    return said, size
