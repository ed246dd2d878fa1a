"""The receiving end of a process: listens, admits messages, has the services carry them out, answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from ssl import SSLContext
from typing import Any, Protocol

from ...core import tracing
from ...core.codec import LARGEST, bounded, pack, unpack
from ...core.errors import Busy, DeadlineExceeded, InvalidData, VelellaError
from ...core.logs import logger
from ...core.message import CallContext, Service, call_context
from ...core.service.module import ModuleService
from ...core.sockets import notice_death
from ..membership.directory import HOST, Directory, Identity, ReplicaId
from .admission import Admission
from .frames import (
    CALLER,
    CANCEL,
    FAILURE,
    GOODBYE,
    HANDSHAKE_SECONDS,
    MAX_STRANGER_FRAME,
    PING,
    PONG,
    REFUSED,
    REPLY,
    REQUEST,
    SUPERSEDED,
    FrameProtocol,
    ServerHandshake,
)
from .handles import Send, messages_of
from .marks import Marked, Marks, marks_path
from .metrics import MessageMetrics, ServerMetrics

log = logger("velella.endpoint")

LONGEST_ERROR = 64 * 1024
"""Bytes of an error that is sent; a longer one is cut."""
SWEEP_SECONDS = 0.05
"""Seconds between two checks of the running messages' deadlines: one timer for all is cheaper than one for each."""


class Caller(Protocol):
    """Where an answer goes."""

    running: dict[int, RunningMessage]

    def send(self, payload: bytes) -> None: ...


class RunningMessage:
    """A message inside: waiting its turn, or being carried out."""

    __slots__ = (
        "abandoned",
        "accepted",
        "args",
        "caller",
        "context",
        "expired",
        "is_control",
        "is_module",
        "kwargs",
        "method",
        "number",
        "service",
        "started",
        "task",
        "traceparent",
    )

    def __init__(self, frame: list[Any], caller: Caller) -> None:
        _, self.number, self.service, self.method, self.args, self.kwargs, left, trace_id, message_id, *more = frame
        self.accepted = time.monotonic()
        self.traceparent: str | None
        self.traceparent, fresh = (*more, None, False)[:2]
        self.context = CallContext(trace_id, self.accepted + left, message_id, fresh=bool(fresh))
        self.caller = caller
        self.started = False
        self.expired = False
        self.abandoned = False
        self.is_control = self.service == HOST
        self.is_module = False
        self.task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """Cancel it. A task that never ran must not be cancelled: it would end without its cleanup."""
        self.abandoned = True
        if self.started and self.task is not None:
            self.task.cancel()


