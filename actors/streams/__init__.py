"""Streams: where the events of the shop go on to, so that other systems can follow them.

The outbox (`actors/engine/events.py`) stays what owes an event to a subscriber: what a stream loses, trims or doesn't take reaches the
shop's own subscribers all the same. `actors/engine/feed.py` is the only client.

`providers.events` in the settings: `outbox` (no stream, the default), `redis` (`redis.py`), or a class of the application that derives
from `EventStream`.
"""

from __future__ import annotations

from ...core.infrastructure import Infrastructure
from ...core.settings import Settings
from .stream import Announced, EventStream

STREAMS = Infrastructure("events", EventStream, {"redis": "redis:RedisStream"}, __name__)


def stream(settings: Settings) -> EventStream | None:
    """The stream that the settings name, not yet started; None where they name none."""
    made: EventStream | None = STREAMS.set_up(settings)
    return made


__all__ = ["STREAMS", "Announced", "EventStream", "stream"]
