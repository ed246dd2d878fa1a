"""The nursery: a process that has imported what takes long to import, and forks generations.

It has one thread and no loop, so that a fork of it is as good as a new process. It and its parent talk by datagrams on a pair of sockets,
which generations inherit to say that they are ready, or why they aren't.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn

from ...actors.services import module_names
from ...core.endings import end_with_parent
from .messages import Ended, Forked, Preload, Start, receive, send

REAP_SECONDS = 0.1


class Nursery:
    """The parent's end."""

    def __init__(self, pid: int, talk: socket.socket) -> None:
        self.pid = pid
        self.talk = talk

    def send(self, wish: Start | Preload) -> None:
        send(self.talk, wish)

    def received(self) -> list[Any]:
        """All messages that have come. Doesn't wait."""
        return list(iter(lambda: receive(self.talk, 0), None))


@contextlib.contextmanager
def opened() -> Iterator[Nursery]:
    """Fork the nursery. With the block it ends, and what it has forked."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _run(theirs, parent)
    theirs.close()
    try:
        yield Nursery(pid, ours)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # generations go with it
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        ours.close()


def _run(talk: socket.socket, parent: int) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the parent's to pass on
        end_with_parent(parent)
        generation = _import_velella()
        while os.getppid() == parent:
            _reap(talk)
            if (wish := receive(talk, REAP_SECONDS)) is not None:
                _carry_out(wish, talk, generation)
        code = 0
    finally:
        os._exit(code)


def _import_velella() -> Any:
    """Import everything of Velella's that a shop consists of. Returns the module that is a generation."""
    from ...actors.engine.coordinator import load_workflows
    from ...http.server import found_routes

    for name in ("cli.seeding", "actors.host", "core.service.migrations"):
        importlib.import_module(f"velella.{name}")
    for module in module_names():
        importlib.import_module(f"velella.modules.{module}")
    load_workflows(["velella.workflows"])
    found_routes()
    return importlib.import_module("velella.cli.develop.generation")


def _carry_out(wish: Any, talk: socket.socket, generation: Any) -> None:
    if isinstance(wish, Preload):
        for name in wish.modules:
            with contextlib.suppress(Exception):  # it can be imported only by whoever else has; then generations do it
                importlib.import_module(name)
        return
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = generation.be(wish, talk)
        except BaseException:  # noqa: BLE001 - nothing of it may go on as a second nursery
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    send(talk, Forked(wish.number, pid))


def _reap(talk: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        send(talk, Ended(pid, os.waitstatus_to_exitcode(status)))