class Dispatcher:
    """Carries out messages that arrive, over whatever connection.

    A message that finds the admission queue full is answered Busy at once, an expired one isn't started, a running one is cancelled
    at its deadline and answered DeadlineExceeded.

    Messages to modules run `at_once` at a time, the others wait their turn here: inside they would only wait for a database
    connection. Messages to the engine's own services start at once, since they wait for each other (for a lock, for a sub-workflow).
    Messages to the process itself need no admission: health checks and invalidation get through while it is full.
    """

    def __init__(
        self, services: Mapping[str, Service], admission: Admission, at_once: int = 64, metrics: ServerMetrics | None = None
    ) -> None:
        self.services = services
        self.admission = admission
        self.metrics = metrics or ServerMetrics()
        self.draining = False
        self.marks: Marks | None = None
        """Where each step of a message is marked."""
        self._at_once = at_once
        self._modules_running = 0
        self._queue: deque[RunningMessage] = deque()
        self._functions: dict[tuple[str, str], tuple[Send, MessageMetrics]] = {}
        self._running: set[RunningMessage] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    def accept(self, frame: list[Any], caller: Caller) -> None:
        """Start a request, or let it wait its turn; its answer goes to `caller`."""
        if self.draining:
            caller.send(pack([REFUSED, frame[1], None]))
            return
        running = RunningMessage(frame, caller)
        if not running.is_control:
            try:
                self.admission.enter()
            except Busy as busy:
                caller.send(pack([REFUSED, frame[1], busy.to_wire()]))
                return
        self._running.add(running)
        caller.running[running.number] = running
        running.is_module = isinstance(self.services.get(running.service), ModuleService)
        if running.is_module and self._modules_running >= self._at_once:
            self.admission.waiting += 1
            self._queue.append(running)
        else:
            self._start(running)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def _start(self, running: RunningMessage) -> None:
        self._modules_running += running.is_module
        work: Coroutine[Any, Any, None] = self._carry_out(running)
        if self.marks is not None and not running.is_control:
            work = Marked(work, self.marks, running.context.trace_id)
        running.task = asyncio.get_running_loop().create_task(work)

    async def _carry_out(self, running: RunningMessage) -> None:
        started = time.monotonic()
        running.started = True
        call_context.set(running.context)  # this task's own: nothing to reset
        service, method, number, send = running.service, running.method, running.number, running.caller.send
        seen: MessageMetrics | None = None
        self.metrics.waits.observe(started - running.accepted)
        try:
            if running.abandoned:
                return
            if started >= running.context.deadline:
                raise DeadlineExceeded(f"{service}.{method} came too late to be started.")
            function, seen = self._functions.get((service, method)) or self._function(service, method)
            answer = function(*running.args, **running.kwargs)
            if running.traceparent is not None:
                answer = tracing.traced(answer, f"{service}.{method}", "server", parent=running.traceparent)
            send(bounded(pack([REPLY, number, await answer]), f"The answer of {service}.{method}"))
        except VelellaError as error:
            if seen is not None:
                seen.failed(error)
            send(pack([FAILURE, number, _travelling(error)]))
        except asyncio.CancelledError as error:
            if seen is not None:
                seen.failed(error)
            if running.expired:
                send(pack([FAILURE, number, DeadlineExceeded(f"{service}.{method} took too long.").to_wire()]))
            # else the caller has gone, or this process ends: no answer is needed
        except Exception as error:  # a bug in a service: its traceback stays here, with the trace id that the caller logs as well
            if seen is not None:
                seen.failed(error)
            log.exception("a message failed", service=service, method=method)
            send(pack([FAILURE, number, VelellaError("An unknown error occurred.", code="unknown_error").to_wire()]))
        finally:
            seconds = time.monotonic() - started
            if seen is not None:
                seen.seconds.observe(seconds)
            self._leave(running, seconds)

    def _leave(self, running: RunningMessage, seconds: float) -> None:
        if not running.is_control:
            self.admission.leave(seconds)
        running.caller.running.pop(running.number, None)
        self._running.discard(running)
        if running.started:
            self._modules_running -= running.is_module
            while self._queue and self._modules_running < self._at_once:
                self.admission.waiting -= 1
                self._start(self._queue.popleft())

    def _function(self, service: str, method: str) -> tuple[Send, MessageMetrics]:
        found = self.services.get(service)
        if found is None or method not in messages_of(type(found)):
            raise InvalidData(f"{service}.{method} is not a message of this process.")
        known = self._functions[service, method] = getattr(found, method), self.metrics.of(service, method)
        return known

    def _sweep(self) -> None:
        now = time.monotonic()
        for running in self._running:
            if running.context.deadline <= now and running.started and not running.expired:
                running.expired = True
                running.cancel()
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep) if self._running else None

    async def drain(self, seconds: float) -> None:
        """Refuse new and waiting messages, and give running ones up to `seconds` to finish."""
        self.draining = True
        while self._queue:
            waiting = self._queue.popleft()
            self.admission.waiting -= 1
            self._leave(waiting, 0.0)
            waiting.caller.send(pack([REFUSED, waiting.number, None]))
        if inside := self._tasks():
            await asyncio.wait(inside, timeout=seconds)
        for running in list(self._running):
            running.cancel()
        if inside := self._tasks():
            await asyncio.wait(inside, timeout=1.0)
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [running.task for running in self._running if running.task is not None]

    async def batch(self, frames: Sequence[bytes]) -> list[bytes]:
        """Carry out several requests and return their answers in the same order: for messages that come in a Ray call."""
        caller = _Batch(len(frames))
        for frame in frames:
            self.accept(unpack(frame), caller)
        await caller.complete
        by_number = {unpack(answer)[1]: answer for answer in caller.answers}
        return [by_number[unpack(frame)[1]] for frame in frames]


class _Batch:
    """A caller that waits for all of its answers together."""

    def __init__(self, size: int) -> None:
        self.running: dict[int, RunningMessage] = {}
        self.answers: list[bytes] = []
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._size = size

    def send(self, payload: bytes) -> None:
        self.answers.append(payload)
        if len(self.answers) == self._size and not self.complete.done():
            self.complete.set_result(None)


