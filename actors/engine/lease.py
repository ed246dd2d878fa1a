"""A coordinator's lease: one row, renewed by one statement for everything that it carries out.

A lease ends by time, or by proven death: a process of the same machine sees that the owner's process has ended. It doesn't end because a
peer gets no answer: a coordinator that can't be reached, but reaches the database, goes on writing. Until the lease is nearly over it may
write; after that it first has to make sure that nothing was taken over, and no write that it sends is carried out later than the lease
allows.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from ...core.ids import new_id
from ...core.sql.db.database import Database
from . import queries
from .process import is_dead, this_machine, this_process
from .wakeups import Wakeups

MARGIN_SECONDS = 2.0
"""Seconds before the end of our lease from which on we don't rely on it."""
OVER_SECONDS = 0.1
"""Seconds after the end of a lease at which others look: by then it is over by the database's clock, too."""
BEGIN_SECONDS = 6.0
"""Seconds that a new execution may write without a renewal: the next two renewals come within them. A coordinator that carries nothing out
lets its lease run out."""


class Lease:
    """Begins with the first execution: a process that carries nothing out leaves no row."""

    def __init__(self, database: Database, replica: str, wakeups: Wakeups) -> None:
        """`replica`: for display. `wakeups`: by which others hear of its end."""
        self.id = new_id("wfco")
        self._database = database
        self._wakeups = wakeups
        self._machine, self._process = this_machine(), this_process()
        self._replica = replica
        self._until = 0.0
        self._was_late: Callable[[], Awaitable[None]] | None = None

    def when_late(self, call: Callable[[], Awaitable[None]]) -> None:
        """Register a function to be called after a renewal that came so late that others may have taken our executions over. If it fails,
        the renewal doesn't count, and it is called after the next one."""
        self._was_late = call

    @property
    def begun(self) -> bool:
        return self._until > 0.0

    @property
    def certain(self) -> bool:
        """Whether no other process can have taken us for dead."""
        return time.monotonic() < self.trusted_until()

    def trusted_until(self) -> float:
        """Until when the lease is relied on, in monotonic seconds. Moves on with each renewal."""
        return self._until - MARGIN_SECONDS

    async def owner(self) -> str:
        """Our id, under a lease with enough time until the next renewal."""
        if self.trusted_until() - time.monotonic() < BEGIN_SECONDS:
            await self.beat()
        return self.id

    async def beat(self) -> None:
        """Renew the lease. Raises the database's errors; the lease then stays valid until its end."""
        sent = time.monotonic()
        about = {"id": self.id, "replica": self._replica, "machine": self._machine, "process": self._process}
        await self._database.execute(queries.BEAT, about)
        if self.begun and time.monotonic() >= self._until and self._was_late is not None:
            await self._was_late()  # before it is relied on again: until then we know nothing of what was taken over
        self._until = max(self._until, sent + queries.LEASE_SECONDS)
        self._wakeups.tell(self.id, queries.LEASE_SECONDS + OVER_SECONDS)

    async def end_those_of_the_dead(self) -> None:
        """End the leases of coordinators of this machine whose process has ended."""
        if self._machine is None:
            return
        others = await self._database.fetch(queries.NEIGHBOURS, {"id": self.id, "machine": self._machine})
        if dead := [row["id"] for row in others if is_dead(row["process"])]:
            await self._database.execute(queries.DEAD, {"ids": dead})

    async def sign_off(self) -> None:
        """End the lease: others may take over at once what is still ours."""
        if self.begun:
            self._until = 0.0
            await self._database.execute(queries.SIGN_OFF, {"id": self.id})
            self._wakeups.tell(self.id)
