"""The router of a process: to which replica a message goes, and what becomes of it when that one dies."""

from __future__ import annotations

from typing import Any

from ..core.errors import Unavailable
from .directory import Directory


class Router:
    """Knows the directory; sends messages to services of other processes."""

    def __init__(self, directory: Directory | None = None) -> None:
        self.directory = directory or Directory()

    async def call(self, service: str, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        raise Unavailable(f"No replica of {service} is known here.")

    async def close(self) -> None: ...
