"""The log lines of all processes of a machine in one stream: a named pipe that replicas write and the supervisor reads."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sys

from ...core import logs
from ...core.settings import Settings
from .ray_runtime import make_run_dir, run_dir

CAPACITY = 1 << 20
"""Bytes that the pipe holds, if the kernel allows it: room for what is written during a pause."""
PAUSE_SECONDS = 0.02
"""Seconds between two reads: waking up for each line took an eighth of the cost of a short request."""


def log_path(settings: Settings) -> str:
    return str(run_dir(settings) / "log")


def write_to(path: str) -> bool:
    """Send this process's stderr into the pipe. False if no process reads it.

    A writer never waits: a line that doesn't fit into the pipe is lost, the shop goes on.
    """
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    os.dup2(pipe, 2)
    os.close(pipe)
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 - for good
    return True


class LogPipe:
    """The reading end: copies what arrives to this process's stderr."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = log_path(settings)
        self._pipe: int | None = None
        self._pause: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Make the pipe and start copying, in the running loop."""
        make_run_dir(self._settings)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        os.mkfifo(self._path, 0o600)
        self._pipe = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)  # for writing too: so it has no end while writers come and go
        with contextlib.suppress(OSError, AttributeError):  # not every system has it, nor allows that much to every user
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, CAPACITY)
        self._wait()

    def _wait(self) -> None:
        if self._pipe is not None:
            asyncio.get_running_loop().add_reader(self._pipe, self._lines_came)

    def _lines_came(self) -> None:
        self._copy()
        if self._pipe is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._pipe)
            self._pause = loop.call_later(PAUSE_SECONDS, self._wait)

    def _copy(self) -> None:
        if self._pipe is not None:
            with contextlib.suppress(BlockingIOError):
                logs.write(os.read(self._pipe, CAPACITY))

    def close(self) -> None:
        """Copy what is left and remove the pipe."""
        if self._pipe is not None:
            if self._pause is not None:
                self._pause.cancel()
            asyncio.get_running_loop().remove_reader(self._pipe)
            self._copy()
            os.close(self._pipe)
            self._pipe = None
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
