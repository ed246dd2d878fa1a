"""Connections: how many one address may have, how long the head of a request may take, the answer to malformed requests, and the rest of
a body that isn't read.

The settings' `receive_timeout`, `receive_rate` and `connections_per_address` limit what a silent client can hold.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from ...core.json import dumps
from ...core.logs import logger
from ...core.settings import Settings
from ..kit.client import is_trusted, network_of
from .answers import ALWAYS, UNKNOWN

LINGER_SECONDS = 1.0
LINGER_BYTES = 256 * 1024
"""Bytes of an unwanted body that are still received and dropped, so that the client sees the answer: closing a socket with unread bytes
discards the answer."""
EACH = 1.0
"""Seconds between two checks of connections whose requests don't arrive."""

log = logger("velella.http")


def _refusal(status: str, message: str, **more: str) -> bytes:
    """The bytes of an answer to a client that has sent no complete request."""
    body = dumps({"type": "unavailable", "message": message})
    headers = {**ALWAYS, **more, "Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


CROWDED = _refusal("503 Service Unavailable", "Too many connections come from this address.", **{"Retry-After": "5"})
LATE = _refusal("408 Request Timeout", "The request did not come in time.")


class Connections(web.Server):
    """All connections of one front end."""

    def __init__(self, handler: Any, settings: Settings, **options: Any) -> None:
        super().__init__(handler, request_factory=self._begin, **options)
        self._options = options
        self._most = settings.connections_per_address
        self._trusted = settings.trusted_proxies
        self._seconds = settings.receive_timeout
        self._open: Counter[str] = Counter()
        """Connections by client."""
        self._looking = self._loop.call_later(EACH, self._look)

    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, lingering_time=0, **self._options)

    def _begin(
        self, message: RawRequestMessage, payload: StreamReader, protocol: RequestHandler, writer: Any, task: asyncio.Task[None]
    ) -> web.BaseRequest:
        """The head of a request has arrived."""
        assert isinstance(protocol, Connection)
        protocol.busy, protocol.waits_since = True, 0.0
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop)

    def enter(self, address: str) -> str | None:
        """Count a connection from an address. Returns the key it is counted under; None if the address has too many."""
        if not self._most or not address or is_trusted(address, self._trusted):
            return ""
        client = network_of(address)
        if self._open[client] >= self._most:
            return None
        self._open[client] += 1
        return client

    def leave(self, client: str) -> None:
        if client:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]

    def _look(self) -> None:
        """Close connections whose requests are overdue, or whose clients don't read their answers."""
        self._looking = self._loop.call_later(EACH, self._look)
        now = self._loop.time()
        for connection in self.connections:
            if not isinstance(connection, Connection):
                continue
            if 0 < connection.waits_since < now - self._seconds:
                connection.refuse(LATE)
            elif connection.stuck_since(now) < now - self._seconds and connection.transport is not None:
                connection.transport.abort()  # closing would wait for bytes that the client never reads

    async def shutdown(self, timeout: float | None = None) -> None:
        self._looking.cancel()
        await super().shutdown(timeout)


class Connection(RequestHandler):
    """One connection."""

    __slots__ = ("_client", "_connections", "_stuck", "busy", "waits_since")

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(connections, **options)
        self._connections = connections
        self._client: str | None = None
        self.busy = False
        """Whether a request is being answered."""
        self.waits_since = 0.0
        """Since when the head of a request is awaited: from the connection's beginning, or from the first bytes after an answer. 0: none
        is."""
        self._stuck = (0, 0.0)

    def stuck_since(self, now: float) -> float:
        """Since when the client has read nothing of what was sent; `now` where nothing is unread. To be called often."""
        waiting = self.transport.get_write_buffer_size() if self.transport is not None else 0
        if not waiting or waiting != self._stuck[0]:
            self._stuck = (waiting, now)
        return self._stuck[1]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        self._client = self._connections.enter(peer[0] if isinstance(peer, tuple) else "")
        if self._client is None:
            assert isinstance(transport, asyncio.WriteTransport)
            transport.write(CROWDED)
            transport.close()
            return
        self.waits_since = self._loop.time()
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._client is not None:
            self._connections.leave(self._client)
            self._client = None
            self.waits_since = 0.0
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self.busy and not self.waits_since:
            self.waits_since = self._loop.time()
        super().data_received(data)

    def refuse(self, answer: bytes) -> None:
        """Send this to a client that has not finished its request, and close."""
        if self.transport is not None:
            self.transport.write(answer)
        self.force_close()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer. If the request's body hasn't been received by then, the connection is closed after it."""
        content = request.content
        unread = not content.is_eof()
        if unread:
            resp.force_close()
        sent = await super().finish_response(request, resp, start_time)
        if unread:
            await self._drop(content)
            self.close()
        self.busy = False
        return sent

    async def _drop(self, content: StreamReader) -> None:
        transport = self.transport
        if transport is None or transport.is_closing() or content.exception() is not None:
            return
        dropped = 0
        try:
            transport.write_eof()
            async with asyncio.timeout(LINGER_SECONDS):
                while dropped < LINGER_BYTES and not content.is_eof():
                    dropped += len(await content.readany())
        except (TimeoutError, OSError, web.RequestPayloadError):
            return

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to what aiohttp could not read as HTTP (400), or where our handler failed (500), in our format."""
        if status == 400:
            log.info("malformed request", address=request.remote, what=type(exc).__name__)
            body: dict[str, Any] = {"type": "invalid_data", "message": "The request is not valid HTTP."}
        else:
            log.error("request failed", exc_info=exc)
            body = UNKNOWN
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        headers = {**ALWAYS, "Content-Type": "application/json; charset=utf-8"}
        response = web.Response(body=dumps(body), status=status, headers=headers)
        response.force_close()
        return response
