"""Executions in the database: begin, go on, finish, take over. What the rows mean is told in `journal.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...core.codec import pack, unpack
from ...core.errors import Unavailable, VelellaError
from ...core.ids import new_id
from ...core.logs import logger
from ...core.messages import CallContext, call_context, current_call
from ...core.sql.database import Database
from . import queries
from .lease import Lease

if TYPE_CHECKING:
    from .journal import ExecutionJournal

log = logger("velella.workflows")

BOOKKEEPING_SECONDS = 30.0
"""For what the engine has to write down: a flow that used up its time is still put in order."""

Events = Sequence[tuple[str, dict[str, Any]]]


@dataclass(slots=True)
class Execution:
    """A row."""

    id: str
    workflow: str
    key: str | None
    state: str
    input: bytes
    journal: list[bytes]
    undo: bytes | None
    error: list[Any] | None
    owner: str | None
    fence: int
    attempts: int
    trace_id: str
    started_at: datetime

    @classmethod
    def of(cls, row: Any) -> Execution:
        return cls(*(row[name] for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution stands."""

    id: str
    state: str
    result: bytes | None
    error: list[Any] | None

    @property
    def over(self) -> bool:
        return self.state not in ("invoking", "compensating")

    def value(self) -> Any:
        """The result. Raises what the execution failed with."""
        if self.state == "done":
            return unpack(self.result) if self.result is not None else None
        raise VelellaError.from_wire(self.error) if self.error else Unavailable(f"The execution {self.id} did not finish.")


@contextmanager
def bookkeeping(trace_id: str | None = None) -> Iterator[None]:
    """Inside, the engine's own time counts, not that of the flow or the request."""
    trace_id = trace_id or current_call().trace_id
    token = call_context.set(CallContext(trace_id).within(BOOKKEEPING_SECONDS))
    try:
        yield
    finally:
        call_context.reset(token)


