"""What the processes of `velella develop` say to each other, and how."""

from __future__ import annotations

import pickle
import select
import socket
import tempfile
from typing import Any, Literal, NamedTuple

Prepare = Literal["all", "tables"] | None
"""What is done before a generation serves: tables are brought up to date; `all`: and a new shop is filled."""


class Start(NamedTuple):
    """Fork a generation."""

    number: int
    given: dict[str, Any]
    """Settings that stood on the command line, and the database."""
    prepare: Prepare
    demo: bool
    embedded: bool


class Preload(NamedTuple):
    """Import what the last generation has imported of others, for those to come."""

    modules: list[str]


class Forked(NamedTuple):
    number: int
    pid: int


class Ended(NamedTuple):
    pid: int
    code: int
    """Exit code; negative: the signal."""


class Ready(NamedTuple):
    """A generation serves."""

    number: int
    url: str
    address: list[Any]
    """A `ReplicaAddress` in its wire form."""
    services: tuple[str, ...]
    filled: bool
    """Whether it has filled the demo shop."""
    files: list[str]
    """Files of Python that are the plugins'."""
    others: list[str]
    """Modules of others that it has imported, and the nursery hadn't."""


class Failure(NamedTuple):
    """A generation can't start."""

    number: int
    why: str


def send(talk: socket.socket, message: NamedTuple) -> None:
    """Send a message of any size, as a whole or not at all: several processes write to one socket, and any of them may be killed."""
    with tempfile.TemporaryFile() as file:
        pickle.dump(message, file)
        file.flush()
        socket.send_fds(talk, [b"."], [file.fileno()])  # a datagram itself has a largest size, and it differs between systems


def receive(talk: socket.socket, wait: float) -> Any:
    """The next message; None where none comes within so many seconds."""
    if not select.select((talk,), (), (), wait)[0]:
        return None
    _, [descriptor], _, _ = socket.recv_fds(talk, 1, 1)
    with open(descriptor, "rb") as file:
        file.seek(0)  # who wrote it has the same place in it
        return pickle.load(file)
