"""Which message the loop of a process works on, written where it outlives the process.

A message that keeps a loop busy until the process is killed, or that takes all its memory, must not be sent to the next process. So each
step of a message is marked in a small file beside the process's socket, which callers on the same node have open: when the connection
closes, they read there what the process was doing. Two successive processes at one path have separate files.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

HELD_SECONDS = 0.5
"""Seconds. A step takes a few ms. If a process died in one that took longer than this, we assume that it died of it; callers may be
late."""
_LONGEST = 160
_SIZE = 8 + 2 + _LONGEST
_SINCE = struct.Struct("<d")
_WHAT = struct.Struct(f"<H{_LONGEST}s")


def marks_path(socket: str) -> str:
    """The file beside a socket."""
    return f"{socket}.now"


class Marks:
    """The marks of the process that listens at a socket."""

    def __init__(self, socket: str) -> None:
        draft = f"{marks_path(socket)}.{os.getpid()}"
        file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.ftruncate(file, _SIZE)
            self._memory = mmap.mmap(file, _SIZE)
        finally:
            os.close(file)
        os.rename(draft, marks_path(socket))  # a new file: a caller that has our predecessor's open keeps that

    def begin(self, what: bytes) -> None:
        _WHAT.pack_into(self._memory, 8, len(what), what)
        _SINCE.pack_into(self._memory, 0, time.monotonic())  # last: the mark counts from here on

    def end(self) -> None:
        _SINCE.pack_into(self._memory, 0, 0.0)


class Marked(Coroutine[Any, Any, Any]):
    """A coroutine whose every step is marked with the trace id of the message that it carries out."""

    __slots__ = ("_coroutine", "_marks", "_what")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], marks: Marks, trace_id: str) -> None:
        self._coroutine = coroutine
        self._marks = marks
        self._what = trace_id.encode()[:_LONGEST]

    def send(self, value: Any) -> Any:
        self._marks.begin(self._what)
        try:
            return self._coroutine.send(value)
        finally:
            self._marks.end()

    def throw(self, error: Any, value: Any = None, trace: TracebackType | None = None, /) -> Any:
        self._marks.begin(self._what)
        try:
            return self._coroutine.throw(error if value is None else value)
        finally:
            self._marks.end()

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Any:
        raise TypeError("this is for a task, which steps it")


class MarksOf:
    """Another process's marks, as seen by a caller that has just connected to it."""

    def __init__(self, socket: str) -> None:
        self._file: int | None
        try:
            self._file = os.open(marks_path(socket), os.O_RDONLY)
        except FileNotFoundError:  # it is just ending, or doesn't mark
            self._file = None

    def died_of(self) -> str | None:
        """The trace id of the message that the process has worked on for longer than any takes, or None; to be called when the process has
        ended."""
        if self._file is None:
            return None
        written = os.pread(self._file, _SIZE, 0)
        if len(written) < _SIZE:
            return None
        (since,) = _SINCE.unpack_from(written, 0)
        if not since or time.monotonic() - since < HELD_SECONDS:
            return None
        length, what = _WHAT.unpack_from(written, 8)
        return bytes(what[:length]).decode("utf-8", "replace")

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
