"""The HTTP front end: the server, and finding the routes that it serves."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...core.errors import Misconfigured
from ..kit import Route, Routes
from ..kit.assembling import assembled
from .front import FrontEnd

if TYPE_CHECKING:
    from ...actors.context import HostContext

__all__ = ["FrontEnd", "create", "found_routes"]

AREAS = ("store", "admin", "auth", "hooks")
"""Packages whose files' `routes` are served."""


def found_routes(plugins: Iterable[str] = ()) -> list[Route]:
    """The routes of every file in the areas' packages, at any depth, then those of the plugins' `http`, with what plugins do to routes of
    others. Raises Misconfigured."""
    base = __name__.rpartition(".")[0]
    packages = [f"{base}.{area}" for area in AREAS if importlib.util.find_spec(f"{base}.{area}") is not None]
    for plugin in plugins:
        try:
            package = importlib.import_module(plugin)
        except ModuleNotFoundError as error:
            raise Misconfigured(f"The routes of {plugin} can't be loaded: {error}.", hint="See the setting plugins.") from error
        if hasattr(package, "__path__") and importlib.util.find_spec(f"{plugin}.http") is not None:  # else it is one file
            packages.append(f"{plugin}.http")
    return assembled(file for package in packages for file in _files_in(package))


def _files_in(name: str) -> Iterator[tuple[str, Routes]]:
    package = importlib.import_module(name)
    files = [name, *(info.name for info in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}."))]
    for file in files:
        routes = getattr(importlib.import_module(file), "routes", None)
        if isinstance(routes, Routes):
            yield file, routes


def create(context: HostContext) -> FrontEnd:
    """The front end of a host, with all routes."""
    return FrontEnd(context, found_routes(context.settings.plugins))
