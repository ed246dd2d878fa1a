"""The sending end: one connection to each replica that this process talks to, over a socket or, where none can be opened, over Ray
calls."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from ssl import SSLContext
from typing import Any, NamedTuple, Protocol

from ...core import tracing
from ...core.codec import bounded, pack, unpack
from ...core.errors import DeadlineExceeded, VelellaError
from ...core.logs import logger
from ...core.tasks import Tasks
from ..membership.directory import Identity, ReplicaAddress
from .frames import (
    CALLER,
    CANCEL,
    FAILURE,
    GOODBYE,
    PING,
    PONG,
    REPLY,
    REQUEST,
    SUPERSEDED,
    ClientHandshake,
    FrameProtocol,
)
from .marks import MarksOf

log = logger("velella.transport")

GRACE_SECONDS = 0.25
"""Seconds past the deadline that we wait for the other side's own refusal: it knows whether the message was started."""
SWEEP_SECONDS = 0.1
CONNECT_SECONDS = 2.0
"""Seconds for a connection and the proofs of both sides."""
PING_SECONDS = 0.5
"""Seconds of silence after which a peer on another node is sent a ping."""
SILENT_SECONDS = 2.0
"""Seconds of silence after which it is given up, with everything that was sent to it: it is dead, frozen, or cut off."""
WATCH_SECONDS = 0.25
BATCH = 32
"""Messages that one Ray call carries at most."""


class NotSent(Exception):
    """The message has not reached a service and never will: it may be sent to another replica, whatever its kind."""

    def __init__(self, busy: VelellaError | None = None, silent: float = 0.0) -> None:
        super().__init__()
        self.busy = busy
        """Set if the replica is running but its admission queue is full."""
        self.silent = silent
        """Seconds for which the other side had been silent when it was given up."""


class Lost(Exception):
    """The connection closed after the message was sent: it may have been carried out or not."""

    def __init__(self, silent: float = 0.0, fatal: bool = False) -> None:
        super().__init__()
        self.silent = silent
        """As in `NotSent`."""
        self.fatal = fatal
        """Whether the other side died while it worked only on this message, for longer than a message takes (see `marks.py`)."""


class Outgoing(NamedTuple):
    """A message on its way to a replica."""

    service: str
    method: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    trace_id: str
    message_id: str | None = None
    fresh: bool = False
    """A first delivery."""


class ReplicaLink(Protocol):
    """The connection to one replica, whatever its means."""

    async def request(self, message: Outgoing, left: float) -> Any:
        """Send a message and wait for its result, at most `left` seconds.

        Raises the service's error; NotSent; Lost; DeadlineExceeded; TooLarge for a message that is never sent.
        """

    async def probe(self) -> bool:
        """Whether it can be reached, without sending a message. True where that can't be determined."""

    def drain(self) -> None:
        """Send nothing more; messages already sent are still answered."""

    def close(self) -> None: ...


class _Pending:
    """A message whose answer is awaited."""

    __slots__ = ("deadline", "future", "trace_id")

    def __init__(self, future: asyncio.Future[Any], deadline: float, trace_id: str) -> None:
        self.future = future
        self.deadline = deadline
        self.trace_id = trace_id