class ServerProtocol(FrameProtocol):
    """One connection of a caller."""

    def __init__(self, dispatcher: Dispatcher, connections: set[ServerProtocol], token: str | None, fence: Fence) -> None:
        super().__init__()
        self.running: dict[int, RunningMessage] = {}
        self._fence = fence
        self._caller: Identity | None = None
        self._refusing = False
        self._dispatcher = dispatcher
        self._connections = connections
        self._handshake = ServerHandshake(token) if token is not None else None
        self._impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connections.add(self)
        if self._handshake is not None:
            notice_death(transport)
            self.max_frame = MAX_STRANGER_FRAME
            self._impatience = self.loop.call_later(HANDSHAKE_SECONDS, self.abort)
            self.send(self._handshake.hello())

    def frame_received(self, frame: list[Any]) -> None:
        if self._handshake is not None:
            answer = self._handshake.answer(frame)
            if answer is None:
                log.warning("a connection without the cluster's token was refused", peer=self._peer())
                self.abort()
                return
            self._handshake = None
            self.max_frame = LARGEST
            if self._impatience is not None:
                self._impatience.cancel()
            self.send(answer)
        elif frame[0] == REQUEST:
            if self._refusing:
                self.send(pack([REFUSED, frame[1], None]))
            else:
                self._dispatcher.accept(frame, self)
        elif frame[0] == PING:
            self.send(pack([PONG]))
        elif frame[0] == CALLER:
            _, pool, index, *caller, incarnation, version = frame
            self._refusing = not self._fence.is_meant(ReplicaId(pool, index))
            self._caller = Identity(ReplicaId(*caller), incarnation, version)
            self.check_caller()
        elif frame[0] == CANCEL and (running := self.running.get(frame[1])) is not None:
            running.cancel()

    def check_caller(self) -> None:
        """Refuse a caller whose place another process has taken."""
        if self._caller is not None and not self._refusing and self._fence.refuses(self._caller):
            log.warning("a process that was replaced is refused", replica=str(self._caller.replica), peer=self._peer())
            self._refusing = True
            self.send(pack([SUPERSEDED]))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._connections.discard(self)
        if self._impatience is not None:
            self._impatience.cancel()
        # Running messages go on: a write whose caller died is still wanted, and is recorded for a repetition.

    def _peer(self) -> str:
        return str(self.transport.get_extra_info("peername")) if self.transport is not None else ""


class Fence:
    """Which callers may send messages, as far as this process knows."""

    def __init__(self, me: ReplicaId | None = None) -> None:
        """`me`: the replica that listens here; None accepts every message."""
        self._me = me
        self.directory = Directory()

    def is_meant(self, replica: ReplicaId) -> bool:
        """Whether a message to that replica is for us: not if it had our address before us."""
        return self._me is None or replica == self._me

    def refuses(self, caller: Identity) -> bool:
        return caller.is_superseded(self.directory)


class Endpoint:
    """The sockets of one process."""

    def __init__(self, dispatcher: Dispatcher, me: ReplicaId | None = None) -> None:
        self.dispatcher = dispatcher
        self._fence = Fence(me)
        self.path: str | None = None
        self.port: int | None = None
        self._servers: list[asyncio.AbstractServer] = []
        self._connections: set[ServerProtocol] = set()

    def update(self, directory: Directory) -> None:
        """Replicas came, went or moved: callers that lost their place by that are refused from now on."""
        self._fence.directory = directory
        for connection in list(self._connections):
            connection.check_caller()

    def _protocol(self, token: str | None) -> ServerProtocol:
        return ServerProtocol(self.dispatcher, self._connections, token, self._fence)

    async def listen_unix(self, path: str) -> None:
        """Listen at `path`; its folder is made for the owner only. A socket left there by a dead process is replaced."""
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        draft = f"{path}.{os.getpid()}"
        self.dispatcher.marks = Marks(path)
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: self._protocol(None), draft, backlog=1024)
        os.chmod(draft, 0o600)
        os.rename(draft, path)  # in one step: a caller finds the old socket or the new one, never none
        self.path = path
        self._servers.append(server)

    async def listen_tcp(self, host: str, port: int, token: str, tls: SSLContext | None = None) -> int:
        """Listen for callers that know the token (and have a certificate that `tls` trusts). Port 0 takes a free one; returns the port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: self._protocol(token), host, port, backlog=1024, ssl=tls)
        self._servers.append(server)
        self.port = int(server.sockets[0].getsockname()[1])
        return self.port

    async def close(self, seconds: float = 10.0) -> None:
        """Stop taking messages, finish those inside within `seconds`, close every connection."""
        for server in self._servers:
            server.close()
        goodbye = pack([GOODBYE])
        for connection in self._connections:
            connection.send(goodbye)
        await self.dispatcher.drain(seconds)
        for connection in list(self._connections):
            connection.close()
        if self.path is not None:
            for path in (self.path, marks_path(self.path)):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)


def _travelling(error: VelellaError) -> list[Any]:
    """The error in its wire form. Attributes that can't be encoded are left out, the message never is."""
    wire = error.to_wire()
    try:
        fits = len(pack(wire)) <= LONGEST_ERROR
    except TypeError:
        fits = False
    if not fits:
        name, message, code, hint, _ = wire
        return [name, message[:1000], code, hint and hint[:1000], {}]
    return wire
