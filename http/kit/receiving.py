"""Receives bodies, within limits of size, time and inflated size."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from ...core.settings import Settings
from .reply import Refused, http_error

EACH = 1.0
"""Seconds between two checks of a body's progress."""
WINDOWS = {"gzip": 31, "deflate": 15}
"""zlib's window bits for the accepted codings: the ones that Express inflates."""


async def whole_body(http: web.BaseRequest, limit: int, settings: Settings) -> bytes:
    """All of a body, inflated.

    Raises:
        Refused: 413 for more than `limit` bytes, as sent or as inflated; 415 for a coding that isn't accepted, 408 for a client that is too
            slow, 400 for a body that isn't what its head says.
    """
    coding = _coding(http)
    if (http.content_length or 0) > limit:
        raise too_large()
    if http.content.is_eof():
        data = http.content.read_nowait()
    else:
        gathered = bytearray()
        with arriving(http, settings):
            async for chunk in http.content.iter_any():
                gathered += chunk
                if len(gathered) > limit:
                    raise too_large()
        data = bytes(gathered)
    if len(data) > limit:
        raise too_large()
    return data if coding is None else await asyncio.to_thread(_inflated, data, coding, limit)  # in a thread: it takes time


@contextmanager
def arriving(http: web.BaseRequest, settings: Settings) -> Iterator[None]:
    """While a body is read: tells a client that waits for `100 Continue` to go on, and limits the time.

    Raises Refused: 408 where the body comes more slowly than the settings' `receive_timeout` and `receive_rate` allow, 400 where it breaks
    off.
    """
    if http.headers.get("Expect", "").lower() == "100-continue" and http.transport is not None:
        http.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    loop = asyncio.get_running_loop()
    began = loop.time()
    looking: asyncio.TimerHandle

    def look() -> None:
        nonlocal looking
        granted = settings.receive_timeout + http.content.total_bytes / settings.receive_rate
        if loop.time() - began > granted:
            http.content.set_exception(_refused(408, "The body did not come in time"))
        elif not http.content.is_eof():
            looking = loop.call_later(EACH, look)

    looking = loop.call_later(EACH, look)
    try:
        yield
    except Exception as error:
        if error is not http.content.exception() or isinstance(error, Refused):
            raise
        raise _refused(400, "The body is not what the head of the request says") from None  # broken, or the client has gone
    finally:
        looking.cancel()


async def drop_rest(http: web.BaseRequest, most: int) -> None:
    """Take in what still comes of a body and drop it, unless it has, or says it has, more bytes than `most`, or would have to be inflated.

    For large bodies that are refused: a proxy or a browser that is still sending when the connection closes never shows the answer. To be
    called while it is `arriving`, which ends it where it comes too slowly.
    """
    if _coding(http) is None and (http.content_length or 0) <= most:
        while http.content.total_bytes <= most and await http.content.readany():
            pass


def refuse_codings(http: web.BaseRequest) -> None:
    """Refuse a body with a coding, for routes that read it as it is. Raises Refused: 415."""
    coding = _coding(http)
    if coding is not None:
        raise _unsupported(coding)


def too_large() -> Refused:
    return _refused(413, "request entity too large", "unknown_error")


def _coding(http: web.BaseRequest) -> str | None:
    given = ",".join(http.headers.getall("Content-Encoding", ())).lower()
    if not given or given == "identity":
        return None
    if given not in WINDOWS:  # a list of codings isn't accepted either
        raise _unsupported(given)
    return given


def _unsupported(coding: str) -> Refused:
    return _refused(415, f'unsupported content encoding "{coding[:100]}"', "unknown_error")


def _inflated(data: bytes, coding: str, limit: int) -> bytes:
    inflating = zlib.decompressobj(WINDOWS[coding])
    try:
        plain = inflating.decompress(data, limit + 1)
    except zlib.error:
        raise _refused(400, f"The body is not {coding}") from None
    if len(plain) > limit:
        raise too_large()
    if not inflating.eof or inflating.unused_data:
        raise _refused(400, f"The body is not {coding}")
    return plain


def _refused(status: int, message: str, type: str = "invalid_data") -> Refused:
    refused = http_error(status, type, message)
    refused.reply.close = True  # the rest of the body isn't read
    return refused
