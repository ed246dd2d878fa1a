"""Executions in the database: begin, continue, finish, take over. `journal.py` says what the rows mean."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from ...core.codec import pack, unpack
from ...core.errors import GoesOn, Unavailable, VelellaError
from ...core.flow import Workflow
from ...core.flow.definitions import workflow_names
from ...core.flow.journal import Start
from ...core.ids import new_id
from ...core.logs import logger
from ...core.message import CallContext, call_context, current_call
from ...core.sql.db.database import Database
from . import queries
from .lease import Lease
from .tables import LIVE_STATES
from .wakeups import DELIVERIES, Wakeups

log = logger("velella.workflows")

BOOKKEEPING_SECONDS = 30.0
"""Seconds for the engine's own writes: a flow that used up its time is still recorded properly."""

RETRY_AFTER_SECONDS = 30.0
"""Seconds: a client is told to ask again after this at the latest, however long the execution waits."""

Events = Sequence[tuple[str, dict[str, Any]]]


class Carried(Protocol):
    """An execution that this process carries out: its journal."""

    id: str
    workflow: Workflow[..., Any]
    key: str | None
    input: bytes
    trace_id: str
    started_at: datetime
    owner: str | None
    fence: int
    steps: list[str]
    over: bool

    def unwritten(self) -> list[bytes]:
        """The checkpoints that aren't in the row yet."""

    def written(self, count: int) -> None:
        """This many of them are in the row now."""

    def heard(self) -> list[str]:
        """Positions of the waiting steps of which it is known what was said."""

    def to_ask_again(self) -> dict[str, Any]:
        """Those among them that are asked once more, as they stand in the row."""

    def failures_at(self, at: str, /) -> tuple[int, float]:
        """See `core.flow.journal.Journal`."""


C = TypeVar("C", bound=Carried)


