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


def _with_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add the trace id of the running message, in whichever process of the cluster the line is written."""
    context = call_context.get()
    if context is not None:
        event.setdefault("trace_id", context.trace_id)
    return event


class _Frequent:
    """Writes the lines of each request as JSON, without structlog's processors, which cost a tenth of a short request."""

    def __init__(self) -> None:
        self.write: Callable[[bytes], None] | None = None
        """None: lines go through structlog, because people read them."""
        self.always: dict[str, Any] = {}
        self.wanted = True


_frequent = _Frequent()


def frequent(event: str, **fields: Any) -> None:
    """Like a logger's `info`, for frequent lines whose fields are text and numbers."""
    if _frequent.write is None:
        structlog.get_logger().info(event, **fields)
    elif _frequent.wanted:
        context = call_context.get()
        at = datetime.now(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
        line = {**fields, "event": event, **_frequent.always, "level": "info", "timestamp": at}
        if context is not None:
            line["trace_id"] = context.trace_id
        _frequent.write(orjson.dumps(line) + b"\n")


class _Stderr:
    """Writes lines to stderr. A line that the pipe has no room for is dropped: the shop goes on."""

    def write(self, line: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                os.write(sys.stderr.fileno(), line)
            except io.UnsupportedOperation:  # stderr is captured (tests)
                sys.stderr.write(line.decode())

    def flush(self) -> None:
        """Nothing is buffered."""


def _dumps(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _encoded(_: WrappedLogger, __: str, line: Any) -> bytes:
    return str(line).encode(errors="backslashreplace")


def configure(settings: Settings, **always: Any) -> None:
    """Set up structlog and the standard library's logging alike. `always`: fields of every line (pool, replica)."""
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    level = getattr(logging, settings.log_level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    shown: list[Processor] = (
        [structlog.dev.ConsoleRenderer(pad_event_to=0, exception_formatter=structlog.dev.plain_traceback)]
        if text
        else [
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),  # locals hold secrets
            structlog.processors.JSONRenderer(_dumps),
        ]
    )
    structlog.configure(
        # straight to the file: through the standard library, as lines of other libraries go, each costs five times as much
        processors=[*shared, *shown, _encoded],
        logger_factory=structlog.BytesLoggerFactory(cast(BinaryIO, _Stderr())),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    _frequent.write = None if text else _Stderr().write
    _frequent.always, _frequent.wanted = always, level <= logging.INFO
    handler = logging.StreamHandler(sys.stderr)
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
