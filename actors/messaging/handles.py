"""Handles: stand-ins for services whose method calls are messages, however far the service is.

To a type checker a handle is the service itself. At run time it checks once, on the first use of a method, whether the service lives in
this process: then a message is a plain await; otherwise it goes through the router.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from ...core.codec import travelled
from ...core.errors import DeadlineExceeded, VelellaError
from ...core.message import CallContext, Message, Service, call_context, message_of, see_write
from .metrics import MessageMetrics

Send = Callable[..., Awaitable[Any]]
Resolve = Callable[[str, str], Send]
"""(service, method) → the function that sends."""


_INTERNAL = frozenset(("start", "drain", "stop", "run_write"))


_messages: dict[type[Service], dict[str, Message]] = {}


def messages_of(service: type[Service]) -> dict[str, Message]:
    """The messages of a service class: its public async methods."""
    if service in _messages:
        return _messages[service]
    found = _messages[service] = {}
    for name, method in inspect.getmembers(service, inspect.iscoroutinefunction):
        if not name.startswith("_") and name not in _INTERNAL:
            found[name] = message_of(method)
    return found


class Handle:
    """One service, wherever it lives."""

    def __init__(self, service: str, resolve: Resolve) -> None:
        self._service = service
        self._resolve = resolve

    def __getattr__(self, method: str) -> Send:
        if method.startswith("_"):
            raise AttributeError(method)
        send = self._resolve(self._service, method)
        send.message_of = (self, method)  # type: ignore[attr-defined]
        self.__dict__[method] = send  # from now on the attribute is the function itself
        return send

    def __repr__(self) -> str:
        return f"<handle of {self._service}>"


def no_such_message(service: str, method: str) -> AttributeError:
    return AttributeError(f"{service} has no message {method}: a message is a public async method of the service's class.")


def local_send(service: Service, method: str, metrics: MessageMetrics | None = None) -> Send:
    """Send to a service of this process: an await with the call's context.

    No reply can be lost here, so a write gets a message id only in a durable step, where it may be run again.
    """
    message = messages_of(type(service)).get(method)
    if message is None:
        raise no_such_message(getattr(type(service), "name", type(service).__name__), method)
    function: Send = getattr(service, method)
    is_write = message.kind == "write"
    counts = message.counts
    name = getattr(type(service), "name", type(service).__name__)
    seen = metrics or MessageMetrics()

    async def send(*args: Any, **kwargs: Any) -> Any:
        if counts:
            see_write(name, method)
        context = call_context.get()
        started = time.monotonic()
        token = None
        if context is None:
            token = call_context.set(CallContext())
        else:
            if context.deadline <= started:
                raise DeadlineExceeded("The time for this request is over.")
            if context.scope is not None or context.message_id is not None:
                message_id = context.next_message_id() if is_write else None
                deadline = context.write_deadline() if is_write else context.deadline
                if deadline <= started:
                    raise DeadlineExceeded("The lease under which this would be written is over.")
                token = call_context.set(CallContext(context.trace_id, deadline, message_id, fresh=context.fresh))
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            seen.failed(error)
            raise
        finally:
            if token is not None:
                call_context.reset(token)
            seen.seconds.observe(time.monotonic() - started)

    return send


def checked_send(send: Send) -> Send:
    """`send` with everything encoded and decoded: nothing mutable is shared, and a value that can't be encoded is found."""

    async def checked(*args: Any, **kwargs: Any) -> Any:
        sent_args, sent_kwargs = travelled(list(args)), travelled(kwargs)
        try:
            result = await send(*sent_args, **sent_kwargs)
        except VelellaError as error:
            raise VelellaError.from_wire(travelled(error.to_wire())) from error
        return travelled(result)

    return checked


def handle(service: str, resolve: Resolve) -> Any:
    """A handle, typed as its caller declares it."""
    return cast("Any", Handle(service, resolve))