class Executions:
    """All statements on executions, with what has to be checked after each."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self.lease = lease
        self._database = database

    # -- one that is carried out here: False means that it isn't ours any more

    async def begin(self, journal: ExecutionJournal, journaled: list[bytes]) -> bool:
        params = {
            "id": journal.id,
            "workflow": journal.workflow.name,
            "key": journal.key,
            "input": journal.input,
            "journal": journaled,
            "owner": journal.owner,
            "trace_id": journal.trace_id,
            "started_at": journal.started_at,
        }
        return await self._database.fetch_value(queries.BEGIN, params) is not None

    async def append(self, journal: ExecutionJournal, journaled: list[bytes]) -> bool:
        return await self._database.fetch_value(queries.APPEND, {**_standing(journal), "journal": journaled}) is not None

    async def compensate(self, journal: ExecutionJournal, error: VelellaError, undo: bytes) -> bool:
        params = {**_standing(journal), "error": error.to_wire(), "undo": undo}
        return await self._surely(journal, "compensating", lambda: self._database.fetch_value(queries.COMPENSATE, params))

    async def finish(self, journal: ExecutionJournal, result: Any, events: Events) -> bool:
        params: dict[str, Any] = {
            **_standing(journal),
            "result": pack(result),
            "steps": journal.steps,
            "retention": journal.workflow.retention,
        }
        statement = queries.FINISH
        if events:
            statement = queries.FINISH_WITH_EVENTS
            params |= _event_params(events)
        return await self._surely(journal, "done", lambda: self._database.fetch_value(statement, params))

    async def end(self, journal: ExecutionJournal, state: str, error: VelellaError, undo: bytes | None) -> bool:
        """Over without a result: `reverted`, or `failed` with what could not be undone."""
        params = {
            **_standing(journal),
            "state": state,
            "error": error.to_wire(),
            "undo": undo,
            "steps": journal.steps,
            "retention": journal.workflow.retention,
        }
        return await self._surely(journal, state, lambda: self._database.fetch_value(queries.END, params))

    async def put_back(
        self, journal: ExecutionJournal, pause: float, *, undo: bytes | None = None, error: VelellaError | None = None, forgiven: int = 0
    ) -> bool:
        """For any coordinator to take up after `pause` seconds. `forgiven` attempts don't count."""
        wire = error.to_wire() if error is not None else None
        params = {**_standing(journal), "pause": pause, "undo": undo, "error": wire, "forgiven": forgiven}
        return await self._database.fetch_value(queries.PUT_BACK, params) is not None

    async def still_ours(self, journal: ExecutionJournal) -> bool:
        await self.lease.beat()
        rows = await self._database.fetch(queries.STILL_OURS, {"ids": [journal.id], "owner": journal.owner})
        return any(row["fence"] == journal.fence and row["state"] in ("invoking", "compensating") for row in rows)

    async def lost_among(self, journals: Sequence[ExecutionJournal], owner: str) -> list[ExecutionJournal]:
        """Those that somebody else has taken over."""
        rows = await self._database.fetch(queries.STILL_OURS, {"ids": [journal.id for journal in journals], "owner": owner})
        ours = {(row["id"], row["fence"]) for row in rows}
        return [journal for journal in journals if (journal.id, journal.fence) not in ours]

    async def _surely(self, journal: ExecutionJournal, state: str, send: Callable[[], Awaitable[Any]]) -> bool:
        """Send again what may be sent again: the state guards it. A second time it matches no row when the first one did its work."""
        for attempt in range(4):
            try:
                if await send() is not None:
                    return True
                if attempt == 0:
                    return False
                rows = await self._database.fetch(queries.STILL_OURS, {"ids": [journal.id], "owner": journal.owner})
                return any(row["fence"] == journal.fence and row["state"] == state for row in rows)
            except Unavailable as error:
                if attempt == 3:
                    raise
                log.warning("an execution could not be written down yet", execution=journal.id, state=state, error=str(error))
                await asyncio.sleep(0.1 * 3**attempt)
        return False

    # -- others

    async def queue(self, id: str, workflow: str, key: str | None, input: bytes, trace_id: str) -> bool:
        """A start that nobody waits for. False: there is one with that key."""
        params = {"id": id, "workflow": workflow, "key": key, "input": input, "trace_id": trace_id}
        return await self._database.fetch_value(queries.QUEUE, params) is not None

    async def bury(
        self, id: str, workflow: str, input: bytes, undo: bytes, error: VelellaError, trace_id: str, started_at: datetime
    ) -> None:
        """Keep what a flow could not undo for an operator."""
        params = {
            "id": id,
            "workflow": workflow,
            "input": input,
            "undo": undo,
            "error": error.to_wire(),
            "trace_id": trace_id,
            "started_at": started_at,
        }
        await self._database.execute(queries.BURY, params)

    async def orphaned(self, running: Sequence[str]) -> bool:
        """Whether there is something to take over."""
        return bool(await self._database.fetch_value(queries.ORPHANED, {"owner": self.lease.id, "running": list(running)}))

    async def give_up(self, row: Execution, error: VelellaError) -> None:
        """One that was taken over and can't even be begun."""
        standing = {"id": row.id, "owner": row.owner, "fence": row.fence}
        params = {**standing, "state": "failed", "error": error.to_wire(), "undo": row.undo, "steps": None, "retention": 0.0}
        await self._database.execute(queries.END, params)

    async def take_over(self, running: Sequence[str], limit: int) -> list[Execution]:
        gave_up = Unavailable("Every coordinator that took this up died or was cut off.").to_wire()
        owner = await self.lease.owner()
        params = {"owner": owner, "running": list(running), "limit": limit, "gave_up": gave_up}
        return [Execution.of(row) for row in await self._database.fetch(queries.TAKE_OVER, params)]

    async def of_key(self, workflow: str, key: str, since: float) -> tuple[str, str] | None:
        """Id and state of the one that counts for a key: the one that runs or went well, else the last that ended in these seconds."""
        row = await self._database.fetch_one(queries.OF_KEY, {"workflow": workflow, "key": key, "since": since})
        return (row["id"], row["state"]) if row is not None else None

    async def outcomes(self, ids: Sequence[str]) -> dict[str, Outcome]:
        rows = await self._database.fetch(queries.OUTCOMES, {"ids": list(ids)})
        return {row["id"]: Outcome(row["id"], row["state"], row["result"], row["error"]) for row in rows}

    async def store_events(self, execution: str | None, events: Events) -> None:
        await self._database.execute(queries.STORE_EVENTS, {"id": execution, **_event_params(events)})


def _event_params(events: Events) -> dict[str, list[Any]]:
    return {
        "event_ids": [new_id("evt") for _ in events],
        "event_names": [name for name, _ in events],
        "event_data": [pack(data) for _, data in events],
    }


def _standing(journal: ExecutionJournal) -> dict[str, Any]:
    return {"id": journal.id, "owner": journal.owner, "fence": journal.fence}
