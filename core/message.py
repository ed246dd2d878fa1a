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
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar, overload

from .ids import ulid

F = TypeVar("F", bound=Callable[..., Any])

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


@dataclass(frozen=True, slots=True)
class Message:
    """What is known of a method before it is sent. `reads`, `repeatable` and `writes` say it of a service's methods."""

    kind: Kind = "call"
    key: str | None = None
    """Parameter whose value chooses the replica: messages of one key go to one replica, as long as it lives. A matter of speed (what queues
    up there can be carried out together), never of correctness."""
    position: int = 0
    """The key's place among the arguments."""
    stands_alone: bool = False
    """It leaves nothing half-made, whatever becomes of its sender: it makes sure that something is there which means something by itself,
    and which the next who asks for it finds. So it isn't counted among the writes of a flow."""
    one_statement: Callable[..., bool] | None = None
    """Of a write: whether, with these arguments, it sends one statement that changes anything. Such a statement is a transaction by itself,
    so none is begun around it: two round trips less. What the method does after it can't take it back."""
    answers: bool = False
    """Of such a write: it sends the statement by `ModuleService.answer`, and its own answer follows from that and its arguments. Then it
    needs no transaction for its record either. It may be carried out again with the same arguments and the recorded value."""

    @property
    def counts(self) -> bool:
        """Whether it is one of the writes of the flow that sends it."""
        return self.kind in ("write", "repeat") and not self.stands_alone

    def key_of(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The value to route by; None where the method isn't keyed or the caller left it to its default."""
        if self.key is None:
            return None
        return args[self.position] if len(args) > self.position else kwargs.get(self.key)

    def is_one_statement(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Whether, with these arguments, it is one statement."""
        return self.one_statement is not None and self.one_statement(*args, **kwargs)


PLAIN = Message()
"""Of a method that says nothing: sent once, to any replica, and never again by itself."""


def message_of(method: Callable[..., Any]) -> Message:
    """What a service's method says of itself."""
    said: Message = getattr(method, "message", PLAIN)
    return said


def addressed(method: Callable[..., Any]) -> tuple[Any, str]:
    """The service (or its handle) and the name of the message that a method sends."""
    sent: tuple[Any, str] | None = getattr(method, "message_of", None)
    return sent or (method.__self__, method.__name__)  # type: ignore[attr-defined]


@overload
def reads(method: F, /) -> F: ...
@overload
def reads(*, key: str) -> Callable[[F], F]: ...
def reads(method: Any = None, /, *, key: str | None = None) -> Any:
    """Says that a method changes nothing: it may be sent to any replica, again and again. `key`: see `Message`."""
    return _marked(method, lambda each: _say(each, "read", key))


@overload
def repeatable(method: F, /) -> F: ...
@overload
def repeatable(*, key: str | None = None, stands_alone: bool = False) -> Callable[[F], F]: ...
def repeatable(method: Any = None, /, *, key: str | None = None, stands_alone: bool = False) -> Any:
    """Says that a method asks third parties, so can't be one transaction, but makes sure by itself that twice is once.

    It is sent again to another replica, like a read. The arguments: see `Message`.
    """
    return _marked(method, lambda each: _say(each, "repeat", key, stands_alone))


@overload
def writes(method: F, /) -> F: ...
@overload
def writes(
    *,
    key: str | None = None,
    one_statement: bool | Callable[..., bool] = False,
    answers: bool = False,
    stands_alone: bool = False,
    batched: bool = False,
) -> Callable[[F], F]: ...
def writes(
    method: Any = None,
    /,
    *,
    key: str | None = None,
    one_statement: bool | Callable[..., bool] = False,
    answers: bool = False,
    stands_alone: bool = False,
    batched: bool = False,
) -> Any:
    """Says that a method changes the database: it runs in one transaction of its module.

    Called inside another write of the same service it joins that transaction. With a message id in the call's context the reply is
    recorded in the same transaction, and a repetition answers with the recorded reply.

    Args:
        one_statement: whether it always is one statement, or a function that says so of its arguments. See `Message`.
        key, answers, stands_alone: see `Message`.
        batched: it changes the database through a `Batcher`, which has the transaction.
    """
    when = _always if one_statement is True else one_statement or None

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        said = _say(method, "write", key, stands_alone, when, answers)
        return said if batched else _in_transaction(method)

    return _marked(method, mark)


def _marked(method: Any, mark: Callable[[Any], Any]) -> Any:
    """The method of a bare decorator, or the decorator of one with arguments."""
    return mark if method is None else mark(method)


def _say(method: Callable[..., Any], kind: Kind, key: str | None, *further: Any) -> Callable[..., Any]:
    """Raises ValueError where the method has no parameter of the key's name."""
    code = method.__code__
    position = code.co_varnames[: code.co_argcount].index(key) - 1 if key is not None else 0
    method.message = Message(kind, key, position, *further)  # type: ignore[attr-defined]
    return method


def _always(*_: Any, **__: Any) -> bool:
    return True


def _in_transaction(method: Callable[..., Any]) -> Callable[..., Any]:
    message = message_of(method)
    when, answers = message.one_statement, message.answers
    always = when is _always

    @functools.wraps(method)
    async def in_transaction(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        body = functools.partial(method, self, *args, **kwargs)
        if always or (when is not None and when(*args, **kwargs)):
            return await self.run_write(body, one_statement=True, answers=answers)
        return await self.run_write(body)

    return in_transaction
