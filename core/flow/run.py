"""Carrying out a workflow once: steps, sub-workflows and parallel groups, and taking everything back in reverse order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from .. import tracing
from ..codec import travelled
from ..errors import Conflict, DeadlineExceeded, ReplyLost, Unavailable, UnexpectedState, VelellaError
from ..ids import new_id
from ..logs import logger
from ..messages import CallContext, call_context, current_call
from .definitions import Step, Workflow
from .flow import Flow, FlowContext, Held
from .journal import Checkpoint, Diverged, Entry, Journal, Superseded

T = TypeVar("T")

DURABLE_SECONDS = 120.0
"""For one run of a durable workflow that doesn't name its own time."""
UNDO_ATTEMPTS = 4
UNDO_SECONDS = 20.0
"""For one attempt to undo one step: compensation has its own time, the request's may be used up."""

log = logger("velella.flow")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as subscribers get it."""

    id: str
    name: str
    data: dict[str, Any]
    created_at: datetime


@dataclass(slots=True, eq=False)
class _Lock:
    """Locks that an execution holds, and how many of its parts are inside."""

    held: Held
    keys: tuple[str, ...]
    users: int = 0


class Run:
    """One attempt at an execution, in this process. Without a journal it is a short flow: all of it is in memory."""

    def __init__(
        self,
        context: FlowContext,
        workflow: Workflow[..., Any],
        *,
        id: str | None = None,
        journal: Journal | None = None,
        started_at: datetime | None = None,
        recorded: bool = False,
    ) -> None:
        """`recorded`: have modules record every step's writes, so that a run with the same id doesn't do them twice."""
        self.context = context
        self.workflow = workflow
        self.journal = journal
        self.events: list[tuple[str, dict[str, Any]]] = []
        """What the flow has emitted. Valid once `carry_out` has returned."""
        self.unfinished: list[tuple[Entry, VelellaError]] = []
        """What could not be undone, and why."""
        self.abandoned = False
        """Set before cancelling a run that another process shall go on with: it then ends without undoing anything."""
        self._recorded = recorded or journal is not None
        self._id = id
        self._started_at = started_at
        self._locks: dict[str, _Lock] = {}
        self._lock_count = 0

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
        """Run the workflow's function. What it raises is raised after everything was undone; `unfinished` tells what was not."""
        with tracing.span(f"workflow {self.workflow.name}", begins=True, velella_execution=self._id):
            return await self._carry_out(input)

    async def _carry_out(self, input: dict[str, Any]) -> Any:
        flow = Flow(self, self.workflow, "")
        try:
            result = await self._body(flow, (), input)
        except BaseException:
            if self._locks:  # kept through the undoing, and given back whatever happened
                await _finished(self._give_back_all())
            raise
        if self._locks:
            await _finished(self._give_back_all())
        self.events = flow.events or []
        return result

    async def take_back(self, entries: Sequence[Entry]) -> None:
        """Undo these steps, the last one first. One that resists doesn't keep the others: it ends up in `unfinished`."""
        for entry in reversed(entries):
            error = await self._take_back(entry)
            if error is not None:
                self.unfinished.append((entry, error))
                log.error(
                    "a step could not be undone", workflow=self.workflow.name, execution=self.id, step=entry.step.name, error=str(error)
                )

    async def _body(self, flow: Flow, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The function of a workflow or a sub-workflow. When it fails, what was done in it is undone before the error goes on."""
        workflow = flow.workflow
        timeout = workflow.timeout
        if timeout is None and self.journal is not None and not flow.path:
            timeout = DURABLE_SECONDS
        try:
            if timeout is None:
                result = await workflow.function(flow, *args, **kwargs)
            else:
                result = await _within(timeout, f"The workflow {workflow.name}", workflow.function(flow, *args, **kwargs))
            if self.journal is not None and not flow.path:
                return travelled(result)  # what can't be kept is found out while it can still be undone
            return result
        except Exception as error:
            if flow.undo and not self.abandoned:
                await _finished(self._revert(flow, error))
            raise
        except asyncio.CancelledError as error:
            # Given up from outside. A short flow is undone, as a whole; a durable one goes on elsewhere. A workflow's own time limit
            # arrives as DeadlineExceeded, except in its sub-workflows, which it interrupts: what they did is undone with the rest.
            if flow.undo and not flow.path and self.journal is None:
                await _finished(self._revert(flow, error))
            raise

    async def _revert(self, flow: Flow, error: BaseException) -> None:
        call_context.set(CallContext(current_call().trace_id).within(UNDO_SECONDS))  # the time of the flow itself may be over
        if self.journal is not None:
            await self.journal.reverting(flow.path, as_velella_error(error), flow.undo)
        await self.take_back(flow.undo)

    # -- its parts

    def work(
        self, flow: Flow, work: Step[..., Any] | Workflow[..., Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Awaitable[Any]:
        doing = self._work(flow, work, path, args, kwargs)
        if tracing.is_on():
            return tracing.traced(doing, f"{'workflow' if isinstance(work, Workflow) else 'step'} {work.name}")
        return doing

    async def _work(
        self, flow: Flow, work: Step[..., Any] | Workflow[..., Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if self._locks:
            self._check_locks()
        if isinstance(work, Workflow):
            return await self._sub_workflow(flow, work, path, args, kwargs)
        if not self._recorded and work.timeout is None and work.retries == 0:
            # most steps of most flows: nothing to write down, one attempt
            view = Flow(self, flow.workflow, path, work)
            result = await work.function(view, *args, **kwargs)
            self._done(flow, view, result)
            return result
        return await self._step(flow, work, path, args, kwargs)

    async def parallel(
        self, flow: Flow, calls: Iterable[tuple[Step[..., Any] | Workflow[..., Any], str, tuple[Any, ...]]]
    ) -> tuple[Any, ...]:
        # nobody is cancelled when one fails: an interrupted write is in doubt, a finished one can be undone
        results = await asyncio.gather(*(self.work(flow, work, path, args, {}) for work, path, args in calls), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:
            raise next((error for error in errors if isinstance(error, (Superseded, Diverged))), errors[0])
        return tuple(results)

    async def _sub_workflow(
        self, flow: Flow, workflow: Workflow[..., Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if self.journal is None and workflow.durable:
            raise UnexpectedState(
                f"The workflow {self.workflow.name} is short and runs {workflow.name}, which is durable: a crash would lose it.",
                hint=f"Make {self.workflow.name} durable, or start {workflow.name} by itself.",
            )
        inner = Flow(self, workflow, path)
        known = self.journal.recall(path) if self.journal is not None else None
        if known is not None and known.failure is not None:
            # an earlier run was undoing it, or had done so; undoing again is safe, its writes are recorded
            await _finished(self.take_back(known.entries))
            raise known.failure
        try:
            result = await self._body(inner, args, kwargs)
        except asyncio.CancelledError:
            flow.undo.extend(inner.undo)
            raise
        flow.undo.extend(inner.undo)
        if inner.events:
            flow.keep_events(inner.events)
        return result

    async def _step(self, flow: Flow, step: Step[..., Any], path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        journal = self.journal
        view = Flow(self, flow.workflow, path, step)
        if journal is not None:
            known = journal.recall(path)
            if known is not None:
                if known.reference != step.reference:
                    raise Diverged(
                        f"Execution {self.id} was at step {known.reference} where it is now at {step.reference}: "
                        f"the workflow {self.workflow.name} does not take the same way twice, or its code has changed."
                    )
                view.events = list(known.events)
                self._done(flow, view, known.result)
                return known.result
            if not step.reads:
                await journal.before_write()
        # what may be sent again is recorded by its module
        recorded = not step.reads and (self._recorded or step.retries > 0)
        try:
            result = await self._attempts(view, args, kwargs, recorded)
        except (Exception, asyncio.CancelledError) as error:
            if recorded and step.undo is not None and not self.abandoned and _in_doubt(error):
                flow.undo.append(Entry(step, path, unknown=(args, kwargs)))
            raise
        if journal is not None:
            checkpoint = Checkpoint(path, step.reference, result, view.events or (), step.reads)
            journal.remember(checkpoint)
            result = checkpoint.result  # as it will be when it is read back: what works now works after a crash
            if step.undo is not None:
                self._done(flow, view, travelled(result))  # the flow may change its own
                return result
        self._done(flow, view, result)
        return result

    def _done(self, flow: Flow, view: Flow, result: Any) -> None:
        step = view.step
        if step is not None and step.undo is not None:
            flow.undo.append(Entry(step, view.path, result))
        if view.events:
            flow.keep_events(view.events)

    async def _attempts(self, view: Flow, args: tuple[Any, ...], kwargs: dict[str, Any], recorded: bool) -> Any:
        step = view.step
        assert step is not None
        attempt = 0
        while True:
            view.events = None  # an attempt that failed has told nothing
            try:
                return await self._attempt(view, step, args, kwargs, recorded, first=attempt == 0)
            except Exception as error:
                attempt += 1
                if attempt > step.retries or not _worth_retrying(error) or (_in_doubt(error) and not (recorded or step.reads)):
                    raise
                pause = _pause(attempt, error)
                if current_call().left() <= pause:
                    raise
                log.warning("a step is tried again", workflow=self.workflow.name, execution=self.id, step=step.name, error=str(error))
                await asyncio.sleep(pause)

    async def _attempt(
        self, view: Flow, step: Step[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], recorded: bool, *, first: bool
    ) -> Any:
        context = current_call()
        if recorded:
            # nobody can have sent its writes before in the first attempt of the first run
            fresh = first and self.journal is not None and self.journal.first
            context = context.scoped(f"{self.id}:{view.path}", fresh=fresh)
        token = call_context.set(context)
        try:
            if step.timeout is None:
                return await step.function(view, *args, **kwargs)
            return await _within(step.timeout, f"The step {step.name}", step.function(view, *args, **kwargs))
        finally:
            call_context.reset(token)

    # -- undoing

    async def _take_back(self, entry: Entry) -> VelellaError | None:
        """Undo one step; the error, where that could not be done."""
        attempt = 0
        while True:
            try:
                with tracing.span(f"undo {entry.step.name}"):
                    await self._take_back_once(entry)
                return None
            except Exception as error:  # noqa: BLE001 - handed on as what could not be undone
                attempt += 1
                if attempt >= UNDO_ATTEMPTS or not _worth_retrying(error):
                    return as_velella_error(error)
                await asyncio.sleep(_pause(attempt, error))

    async def _take_back_once(self, entry: Entry) -> None:
        step = entry.step
        if step.undo is None:
            return
        trace = current_call().trace_id
        if entry.unknown is not None:
            args, kwargs = entry.unknown
            try:
                view = Flow(self, self.workflow, entry.path, step)
                call_context.set(CallContext(trace, CallContext().deadline, scope=f"{self.id}:{entry.path}"))
                entry.result = await asyncio.wait_for(step.function(view, *args, **kwargs), UNDO_SECONDS)
            except VelellaError as error:
                if error.status < 500:
                    return  # refused: it never happened
                raise
            entry.unknown = None
        # always recorded: undoing is what is most likely to be repeated
        view = Flow(self, self.workflow, f"{entry.path}~undo", step)
        call_context.set(CallContext(trace, scope=f"{self.id}:{view.path}").within(UNDO_SECONDS))
        await asyncio.wait_for(step.undo(view, entry.result), UNDO_SECONDS)

    # -- locks

    async def lock(self, keys: tuple[str, ...], wait: float, lease: float) -> tuple[Held, list[_Lock]]:
        wanted = sorted(set(keys))
        if not wanted:
            raise ValueError("A lock needs at least one key.")
        missing = tuple(key for key in wanted if key not in self._locks)
        if missing:
            self._lock_count += 1
            wait = max(0.0, min(wait, current_call().left()))
            held = await self.context.locks.take(missing, f"{self.id}#{self._lock_count}", wait=wait, lease=lease)
            taken = _Lock(held, missing)
            for key in missing:
                self._locks[key] = taken
        entered = list(dict.fromkeys(self._locks[key] for key in wanted))
        for lock in entered:
            lock.users += 1
        return entered[0].held, entered

    async def unlock(self, entered: Sequence[_Lock]) -> None:
        for lock in entered:
            lock.users -= 1
            if lock.users == 0:
                for key in lock.keys:
                    del self._locks[key]
                await self.context.locks.give_back(lock.held)

    async def _give_back_all(self) -> None:
        for lock in dict.fromkeys(self._locks.values()):
            await self.context.locks.give_back(lock.held)
        self._locks.clear()

    def _check_locks(self) -> None:
        lost = [key for key, lock in self._locks.items() if lock.held.lost]
        if lost:
            raise Conflict(f"The lock of {', '.join(sorted(lost))} was lost while it was held.")


def as_velella_error(error: BaseException) -> VelellaError:
    """An error as something that can be written down and sent."""
    if isinstance(error, VelellaError):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded(str(error) or "It took too long.")
    if isinstance(error, asyncio.CancelledError):
        return Unavailable("The request was given up before it was done.")
    return UnexpectedState(f"{type(error).__name__}: {error}")


def _worth_retrying(error: Exception) -> bool:
    return not isinstance(error, VelellaError) or error.status >= 500


def _in_doubt(error: BaseException) -> bool:
    """Whether what was asked for may have happened although there is no answer."""
    return isinstance(error, (DeadlineExceeded, ReplyLost, TimeoutError, asyncio.CancelledError))


def _pause(attempt: int, error: Exception) -> float:
    """Seconds before the next attempt: doubling from 50 ms to 2 s, spread so that those who failed together don't come back together."""
    pause: float = min(2.0, 0.05 * 2 ** (attempt - 1))
    if isinstance(error, Unavailable) and "retry_after" in error.data:
        pause = min(2.0, max(pause, error.retry_after))
    return pause * random.uniform(0.5, 1.0)


async def _within(seconds: float, what: str, awaitable: Awaitable[T]) -> T:
    token = call_context.set(current_call().within(seconds))
    try:
        async with asyncio.timeout(seconds) as limit:
            return await awaitable
    except TimeoutError as error:
        if limit.expired():
            raise DeadlineExceeded(f"{what} took longer than {seconds:g} s.") from error
        raise
    finally:
        call_context.reset(token)


_last_things: set[asyncio.Task[Any]] = set()


async def _finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """Do it to the end even when whoever waits for it is cancelled."""
    task = asyncio.create_task(coroutine)
    _last_things.add(task)
    task.add_done_callback(_last_things.discard)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait([task])
        raise
