"""Carries out a workflow once: steps, sub-workflows and parallel groups, and the undo in reverse order."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .. import tracing
from ..codec import travelled
from ..errors import Conflict, NotLocked, UnexpectedState, VelellaError
from ..ids import drawn_from, following, new_id
from ..logs import logger
from ..message import CallContext, call_context, current_call, write_seen
from .attempts import as_velella_error, finished, is_in_doubt, is_refused, pause_after, within, worth_retrying
from .definitions import Retry, Step, Workflow
from .flow import Flow, FlowContext, FlowLock
from .journal import Checkpoint, Diverged, Entry, Journal, Outgrown, Parked, Start, Superseded
from .outside import ONWARD, Outside
from .reading import READ, Ask, refuse_write

DURABLE_SECONDS = 120.0
"""Seconds for one run of a durable workflow that sets no timeout of its own."""
UNDO_ATTEMPTS = 4
UNDO_SECONDS = 20.0
"""Seconds for one attempt to undo one step: it has its own time, because the request's may be used up."""

LOCK_PATIENCE_SECONDS = 86_400.0
"""Seconds for which an execution that nobody waits for tries to get a lock."""
LOCK_PAUSES = 1.0, 60.0
"""The shortest and the longest pause between two attempts, in seconds."""

log = logger("velella.flow")


@dataclass(frozen=True, slots=True)
class EarlyAnswer:
    """What a durable workflow answered before its end."""

    kept: Any
    at_once: Any
    """For the caller that started the execution: not recorded, and given to one caller only."""

    def heard(self, joined: bool) -> Any:
        """The result for the caller that started the execution, or for one that `joined` it."""
        return travelled(self.kept) if joined else self.at_once


@dataclass(slots=True, eq=False)
class _Lock:
    """A lock that an execution holds, and how many of its parts are inside."""

    held: FlowLock
    users: int = 0


