"""Carrying out durable workflows: starting them once, taking over what others left, and handing over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ...core import tracing
from ...core.codec import pack, travelled, unpack
from ...core.errors import Conflict, GoesOn, NotFound, Unavailable, UnexpectedState, VelellaError
from ...core.flow import FlowContext, Workflow, workflow_named
from ...core.flow.attempts import as_velella_error, worth_retrying
from ...core.flow.journal import Diverged, Entry, Parked, Superseded
from ...core.flow.outside import ONWARD
from ...core.flow.run import DURABLE_SECONDS, EarlyAnswer, Run
from ...core.ids import new_id
from ...core.logs import logger
from ...core.message import CallContext, call_context, current_call
from ...core.metrics import Timings
from ...core.tasks import Tasks
from ..caching import coalesced
from .journal import ExecutionJournal, pack_entries, part_of, unpack_entries
from .store import BOOKKEEPING_SECONDS, Execution, ExecutionOutcome, Executions, bookkeeping, goes_on
from .waiting import Outcomes
from .wakeups import EXECUTIONS

AT_ONCE = 16
"""How many executions of other coordinators are taken over at a time."""

ANSWER_SECONDS = 2.0
"""Seconds a caller waits on after the workflow has answered, so that it usually finds the later steps done."""
LEFT_SECONDS = 120.0
"""Seconds for which an execution is looked for whose end could not be recorded."""
UNDOING = "undoing"
UNDO_PATIENCE_SECONDS = 86_400.0
"""Seconds for which an undo is repeated that fails with Unavailable only. Then it is left to an operator."""

log = logger("velella.workflows")


class _LookAgain(Exception):
    """What this run saw may have been undone by now."""


@dataclass(slots=True, eq=False)
class _Start:
    """An execution that callers in this process wait for, or have waited for."""

    answer: asyncio.Future[EarlyAnswer]
    """Its answer before its end."""
    task: asyncio.Task[Any] = field(init=False)
    callers: int = 0
    """How many still wait."""
    journal: ExecutionJournal | None = None

    @property
    def execution(self) -> str | None:
        """The one whose end is the end of this; None where another attempt may follow."""
        if self.journal is None or self.journal.workflow.retries:
            return None
        return self.journal.instead or self.journal.id


@dataclass(slots=True, eq=False)
class _Active:
    """An execution in this process."""

    run: Run
    journal: ExecutionJournal
    task: asyncio.Task[Any]


class DurableFlows:
    """See `journal.py` for what is written when."""

    def __init__(self, flows: FlowContext, store: Executions, runs: Timings[tuple[str, str]], *, visits: bool = False) -> None:
        """`runs`: the metric of how long runs took and how they ended. `visits`: of what others have left it takes up what it is asked
        for, and nothing else."""
        self._flows = flows
        self._visits = visits
        self._runs = runs
        self._store = store
        self._outcomes = Outcomes(store)
        self._active: dict[str, _Active] = {}
        self._by_key: dict[tuple[str, str], _Start] = {}
        self._tasks = Tasks("a durable workflow failed unexpectedly", expected=VelellaError)
        self._stopping = False
        self._resumed = 0
        """How many executions taken over from others are carried out here."""
        self._recovering = asyncio.Lock()
        self._due = asyncio.Event()
        self._left: dict[str, float] = {}
        """Executions that we began and whose end we could not record, and when that was (monotonic seconds)."""
        self._unheard_until = 0.0
        """Until when there may be executions that are ours by a takeover of whose success we didn't hear (monotonic seconds)."""
        store.lease.when_late(self._drop_what_was_taken)

    # -- starting

    async def run(self, workflow: Workflow[..., Any], input: dict[str, Any], key: str | None) -> Any:
        """Carry out, or join, the execution with that key. Returns its result, or its answer.

        The execution doesn't end with its caller. Raises GoesOn where it is still running, Unavailable where this coordinator stops.
        """
        if self._stopping:
            raise Unavailable("This coordinator is stopping.")
        start = self._by_key.get((workflow.name, key)) if key is not None else None
        joined = start is not None
        if start is None:
            start = self._begin(workflow, input, key)
        start.callers += 1
        try:
            await asyncio.wait({start.task, start.answer}, timeout=current_call().left(), return_when=asyncio.FIRST_COMPLETED)
            if start.answer.done() and not start.task.done():
                await asyncio.wait({start.task}, timeout=min(ANSWER_SECONDS, current_call().left()))
        finally:
            start.callers -= 1
        if not start.task.done():
            if start.answer.done():
                return start.answer.result().heard(joined)
            raise GoesOn(f"The workflow {workflow.name} is still running.", execution=start.execution)
        if start.task.cancelled():
            raise Unavailable(f"The coordinator of the workflow {workflow.name} stops; another one goes on with it.")
        result = start.task.result()
        if start.answer.done():
            return start.answer.result().heard(joined)
        return travelled(result) if joined else result

    def _begin(self, workflow: Workflow[..., Any], input: dict[str, Any], key: str | None) -> _Start:
        start = _Start(asyncio.get_running_loop().create_future())
        task = start.task = self._tasks.begin(self._to_the_end(workflow, pack(input), key, current_call().trace_id, start))
        if key is not None:
            name = (workflow.name, key)
            self._by_key[name] = start
            task.add_done_callback(lambda _: self._by_key.pop(name, None))
        return start

    async def start(self, workflow: Workflow[..., Any], input: dict[str, Any], key: str | None) -> str:
        """Queue an execution: this coordinator starts it at once, or any other within seconds. Returns its id."""
        id = new_id("wfex")
        if await self._store.queue(id, workflow.name, key, pack(input), current_call().trace_id):
            self.nudge()
            return id
        there = await self._store.of_key(workflow.name, str(key), 0.0)
        if there is None:
            raise Conflict(f"The workflow {workflow.name} with key {key} was just undone. Try again.")
        return there[0]

    async def _to_the_end(self, workflow: Workflow[..., Any], input: bytes, key: str | None, trace_id: str, start: _Start) -> Any:
        attempt = 0
        looked_again = False
        while True:
            started = time.monotonic()
            now = self._flows.clock()
            # rounded as the row keeps it: the same when it is read back
            journal = ExecutionJournal(
                self._store, new_id("wfex"), workflow, key, input, trace_id, now.replace(microsecond=now.microsecond // 1000 * 1000)
            )
            start.journal = journal
            try:
                return await self._carry_out(journal, started, may_look_again=not looked_again, start=start)
            except _LookAgain:
                looked_again = True
            except Exception as error:
                attempt += 1
                over = journal.outdone or journal.parked or journal.is_open  # the last: it is gone on with
                if attempt > workflow.retries or not worth_retrying(error) or over:
                    raise
                await asyncio.sleep(0.05 * 2**attempt)

    # -- carrying out

    async def _carry_out(
        self, journal: ExecutionJournal, started: float, *, may_look_again: bool = False, start: _Start | None = None
    ) -> Any:
        run = self._enter(journal)
        if start is not None:
            run.on_answer = start.answer.set_result
            run.waited_for = lambda: start.callers > 0
        outcome = "abandoned"  # to be continued elsewhere
        try:
            result = await self._to_an_end(run, journal, started, may_look_again)
            outcome = "waiting" if journal.parked else "done"
            return result
        except Exception:
            outcome = "waiting" if journal.parked else "failed" if run.unfinished else "reverted"
            raise
        finally:
            self._leave(journal)
            if not journal.outdone:  # else the coordinator that carried it out counts it
                self._runs[journal.workflow.name, outcome].observe(time.monotonic() - started)

    async def _to_an_end(self, run: Run, journal: ExecutionJournal, started: float, may_look_again: bool) -> Any:
        result, failure = None, None
        call_context.set(CallContext(journal.trace_id).within(journal.workflow.timeout or DURABLE_SECONDS))
        try:
            async with coalesced():
                result = await run.carry_out(unpack(journal.input))
        except Superseded:
            return await self._superseded(journal, started, may_look_again)
        except Parked as parked:
            try:
                return await self._park(journal, run, parked)
            except Superseded:
                return await self._superseded(journal, started, may_look_again)
        except Diverged as diverged:
            self._bookkeeping(journal)
            strange = UnexpectedState(str(diverged))
            await self._store.end(journal, "failed", strange, None)
            raise strange from diverged
        except Exception as error:  # noqa: BLE001 - raised below, once it is recorded
            failure = error
        except asyncio.CancelledError:
            if not run.abandoned:
                raise
            return await self._abandoned(journal)
        self._bookkeeping(journal)
        if not journal.touched:
            # This run has no row. If there is another execution with its key, what we have read may be that one's half-done work: its
            # outcome counts.
            if (other := await self._rival(journal, started, may_look_again)) is not None:
                return await self._value_of(other, instead_of=journal)
            if failure is None and (events := self._events_of(run)):
                await self._store.store_events(journal.id, events)
        elif failure is not None:
            await self._settle(journal, run, as_velella_error(failure))
        elif not await self._store.finish(journal, result, self._events_of(run)):
            return await self._superseded(journal, started, may_look_again)
        if failure is not None:
            raise failure
        if run.unfinished:  # from a sub-workflow whose failure was caught
            await self.bury(run, journal.input)
        return result

    def _events_of(self, run: Run) -> Sequence[tuple[str, dict[str, Any]]]:
        """The events of a run; of a flow that is durable only because of its events, those that have a subscriber."""
        return run.events if run.workflow.durable else [event for event in run.events if self._flows.wants(event[0])]

    async def _park(self, journal: ExecutionJournal, run: Run, parked: Parked) -> Any:
        """Put the execution into the table. Returns its answer; raises GoesOn if it has none."""
        self._bookkeeping(journal)
        if not journal.begun:
            await journal.before_write()
        onward = run.onward or journal.in_doubt
        answer = pack(run.result) if run.answered else None
        if not await self._store.park(
            journal, parked.pause, at=parked.at, error=parked.error, for_lock=parked.for_lock, onward=onward, answer=answer
        ):
            raise Superseded
        journal.parked = True
        if parked.error is not None:
            log.warning(
                "an execution waits to be tried again",
                workflow=journal.workflow.name,
                execution=journal.id,
                at=parked.at,
                seconds=round(parked.pause, 1),
                error=str(parked.error),
            )
        if run.answered:
            return run.result
        raise goes_on(journal.id, parked.error.message if parked.error is not None else None, parked.pause)

    def _leave(self, journal: ExecutionJournal) -> None:
        self._active.pop(journal.id, None)
        if journal.is_open and not self._stopping:
            self._left[journal.id] = time.monotonic()
            self.nudge()

    def _enter(self, journal: ExecutionJournal) -> Run:
        run = Run(self._flows, journal.workflow, id=journal.done_as, journal=journal, started_at=journal.started_at)
        task = asyncio.current_task()
        assert task is not None
        self._active[journal.id] = _Active(run, journal, task)
        return run

    @staticmethod
    def _bookkeeping(journal: ExecutionJournal) -> None:
        """From here on the engine's own time limit applies, not the flow's."""
        call_context.set(CallContext(journal.trace_id).within(BOOKKEEPING_SECONDS))

    async def _superseded(self, journal: ExecutionJournal, started: float, may_look_again: bool) -> Any:
        """The result of the execution that another process carries out instead of us."""
        journal.over = True
        call_context.set(CallContext(journal.trace_id).within(DURABLE_SECONDS))
        if not journal.outdone:  # taken over
            journal.outdone = True
            return await self._value_of(journal.id, instead_of=journal)
        other = await self._rival(journal, started, may_look_again)
        if other is None:
            if may_look_again:
                raise _LookAgain
            raise Conflict(f"The workflow {journal.workflow.name} with key {journal.key} is being carried out elsewhere. Try again.")
        return await self._value_of(other, instead_of=journal)

    async def _rival(self, journal: ExecutionJournal, started: float, may_look_again: bool) -> str | None:
        """The execution with our key that counts, if there is one.

        If one was undone while we were running, what we have read may no longer be true: then `_LookAgain`, once.
        """
        if journal.key is None:
            return None
        since = time.monotonic() - started + 0.1 if may_look_again else 0.0
        found = await self._store.of_key(journal.workflow.name, journal.key, since)
        if found is None or found[0] == journal.id:
            return None
        id, state = found
        if state in ("reverted", "failed"):
            raise _LookAgain
        journal.outdone = True
        return id

    async def _value_of(self, id: str, *, instead_of: ExecutionJournal) -> Any:
        """The result of an execution that another process carries out."""
        self._active.pop(instead_of.id, None)
        instead_of.instead = id
        return (await self._outcome_of(id)).value()

    async def outcome_of(self, id: str) -> ExecutionOutcome | None:
        """The outcome of an execution, whoever carries it out; None if it is forgotten. Raises GoesOn where the caller's time is over
        before."""
        try:
            async with asyncio.timeout(current_call().left()):
                return await self._outcome_of(id)
        except NotFound:
            return None
        except TimeoutError:
            raise GoesOn(f"The execution {id} is still running.", execution=id) from None

    async def _outcome_of(self, id: str) -> ExecutionOutcome:
        if self._visits:
            await self.recover(only=id)  # nobody else may be there
        return await self._outcomes.of(id)

    async def _settle(self, journal: ExecutionJournal, run: Run, error: VelellaError) -> None:
        """Record that an execution failed and was undone, or what could not be undone."""
        if not run.unfinished:
            await self._store.end(journal, "reverted", error, None)
            return
        undo = pack_entries(_in_order(run))
        away = all(isinstance(reason, Unavailable) for _, reason in run.unfinished)
        failures, seconds = journal.failures_at(UNDOING)
        if away and seconds < UNDO_PATIENCE_SECONDS:
            await self._store.compensate(journal, error, undo)  # it may not have recorded that yet
            await self._store.park(journal, ONWARD.pause(failures + 1), at=UNDOING, undo=undo, error=error)
        else:
            await self._store.end(journal, "failed", error, undo)

    async def bury(self, run: Run, input: bytes) -> None:
        """Record a failed execution with what a flow could not undo, for operators to see and to try again."""
        entries = _in_order(run)
        error = run.unfinished[0][1]
        try:
            undo = pack_entries(entries)
        except TypeError:  # results of a short flow needn't be encodable
            log.exception("what could not be undone can't be kept either", execution=run.id, steps=[entry.step.name for entry in entries])
            undo = pack_entries([])
        id = run.id if run.journal is None else new_id("wfex")
        journaled = [part_of(run.id)] if id != run.id else []
        with bookkeeping():
            await self._store.bury(id, run.workflow.name, input, journaled, undo, error, current_call().trace_id, run.started_at)

    # -- taking over

    def nudge(self) -> None:
        """There may be something to take over: don't wait for the next check."""
        self._due.set()
        if self._visits:
            self._store.wakeups.tell(EXECUTIONS)

    def room(self) -> int:
        """How many more executions it takes over."""
        return 0 if self._stopping else AT_ONCE - self._resumed

    async def keep_recovering(self, pause: Callable[[bool], float]) -> None:
        """Take over what is due, again and again; `pause` gives the seconds between two checks that find nothing, and is told whether it is
        for this process alone to find what there is: a check failed, or it has left something."""
        call_context.set(None)
        while True:
            self._due.clear()
            taken, failed = 0, False
            try:
                taken = await self.recover()
            except Exception as error:
                log.warning("executions can't be taken up", error=str(error), exc_info=not isinstance(error, VelellaError))
                failed = True
            if not taken:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause(failed or bool(self._left) or self._may_own_more)):
                        await self._due.wait()

    @property
    def _may_own_more(self) -> bool:
        return time.monotonic() < self._unheard_until

    async def recover(self, only: str | None = None) -> int:
        """Take over executions that are due, or whose coordinator is dead, or that one of them. Returns how many."""
        async with self._recovering:
            room = self.room()
            if room <= 0:  # each one that ends checks again
                self._store.wakeups.tell(EXECUTIONS)
                return 0
            await self._store.lease.end_those_of_the_dead()
            if self._may_own_more:
                unheard = await self._store.ours_but(list(self._active))
                self._left |= {id: time.monotonic() for id in unheard if id not in self._active}  # some may have begun meanwhile
            left = list(self._left)
            rows: list[Execution] = []
            if await self._store.orphaned(left, only):
                try:
                    rows = await self._store.take_over(left, room, only)
                except BaseException:
                    self._unheard_until = time.monotonic() + LEFT_SECONDS
                    raise
            for row in rows:
                self._left.pop(row.id, None)
                if row.state == "failed" or row.owner is None:
                    log.error("an execution sees its coordinators die", execution=row.id, workflow=row.workflow, attempts=row.attempts - 1)
                    continue
                if row.left_by is not None:
                    log.warning(
                        "an execution is taken over", execution=row.id, workflow=row.workflow, state=row.state, attempt=row.attempts
                    )
                self._resumed += 1
                self._tasks.begin(self._resume(row)).add_done_callback(self._resumed_one)
            if len(rows) < room:  # a row left by a statement whose answer was lost would be there by now
                long_ago = time.monotonic() - LEFT_SECONDS
                self._left = {id: since for id, since in self._left.items() if since > long_ago}
            else:
                self._store.wakeups.tell(EXECUTIONS)  # there may be more, for others
            return len(rows)

    def _resumed_one(self, _: asyncio.Task[Any]) -> None:
        self._resumed -= 1
        self.nudge()

    async def _resume(self, row: Execution) -> None:
        try:
            workflow = workflow_named(row.workflow)
            journal = ExecutionJournal.of(self._store, row, workflow)
            entries = unpack_entries(row.undo) if row.state == "compensating" else None
        except (VelellaError, ValueError) as error:  # its code, or the class of a result, is not in this installation
            log.exception("an execution can't be understood", execution=row.id, workflow=row.workflow)
            await self._store.give_up(row, as_velella_error(error))
            return
        try:
            # in the trace in which it was begun
            with tracing.span(f"take over {row.workflow}", parent=tracing.beginning_of(journal.trace_id), begins=True):
                if entries is None:
                    await self._carry_out(journal, time.monotonic())
                else:
                    await self._go_on_undoing(journal, entries, row)
        except GoesOn:
            pass  # it is back in the table
        except VelellaError as error:
            log.warning("an execution that was taken over failed", execution=row.id, workflow=row.workflow, error=str(error))

    async def _go_on_undoing(self, journal: ExecutionJournal, entries: list[Entry], row: Execution) -> None:
        run = self._enter(journal)
        call_context.set(CallContext(journal.trace_id))
        try:
            await run.take_back(entries)
            self._bookkeeping(journal)
            error = VelellaError.from_wire(row.error) if row.error else Unavailable("It was interrupted.")
            await self._settle(journal, run, error)
        finally:
            self._leave(journal)

    # -- handing over

    async def _drop_what_was_taken(self) -> None:
        """After a pause in which others may have taken us for dead: stop the executions that they have taken over."""
        mine = [active for active in self._active.values() if active.journal.begun]
        lost = await self._store.lost_among([active.journal for active in mine], self._store.lease.id)
        for active in mine:
            if active.journal in lost and self._active.get(active.journal.id) is active and not active.run.abandoned:  # else it has ended
                active.journal.over = True
                log.warning("an execution was taken over by another coordinator", execution=active.journal.id)
                self._abandon(active)

    async def stop(self, seconds: float) -> None:
        """Let running executions finish within `seconds`; hand the rest over to other coordinators."""
        self._stopping = True
        if tasks := [active.task for active in self._active.values()]:
            await asyncio.wait(tasks, timeout=seconds)
        rest = list(self._active.values())
        for active in rest:
            self._abandon(active)
        if rest:
            await asyncio.wait([active.task for active in rest], timeout=5.0)
        call_context.set(None)
        for active in rest:
            if active.journal.touched and not active.journal.over:
                await self._store.park(active.journal, 0.0, onward=active.run.onward or active.journal.in_doubt)
        await self._outcomes.stop()
        self._tasks.cancel()
        await self._store.lease.sign_off()

    @staticmethod
    def _abandon(active: _Active) -> None:
        active.run.abandoned = True
        active.task.cancel()

    async def _abandoned(self, journal: ExecutionJournal) -> Any:
        """This run was cancelled. If another coordinator has the execution, wait for its outcome there."""
        task = asyncio.current_task()
        if self._stopping or task is None or not journal.begun:
            raise Unavailable(f"The coordinator of the workflow {journal.workflow.name} stops; another one goes on with it.")
        task.uncancel()
        call_context.set(CallContext(journal.trace_id).within(DURABLE_SECONDS))
        return await self._value_of(journal.id, instead_of=journal)

    def metrics(self) -> dict[str, int]:
        return {"running": len(self._active)}


def _in_order(run: Run) -> list[Entry]:
    """What a run could not undo, in the order in which it was done: it is undone from the end."""
    return [entry for entry, _ in reversed(run.unfinished)]
