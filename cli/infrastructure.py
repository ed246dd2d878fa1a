"""All that a shop itself stands on, by what the settings call it."""

from __future__ import annotations

from collections.abc import Mapping

from ..actors.caching.shared import CACHES
from ..actors.locking import LOCKS
from ..actors.streams import STREAMS
from ..actors.wakeups import WAKEUPS
from ..core.infrastructure import Infrastructure
from ..core.settings import Settings
from ..modules.auth.sessions import SESSIONS

KINDS: Mapping[str, Infrastructure] = {
    "locking": LOCKS,
    "events": STREAMS,
    "session": SESSIONS,
    "cache": CACHES,
    "workflow_engine": WAKEUPS,
}


def check_infrastructure(settings: Settings) -> None:
    """Check that the providers are there, and take the options that they are given: for commands that run a shop.

    Raises Misconfigured.
    """
    for kind in KINDS.values():
        kind.chosen(settings)
