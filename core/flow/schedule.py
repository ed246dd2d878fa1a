"""When a workflow begins by the clock: cron expressions in a time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from ..errors import Misconfigured

Missed = Literal["once", "all", "skip"]

LATE = timedelta(seconds=60)
"""A tick that nobody could begin for longer than this was missed."""
MOST_MISSED = 100
"""Missed ticks that `all` makes good; older ones are left out."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The ticks of a cron expression. Where clocks are set forward, a tick in the hour that isn't there comes right after it; where they
    are set back, one at a fixed hour comes once (as Debian's cron does).

    Raises Misconfigured for an expression or a time zone that doesn't exist.
    """

    cron: str
    """Minute, hour, day, month, weekday: `0 3 * * *`, `*/5 8-18 * * MON-FRI`, `0 9 L * *`."""
    time_zone: str = "UTC"
    missed: Missed = "once"
    """What becomes of ticks at which no process was there, or the run before hadn't ended. once: one run makes good for all of them. all:
    one after the other, at most `MOST_MISSED`. skip: none."""

    def __post_init__(self) -> None:
        try:
            self.after(datetime.now(UTC))
        except CronSimError as error:
            raise Misconfigured(f"`{self.cron}` is no schedule: {error}.", hint="Minute, hour, day, month, weekday: `0 3 * * *`.") from None
        except StopIteration:
            raise Misconfigured(f"The schedule `{self.cron}` never comes.") from None
        except (ZoneInfoNotFoundError, ValueError):
            raise Misconfigured(f"There is no time zone {self.time_zone}.", hint="Europe/Berlin, America/New_York, UTC, …") from None

    def after(self, moment: datetime) -> datetime:
        """The first tick after a moment, in UTC."""
        return next(self._ticks(moment))

    def due(self, since: datetime, now: datetime) -> datetime | None:
        """The tick to be run next, of those after `since` up to `now`; None where there is none to be run."""
        past = (tick for tick in self._ticks(now + timedelta(minutes=1), reverse=True) if tick <= now)
        ticks = list(islice(takewhile(lambda tick: tick > since, past), MOST_MISSED if self.missed == "all" else 1))
        if not ticks or (self.missed == "skip" and now - ticks[0] > LATE):
            return None
        return ticks[-1]

    def _ticks(self, since: datetime, *, reverse: bool = False) -> Iterator[datetime]:
        return (tick.astimezone(UTC) for tick in CronSim(self.cron, since.astimezone(ZoneInfo(self.time_zone)), reverse=reverse))
