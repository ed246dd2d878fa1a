"""What the processes of `velella develop` say to each other."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

LARGEST = 128 * 1024
"""Bytes of a datagram."""

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