class ClientProtocol(FrameProtocol):
    """A caller's connection to one replica."""

    def __init__(self, token: str | None, superseded: Callable[[], None] | None = None) -> None:
        """With a token it is a connection to another node, and watched. `superseded` is called when the other side knows our successor."""
        super().__init__()
        self._superseded = superseded
        self._watched = token is not None
        self._heard = self._looked = self.loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._silent = 0.0
        self.draining = False
        self.ready: asyncio.Future[None] = self.loop.create_future()
        self.pending: dict[int, _Pending] = {}
        self._numbers = itertools.count(1)
        self._last = 0
        self._last_flushed = 0
        self._handshake = ClientHandshake(token) if token is not None else None
        self._sweeper: asyncio.TimerHandle | None = None
        self.marks: MarksOf | None = None
        """The marks of the process at the other end, if that is on this node."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._handshake is None:
            self.ready.set_result(None)
        if self._watched:
            self._watch = self.loop.call_later(WATCH_SECONDS, self._look)

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        super().data_received(data)

    def _look(self) -> None:
        """Check whether the other side gives signs of life. A time in which this process didn't run doesn't count."""
        now = self.loop.time()
        if now - self._looked > 3 * WATCH_SECONDS:
            self._heard = now
        self._looked = now
        silent = now - self._heard
        if silent >= SILENT_SECONDS:
            self._silent = silent
            log.warning(
                "a peer gives no sign of life: its connection is closed",
                peer=self._peer(),
                seconds=round(silent, 1),
                waiting=len(self.pending),
            )
            self.abort()
            return
        if silent >= PING_SECONDS and self._handshake is None:
            self.send(pack([PING]))
        self._watch = self.loop.call_later(WATCH_SECONDS, self._look)

    def _peer(self) -> str:
        return str(self.transport.get_extra_info("peername")) if self.transport is not None else ""

    def drain(self) -> None:
        """Close as soon as everything that was sent is answered."""
        self.draining = True
        if not self.pending:
            self.close()

    def frame_received(self, frame: list[Any]) -> None:
        if self._handshake is not None:
            self._shake_hands(self._handshake, frame)
            return
        kind = frame[0]
        if kind == GOODBYE:
            self.drain()
            return
        if kind == PONG:
            return
        if kind == SUPERSEDED:
            if self._superseded is not None:
                self._superseded()
            return
        pending = self.pending.pop(frame[1], None)
        if pending is not None and not pending.future.done():
            _settle(pending.future, frame)
        if self.draining and not self.pending:
            self.close()

    def _shake_hands(self, handshake: ClientHandshake, frame: list[Any]) -> None:
        if not self.ready.done() and handshake.accepts(frame):
            self._handshake = None
            self.ready.set_result(None)
        else:
            self.send(handshake.answer(frame))

    def flushed(self) -> None:
        self._last_flushed = self._last

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.ready.done():
            self.ready.set_exception(NotSent(silent=self._silent))
            self.ready.exception()  # callers that waited have raised it; if there were none, asyncio must not warn
        fatal = self.marks.died_of() if self.marks is not None and self.pending else None
        for number, pending in self.pending.items():
            if not pending.future.done():
                sent = number <= self._last_flushed
                pending.future.set_exception(Lost(self._silent, pending.trace_id == fatal) if sent else NotSent(silent=self._silent))
        self.pending.clear()
        if self.marks is not None:
            self.marks.close()
        for timer in (self._sweeper, self._watch):
            if timer is not None:
                timer.cancel()

    async def request(self, message: list[Any], left: float) -> Any:
        """Send a message and wait for its result. `message` is a request whose number is filled in here. Raises as `Link.request` does, and
        TooLarge."""
        if self.closed or self.draining:  # since the caller checked
            raise NotSent(silent=self._silent)
        number = message[1] = next(self._numbers)
        # before anything else: the caller gets the TypeError of what can't be encoded, or TooLarge
        payload = bounded(pack(message), f"A message to {message[2]}.{message[3]}")
        future: asyncio.Future[Any] = self.loop.create_future()
        self.pending[number] = _Pending(future, time.monotonic() + left + GRACE_SECONDS, message[7])
        self._last = number
        self.send(payload)
        if self._sweeper is None:
            self._sweeper = self.loop.call_later(SWEEP_SECONDS, self._sweep)
        try:
            return await future
        except asyncio.CancelledError:
            if self.pending.pop(number, None) is not None:
                self.send(pack([CANCEL, number]))
            raise

    def _sweep(self) -> None:
        now = time.monotonic()
        for number in [number for number, pending in self.pending.items() if pending.deadline <= now]:
            pending = self.pending.pop(number)
            if not pending.future.done():
                pending.future.set_exception(DeadlineExceeded("The answer did not come in time."))
            self.send(pack([CANCEL, number]))
        self._sweeper = self.loop.call_later(SWEEP_SECONDS, self._sweep) if self.pending else None


class Introduction(Protocol):
    """The identity of the process that opens a connection."""

    def identity(self) -> Identity:
        """The identity as it is now."""

    def superseded(self) -> None:
        """Called when a peer knows our successor: this process has to end."""


class SocketLink:
    """A unix socket where both sides share a node, TCP otherwise. Connects on first use, and again after a loss."""

    def __init__(
        self, address: ReplicaAddress, token: str | None, same_node: bool, me: Introduction | None = None, tls: SSLContext | None = None
    ) -> None:
        """`me` is our identity, read for each connection; None: a process without a place in the directory."""
        self._replica = address.replica
        self._tls = tls
        self._me = me
        self._path = address.path if same_node else None
        self._host, self._port = address.host or "127.0.0.1", address.port or 0
        self._token = token
        self._protocol: ClientProtocol | None = None
        self._connecting: asyncio.Task[ClientProtocol] | None = None
        self._closed = False

    async def request(self, message: Outgoing, left: float) -> Any:
        protocol = self._protocol
        if protocol is None or protocol.closed or protocol.draining:
            before = time.monotonic()
            try:
                async with asyncio.timeout(left):
                    protocol = await self._connected()
            except TimeoutError:
                raise NotSent(silent=time.monotonic() - before) from None
            left -= time.monotonic() - before
        return await protocol.request(_request(0, message, left), left)

    async def _connected(self) -> ClientProtocol:
        """One connection for all concurrent callers."""
        if self._closed:
            raise NotSent
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._connected_or_not)
        try:
            return await asyncio.shield(self._connecting)
        except TimeoutError as error:
            raise NotSent(silent=CONNECT_SECONDS) from error
        except OSError as error:
            raise NotSent from error
        except asyncio.CancelledError:
            if self._closed:  # the link was given up, not the caller
                raise NotSent from None
            raise

    def _connected_or_not(self, task: asyncio.Task[ClientProtocol]) -> None:
        self._connecting = None
        if not task.cancelled() and task.exception() is None:
            self._protocol = task.result()
            if self._closed:
                self._protocol.close()

    async def _connect(self) -> ClientProtocol:
        loop = asyncio.get_running_loop()
        superseded = self._me.superseded if self._me is not None else None
        protocol: ClientProtocol | None = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if self._path is not None:
                    _, protocol = await loop.create_unix_connection(lambda: ClientProtocol(None, superseded), self._path)
                    protocol.marks = MarksOf(self._path)
                else:
                    _, protocol = await loop.create_connection(
                        lambda: ClientProtocol(self._token, superseded), self._host, self._port, ssl=self._tls
                    )
                await asyncio.shield(protocol.ready)
        except BaseException:
            if protocol is not None:
                protocol.abort()
            raise
        if self._me is not None:
            me = self._me.identity()
            there = self._replica
            protocol.send(pack([CALLER, there.pool, there.index, me.replica.pool, me.replica.index, me.incarnation, me.version]))
        return protocol

    async def probe(self) -> bool:
        if self._protocol is not None and not self._protocol.closed and not self._protocol.draining:
            return True
        try:
            await self._connected()
        except NotSent:
            return False
        return True

    def drain(self) -> None:
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        if self._protocol is not None:
            self._protocol.drain()

    def close(self) -> None:
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        if self._protocol is not None:
            self._protocol.close()


BatchCall = Callable[[list[bytes]], Any]
"""Sends frames to a replica in one Ray call; the returned object is awaited for the answers."""


class RayLink:
    """Ray calls that carry up to 32 messages each: the way to a replica without an address that we can connect to.

    The answers of one call come together, with the slowest of them. Where sockets can be opened this isn't used.
    """

    def __init__(self, connect: Callable[[], BatchCall]) -> None:
        """`connect` finds the actor; it may block, and raises if there is none."""
        self._connect = connect
        self._call: BatchCall | None = None
        self._connecting = asyncio.Lock()
        self._waiting: list[tuple[bytes, asyncio.Future[Any]]] = []
        self._calls = Tasks("a batch of messages failed")
        self._numbers = itertools.count(1)

    async def request(self, message: Outgoing, left: float) -> Any:
        payload = bounded(pack(_request(next(self._numbers), message, left)), f"A message to {message.service}.{message.method}")
        before = time.monotonic()
        try:
            async with asyncio.timeout(left):
                call = self._call or await self._connected()
        except TimeoutError:
            raise NotSent(silent=time.monotonic() - before) from None
        left -= time.monotonic() - before
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._dispatch, call)
        self._waiting.append((payload, future))
        try:
            async with asyncio.timeout(left + GRACE_SECONDS):
                return await future
        except TimeoutError:
            raise DeadlineExceeded("The answer did not come in time.") from None

    async def _connected(self) -> BatchCall:
        async with self._connecting:
            if self._call is None:
                try:
                    self._call = await asyncio.get_running_loop().run_in_executor(None, self._connect)
                except Exception as error:
                    raise NotSent from error
            return self._call

    def _dispatch(self, call: BatchCall) -> None:
        waiting, self._waiting = self._waiting, []
        for batch in (waiting[at : at + BATCH] for at in range(0, len(waiting), BATCH)):
            self._calls.begin(self._send(call, batch))

    async def _send(self, call: BatchCall, batch: list[tuple[bytes, asyncio.Future[Any]]]) -> None:
        try:
            answers: list[bytes] = await call([payload for payload, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    _settle(future, unpack(answer))
        except Exception as error:  # noqa: BLE001 - Ray has many names for the loss of an actor
            self._call = None  # a restarted actor must be looked up again
            log.debug("a batch was lost", error=str(error))
        finally:  # also if this link is closed: a waiting caller must not wait until its deadline
            for _, future in batch:
                if not future.done():
                    future.set_exception(Lost())

    async def probe(self) -> bool:
        return True

    def drain(self) -> None:
        """Running calls end by themselves."""

    def close(self) -> None:
        self._calls.cancel()


def _request(number: int, message: Outgoing, left: float) -> list[Any]:
    """The frame of a request; if this process is traced, with the sending span."""
    service, method, args, kwargs, trace_id, message_id, fresh = message
    frame = [REQUEST, number, service, method, args, kwargs, left, trace_id, message_id]
    parent = tracing.traceparent()
    return [*frame, parent, fresh] if parent is not None or fresh else frame


def _settle(future: asyncio.Future[Any], frame: list[Any]) -> None:
    if frame[0] == REPLY:
        future.set_result(frame[2])
    elif frame[0] == FAILURE:
        future.set_exception(VelellaError.from_wire(frame[2]))
    else:
        future.set_exception(NotSent(VelellaError.from_wire(frame[2]) if frame[2] else None))
