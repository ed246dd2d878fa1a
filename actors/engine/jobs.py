"""Jobs: workflows that begin by the clock, once a tick in the whole cluster.

Each coordinator works out from the row of a job which tick is due, and tries to move the row there; who does begins the execution in the
same statement. From then on it is a durable execution like any other, whose key is the tick. The clock is the database's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ...core.clock import iso
from ...core.codec import pack
from ...core.errors import NotFound
from ...core.flow.definitions import once_workflows, scheduled_workflows
from ...core.flow.schedule import Schedule
from ...core.ids import new_id
from ...core.logs import logger
from ...core.message import current_call
from ...core.rows import Row
from ...core.sql.db.database import Database
from . import queries

LOOK_SECONDS = 1.0
"""How late a tick begins at the latest, while its job doesn't run."""
LONGEST = 30.0
"""Seconds after which the rows are read again in any case: another coordinator may have changed them."""

log = logger("velella.jobs")


class Jobs:
    """The jobs of one coordinator."""

    def __init__(
        self, database: Database, nudge: Callable[[], None], here: Callable[[], Mapping[str, Schedule]] = scheduled_workflows
    ) -> None:
        """`nudge`: a queued execution is there to be begun. `here` gives the schedules of this process."""
        self._database = database
        self._nudge = nudge
        self._here = here
        self._wake = 0.0
        """When the rows are looked at again, by `time.monotonic`."""

    async def record(self) -> None:
        """Record the jobs that are here. To be repeated: one that no coordinator records for a day is dropped."""
        if jobs := self._here():
            params = {
                "names": list(jobs),
                "crons": [job.cron for job in jobs.values()],
                "time_zones": [job.time_zone for job in jobs.values()],
                "missed": [job.missed for job in jobs.values()],
            }
            await self._database.execute(queries.RECORD_JOBS, params)

    async def look(self) -> None:
        """Begin what is due. Costs nothing while no tick is near."""
        if (jobs := self._here()) and time.monotonic() >= self._wake:
            await self.begin_due(jobs)

    async def begin_due(self, jobs: Mapping[str, Schedule]) -> list[str]:
        """Begin what is due now. Returns the ids of the executions that were begun here."""
        begun: list[str] = []
        pause = LONGEST
        for row in await self._database.fetch(queries.TICKS, {"names": list(jobs)}):
            job, now = jobs[row["name"]], row["now"]
            tick = job.due(row["last_tick"], now)
            if tick is None:
                pause = min(pause, (job.after(now) - now).total_seconds())
                continue
            pause = 0.0  # there may be another one, or the job still runs
            if (id := await self._begin(row["name"], row["last_tick"], tick)) is not None:
                begun.append(id)
        self._wake = time.monotonic() + pause
        if begun:
            self._nudge()
        return begun

    async def _begin(self, name: str, seen: datetime, tick: datetime) -> str | None:
        id = new_id("wfex")
        about = {"id": id, "key": iso(tick), "input": pack({}), "trace_id": current_call().trace_id}
        params = {"name": name, "seen": seen, "tick": tick, **about}
        begun: str | None = await self._database.fetch_value(queries.BEGIN_TICK, params)
        if begun is not None:
            log.info("a job begins", job=name, tick=iso(tick), execution=id)
        return begun

    async def begin_once(self) -> None:
        """Begin what is to be done once in the shop, and wasn't. To be repeated: what was undone begins again."""
        if names := once_workflows():
            about = {"ids": [new_id("wfex") for _ in names], "input": pack({}), "trace_id": current_call().trace_id}
            if await self._database.fetch(queries.BEGIN_ONCE, {"names": names, **about}):
                self._nudge()

    async def begin_by_hand(self, name: str) -> str:
        """Begin a job now, whatever its schedule, also beside a run of it. Returns the execution's id. Raises NotFound."""
        params = {"name": name, "id": new_id("wfex"), "input": pack({}), "trace_id": current_call().trace_id}
        id: str | None = await self._database.fetch_value(queries.BEGIN_JOB, params)
        if id is None:
            raise NotFound(f"Job with name: {name} was not found", hint="`velella jobs list` shows those there are.")
        self._nudge()
        return id

    async def list(self) -> list[Row]:
        """Every job of the shop: its schedule, its next tick, and its last execution."""
        return [_shown(row) for row in await self._database.fetch(queries.JOBS)]

    async def drop_unseen(self) -> None:
        await self._database.execute(queries.DROP_JOBS, {"unseen": queries.UNSEEN_SECONDS})


def _shown(row: Any) -> Row:
    schedule = Schedule(row["cron"], row["time_zone"], row["missed"])
    return {
        "name": row["name"],
        "cron": schedule.cron,
        "time_zone": schedule.time_zone,
        "missed": schedule.missed,
        "next": iso(schedule.after(row["now"])),
        "execution": row["execution"],
        "state": row["state"],
        "started_at": iso(row["started_at"]) if row["started_at"] is not None else None,
        "finished_at": iso(row["finished_at"]) if row["finished_at"] is not None else None,
        "error": f"{row['error'][0]}: {row['error'][1]}" if row["error"] else None,
    }
