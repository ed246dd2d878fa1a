"""What a message is: which methods are messages, how they may be repeated, what travels with them.

A service is a class whose public async methods are messages. `@reads` and `@writes` say what may be done with one
whose answer was lost:

- a read is sent again to another replica;
- a write that came over a wire is recorded under its message id in the transaction of the write, so it may be sent
  again: the second time the recorded answer comes back and nothing is done;
- a repeatable one makes sure by itself that doing it twice is doing it once.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from .ids import ulid

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Service")
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])

Kind = Literal["read", "write", "repeat", "call"]


@dataclass(frozen=True, slots=True)
class CallContext:
    """What travels with a message from the door inwards."""

    trace_id: str = field(default_factory=ulid)
    deadline: float = field(default_factory=lambda: time.monotonic() + 30.0)
    """Monotonic seconds of this process; on the wire it is the time left."""
    message_id: str | None = None
    """Set while a recorded write is carried out; the write is recorded under it."""
    scope: str | None = None
    """Prefix of the message ids of the calls made from here (`execution:step`): makes them the same when run again."""
    fresh: bool = False
    """Nobody has sent these writes before, as far as the sender knows: they are recorded when they are done, not looked up first."""
    lease: Callable[[], float] | None = None
    """Until when, at the moment, a write may be carried out (monotonic seconds), where who sends it may lose the right to."""
    sequence: itertools.count[int] = field(default_factory=lambda: itertools.count(1), compare=False, repr=False)
    """Numbers the writes of this scope in the order they are sent; shared by the copies `within` makes."""

    def left(self) -> float:
        return self.deadline - time.monotonic()

    def within(self, seconds: float) -> CallContext:
        """The same, with at most `seconds` left."""
        deadline = min(self.deadline, time.monotonic() + seconds)
        return CallContext(self.trace_id, deadline, self.message_id, self.scope, self.fresh, self.lease, self.sequence)

    def scoped(self, scope: str, *, fresh: bool = False, lease: Callable[[], float] | None = None) -> CallContext:
        """The same inside a durable step: its writes are numbered `scope/1`, `scope/2`, … from the beginning."""
        return CallContext(self.trace_id, self.deadline, None, scope, fresh, lease)

    def write_deadline(self) -> float:
        """When a write that is sent now has to be done, in monotonic seconds."""
        return self.deadline if self.lease is None else min(self.deadline, self.lease())

    def next_message_id(self) -> str | None:
        """The id of the next write sent from here; None outside of a scope."""
        return f"{self.scope}/{next(self.sequence)}" if self.scope else None


call_context: ContextVar[CallContext | None] = ContextVar("velella_call", default=None)


write_seen: ContextVar[Callable[[str], None] | None] = ContextVar("velella_write_seen", default=None)
"""Called with the name of every write that is sent from here, before it is sent. May raise: then it isn't."""


def see_write(service: str, method: str) -> None:
    """To be called by whoever sends a write."""
    seen = write_seen.get()
    if seen is not None:
        seen(f"{service}.{method}")


def current_call() -> CallContext:
    """The context of the running message; a fresh one outside of any."""
    return call_context.get() or CallContext()


class Service:
    """A class whose public async methods are messages. Lives in a pool, one instance a replica."""

    name: ClassVar[str]

    async def start(self) -> None:
        """Open what the service needs. Called once, before the first message."""

    async def leave(self) -> None:
        """Called some time before `stop` where other replicas stay: send those who come here from outside to them, without losing one."""

    async def stop(self) -> None:
        """Close it again. Called once, after the last message."""


class Messages(Protocol):
    """How a marked method looks to the engine."""

    message_kind: Kind
    message_key: str | None
    message_key_index: int


def addressed(method: Callable[..., Any]) -> tuple[Any, str]:
    """The service (or its handle) and the name of the message that a method sends."""
    sent: tuple[Any, str] | None = getattr(method, "message_of", None)
    return sent or (method.__self__, method.__name__)  # type: ignore[attr-defined]


def message_kind(method: Callable[..., Any]) -> Kind:
    return getattr(method, "message_kind", "call")


def reads(method: F) -> F:
    """Mark a method that changes nothing: it may be sent to any replica, again and again."""
    method.message_kind = "read"  # type: ignore[attr-defined]
    return method


def repeatable(method: Callable[Concatenate[S, P], Awaitable[R]]) -> Callable[Concatenate[S, P], Awaitable[R]]:
    """Mark a method that asks third parties, so can't be one transaction, but that makes sure by itself that twice is once.

    It is sent again to another replica, like a read.
    """
    method.message_kind = "repeat"  # type: ignore[attr-defined]
    return method


def stands_alone(method: Callable[P, R]) -> Callable[P, R]:
    """Mark a write that leaves nothing half-made, whatever becomes of who sent it: it makes sure that something is there which means
    something by itself, and which the next who asks for it finds. So it isn't counted among the writes of a flow.
    """
    method.stands_alone = True  # type: ignore[attr-defined]
    return method


def keyed(parameter: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Route messages of one key (the value of `parameter`) to one replica, as long as it lives.

    A matter of speed (what queues up there can be folded), never of correctness.
    """

    def mark(method: Callable[P, R]) -> Callable[P, R]:
        names = method.__code__.co_varnames
        method.message_key = parameter  # type: ignore[attr-defined]
        method.message_key_index = names.index(parameter) - 1  # type: ignore[attr-defined]
        return method

    return mark


def one_statement(
    when: Callable[..., bool] = lambda *_, **__: True, *, answers: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Below `@writes`: say that the write sends one statement that changes anything, where `when` says so of its arguments.

    Such a statement is a transaction by itself, so none is begun around it: two round trips less. What the method does after it can't
    take it back.

    `answers`: the method sends it by `ModuleService.answer`, and its own answer follows from that and its arguments. Then it needs no
    transaction for its record either. It may be carried out again with the same arguments and the recorded value.
    """

    def mark(method: Callable[P, R]) -> Callable[P, R]:
        method.one_statement = when  # type: ignore[attr-defined]
        method.answers = answers  # type: ignore[attr-defined]
        return method

    return mark


def writes(method: Callable[Concatenate[S, P], Awaitable[R]]) -> Callable[Concatenate[S, P], Awaitable[R]]:
    """Mark a method that changes the database: it runs in one transaction of its module.

    Called inside another write of the same service it joins that transaction. With a message id in the call's context
    the reply is recorded in the same transaction, and a repetition answers with the recorded reply.
    """

    alone: Callable[..., bool] | None = getattr(method, "one_statement", None)

    @functools.wraps(method)
    async def in_transaction(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        run: Callable[..., Awaitable[R]] = self.run_write  # type: ignore[attr-defined]
        body = functools.partial(method, self, *args, **kwargs)
        if alone is not None and alone(*args, **kwargs):
            return await run(body, one_statement=True, answers=method.answers)  # type: ignore[attr-defined]
        return await run(body)

    in_transaction.one_statement = alone  # type: ignore[attr-defined]
    in_transaction.message_kind = "write"  # type: ignore[attr-defined]
    return in_transaction
