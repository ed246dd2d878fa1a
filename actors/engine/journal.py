"""The journal of a durable execution, in one row of the database.

The protocol, and why it is enough. A flow is *reading steps* (they change nothing), *writing steps* and what its function makes of their
results. The engine itself writes as seldom as it can, because each time is a commit:

1. Nothing is written while a flow only reads: a flow that is refused (an empty cart) leaves no row.
2. Before the first writing step, one INSERT: the row, with the results of everything read so far. The unique index over (workflow, key)
   lets one start win. A loser has changed nothing yet; it stops at once (`Superseded`) and waits for the winner's result.
3. Before a later writing step, one UPDATE, but only if something was read since the last one. What a flow does next follows from what it
   has read and from the answers to its writes. Read results are in the row; answers to writes are recorded by the modules, in the
   transaction of the write, under `execution:step/n`. So a process that runs the function again makes the same calls with the same
   arguments, the calls already made answer from the record, and every effect happens once. A third party is asked under the same
   `execution:step` by its idempotency key.
4. Where it has to wait (for a time, for another attempt, for another execution, for the outside), one UPDATE that gives it back to the
   table, with everything done so far: a process that takes it up from there knows that no run has come further. If its coordinator died,
   that isn't known: it may be beyond its pivot. So it is undone only when something is *refused* on the way (then no run has come further
   than there, for every refusal is recorded); any other failure is tried again. That costs nothing in the normal case: the row doesn't
   record that a pivot is about to be sent. A lock that another execution holds is waited for in the same way, beside what it may have
   waited for before: whose turn it is says nothing about how often a step has failed, or since when.
5. At the end, one UPDATE with the result, and the events in the same statement.
6. Before anything is undone, one UPDATE that says so, with the list of what to undo. From there on no run goes forward again: a step
   that was undone would answer from the record as if it were still done.

7. A step that waits for the outside is written into the row before its function runs (`waits`), so it can be answered from then on. The
   answer is an UPDATE of the same row, by any process, guarded by the step being open: of two answers one counts. Where the execution is in
   the table, it makes it due; where it is being carried out, the UPDATE that puts it into the table finds the answer and leaves it due.

Each of the others names owner and fence, and a takeover raises the fence: a coordinator that was taken for dead finds its UPDATE
matching no row, and stops without changing anything (`Superseded`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...core.codec import pack, unpack
from ...core.errors import VelellaError
from ...core.flow.definitions import Workflow, step_at
from ...core.flow.journal import Checkpoint, Entry, Start, Superseded, Verdict, Wait
from ...core.flow.reading import READ
from .admin_view import is_step
from .store import Execution, Executions

_PART_OF = "?of"
"""A position that no flow has."""


class ExecutionJournal:
    """See `core.flow.journal.Journal`."""

    def __init__(
        self, store: Executions, id: str, workflow: Workflow[..., Any], key: str | None, input: bytes, trace_id: str, started_at: datetime
    ) -> None:
        self.id = id
        self.workflow = workflow
        self.key = key
        self.input = input
        self.trace_id = trace_id
        self.begun = False
        """Whether there is a row."""
        self.touched = False
        """Whether there may be a row: then its end has to be recorded."""
        self.outdone = False
        """Whether another execution of the same key was first."""
        self.instead: str | None = None
        """The execution whose outcome counts instead of this run's, once that is known."""
        self.first = True
        """Whether this is the first run. A run that was put back isn't, even if its attempts are reset."""
        self.in_doubt = False
        """See `core.flow.journal.Journal`."""
        self.over = False
        """Whether nothing is left to be recorded here: it ended, or waits in the table, or another process has it."""
        self.parked = False
        """Whether it waits in the table instead of having ended."""
        self.fence = 1
        self.attempts = 1
        self.owner: str | None = None
        self.started_at = started_at
        self.steps: list[str] = []
        self._store = store
        self._known: dict[str, Checkpoint] = {}
        self._waited: tuple[str, int, float] = ("", 0, 0.0)
        """Where it last waited, how often in a row it had failed there, and for how many seconds."""
        self._locked_out = 0.0
        """For how many seconds it has waited for locks in vain since it last got on."""
        self._waits: dict[str, Wait] = {}
        self._entries: dict[str, dict[str, Any]] = {}
        """The same, as they stand in the row."""
        self._names: Counter[str] = Counter()
        """How many steps of each name have waited."""
        self._again: dict[str, Any] = {}
        self._pending: list[bytes] = []
        self._failures: list[bytes] = []
        """The checkpoints among them that are failures."""
        self._to_keep = 0
        """How many of them, from the first one, must be in the row before the next writing step: up to the last one that was read."""
        self._writing = asyncio.Lock()

    @classmethod
    def of(cls, store: Executions, row: Execution, workflow: Workflow[..., Any]) -> ExecutionJournal:
        """The journal of an execution that was taken over."""
        journal = cls(store, row.id, workflow, row.key, row.input, row.trace_id, row.started_at)
        journal.begun = journal.touched = True
        journal.first = row.fence == 1
        journal.in_doubt = row.state == "finishing" or row.left_by is not None
        if row.waits_at is not None:
            journal._waited = (row.waits_at, row.failures, row.failing_seconds or 0.0)
        journal._locked_out = row.locked_seconds or 0.0
        journal.owner, journal.fence, journal.attempts = row.owner, row.fence, row.attempts
        for path, entry in (row.waits or {}).items():
            journal._entries[path] = entry
            journal._names[entry["name"]] += 1
            if "until" in entry:
                verdict = verdict_of(entry["answer"]) if "answer" in entry else None
                journal._waits[path] = Wait(entry["round"], float(entry["until"]) - row.now, verdict)
        for packed in row.journal:
            checkpoint = _from_wire(unpack(packed))
            journal._known[checkpoint.path] = checkpoint
            journal._note(checkpoint)
        return journal

    @property
    def is_open(self) -> bool:
        """Whether somebody may have to go on with it: its end isn't recorded, or its row may come after what was to record that."""
        return self.touched and not (self.begun and self.over)

    @property
    def done_as(self) -> str:
        """The id under which modules and third parties know what it has done: its own, or that of the execution that it was a part of."""
        known = self._known.get(_PART_OF)
        return self.id if known is None else str(known.result)

    # -- called by runs

    def recall(self, path: str) -> Checkpoint | None:
        return self._known.get(path)

    def remember(self, checkpoint: Checkpoint) -> None:
        packed = pack(_to_wire(checkpoint))  # now: the flow may change it, and what can't be encoded must raise at once
        checkpoint.result = unpack(packed)[2]
        self._pending.append(packed)
        self._locked_out = 0.0
        if checkpoint.reads:
            self._to_keep = len(self._pending)
        self._note(checkpoint)
        if checkpoint.failure is not None:
            self._failures.append(packed)

    def forget_failures(self) -> None:
        for path in (unpack(packed)[0] for packed in self._failures):
            if entry := self._entries.get(path):  # asked again: without an end and an answer
                self._again[path] = {"step": entry["step"], "name": entry["name"], "round": entry["round"] + 1}
        self._pending = [packed for packed in self._pending if packed not in self._failures]
        self._to_keep = min(self._to_keep, len(self._pending))

    def writes_until(self) -> float:
        return self._store.lease.trusted_until()

    def failures_at(self, at: str) -> tuple[int, float]:
        path, failures, seconds = self._waited
        return (failures, seconds) if path == at else (0, 0.0)

    def locked_out(self) -> float:
        return self._locked_out

    def unwritten(self) -> list[bytes]:
        """The checkpoints that aren't in the row yet."""
        return list(self._pending)

    def written(self, count: int) -> None:
        """This many of them are in the row now."""
        del self._pending[:count]  # others may have been added meanwhile
        self._to_keep = max(0, self._to_keep - count)

    async def before_write(self) -> None:
        if self.begun and not self._to_keep:
            if not self._store.lease.certain:  # our lease may have ended: a process that took over must not find us writing
                await self._check()
            return
        async with self._writing:  # the writing steps of a parallel group come here concurrently
            if not self.begun:
                await self._begin()
            elif self._to_keep:
                await self._append()

    async def wait(self, path: str, step: str, seconds: float) -> Wait:
        if (known := self._waits.get(path)) is not None:
            return known
        entry = self._entries.get(path)
        if entry is None:
            self._names[step] += 1
            number = self._names[step]
            entry = self._entries[path] = {"step": step if number == 1 else f"{step}-{number}", "name": step, "round": 0}
        await self.before_write()
        async with self._writing:
            if not await self._store.wait(self, path, entry["step"], step, entry["round"], seconds):
                raise Superseded
        known = self._waits[path] = Wait(entry["round"], seconds)
        return known

    async def start(self, checkpoint: Checkpoint, start: Start) -> None:
        async with self._writing:
            if not self.begun:
                await self._begin()
            pending = list(self._pending)
            if not await self._store.append_and_start(self, [*pending, pack(_to_wire(checkpoint))], start):
                raise Superseded
            self.written(len(pending))
        self._note(checkpoint)

    async def close(self, path: str) -> None:
        answer = await self._store.close_wait(self, path, packed_verdict(Verdict("late")))
        if answer is None:
            raise Superseded
        self._waits[path].verdict = verdict_of(answer)

    def heard(self) -> list[str]:
        return [path for path, wait in self._waits.items() if wait.verdict is not None]

    def to_ask_again(self) -> dict[str, Any]:
        return self._again

    async def reverting(self, path: str, error: VelellaError, entries: Sequence[Entry]) -> None:
        await self._store.lease.owner()  # undoing writes, too
        if path:
            # a sub-workflow that failed: its caller may catch that, so a repeated run must find the same failure
            self._pending.append(pack(_to_wire(Checkpoint(path, "", failure=error, entries=entries))))
            async with self._writing:
                await self._append()
        elif not await self._store.compensate(self, error, pack_entries(entries)):
            raise Superseded

    # -- inside

    def _note(self, checkpoint: Checkpoint) -> None:
        """Note a finished step, for display."""
        if checkpoint.failure is None and is_step(checkpoint.path, checkpoint.reference):
            self.steps.append(f"{checkpoint.path} {checkpoint.reference}")

    async def _begin(self) -> None:
        self.owner = await self._store.lease.owner()
        if self.touched and await self._store.still_ours(self):  # the answer to an earlier attempt was lost
            self.begun = True
            return
        packed = list(self._pending)
        self.touched = True
        if not await self._store.begin(self, packed):
            self.touched, self.outdone = False, True
            raise Superseded
        self.begun = True
        self.written(len(packed))

    async def _append(self) -> None:
        packed = list(self._pending)
        if not await self._store.append(self, packed):
            raise Superseded
        self.written(len(packed))

    async def _check(self) -> None:
        if not await self._store.still_ours(self):
            raise Superseded