class Run:
    """One attempt at an execution, in this process. Without a journal it is a short flow: it lives in memory, so it writes once."""

    def __init__(
        self,
        context: FlowContext,
        workflow: Workflow[..., Any],
        *,
        id: str | None = None,
        journal: Journal | None = None,
        started_at: datetime | None = None,
        settled: bool = False,
    ) -> None:
        """`settled`: what it emits and starts is for the caller to settle, together with what it was run for; another run with the same id
        does nothing twice, because modules record every step's writes."""
        self.context = context
        self.workflow = workflow
        self.outside = Outside(self)
        self.journal = journal
        self.events: list[tuple[str, dict[str, Any]]] = []
        """What the flow has emitted. Valid once `carry_out` has returned."""
        self.starts: list[Start] | None = [] if settled else None
        """What it has started, where the caller settles that."""
        self.unfinished: list[tuple[Entry, VelellaError]] = []
        """The entries that could not be undone, with their errors."""
        self.abandoned = False
        """To be set before cancelling a run that another process shall continue: the run then ends without undoing anything."""
        self.onward = False
        """Whether the point of no return may have been passed: the pivot was sent, and not refused."""
        self.answered = False
        self.result: Any = None
        """What the flow answered before its end."""
        self.on_answer: Callable[[EarlyAnswer], None] = lambda _: None
        self.waited_for: Callable[[], bool] = lambda: False
        """Whether somebody waits for a durable flow to end, and would rather hear of a lock that it can't get."""
        self._refusal: tuple[Exception | None, str, Retry] = (None, "", ONWARD)
        """The last refusal of a step: the error, the position, and how the step is tried again."""
        self._decided: BaseException | None = None
        """A failure of an earlier run, for which that run has begun to undo."""
        self._writes: list[tuple[str | None, str]] = []
        """The writes of a short flow: the scope of their message ids, and their names."""
        self._asked: Counter[str] = Counter()
        """How often each read was made outside of steps."""
        self._ids = following(lambda: (self.started_at, self.id)) if journal is not None else None
        self._groups = 0
        """How many parallel groups are running."""
        self._recorded = settled or journal is not None
        self._lease = journal.writes_until if journal is not None else None
        self._id = id
        self._started_at = started_at
        self._locks: dict[str, _Lock] = {}
        self._lock_count = 0
        self._under_lock = False
        """Whether anything was read or done since the first of the locks was taken that are held now."""

    @property
    def id(self) -> str:
        if self._id is None:
            self._id = new_id("wfx")
        return self._id

    @property
    def started_at(self) -> datetime:
        if self._started_at is None:
            self._started_at = self.context.clock()
        return self._started_at

    # -- the whole

    async def carry_out(self, input: dict[str, Any]) -> Any:
        """Run the workflow's function. Its error is raised after everything was undone; `unfinished` holds what could not be.

        Raises Parked where the execution has to wait; nothing is undone then. Raises Outgrown where a short flow has to be durable;
        nothing was written then.
        """
        flow: Flow[Any] = Flow(self, self.workflow, "")
        token = write_seen.set(None if self._recorded else self._only_write)
        try:
            with tracing.span(f"workflow {self.workflow.name}", begins=True, velella_execution=self._id):
                try:
                    result = await self._body(flow, (), input)
                finally:
                    if self._locks:  # held during the undo, and released in any case
                        await finished(self._give_back_all())
        finally:
            write_seen.reset(token)
        self.events = flow.events or []
        return result

    async def take_back(self, entries: Sequence[Entry]) -> None:
        """Undo these steps, the last one first. A step that can't be undone doesn't stop the others: it ends up in `unfinished`."""
        for entry in reversed(entries):
            with drawn_from(None):
                error = await self._take_back(entry)
            if error is not None:
                self.unfinished.append((entry, error))
                log.error(
                    "a step could not be undone", workflow=self.workflow.name, execution=self.id, step=entry.step.name, error=str(error)
                )

    async def _body(self, flow: Flow[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the function of a workflow or a sub-workflow. If it fails, its steps are undone before the error is raised."""
        workflow = flow.workflow
        flow.begin(args, kwargs)
        if not self._recorded and workflow.outlives(self.context.wants):
            self.durably(workflow)
        timeout = workflow.timeout
        if timeout is None and self.journal is not None and not flow.path:
            timeout = DURABLE_SECONDS
        try:
            doing: Awaitable[Any] = workflow.function(flow, *args, **kwargs)
            if timeout is not None:
                doing = within(timeout, f"The workflow {workflow.name}", doing)
            if self._ids is None:
                return await doing
            with drawn_from(self._ids):
                result = await doing
            if self.journal is not None and not flow.path:
                return self.result if self.answered else travelled(result)  # raises if it can't be recorded, while it can still be undone
            return result
        except Exception as error:
            if (parked := self._to_be_repeated(flow, error)) is not None:
                raise parked from error
            if flow.undo and not self.abandoned and not self.onward:
                await finished(self._revert(flow, error))
            raise
        except asyncio.CancelledError as error:
            # Cancelled from outside. A short flow is undone as a whole; a durable one is continued elsewhere. A workflow's own time limit
            # arrives as DeadlineExceeded, except in its sub-workflows, which it interrupts: their steps are undone with the rest.
            if flow.undo and not flow.path and self.journal is None:
                await finished(self._revert(flow, error))
            raise

    def _to_be_repeated(self, flow: Flow[Any], error: Exception) -> Parked | None:
        """The Parked to raise if a workflow that failed is to be run again; None if it is to be undone."""
        if self.journal is None or self.abandoned or error is self._decided:
            return None
        if self.onward and not flow.path:
            self.journal.forget_failures()
            refusal, at, retry = self._refusal
            if error is refusal:
                return self.parked(at, retry, error)
        elif is_refused(error) or not (self.onward or self.journal.in_doubt):
            return None
        return self.parked(self.workflow.name, ONWARD, error)

    def parked(self, at: str, retry: Retry, error: BaseException) -> Parked:
        assert self.journal is not None
        failures, _ = self.journal.failures_at(at)
        return Parked(at, retry.pause(failures + 1), as_velella_error(error))

    async def _revert(self, flow: Flow[Any], error: BaseException) -> None:
        write_seen.set(None)  # it is a task of its own
        call_context.set(CallContext(current_call().trace_id).within(UNDO_SECONDS))  # the flow's own time may be used up
        if self.journal is not None:
            try:
                await self.journal.reverting(flow.path, as_velella_error(error), flow.undo)
            except Exception as unwritten:  # noqa: BLE001 - whatever it is, nothing may be undone then: another run begins with that
                raise self.parked(self.workflow.name, ONWARD, unwritten) from error
        await self.take_back(flow.undo)

    # -- how long it lives

    @property
    def has_written(self) -> bool:
        """Whether a write of this short flow was sent."""
        return bool(self._writes)

    def _only_write(self, name: str) -> None:
        """Refuse a second write of a short flow: a death between the two would leave the first without a trace."""
        self._writes.append((current_call().scope, name))
        if len(self._writes) > 1:
            raise UnexpectedState(
                f"The workflow {self.workflow.name} is short and writes more than once: {self._written()}.",
                hint="Make it durable, or have it say so before the first write: flow.durably().",
            )

    def _written(self) -> str:
        return ", ".join(name for _, name in self._writes)

    def durably(self, workflow: Workflow[..., Any]) -> None:
        if self._recorded:
            return
        if self._writes:
            raise UnexpectedState(
                f"The workflow {workflow.name} has to be durable, and {self.workflow.name} is short and has written already: "
                f"{self._written()}.",
                hint=f"Make {self.workflow.name} durable.",
            )
        raise Outgrown

    # -- its parts

    def work(
        self, flow: Flow[Any], work: Step[..., Any] | Workflow[..., Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Coroutine[Any, Any, Any]:
        if isinstance(work, Workflow):
            doing = self._sub_workflow(flow, work, path, args, kwargs)
        elif work.waits is not None:
            doing = self.outside.answer_to(flow, work, path, lambda asked: self._step(flow, work, asked, args, kwargs))
        elif self._recorded or work.timeout is not None or work.retries or work.pivot:
            doing = self._step(flow, work, path, args, kwargs)
        else:
            doing = self._short_step(flow, work, path, args, kwargs)
        if tracing.is_on():
            return tracing.traced(doing, f"{'workflow' if isinstance(work, Workflow) else 'step'} {work.name}")
        return doing

    async def _short_step(self, flow: Flow[Any], step: Step[..., Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The fast path for steps of short flows: nothing to record, one attempt."""
        if self._locks:
            self.check_locks()
        view: Flow[Any] = Flow(self, flow.workflow, path, step)
        result = await step.function(view, *args, **kwargs)
        self._done(flow, view, result)
        return result

    async def parallel(
        self, flow: Flow[Any], calls: Iterable[tuple[Step[..., Any] | Workflow[..., Any], str, tuple[Any, ...]]]
    ) -> tuple[Any, ...]:
        # no member is cancelled when one fails: an interrupted write is in doubt, a finished one can be undone
        self._groups += 1
        try:
            results = await asyncio.gather(*(self.work(flow, work, path, args, {}) for work, path, args in calls), return_exceptions=True)
        finally:
            self._groups -= 1
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:
            raise min(errors, key=self._weight)
        return tuple(results)

    def _weight(self, error: BaseException) -> tuple[int, float]:
        """The rank of a failure in a group: the group fails with the lowest."""
        if isinstance(error, (Superseded, Diverged)):
            return 0, 0.0
        if isinstance(error, Parked):  # a step that must be done is done before the flow gets another one's refusal
            return 1 if self.onward else 3, error.pause
        return 2, 0.0

    async def _sub_workflow(
        self, flow: Flow[Any], workflow: Workflow[..., Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if self._locks:
            self.check_locks()
        if workflow.durable and workflow.key is not None:
            raise UnexpectedState(
                f"The workflow {self.workflow.name} runs {workflow.name}, which is durable, as a part of itself.",
                hint=f"Have it carried out by itself: flow.call({workflow.function.__name__}, …).",
            )
        inner: Flow[Any] = Flow(self, workflow, path)
        known = self.journal.recall(path) if self.journal is not None else None
        if known is not None and known.failure is not None:
            # an earlier run was undoing it, or had done so; undoing again is safe, because its writes are recorded
            await finished(self.take_back(known.entries))
            self._decided = known.failure
            raise known.failure
        try:
            result = await self._body(inner, args, kwargs)
        except (asyncio.CancelledError, Parked):  # what runs beside it may fail, and then all of it is undone
            flow.undo.extend(inner.undo)
            raise
        flow.undo.extend(inner.undo)
        if inner.events:
            flow.keep_events(inner.events)
        return result

    async def read(self, at: str, name: str, digest: str, ask: Ask) -> Any:
        """Read something for the function of a durable flow: asked the first time, answered from the record in later runs."""
        journal = self.journal
        assert journal is not None
        if self._locks:
            self.check_locks()
        asked, reference = f"{at}?{digest}", f"{READ}{name}"
        self._asked[asked] += 1
        path = f"{asked}.{self._asked[asked]}"
        if (known := self.recalled(path, reference)) is not None:
            return known.result
        token = write_seen.set(refuse_write)
        try:
            with drawn_from(None):
                result = await ask()
        except Exception as error:
            if (parked := self.failed(path, reference, name, error, reads=True)) is not None:
                raise parked from error
            raise
        finally:
            write_seen.reset(token)
        checkpoint = Checkpoint(path, reference, result, reads=True)
        journal.remember(checkpoint)
        return checkpoint.result

    async def _step(self, flow: Flow[Any], step: Step[..., Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._locks:
            self.check_locks()
        journal = self.journal
        view: Flow[Any] = Flow(self, flow.workflow, path, step)
        if step.pivot:
            self._check_pivot(step)
        if journal is not None:
            try:
                known = self.recalled(path, step.reference)
            except VelellaError as error:
                if not step.reads:
                    self._note_doubt(flow, step, path, args, kwargs, error)
                raise
            if known is not None:
                self.onward = self.onward or step.pivot
                view.events = list(known.events)
                self._done(flow, view, known.result)
                return known.result
            if not step.reads:
                await journal.before_write()
        # a step that may be sent again is recorded by its module
        recorded = not step.reads and (self._recorded or step.retries > 0)
        # beyond the pivot a refusal isn't final, so modules don't record it
        scope = f"{self.id}:{path}~after" if self.onward else f"{self.id}:{path}"
        self.onward = self.onward or step.pivot
        try:
            result = await self._attempts(view, args, kwargs, scope if recorded else None)
        except (Exception, asyncio.CancelledError) as error:
            if recorded:
                self._note_doubt(flow, step, path, args, kwargs, error)
            if isinstance(error, Exception):
                if step.pivot and is_refused(error):  # the pivot never happened
                    self.onward = False
                if (parked := self.failed(path, step.reference, step.name, error, step.retry, reads=step.reads)) is not None:
                    raise parked from error
            raise
        if journal is not None:
            checkpoint = Checkpoint(path, step.reference, result, view.events or (), step.reads)
            journal.remember(checkpoint)
            result = checkpoint.result  # as it will be read back: what works now works after a crash
            if step.undo is not None:
                self._done(flow, view, travelled(result))  # a copy: the flow may change its own
                return result
        self._done(flow, view, result)
        return result

    def _note_doubt(
        self, flow: Flow[Any], step: Step[..., Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException
    ) -> None:
        """Have a step that may have been done, as its failure says, in this run or an earlier one, undone with the others."""
        if step.undo is not None and not self.abandoned and is_in_doubt(error):
            flow.undo.append(Entry(step, path, unknown=(args, kwargs)))

    def _check_pivot(self, step: Step[..., Any]) -> None:
        if self.journal is None:
            raise UnexpectedState(
                f"The step {step.name} is a pivot, and the workflow {self.workflow.name} is short: a crash would lose it."
            )
        if self._groups:
            raise UnexpectedState(f"The step {step.name} is a pivot: nothing runs beside it.")

    def recalled(self, path: str, reference: str) -> Checkpoint | None:
        """What an earlier run did at this position, or None. Raises the step's failure; Diverged if the earlier run did something else."""
        self._under_lock = bool(self._locks)
        known = self.journal.recall(path) if self.journal is not None else None
        if known is None:
            return None
        if known.reference != reference:
            raise Diverged(
                f"Execution {self.id} was at step {known.reference} where it is now at {reference}: "
                f"the workflow {self.workflow.name} does not take the same way twice, or its code has changed."
            )
        if known.failure is not None:
            if not is_refused(known.failure):
                self._decided = known.failure  # the earlier run got it, and went on
            raise known.failure
        return known

    def failed(
        self, path: str, reference: str, name: str, error: Exception, retry: Retry | None = None, *, reads: bool = False
    ) -> Parked | None:
        """What the failure of a step means: a Parked to raise where the execution has to wait, or None where the flow gets the error."""
        journal = self.journal
        if journal is None:
            return None
        at = f"{path} {name}"
        if is_refused(error):
            self._refusal = (error, at, retry or ONWARD)
        elif retry is not None or self.onward or journal.in_doubt:
            again = retry or ONWARD
            failures, seconds = journal.failures_at(at)
            over = (again.during is not None and seconds > again.during) or (again.times is not None and failures >= again.times)
            if self.onward or not over:
                return self.parked(at, again, error)
            self._decided = error  # no run has come further than this
        # if the flow goes on after all, it must get the same error in a repeated run
        journal.remember(Checkpoint(path, reference, reads=reads or self.onward, failure=as_velella_error(error)))
        return None

    def answer(self, flow: Flow[Any], value: Any, at_once: Any) -> None:
        if not self.onward or flow.path:
            raise UnexpectedState(f"The workflow {flow.workflow.name} can't answer here: only beyond its pivot, and for itself.")
        self.answered, self.result = True, travelled(value)
        self.on_answer(EarlyAnswer(self.result, self.result if at_once is None else at_once))

    def _done(self, flow: Flow[Any], view: Flow[Any], result: Any) -> None:
        step = view.step
        if step is not None and step.undo is not None:
            flow.undo.append(Entry(step, view.path, result))
        if view.events:
            flow.keep_events(view.events)

    async def _attempts(self, view: Flow[Any], args: tuple[Any, ...], kwargs: dict[str, Any], scope: str | None) -> Any:
        """Carry out the attempts of a step. `scope`: prefix of its writes' message ids; None where they need none."""
        step = view.step
        assert step is not None
        attempt = 0
        while True:
            view.events = None  # a failed attempt has emitted nothing
            try:
                return await self._attempt(view, step, args, kwargs, scope, first=attempt == 0)
            except Exception as error:
                attempt += 1
                if attempt > step.retries or not worth_retrying(error) or (is_in_doubt(error) and scope is None and not step.reads):
                    raise
                pause = pause_after(attempt, error)
                if current_call().left() <= pause:
                    raise
                log.warning("a step is tried again", workflow=self.workflow.name, execution=self.id, step=step.name, error=str(error))
                await asyncio.sleep(pause)
                if scope is not None:  # what it sends again has the message ids that it had: it is the same write
                    self._writes = [write for write in self._writes if write[0] != scope]

    async def _attempt(
        self, view: Flow[Any], step: Step[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], scope: str | None, *, first: bool
    ) -> Any:
        context = current_call()
        if scope is not None:
            # in the first attempt of the first run, the writes can't have been sent before
            fresh = first and self.journal is not None and self.journal.first
            context = context.scoped(scope, fresh=fresh, lease=self._lease)
        token = call_context.set(context)
        try:
            with drawn_from(None):
                if step.timeout is None:
                    return await step.function(view, *args, **kwargs)
                return await within(step.timeout, f"The step {step.name}", step.function(view, *args, **kwargs))
        finally:
            call_context.reset(token)

    # -- undoing

    async def _take_back(self, entry: Entry) -> VelellaError | None:
        """Undo one step. Returns the error if that failed."""
        attempt = 0
        while True:
            try:
                with tracing.span(f"undo {entry.step.name}"):
                    await self._take_back_once(entry)
                return None
            except Exception as error:  # noqa: BLE001 - returned as the reason why the undo failed
                attempt += 1
                if attempt >= UNDO_ATTEMPTS or not worth_retrying(error):
                    return as_velella_error(error)
                await asyncio.sleep(pause_after(attempt, error))

    async def _take_back_once(self, entry: Entry) -> None:
        step = entry.step
        if step.undo is None:
            return
        trace = current_call().trace_id
        if entry.unknown is not None:
            args, kwargs = entry.unknown
            try:
                view: Flow[Any] = Flow(self, self.workflow, entry.path, step)
                call_context.set(CallContext(trace).scoped(f"{self.id}:{entry.path}", lease=self._lease))
                entry.result = await asyncio.wait_for(step.function(view, *args, **kwargs), UNDO_SECONDS)
            except VelellaError as error:
                if is_refused(error):
                    return  # refused: it never happened
                raise
            entry.unknown = None
        # always recorded: an undo is the most likely thing to be repeated
        view = Flow(self, self.workflow, f"{entry.path}~undo", step)
        call_context.set(CallContext(trace).scoped(f"{self.id}:{view.path}", lease=self._lease).within(UNDO_SECONDS))
        await asyncio.wait_for(step.undo(view, entry.result), UNDO_SECONDS)

    # -- locks

    async def lock(self, key: str, wait: float, lease: float) -> FlowLock:
        lock = self._locks.get(key)
        if lock is None:
            self._lock_count += 1
            wait = max(0.0, min(wait, current_call().left()))
            try:
                held = await self.context.locks.take(key, f"{self.id}#{self._lock_count}", wait=wait, lease=lease)
            except NotLocked as error:
                raise self.without_lock(error) from error
            lock = self._locks[key] = _Lock(held)
        lock.users += 1
        return lock.held

    async def unlock(self, key: str) -> None:
        lock = self._locks[key]
        lock.users -= 1
        if lock.users == 0:
            del self._locks[key]
            self._under_lock = self._under_lock and bool(self._locks)
            await self.context.locks.give_back(lock.held)

    async def _give_back_all(self) -> None:
        for lock in self._locks.values():
            await self.context.locks.give_back(lock.held)
        self._locks.clear()

    def check_locks(self) -> None:
        for key, lock in self._locks.items():
            if lock.held.lost:
                raise self.without_lock(NotLocked(f"The lock of {key} was lost while it was held."))

    def without_lock(self, error: NotLocked) -> Parked | Conflict:
        """What to raise for a lock that another execution holds. That says nothing about what the flow has done or may do, so it waits in
        the table where it may be beyond its point of no return; else where nobody waits for it, for a limited time. The locks that it
        holds are given back then, so what it has read under them might not be true any more: it fails if it has."""
        journal = self.journal
        if journal is None:
            return error
        seconds = journal.locked_out()
        if not (self.onward or journal.in_doubt):
            if self._under_lock or self.waited_for():
                return error
            if seconds > LOCK_PATIENCE_SECONDS:  # final, for a flow that has called this one as well
                return Conflict(error.message, hint="It was tried for a day.")
        shortest, longest = LOCK_PAUSES
        pause = min(longest, max(shortest, seconds))  # as long as it has waited until now: each is twice the one before
        return Parked("lock", pause * random.uniform(0.5, 1.0), error, for_lock=True)
