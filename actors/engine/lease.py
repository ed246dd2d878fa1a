"""A coordinator's sign of life: one row, renewed by one statement for all that it carries out."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection

from ...core.ids import new_id
from ...core.sql.database import Database
from . import queries

MARGIN_SECONDS = 2.0
"""How long before the end of our lease we stop to trust it."""


class Lease:
    """Begins with the first execution: a process that carries nothing out leaves no trace."""

    def __init__(self, database: Database, replica: str) -> None:
        self.id = new_id("wfco")
        self._database = database
        self._replica = replica
        self._until = 0.0
        self._was_late: Callable[[], Awaitable[None]] | None = None

    def when_late(self, call: Callable[[], Awaitable[None]]) -> None:
        """Have a function called after a beat that came so late that others may have taken our executions over."""
        self._was_late = call

    @property
    def begun(self) -> bool:
        return self._until > 0.0

    @property
    def certain(self) -> bool:
        """Whether nobody can have taken us for dead."""
        return time.monotonic() < self._until - MARGIN_SECONDS

    async def owner(self) -> str:
        """Our id, under a lease that has time left."""
        if not self.certain:
            await self.beat()
        return self.id

    async def beat(self) -> None:
        """Renew. Raises what the database raises; the lease then goes on until its end."""
        sent = time.monotonic()
        late = self.begun and sent >= self._until
        await self._database.execute(queries.BEAT, {"id": self.id, "replica": self._replica})
        self._until = sent + queries.LEASE_SECONDS
        if late and self._was_late is not None:
            await self._was_late()

    async def succeed(self) -> bool:
        """Declare dead who had our replica's place before; whether there was somebody."""
        return await self._database.execute(queries.SUCCEED, {"replica": self._replica, "id": self.id}) > 0

    async def end_those_of(self, replicas: Collection[str]) -> bool:
        """Declare other coordinators dead, by the names of their replicas; whether one was alive."""
        return await self._database.execute(queries.SILENT, {"replicas": sorted(replicas)}) > 0

    async def sign_off(self) -> None:
        """Others may take over at once what is still ours."""
        if self.begun:
            self._until = 0.0
            await self._database.execute(queries.SIGN_OFF, {"id": self.id})
