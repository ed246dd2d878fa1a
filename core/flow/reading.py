"""What the function of a durable flow reads outside of its steps: each answer is kept like that of a reading step.

Run again after a crash, the function gets the same answers, however the shop looks by then, and so takes the same way. Answers are found
again by what was asked, not by when: reads that run side by side needn't come in the same order twice.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

from ..codec import pack
from ..errors import UnexpectedState

READ = "read:"
"""Before the name of what was asked, where a step has its reference."""

Ask = Callable[[], Awaitable[Any]]
Read = Callable[[str, str, str, Ask], Awaitable[Any]]
"""(path of the flow, what is asked, a digest of it, how to ask it) → the answer."""


class Reader:
    """Stands in for a module's handle, or for the graph: what its async methods answer is kept."""

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
    """Stands in for the modules."""

    def __init__(self, path: str, modules: object, read: Read) -> None:
        self._path = path
        self._modules = modules
        self._read = read

    def of(self, service: type) -> Any:
        return getattr(self, service.name)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Reader:
        return Reader(self._path, name, getattr(self._modules, name), self._read)


def refuse_write(name: str) -> None:
    """What a write meets that is sent from the function of a durable flow."""
    raise UnexpectedState(
        f"A durable flow sends {name} outside of a step.", hint="Run again after a crash it would do that twice: move it into a step."
    )
