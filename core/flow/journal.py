"""What a run writes down so that another process can go on, and what it does when that isn't its business any more.

The engine keeps journals in PostgreSQL (`actors.engine`); a short flow has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import VelellaError
from .definitions import Step


class Superseded(BaseException):
    """This run has no standing: another one carries out the same execution. Nothing more may be done here, nothing undone.

    Not an Exception, so that no flow catches it by accident.
    """


class Diverged(BaseException):
    """The workflow's function took another way than the run before it: its code has changed, or it isn't determined by its steps.

    Going on would do things twice, and what is to be undone isn't known either: the execution is left to an operator. Not an Exception,
    for the same reason.
    """


class Parked(BaseException):
    """This run ends here and the execution waits in the table: for a time, for another attempt, for what it has called. Then it is run
    again from the top, by any process. Not an Exception, for the same reason."""

    def __init__(self, at: str, pause: float, error: VelellaError | None = None) -> None:
        """`at`: path and name of what it waits at. `pause`: seconds. `error`: what failed there; None where nothing did."""
        super().__init__(at)
        self.at = at
        self.pause = pause
        self.error = error


class Outgrown(BaseException):
    """A short flow turns out to write more than once. It has written nothing yet, and is begun anew as a durable one. Not an Exception,
    for the same reason."""


@dataclass(slots=True)
class Entry:
    """One step that may have to be taken back."""

    step: Step[..., Any]
    path: str
    result: Any = None
    unknown: tuple[tuple[Any, ...], dict[str, Any]] | None = None
    """The arguments of a step of which nobody knows whether it happened: its answer never came. It is run once more, under the same
    message ids, to get the recorded answer; then that is undone."""

    def to_wire(self) -> list[Any]:
        unknown = None if self.unknown is None else [list(self.unknown[0]), self.unknown[1]]
        return [self.step.reference, self.path, self.result, unknown]


@dataclass(slots=True)
class Checkpoint:
    """What happened at one place of an execution, and doesn't happen again."""

    path: str
    reference: str
    """Of the step, or the name of the sub-workflow."""
    result: Any = None
    events: Sequence[tuple[str, dict[str, Any]]] = ()
    reads: bool = False
    failure: VelellaError | None = None
    """Of a step that was refused, or of a sub-workflow that failed and was undone: whoever comes here again sees the same failure."""
    entries: Sequence[Entry] = ()
    """What had to be undone then."""


class Journal(Protocol):
    """The memory of one durable execution. Every writing method raises Superseded when the execution has another owner by now."""

    first: bool
    """Whether this is the first run of the execution: nobody has made its writes before."""
    in_doubt: bool
    """Whether another run may have come further than is written down: it died, or did not hear how its pivot ended."""

    def writes_until(self) -> float:
        """Until when (monotonic seconds) a write may be sent and carried out: after that another process may have the execution. It moves
        on as long as this process is alive and known to be."""

    def failures_at(self, at: str) -> tuple[int, float]:
        """How often in a row the execution had to wait because of a failure at this place, and for how many seconds in all."""

    def recall(self, path: str) -> Checkpoint | None:
        """What an earlier run left at this place."""

    def remember(self, checkpoint: Checkpoint) -> None:
        """Keep it, for the next time something is written."""

    def forget_failures(self) -> None:
        """Drop failures that were remembered since the last write: they are not the last word."""

    async def before_write(self) -> None:
        """To be called before something is changed: from here on the execution must be known to others, with all it has read."""

    async def reverting(self, path: str, error: VelellaError, entries: Sequence[Entry]) -> None:
        """To be called before anything is undone: whoever goes on must go on undoing. The empty path is the whole execution."""