def part_of(id: str) -> bytes:
    """What the journal of an execution begins with that undoes what another one could not: it is done under that one's id."""
    return pack(_to_wire(Checkpoint(_PART_OF, f"{READ}execution", id, reads=True)))


def packed_verdict(verdict: Verdict) -> str:
    return pack([verdict.how, verdict.value, verdict.undo]).hex()


def verdict_of(packed: str) -> Verdict:
    return Verdict(*unpack(bytes.fromhex(packed)))


def pack_entries(entries: Sequence[Entry]) -> bytes:
    return pack([entry.to_wire() for entry in entries])


def unpack_entries(data: bytes | None) -> list[Entry]:
    """The entries of a list. Raises NotFound for a step that this installation doesn't have."""
    return [_entry(wire) for wire in unpack(data)] if data is not None else []


def _entry(wire: list[Any]) -> Entry:
    reference, path, result, unknown = wire
    return Entry(step_at(reference), path, result, None if unknown is None else (tuple(unknown[0]), unknown[1]))


def _to_wire(checkpoint: Checkpoint) -> list[Any]:
    failure = checkpoint.failure.to_wire() if checkpoint.failure is not None else None
    events = [list(event) for event in checkpoint.events]
    entries = [entry.to_wire() for entry in checkpoint.entries]
    return [checkpoint.path, checkpoint.reference, checkpoint.result, events, checkpoint.reads, failure, entries]


def _from_wire(wire: list[Any]) -> Checkpoint:
    path, reference, result, events, reads, failure, entries = wire
    return Checkpoint(
        path,
        reference,
        result,
        [(name, data) for name, data in events],
        reads,
        VelellaError.from_wire(failure) if failure is not None else None,
        [_entry(entry) for entry in entries],
    )
