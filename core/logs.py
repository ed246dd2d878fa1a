"""Logs: readable on a terminal, JSON otherwise; every line of a request carries its trace id."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from .message import call_context
from .settings import Settings

CLOCK = "%H:%M:%S"
"""The time of a line that a person reads, in the time zone of this machine."""


def _with_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add the trace id of the running message, in whichever process of the cluster the line is written."""
    context = call_context.get()
    if context is not None:
        event.setdefault("trace_id", context.trace_id)
    return event


class _Lines:
    """How the lines of requests look: they are written without structlog's processors, which cost a tenth of a short request."""

    def __init__(self) -> None:
        self.text = False
        self.colours = False
        self.always: dict[str, Any] = {}
        self.wanted = True


_lines = _Lines()
_above: Callable[[bytes], None] | None = None
"""What writes lines while something moves on the terminal, such as a progress bar."""


def request(method: str, path: str, status: int, ms: float, size: int) -> None:
    """Log a request that was answered. `ms`: how long it took; `size`: the bytes of its answer, packed as they were sent."""
    if not _lines.wanted:
        return
    context = call_context.get()
    if _lines.text:
        line = _request_line(method, path, status, ms, size, context.trace_id if context is not None and status >= 500 else "")
        write(line.encode(errors="backslashreplace"))
        return
    at = datetime.now(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
    fields: dict[str, Any] = {"method": method, "path": path, "status": status, "ms": ms, "bytes": size, "event": "request"}
    fields |= {**_lines.always, "level": "info", "timestamp": at}
    if context is not None:
        fields["trace_id"] = context.trace_id
    write(orjson.dumps(fields) + b"\n")


def _request_line(method: str, path: str, status: int, ms: float, size: int, trace_id: str) -> str:
    """Columns that a person reads from left to right; those before the path line up, and those after it too where it is short."""
    shown = path if path.isprintable() else path.encode("unicode_escape").decode()
    result = f"{status}"
    if _lines.colours:
        result = f"\x1b[{'32' if status < 400 else '33' if status < 500 else '31'}m{status}\x1b[0m"
    rest = f"  {trace_id}" if trace_id else ""
    return f"{datetime.now().strftime(CLOCK)} {method:<6} {shown:<56} {result} {ms:>7.1f} ms {size:>7} B{rest}\n"


def write(lines: bytes) -> None:
    """Write whole lines to stderr. What isn't taken there is dropped, and the shop goes on: its pipe has no room, or nobody reads it any
    more, or its disk is full."""
    if _above is not None:
        _above(lines)
        return
    with contextlib.suppress(OSError):
        try:
            os.write(sys.stderr.fileno(), lines)
        except io.UnsupportedOperation:  # stderr is captured (tests)
            sys.stderr.write(lines.decode())


def write_above(writes: Callable[[bytes], None] | None) -> None:
    """From now on have `writes` write the lines of this process, because it knows what moves on the terminal; None: go on as before."""
    global _above
    _above = writes


class _Stream:
    """`write` as a file: of bytes for structlog, of text for the standard library."""

    def write(self, line: bytes | str) -> None:
        write(line if isinstance(line, bytes) else line.encode(errors="backslashreplace"))

    def flush(self) -> None:
        """Nothing is buffered."""


def _dumps(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _encoded(_: WrappedLogger, __: str, line: Any) -> bytes:
    return str(line).encode(errors="backslashreplace")


def configure(settings: Settings, **always: Any) -> None:
    """Set up structlog and the standard library's logging alike. `always`: fields of every line (pool, replica)."""
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    colours = "NO_COLOR" not in os.environ
    level = getattr(logging, settings.log_level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt=CLOCK, utc=False) if text else structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    shown: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback)]
        if text
        else [
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),  # locals hold secrets
            structlog.processors.JSONRenderer(_dumps),
        ]
    )
    structlog.configure(
        # straight to the file: through the standard library, as lines of other libraries go, each costs five times as much
        processors=[*shared, *shown, _encoded],
        logger_factory=structlog.BytesLoggerFactory(cast(BinaryIO, _Stream())),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    _lines.text, _lines.colours = text, colours
    _lines.always, _lines.wanted = always, level <= logging.INFO
    handler = logging.StreamHandler(_Stream())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shown]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("asyncio", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(**always)


def logger(name: str) -> Any:
    return structlog.get_logger(name)
