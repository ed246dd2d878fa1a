"""The times at which price lists begin and end to apply: prices change then without a write."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from datetime import UTC, datetime

from ...core.clock import utc_now

_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = 3600.0
"""Seconds after which a timer compares with the clock again: its own clock doesn't notice when the other is set."""


class PriceSchedule:
    """Sends an invalidation when the next such time comes, as after a write: cached prices are dropped then."""

    def __init__(self, changed: Callable[[frozenset[str]], Awaitable[None]]) -> None:
        self._changed = changed
        self._next: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None

    def last(self, moments: Sequence[datetime]) -> datetime:
        """The last of these times that has passed: prices are the same since then. Sets a timer for the next one."""
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
            # in a context of its own: the caller's deadline and trace mean nothing then
            self._timer = later(min(left, _LATEST), self._look, moment, context=Context())

    def _look(self, moment: datetime) -> None:
        if utc_now() < moment:
            self._watch(moment)
            return
        self._watch(None)
        self._sending = asyncio.ensure_future(self._changed(frozenset(("price_list",))))
