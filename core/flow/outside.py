"""What a flow has to do with what isn't part of it: executions that it calls and starts, times, and answers from outside the shop.

Whatever takes longer than a process may live is waited for in the execution's row (`Parked`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Protocol

from ..codec import travelled
from ..errors import Conflict, GoesOn, NotLocked, UnexpectedState
from ..ids import drawn_from, new_id
from ..message import CallContext, call_context, current_call
from .attempts import is_refused
from .definitions import Retry, Step, Workflow
from .flow import Flow, FlowContext
from .journal import Checkpoint, Journal, Parked, Start
from .reading import READ

CALL_SECONDS = 20.0
"""Seconds that a flow waits in its process for another flow that it has called. Then it waits in the table."""
SLEEP = "flow:sleep"
JOINED = f"{READ}execution"
"""The execution that a call waits for; None where it has failed and is carried out again."""
ONWARD = Retry()
"""How a step that must be done is tried again, unless it says so itself."""
LONGEST_WAIT = 365 * 86_400.0
"""Seconds after which an execution that waits for an answer without a limit of time looks whether it is there."""


class Running(Protocol):
    """The run that it belongs to (`Run`)."""

    context: FlowContext
    workflow: Workflow[..., Any]
    journal: Journal | None
    starts: list[Start] | None

    @property
    def id(self) -> str: ...
    def durably(self, workflow: Workflow[..., Any]) -> None: ...
    def check_locks(self) -> None:
        """Raises NotLocked, or Parked, where a lock was lost."""

    def recalled(self, path: str, reference: str) -> Checkpoint | None:
        """What an earlier run did at this position."""

    def failed(
        self, path: str, reference: str, name: str, error: Exception, retry: Retry | None = None, *, reads: bool = False
    ) -> Parked | None:
        """What a failure means: a Parked to raise, or None where the flow gets the error."""

    def parked(self, at: str, retry: Retry, error: BaseException) -> Parked: ...
    def without_lock(self, error: NotLocked) -> Parked | Conflict:
        """What to raise for a lock that another execution holds."""


class Outside:
    """Of one run."""

    def __init__(self, run: Running) -> None:
        self._run = run

    @property
    def _context(self) -> FlowContext:
        return self._run.context

    def _durable(self, what: str) -> Journal:
        journal = self._run.journal
        if journal is None:
            raise UnexpectedState(f"The workflow {self._run.workflow.name} is short: only durable ones {what}.")
        return journal

    async def call(self, workflow: Workflow[..., Any], path: str, key: str | None, retry: Retry | None, input: dict[str, Any]) -> Any:
        """See `Flow.call`."""
        run, call = self._run, self._context.call
        if not workflow.durable or call is None:
            raise UnexpectedState(f"The workflow {workflow.name} can't be called from {run.workflow.name}: only durable ones are called.")
        run.check_locks()
        if key is None:
            key = workflow.key_of(input)
        if run.journal is None:
            return await call(workflow.name, input, key)
        reference = f"call:{workflow.name}"
        if (known := run.recalled(path, reference)) is not None:
            return known.result
        at = f"{path}?joined"
        joined = before.result if (before := run.recalled(at, JOINED)) is not None else None
        await run.journal.before_write()
        token = call_context.set(CallContext(current_call().trace_id).within(min(CALL_SECONDS, current_call().left())))
        try:
            with drawn_from(None):
                result = await call(workflow.name, input, key if key is not None else f"{run.id}:{path}", joined)
        except GoesOn as error:  # it may fail before we look again: so it is asked after, not begun again
            if before is None or error.data.get("execution") != joined:
                run.journal.remember(Checkpoint(at, JOINED, error.data.get("execution"), reads=True))
            raise run.parked(f"{path} {workflow.name}", ONWARD, error) from None
        except Exception as error:
            # it had a caller who waits, this flow, so it has failed; for this flow nobody may wait
            meant = run.without_lock(error) if isinstance(error, NotLocked) else error
            if not isinstance(meant, Parked):
                meant = run.failed(path, reference, workflow.name, meant, retry) or meant
            if joined is not None and isinstance(meant, Parked):
                run.journal.remember(Checkpoint(at, JOINED, None, reads=True))
            if meant is error:
                raise
            raise meant from error
        finally:
            call_context.reset(token)
        checkpoint = Checkpoint(path, reference, result, reads=True)
        run.journal.remember(checkpoint)
        return checkpoint.result

    async def start(self, flow: Flow[Any], workflow: Workflow[..., Any], path: str, key: str | None, input: dict[str, Any]) -> str:
        """See `Flow.start`."""
        run, start = self._run, self._context.start
        if not workflow.durable or start is None:
            raise UnexpectedState(f"The workflow {workflow.name} can't be started from {run.workflow.name}: only durable ones are.")
        key = key if key is not None else workflow.key_of(input)
        with drawn_from(None):
            begun = Start(workflow.name, key, travelled(input), new_id("wfex"))
        if run.starts is not None:  # whoever carries it out settles that with what it was run for
            run.starts.append(begun)
        elif run.journal is not None:
            reference = f"start:{workflow.name}"
            if (known := run.recalled(path, reference)) is not None:
                return str(known.result)
            run.check_locks()
            await run.journal.start(Checkpoint(path, reference, begun.transaction, reads=True), begun)
        elif run.workflow.every is not None:  # it runs again, and starts the same under the same key
            await start(workflow.name, input, key)
        else:
            run.durably(flow.workflow)
        return begun.transaction

    async def sleep(self, path: str, seconds: float) -> None:
        """See `Flow.sleep`."""
        journal, now = self._durable("sleep"), self._context.clock()
        known = self._run.recalled(path, SLEEP)
        if known is None:
            known = Checkpoint(path, SLEEP, now + timedelta(seconds=seconds), reads=True)
            journal.remember(known)
        until: datetime = known.result
        if (left := (until - now).total_seconds()) > 0:
            raise Parked(f"{path} sleep", left)

    async def answer_to(self, flow: Flow[Any], step: Step[..., Any], path: str, ask: Callable[[str], Coroutine[Any, Any, Any]]) -> Any:
        """What is said from outside of a step with `waits`. `ask(path)` runs its function, as a step like any other.

        That it is waited for is in the row before anybody is asked: the answer may come before the function has returned.
        Raises StepFailed; NotAnswered when the time is over; Parked while there is no answer.
        """
        run, journal = self._run, self._durable("wait for the outside")
        assert step.waits is not None
        wait = await journal.wait(path, step.name, step.waits.timeout or LONGEST_WAIT)
        asked = f"{path}!{wait.round or ''}"
        try:
            await ask(asked)
        except Exception as error:
            if is_refused(error):  # nobody was asked
                await journal.close(path)
            raise
        if wait.verdict is None and wait.left <= 0 and step.waits.timeout is not None:
            await journal.close(path)
        verdict = wait.verdict
        if verdict is None:
            raise Parked(f"{path} {step.name}", max(wait.left, 1.0))
        if verdict.undo is not None:
            for entry in flow.undo:
                if entry.path == asked:
                    entry.result = verdict.undo
        if (known := run.recalled(path, step.reference)) is not None:
            return known.result
        if verdict.how != "ok":
            failure = verdict.error(step.name)
            run.failed(path, step.reference, step.name, failure, step.retry)
            raise failure
        checkpoint = Checkpoint(path, step.reference, verdict.value, reads=True)
        journal.remember(checkpoint)
        return checkpoint.result
