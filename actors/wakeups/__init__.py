"""Wakeups: which process looks at once for what workflows can go on with, instead of at its next poll.

Executions, events and leases are kept and claimed in PostgreSQL, whatever the provider; a wakeup that is lost, doubled or stale costs a
look or the time until the next poll, and nothing else. `actors/engine/wakeups.py` is the only client.

`providers.workflow_engine` in the settings: `postgres` (polls alone, the default), `redis` (`redis.py`), or a class of the application
that derives from `WakeupQueue`.
"""

from __future__ import annotations

from ...core.infrastructure import Infrastructure
from ...core.settings import Settings
from .queue import WakeupQueue

WAKEUPS = Infrastructure("workflow_engine", WakeupQueue, {"redis": "redis:RedisWakeups"}, __name__)


def wakeups(settings: Settings) -> WakeupQueue | None:
    """The queue that the settings name; None where they name none."""
    queue: WakeupQueue | None = WAKEUPS.set_up(settings)
    return queue


__all__ = ["WAKEUPS", "WakeupQueue", "wakeups"]