@dataclass(slots=True)
class Execution:
    """A row of an execution."""

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
    result: bytes | None
    waits_at: str | None
    failures: int
    failing_seconds: float | None
    locked_seconds: float | None
    waits: dict[str, dict[str, Any]] | None
    now: float
    """When it was taken over, by the database's clock, in seconds since 1970."""
    left_by: str | None
    """The coordinator that carried it out and did not record how far it had come."""

    @classmethod
    def of(cls, row: Any) -> Execution:
        return cls(*(row[name] for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class ExecutionOutcome:
    """The state of an execution, as far as callers need it."""

    id: str
    state: str
    result: bytes | None
    error: list[Any] | None
    waits: float | None
    """Seconds until it is continued, if it waits in the table."""

    @property
    def has_failed(self) -> bool:
        return self.state in ("reverted", "failed")

    @property
    def is_answered(self) -> bool:
        """Whether there is something to tell a waiting caller."""
        return self.state == "done" or self.has_failed or self.result is not None or self.waits is not None

    def value(self) -> Any:
        """The result. Raises the execution's error; GoesOn where it waits and has not answered."""
        if self.state == "done" or self.result is not None:
            return unpack(self.result) if self.result is not None else None
        if self.waits is not None:
            raise goes_on(self.id, self.error[1] if self.error else None, self.waits)
        raise VelellaError.from_wire(self.error) if self.error else Unavailable(f"The execution {self.id} did not finish.")


def goes_on(id: str, why: str | None, pause: float) -> GoesOn:
    """The error for a caller that waits for an execution that waits itself."""
    message = "It goes on by itself" if why is None else f"It is tried again by itself: {why}"
    return GoesOn(message, retry_after=max(1.0, min(pause, RETRY_AFTER_SECONDS)), execution=id)


@contextmanager
def bookkeeping(trace_id: str | None = None) -> Iterator[None]:
    """Inside the block, the engine's own time limit applies, not that of the flow or the request."""
    trace_id = trace_id or current_call().trace_id
    token = call_context.set(CallContext(trace_id).within(BOOKKEEPING_SECONDS))
    try:
        yield
    finally:
        call_context.reset(token)


class Executions:
    """All statements on executions, with the checks that follow each."""

    def __init__(self, database: Database, lease: Lease, wakeups: Wakeups) -> None:
        self.lease = lease
        self.wakeups = wakeups
        self._database = database

    # -- an execution that is carried out here: False means that it isn't ours any more

    async def begin(self, journal: Carried, journaled: list[bytes]) -> bool:
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

    async def append(self, journal: Carried, journaled: list[bytes]) -> bool:
        return await self._database.fetch_value(queries.APPEND, {**_standing(journal), "journal": journaled}) is not None

    async def append_and_start(self, journal: Carried, journaled: list[bytes], start: Start) -> bool:
        about = {"new_id": start.id, "workflow": start.workflow, "key": start.key, "input": pack(start.input)}
        params = {**_standing(journal), "journal": journaled, **about, "trace_id": journal.trace_id}
        ours = await self._database.fetch_value(queries.APPEND_AND_START, params) is not None
        if ours:
            self.wakeups.tell(start.id)
        return ours

    async def wait(self, journal: Carried, path: str, step: str, name: str, round: int, seconds: float) -> bool:
        """Let the step at a position be answered, under the name `step`, for so many seconds."""
        journaled = journal.unwritten()
        about = {"path": path, "step": step, "name": name, "round": round, "seconds": seconds}
        ours = await self._database.fetch_value(queries.WAIT, {**_standing(journal), **about, "journal": journaled}) is not None
        if ours:
            journal.written(len(journaled))
        return ours

    async def close_wait(self, journal: Carried, path: str, answer: str) -> str | None:
        """Take no more answers at a position. Returns the one that counts: one that came before, else this; None: it isn't ours."""
        answered: str | None = await self._database.fetch_value(queries.CLOSE_WAIT, {**_standing(journal), "path": path, "answer": answer})
        return answered

    async def compensate(self, journal: Carried, error: VelellaError, undo: bytes) -> bool:
        journaled = journal.unwritten()
        params = {**_standing(journal), "error": error.to_wire(), "undo": undo, "journal": journaled}
        ours = await self._surely(journal, "compensating", lambda: self._database.fetch_value(queries.COMPENSATE, params))
        if ours:
            journal.written(len(journaled))
        return ours

    async def finish(self, journal: Carried, result: Any, events: Events) -> bool:
        params: dict[str, Any] = {
            **_standing(journal),
            "result": pack(result),
            "steps": journal.steps,
            "retention": None if journal.workflow.once else journal.workflow.retention,
        }
        statement = queries.FINISH
        if events:
            statement = queries.FINISH_WITH_EVENTS
            params |= _event_params(events)
        ours = await self._over(journal, "done", lambda: self._database.fetch_value(statement, params))
        if ours and events:
            self.wakeups.tell(DELIVERIES)
        return ours

    async def end(self, journal: Carried, state: str, error: VelellaError, undo: bytes | None) -> bool:
        """It has ended without a result: `reverted`, or `failed` with what could not be undone."""
        params = {
            **_standing(journal),
            "state": state,
            "error": error.to_wire(),
            "undo": undo,
            "steps": journal.steps,
            "retention": journal.workflow.retention,
        }
        return await self._over(journal, state, lambda: self._database.fetch_value(queries.END, params))

    async def park(
        self,
        journal: Carried,
        pause: float,
        *,
        at: str | None = None,
        error: VelellaError | None = None,
        for_lock: bool = False,
        onward: bool = False,
        undo: bytes | None = None,
        answer: bytes | None = None,
    ) -> bool:
        """Put it into the table, for any coordinator to continue after `pause` seconds. `at`: what it waits at; None if it was only
        interrupted. `for_lock`: that is a lock, and no failure. `onward`: it may be beyond its point of no return."""
        failures = None if at is None or for_lock else journal.failures_at(at)[0] + 1 if error is not None else 0
        params = {
            **_standing(journal),
            "pause": pause,
            "waits_at": None if for_lock else at,
            "for_lock": for_lock,
            "failures": failures,
            "error": error.to_wire() if error is not None else None,
            "onward": onward,
            "undo": undo,
            "result": answer,
            "journal": journal.unwritten(),
            "heard": journal.heard(),
            "again": journal.to_ask_again(),
        }
        due = 0.0  # where the answer is lost, it is looked for at once

        async def send() -> Any:
            nonlocal due
            seconds = await self._database.fetch_value(queries.PARK, params)
            due = seconds or 0.0
            return seconds

        ours = await self._over(journal, None, send)
        if ours:
            self.wakeups.tell(journal.id, due)
        return ours

    async def still_ours(self, journal: Carried) -> bool:
        await self.lease.beat()
        rows = await self._database.fetch(queries.STILL_OURS, {"ids": [journal.id], "owner": journal.owner})
        return any(row["fence"] == journal.fence and row["state"] in LIVE_STATES for row in rows)

    async def lost_among(self, journals: Sequence[C], owner: str) -> list[C]:
        """The ones that another process has taken over."""
        rows = await self._database.fetch(queries.STILL_OURS, {"ids": [journal.id for journal in journals], "owner": owner})
        ours = {(row["id"], row["fence"]) for row in rows}
        return [journal for journal in journals if (journal.id, journal.fence) not in ours]

    async def _over(self, journal: Carried, state: str | None, send: Callable[[], Awaitable[Any]]) -> bool:
        """`_surely`, after which nothing is left to be recorded: it is over, or it is not ours."""
        ours = await self._surely(journal, state, send)
        journal.over = True
        return ours

    async def _surely(self, journal: Carried, state: str | None, send: Callable[[], Awaitable[Any]]) -> bool:
        """Repeat a statement if its answer is lost: state and owner guard it. If the first one took effect, a second one matches no row.

        `state`: the state that it sets; None: it removes the owner.
        """
        for attempt in range(4):
            try:
                if await send() is not None:
                    return True
                if attempt == 0:
                    return False
                if state is None:
                    return True
                rows = await self._database.fetch(queries.STILL_OURS, {"ids": [journal.id], "owner": journal.owner})
                return any(row["fence"] == journal.fence and row["state"] == state for row in rows)
            except Unavailable as error:
                if attempt == 3:
                    raise
                log.warning("an execution could not be written down yet", execution=journal.id, state=state or "waiting", error=str(error))
                await asyncio.sleep(0.1 * 3**attempt)
        return False

    # -- other executions

    async def queue(self, id: str, workflow: str, key: str | None, input: bytes, trace_id: str) -> bool:
        """Record a start without a waiting caller. False: the key exists already."""
        params = {"id": id, "workflow": workflow, "key": key, "input": input, "trace_id": trace_id}
        return await self._database.fetch_value(queries.QUEUE, params) is not None

    async def answer(self, workflow: str, transaction: str, step: str, answer: str) -> bool:
        """Record what is said of a step that waits. False: it doesn't wait."""
        params = {"workflow": workflow, "transaction": transaction, "step": step, "answer": answer}
        return await self._database.fetch_value(queries.ANSWER, params) is not None

    async def bury(
        self,
        id: str,
        workflow: str,
        input: bytes,
        journaled: list[bytes],
        undo: bytes,
        error: VelellaError,
        trace_id: str,
        started_at: datetime,
    ) -> None:
        """Record what a flow could not undo, for an operator."""
        params = {
            "id": id,
            "workflow": workflow,
            "input": input,
            "journal": journaled,
            "undo": undo,
            "error": error.to_wire(),
            "trace_id": trace_id,
            "started_at": started_at,
        }
        await self._database.execute(queries.BURY, params)

    async def orphaned(self, left: Sequence[str], only: str | None) -> bool:
        """Whether there is something to take over. `left`: executions that this coordinator has begun and doesn't carry out any more.
        `only`: the one that is looked for."""
        params = {"owner": self.lease.id, "left": list(left), "known": workflow_names(), "only": only}
        return bool(await self._database.fetch_value(queries.ORPHANED, params))

    async def ours_but(self, these: Sequence[str]) -> list[str]:
        """The executions that this coordinator owns, by their rows, besides these."""
        rows = await self._database.fetch(queries.OURS_BUT, {"owner": self.lease.id, "ids": list(these)})
        return [row["id"] for row in rows]

    async def give_up(self, row: Execution, error: VelellaError) -> None:
        """Give up an execution that was taken over and can't even be begun."""
        standing = {"id": row.id, "owner": row.owner, "fence": row.fence}
        params = {**standing, "state": "failed", "error": error.to_wire(), "undo": row.undo, "steps": None, "retention": 0.0}
        await self._database.execute(queries.END, params)

    async def take_over(self, left: Sequence[str], limit: int, only: str | None) -> list[Execution]:
        gave_up = Unavailable("Every coordinator that took this up died or was cut off.").to_wire()
        owner = await self.lease.owner()
        params = {"owner": owner, "left": list(left), "known": workflow_names(), "limit": limit, "gave_up": gave_up, "only": only}
        return [Execution.of(row) for row in await self._database.fetch(queries.TAKE_OVER, params)]

    async def of_key(self, workflow: str, key: str, since: float) -> tuple[str, str] | None:
        """Id and state of the execution that counts for a key: the one that runs or has succeeded, else the last that ended in these
        seconds."""
        row = await self._database.fetch_one(queries.OF_KEY, {"workflow": workflow, "key": key, "since": since})
        return (row["id"], row["state"]) if row is not None else None

    async def outcomes(self, ids: Sequence[str]) -> dict[str, ExecutionOutcome]:
        rows = await self._database.fetch(queries.OUTCOMES, {"ids": list(ids)})
        return {row["id"]: ExecutionOutcome(*row) for row in rows}

    async def settle(self, event: str, subscriber: str, run: str, events: Events, starts: Sequence[Start]) -> None:
        """A subscriber is done with an event, and this is what it has emitted and started."""
        about = {"id": event, "subscriber": subscriber}
        if not events and not starts:
            await self._database.execute(queries.DELIVERED, about)
            return
        params = {
            **about,
            "run": run,
            "trace_id": event,
            **_event_params(events),
            "ids": [start.id for start in starts],
            "workflows": [start.workflow for start in starts],
            "keys": [start.key for start in starts],
            "inputs": [pack(start.input) for start in starts],
        }
        await self._database.execute(queries.DELIVERED_WITH, params)
        if events:
            self.wakeups.tell(DELIVERIES)

    async def store_events(self, execution: str | None, events: Events) -> None:
        await self._database.execute(queries.STORE_EVENTS, {"id": execution, **_event_params(events)})
        self.wakeups.tell(DELIVERIES)

    async def store_written(self, events: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
        """Store events that have ids, names and data already. Those that are there stay as they are."""
        ids, names, data = zip(*events, strict=True)
        params = {"id": None, "event_ids": list(ids), "event_names": list(names), "event_data": [pack(each) for each in data]}
        await self._database.execute(queries.STORE_EVENTS, params)
        self.wakeups.tell(DELIVERIES)


def _event_params(events: Events) -> dict[str, list[Any]]:
    return {
        "event_ids": [new_id("evt") for _ in events],
        "event_names": [name for name, _ in events],
        "event_data": [pack(data) for _, data in events],
    }


def _standing(journal: Carried) -> dict[str, Any]:
    return {"id": journal.id, "owner": journal.owner, "fence": journal.fence}
