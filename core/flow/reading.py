"""What the function of a durable flow reads outside of its steps: each answer is recorded like that of a reading step.

Run again after a crash, the function gets the same answers, whatever the shop looks like by then, and so does the same again. Answers are
found again by the question, not by the time: reads that run concurrently needn't come in the same order twice.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

from ..codec import pack
from ..errors import UnexpectedState

READ = "read:"
"""Prefix of a read's name, where a step has its reference."""

Ask = Callable[[], Awaitable[Any]]
Read = Callable[[str, str, str, Ask], Awaitable[Any]]
"""(path of the flow, name of the read, a digest of its arguments, how to carry it out) → the answer."""


class Reader:
    """Stands in for a module's handle, or for the graph: the answers of its async methods are recorded."""

    def __init__(self, path: str, name: str, asked: object, read: Read) -> None:
        self._path = path
        self._name = name
        self._asked = asked
        self._read = read

    def __getattr__(self, method: str) -> Any:
        function = getattr(self._asked, method)
        if not inspect.iscoroutinefunction(function):
            return function
        name = f"{self._name}-{method}"

        def ask(*args: Any, **kwargs: Any) -> Awaitable[Any]:
            digest = blake2b(pack([name, args, kwargs]), digest_size=12).hexdigest()
            return self._read(self._path, name, digest, lambda: function(*args, **kwargs))

        return ask


class ReadModules:
    """Stands in for the modules' handles."""

    def __init__(self, path: str, modules: object, read: Read) -> None:
        self._path = path
        self._modules = modules
        self._read = read

    def of(self, service: type) -> Any:
        return getattr(self, service.name)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Reader:
        return Reader(self._path, name, getattr(self._modules, name), self._read)


def refuse_write(name: str) -> None:
    """Raises the error for a write that the function of a durable flow sends outside of its steps."""
    raise UnexpectedState(
        f"A durable flow sends {name} outside of a step.", hint="Run again after a crash it would do that twice: move it into a step."
    )
