"""The HTTP front end: what every route is made with, and the server that serves them.

    from ..frontend import Answer, Body, Filters, Request, Routes, View

Files of routes import what they need from here.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...core.errors import Misconfigured
from .access import (
    ANY_BEARER,
    ANY_IDENTITY,
    CUSTOMER,
    CUSTOMER_OPTIONAL,
    CUSTOMER_REGISTERING,
    PUBLIC,
    SESSION_ONLY,
    USER,
    Actor,
    Auth,
    PublishableKey,
)
from .bodies import ABSENT, AdditionalData, BigNumber, Body, Email, LinkBody, Metadata, Number, Part, Whole
from .cached import Cached
from .filters import (
    ANYTHING,
    BOOLEAN,
    MANY,
    NOTHING,
    NUMBER,
    NUMBERS,
    OPERATORS,
    STAMPS,
    TEXT,
    TEXT_LIST,
    Filters,
    Kind,
    choice,
    choices,
    required,
)
from .front import FrontEnd
from .request import Answer, Paging, Reply, Request, deleted, envelope, list_envelope
from .resource import require
from .routes import BATCH_LIMIT, Route, Routes, Write
from .view import View

if TYPE_CHECKING:
    from ...actors.context import HostContext

__all__ = [
    "ABSENT", "ANYTHING", "ANY_BEARER", "ANY_IDENTITY", "BATCH_LIMIT", "BOOLEAN", "CUSTOMER", "CUSTOMER_OPTIONAL", "CUSTOMER_REGISTERING",
    "MANY", "NOTHING", "NUMBER", "NUMBERS", "OPERATORS", "PUBLIC", "SESSION_ONLY", "STAMPS", "TEXT", "TEXT_LIST", "USER", "Actor",
    "AdditionalData", "Answer", "Auth", "BigNumber", "Body", "Cached", "Email", "Filters", "FrontEnd", "Kind", "LinkBody", "Metadata",
    "Number", "Paging", "Part", "PublishableKey", "Reply", "Request", "Route", "Routes", "View", "Whole", "Write", "choice", "choices",
    "create", "deleted", "envelope", "found_routes", "list_envelope", "require", "required",
]  # fmt: skip

AREAS = ("store", "admin", "auth", "hooks")
"""Packages whose files' `routes` are served."""


def found_routes(plugins: Iterable[str] = ()) -> Iterator[Route]:
    """The routes of every file in the areas' packages, however deep, then those of the plugins' `http`. Raises Misconfigured."""
    base = __name__.rpartition(".")[0]
    for area in AREAS:
        name = f"{base}.{area}"
        if importlib.util.find_spec(name) is not None:
            yield from _routes_in(name)
    for plugin in plugins:
        name = f"{plugin}.http"
        try:
            there = importlib.util.find_spec(name) is not None
        except ModuleNotFoundError as error:
            raise Misconfigured(f"The routes of {plugin} can't be loaded: {error}.", hint="See the setting plugins.") from error
        if there:
            yield from _routes_in(name)


def _routes_in(name: str) -> Iterator[Route]:
    package = importlib.import_module(name)
    files = [name, *(info.name for info in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}."))]
    for file in files:
        routes = getattr(importlib.import_module(file), "routes", None)
        if isinstance(routes, Routes):
            yield from routes


def create(context: HostContext) -> FrontEnd:
    """The front end of a host, with every route there is."""
    return FrontEnd(context, found_routes(context.settings.plugins))
