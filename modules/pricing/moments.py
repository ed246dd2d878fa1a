"""When price lists begin and end to apply: prices change then, though nobody has changed them."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from datetime import UTC, datetime

from ...core.clock import utc_now

_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = 3600.0
"""Seconds after which a timer looks at the clock again: the one it runs by knows nothing of the other being set."""


class Moments:
    """Tells of a change when the next moment comes, as of any other: what was remembered of prices is forgotten then."""

    def __init__(self, changed: Callable[[frozenset[str]], Awaitable[None]]) -> None:
        self._changed = changed
        self._next: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._telling: asyncio.Task[None] | None = None

    def last(self, moments: Sequence[datetime]) -> datetime:
        """The last of all moments that has come: prices are what they were then. Watches for the one after it."""
        passed = bisect_right(moments, utc_now())
        coming = moments[passed] if passed < len(moments) else None
        if coming != self._next:
            self._watch(coming)
        return moments[passed - 1] if passed else _BEFORE_ALL

    def stop(self) -> None:
        self._watch(None)

    def _watch(self, moment: datetime | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._next = moment
        if moment is not None:
            left = max(0.001, (moment - utc_now()).total_seconds())
            later = asyncio.get_running_loop().call_later
            # in a context of its own: whoever asked for prices now has a deadline and a trace that say nothing then
            self._timer = later(min(left, _LATEST), self._look, moment, context=Context())

    def _look(self, moment: datetime) -> None:
        if utc_now() < moment:
            self._watch(moment)
            return
        self._watch(None)
        self._telling = asyncio.ensure_future(self._changed(frozenset(("price_list",))))
