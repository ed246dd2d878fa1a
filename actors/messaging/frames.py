"""What goes over a socket between two processes: frames of msgpack, each preceded by its length.

    request   [REQUEST, number, service, method, args, kwargs, time left, trace id, message id or None]
              and, if there is one of them, a traceparent or None, and whether it is a first delivery
    reply     [REPLY, number, result]
    failure   [FAILURE, number, error]       the error as `VelellaError.to_wire` made it
    refused   [REFUSED, number, error]       not started and never will be: send it to another replica; error is Busy or None
    cancel    [CANCEL, number]               the caller has given up; best effort
    goodbye   [GOODBYE]                      this side stops: running messages will be answered, send nothing new
    caller    [CALLER, pool, index, pool, index, incarnation, version or None]
                                             the first frame: the replica that is meant, and the caller's identity (see `Identity`)
    superseded [SUPERSEDED]                  another process has the caller's place: none of its messages is carried out any more
    ping      [PING]                         on TCP, after half a second of silence; answered at once, also by a full replica
    pong      [PONG]

Numbers are the caller's and count up on one connection; replies come in any order. A unix socket lies in a folder only
its owner can enter and needs no more. On TCP both sides first prove that they know the cluster's token:

    server → [HELLO, version, nonce]   client → [PROOF, nonce, HMAC]   server → [PROOF, HMAC]

Nothing else is read from a client before its proof. The token itself is never sent. What follows is encrypted only
where certificates are set up (`tls.py`); else TCP between nodes belongs in a private network.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import struct
from typing import Any, cast

from ...core.codec import LARGEST, pack, unpack
from ...core.logs import logger

log = logger("velella.wire")

REQUEST, REPLY, FAILURE, REFUSED, CANCEL, GOODBYE, HELLO, PROOF, CALLER, SUPERSEDED, PING, PONG = range(12)

VERSION = 2
MAX_STRANGER_FRAME = 1024
"""Bytes of a frame that are read from a client before its proof."""
HANDSHAKE_SECONDS = 5.0

_LENGTH = struct.Struct(">I")


class FrameProtocol(asyncio.Protocol):
    """One end of a connection: cuts the stream into frames, and joins what is sent in one turn of the loop into one write."""

    max_frame = LARGEST
    """A peer that sends more isn't ours: our own senders check before (`codec.bounded`)."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.WriteTransport | None = None
        self.closed = False
        self._incoming: list[bytes] = []
        self._held = 0
        self._wanted = _LENGTH.size
        self._outgoing: list[bytes] = []

    # -- overridden by the two ends
    def frame_received(self, frame: list[Any]) -> None:
        raise NotImplementedError

    def flushed(self) -> None:
        """What was sent so far has been handed to the operating system, or to asyncio's buffer."""

    # -- asyncio
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._outgoing.clear()

    def data_received(self, data: bytes) -> None:
        if self._incoming:
            self._incoming.append(data)
            self._held += len(data)
            if self._held < self._wanted:
                return
            data = b"".join(self._incoming)
            self._incoming.clear()
        length, at = len(data), 0
        view = memoryview(data)
        try:
            while length - at >= 4 and not self.closed:
                (size,) = _LENGTH.unpack_from(data, at)
                if size > self.max_frame:
                    raise ValueError(f"a frame of {size} bytes")
                if length - at - 4 < size:
                    break
                at += 4
                frame = unpack(view[at : at + size])
                at += size
                self.frame_received(frame)
        except (ValueError, TypeError, IndexError) as error:  # not our protocol, or an attack: there is nothing sensible to answer
            log.warning("a connection sent what is no message", error=str(error))
            self.abort()
            return
        if at < length:
            self._incoming.append(data[at:] if at else data)
            self._held = length - at
            self._wanted = 4 if self._held < 4 else 4 + _LENGTH.unpack_from(data, at)[0]

    # -- sending
    def send(self, payload: bytes) -> None:
        """Send one frame, together with everything else that is sent before the loop turns."""
        if self.closed:
            return
        if not self._outgoing:
            self.loop.call_soon(self._flush)
        self._outgoing.append(_LENGTH.pack(len(payload)))
        self._outgoing.append(payload)

    def _flush(self) -> None:
        if self._outgoing and self.transport is not None and not self.closed:
            self.transport.write(b"".join(self._outgoing))
            self._outgoing.clear()
            self.flushed()

    def close(self) -> None:
        """Write what is still to be written, then close."""
        self._flush()
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        self.closed = True
        if self.transport is not None:
            self.transport.abort()


class ServerHandshake:
    """The server's side of the proof."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._nonce = secrets.token_bytes(32)

    def hello(self) -> bytes:
        return pack([HELLO, VERSION, self._nonce])

    def answer(self, frame: list[Any]) -> bytes | None:
        """Our own proof, if the client's is right; else None."""
        if len(frame) != 3 or frame[0] != PROOF or not isinstance(frame[1], bytes) or not isinstance(frame[2], bytes):
            return None
        if not hmac.compare_digest(frame[2], _proof(self._token, b"client", self._nonce, frame[1])):
            return None
        return pack([PROOF, _proof(self._token, b"server", self._nonce, frame[1])])


class ClientHandshake:
    """The client's side of the proof."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._nonce = secrets.token_bytes(32)
        self._theirs = b""

    def answer(self, frame: list[Any]) -> bytes:
        """The proof for a server's hello. Raises ValueError if the frame isn't one, or has another version."""
        if len(frame) != 3 or frame[0] != HELLO or frame[1] != VERSION or not isinstance(frame[2], bytes):
            raise ValueError("the other side speaks another protocol or version")
        self._theirs = frame[2]
        return pack([PROOF, self._nonce, _proof(self._token, b"client", self._theirs, self._nonce)])

    def accepts(self, frame: list[Any]) -> bool:
        """Whether the server has proved that it knows the token as well."""
        proof = frame[1] if len(frame) == 2 and frame[0] == PROOF else b""
        return isinstance(proof, bytes) and hmac.compare_digest(proof, _proof(self._token, b"server", self._theirs, self._nonce))


def _proof(token: str, side: bytes, server_nonce: bytes, client_nonce: bytes) -> bytes:
    return hmac.new(token.encode(), b"velella" + side + server_nonce + client_nonce, hashlib.sha256).digest()
