"""What a message is: which methods are messages, how they may be repeated, what travels with them.

A service is a class whose public async methods are messages. Decorators say what the sender may do when the answer to one
is lost:

- a read is sent again to another replica;
- a write that came as a message is recorded under its message id in the transaction of the write, so it may be sent
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
    """What travels with a message, from the front end to every service it reaches."""

    trace_id: str = field(default_factory=ulid)
    deadline: float = field(default_factory=lambda: time.monotonic() + 30.0)
    """Monotonic seconds of this process; on the wire it is the time left."""
    message_id: str | None = None
    """Set while a recorded write is carried out: the write is recorded under it."""
    scope: str | None = None
    """Prefix of the message ids of the calls made from here (`execution:step`), so that a repeated run sends the same ids."""
    fresh: bool = False
    """A first delivery, as far as the sender knows: its writes are recorded when they are done, not looked up first."""
    lease: Callable[[], float] | None = None
    """Returns until when a write may be carried out (monotonic seconds), where the sender may lose the right to; None: no limit."""
    sequence: itertools.count[int] = field(default_factory=lambda: itertools.count(1), compare=False, repr=False)
    """Numbers the writes of this scope in the order they are sent; shared by the copies `within` makes."""

    def left(self) -> float:
        return self.deadline - time.monotonic()

    def within(self, seconds: float) -> CallContext:
        """The same context, with at most `seconds` left."""
        deadline = min(self.deadline, time.monotonic() + seconds)
        return CallContext(self.trace_id, deadline, self.message_id, self.scope, self.fresh, self.lease, self.sequence)

    def scoped(self, scope: str, *, fresh: bool = False, lease: Callable[[], float] | None = None) -> CallContext:
        """The same context inside a durable step: its writes are numbered `scope/1`, `scope/2`, … from the beginning."""
        return CallContext(self.trace_id, self.deadline, None, scope, fresh, lease)

    def write_deadline(self) -> float:
        """When a write that is sent now has to be done, in monotonic seconds."""
        return self.deadline if self.lease is None else min(self.deadline, self.lease())

    def next_message_id(self) -> str | None:
        """The id of the next write sent from here; None outside of a scope."""
        return f"{self.scope}/{next(self.sequence)}" if self.scope else None


call_context: ContextVar[CallContext | None] = ContextVar("velella_call", default=None)


write_seen: ContextVar[Callable[[str], None] | None] = ContextVar("velella_write_seen", default=None)
"""Called with the name of every write before it is sent from here. If it raises, the write isn't sent."""


def see_write(service: str, method: str) -> None:
    """To be called before a write is sent."""
    seen = write_seen.get()
    if seen is not None:
        seen(f"{service}.{method}")


def current_call() -> CallContext:
    """The context of the running message; a new one outside of any."""
    return call_context.get() or CallContext()


class Service:
    """A class whose public async methods are messages. Lives in a pool, one instance in each replica."""

    name: ClassVar[str]

    async def start(self) -> None:
        """Open what the service needs. Called once, before the first message."""

    async def drain(self) -> None:
        """Called some time before `stop` if other replicas stay: hand clients from outside over to them, without losing a request."""

    async def stop(self) -> None:
        """Close what `start` opened. Called once, after the last message."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is known of a method before it is sent. The decorators `reads`, `repeatable` and `writes` set it."""

    kind: Kind = "call"
    key: str | None = None
    """Parameter whose value chooses the replica: messages of one key go to one replica while it lives. That is for speed (messages that
    queue up there can be batched), never for correctness."""
    position: int = 0
    """The key's position among the arguments."""
    stands_alone: bool = False
    """It leaves nothing half-done, whatever becomes of its sender: it ensures that something exists which has a meaning by itself,
    and which the next sender finds. So it doesn't count among the writes of a flow."""
    one_statement: Callable[..., bool] | None = None
    """For a write: whether, with these arguments, it sends one statement that changes anything. Such a statement is a transaction by
    itself, so none is begun around it, which saves two round trips. An error that the method raises after the statement doesn't undo it."""
    answers: bool = False
    """For such a write: it sends the statement by `ModuleService.answer`, and its own answer follows from that value and its arguments.
    Then recording it needs no transaction either. It may be carried out again with the same arguments and the recorded value."""

    @property
    def counts(self) -> bool:
        """Whether it counts among the writes of the flow that sends it."""
        return self.kind in ("write", "repeat") and not self.stands_alone

    def key_of(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The value to route by; None where the method isn't keyed or the caller left the key to its default."""
        if self.key is None:
            return None
        return args[self.position] if len(args) > self.position else kwargs.get(self.key)

    def is_one_statement(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Whether it is one statement with these arguments."""
        return self.one_statement is not None and self.one_statement(*args, **kwargs)


PLAIN = Message()
"""A method without a decorator: sent once, to any replica, and never repeated automatically."""


def message_of(method: Callable[..., Any]) -> Message:
    """What the decorators say about a service's method."""
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
    """Mark a method that changes nothing: it may be sent to any replica, any number of times. `key`: see `Message`."""
    return _marked(method, lambda each: _say(each, "read", key))


@overload
def repeatable(method: F, /) -> F: ...
@overload
def repeatable(*, key: str | None = None, stands_alone: bool = False) -> Callable[[F], F]: ...
def repeatable(method: Any = None, /, *, key: str | None = None, stands_alone: bool = False) -> Any:
    """Mark a method that asks third parties, so can't be one transaction, but makes sure by itself that twice is once.

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
    """Mark a method that changes the database: it runs in one transaction of its module.

    Called inside another write of the same service it joins that transaction. With a message id in the call's context the reply is
    recorded in the same transaction, and a repetition answers with the recorded reply.

    Args:
        one_statement: whether it always is one statement, or a function that says so for its arguments. See `Message`.
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
    """Attach a `Message` to a method. Raises ValueError if the method has no parameter of the key's name."""
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
