"""What a run records so that another process can continue it, and the errors that end a run without undoing it.

The engine keeps journals in PostgreSQL (`actors.engine`); a short flow has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ..errors import NotAnswered, StepFailed, VelellaError
from .definitions import Step


class Superseded(BaseException):
    """Another run has taken this execution over. This one may do nothing more, and undo nothing.

    Not an Exception, so that no flow catches it by accident.
    """


class Diverged(BaseException):
    """The workflow's function did something else than the run before it: its code has changed, or it isn't deterministic.

    Going on would do things twice, and what to undo isn't known either: the execution is left to an operator. Not an Exception,
    for the same reason.
    """


class Parked(BaseException):
    """This run ends here and the execution waits in the table: for a time, for another attempt, for an execution that it has called. Then
    it is run again from the top, by any process. Not an Exception, for the same reason."""

    def __init__(self, at: str, pause: float, error: VelellaError | None = None, *, for_lock: bool = False) -> None:
        """`at`: path and name of what the execution waits at. `pause`: seconds. `error`: the failure there, or None. `for_lock`: another
        execution holds a lock, which is no failure of this one."""
        super().__init__(at)
        self.at = at
        self.pause = pause
        self.error = error
        self.for_lock = for_lock


class Outgrown(BaseException):
    """A short flow has to write more than once. It has written nothing yet, and starts again as a durable one. Not an Exception,
    for the same reason."""


@dataclass(slots=True)
class Entry:
    """One step that may have to be undone."""

    step: Step[..., Any]
    path: str
    result: Any = None
    unknown: tuple[tuple[Any, ...], dict[str, Any]] | None = None
    """The arguments of a step of which it is unknown whether it happened, because its answer never came. It is run once more, under the
    same message ids, to get the recorded answer; then that is undone."""

    def to_wire(self) -> list[Any]:
        unknown = None if self.unknown is None else [list(self.unknown[0]), self.unknown[1]]
        return [self.step.reference, self.path, self.result, unknown]


@dataclass(frozen=True, slots=True)
class Start:
    """A durable workflow to be started."""

    workflow: str
    key: str | None
    input: dict[str, Any]
    id: str
    """Of the execution, unless there is one with that key."""

    @property
    def transaction(self) -> str:
        """What it is asked after and answered by: its key, or its id."""
        return self.key if self.key is not None else self.id


@dataclass(slots=True)
class Checkpoint:
    """What happened at one position of an execution, and doesn't happen again."""

    path: str
    reference: str
    """Reference of the step, or name of the sub-workflow."""
    result: Any = None
    events: Sequence[tuple[str, dict[str, Any]]] = ()
    reads: bool = False
    failure: VelellaError | None = None
    """Of a step whose failure the flow got, or of a sub-workflow that failed and was undone: a repeated run raises the same there."""
    entries: Sequence[Entry] = ()
    """The steps that had to be undone then."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said from outside of a step that waits for it."""

    how: Literal["ok", "failed", "late"]
    value: Any = None
    undo: Any = None
    """What the step's undo gets instead of what its function returned; None: that."""

    def error(self, step: str) -> StepFailed:
        """The error of a step for which this was said: not that it is ok."""
        if self.how == "late":
            return NotAnswered(f"The step {step} was not answered in time.")
        said = f": {self.value}" if isinstance(self.value, str) else "."
        return StepFailed(f"The step {step} failed{said}", response=self.value)


@dataclass(slots=True)
class Wait:
    """A step that waits for somebody outside, as it stands in the execution's row."""

    round: int
    """How often it was asked before: beyond the point of no return, one that failed is asked again."""
    left: float
    """Seconds until it isn't waited for any more."""
    verdict: Verdict | None = None


class Journal(Protocol):
    """The journal of one durable execution. Every method that writes raises Superseded if the execution has another owner by now."""

    first: bool
    """Whether this is the first run of the execution: its writes can't have been done before."""
    in_doubt: bool
    """Whether another run may have come further than is recorded: it died, or did not learn how its pivot ended."""

    def writes_until(self) -> float:
        """Until when (monotonic seconds) a write may be sent and carried out: after that another process may own the execution. It moves
        on while this process renews its lease."""

    def failures_at(self, at: str) -> tuple[int, float]:
        """How often in a row the execution had to wait because of a failure at this position, and for how many seconds in all."""

    def locked_out(self) -> float:
        """For how many seconds the execution has waited for locks in vain, without having waited for anything else meanwhile."""

    def recall(self, path: str) -> Checkpoint | None:
        """What an earlier run recorded at this position, or None."""

    def remember(self, checkpoint: Checkpoint) -> None:
        """Add a checkpoint to the next write of the journal."""

    def forget_failures(self) -> None:
        """Drop the failures remembered since the last write: they aren't final."""

    async def before_write(self) -> None:
        """To be called before something is changed: from here on the execution and all that it has read must be recorded."""

    async def wait(self, path: str, step: str, seconds: float) -> Wait:
        """The wait at a position: what is known of it, or a new one, recorded here: from now on the step may be answered."""

    async def start(self, checkpoint: Checkpoint, start: Start) -> None:
        """Start an execution, in the statement that records that it was started."""

    async def close(self, path: str) -> None:
        """Take no more answers at a position. One that came before still counts."""

    async def reverting(self, path: str, error: VelellaError, entries: Sequence[Entry]) -> None:
        """To be called before anything is undone: a process that continues must go on undoing. The empty path is the whole execution."""
