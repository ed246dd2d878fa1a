"""Which services there are, and how each is created: by the import path of its name."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from ..core.errors import Misconfigured
from ..core.message import Service
from ..core.service.module import Module
from ..core.settings import Settings

ENGINE = {
    "locking": "velella.actors.locking:create",
    "caching": "velella.actors.caching:create",
    "workflows": "velella.actors.engine.coordinator:create",
    "http": "velella.http.server:create",
}
"""The services that aren't modules. Each path names a function `create(context: HostContext) -> TheService`."""

TIERS = ("locking", "caching", "*", "workflows", "http")
"""The order services start in; modules are `*`. They stop in the reverse order."""


@lru_cache
def module_names() -> tuple[str, ...]:
    """The built-in commerce modules."""
    return cast("tuple[str, ...]", importlib.import_module("velella.modules").NAMES)


@lru_cache
def remembering_modules() -> tuple[str, ...]:
    """Built-in modules that cache answers themselves."""
    return cast("tuple[str, ...]", importlib.import_module("velella.modules").REMEMBERING)


def new_handles() -> Any:
    """An object for one handle of each module, without any handle yet: `velella.modules.Modules`."""
    return importlib.import_module("velella.modules").Modules()


def service_names(settings: Settings) -> tuple[str, ...]:
    """Every service that a full shop consists of."""
    return (*module_names(), *settings.modules, *ENGINE)


def import_path(name: str, settings: Settings) -> str:
    """`package.module:attribute` of a service. Raises Misconfigured for an unknown name."""
    if name in settings.modules:
        return settings.modules[name]
    if name in ENGINE:
        return ENGINE[name]
    if name in module_names():
        return f"velella.modules.{name}:MODULE"
    raise Misconfigured(f"There is no module or service named {name}.", hint=f"Known are: {', '.join(service_names(settings))}.")


def load(name: str, settings: Settings) -> Any:
    """The Module, Service class or `create` function that makes a service. Raises Misconfigured when it can't be imported."""
    path = import_path(name, settings)
    package, _, attribute = path.partition(":")
    try:
        found = getattr(importlib.import_module(package), attribute or "MODULE")
        return found.of(settings) if isinstance(found, Module) else found
    except ModuleNotFoundError as error:
        if error.name is None or not f"{package}.".startswith(f"{error.name}."):
            raise  # the package exists, something it needs doesn't: that traceback is the message
        raise Misconfigured(f"{name} can't be loaded: there is no {package}.", hint=_hint(name, settings)) from error
    except AttributeError as error:
        raise Misconfigured(f"{name} can't be loaded: {package} has no {attribute or 'MODULE'}.", hint=_hint(name, settings)) from error


def _hint(name: str, settings: Settings) -> str:
    return f"See the setting modules.{name}." if name in settings.modules else "This installation is incomplete: install velella again."


def is_installed(name: str, settings: Settings) -> bool:
    """Whether the package of a service exists, without importing it."""
    package = import_path(name, settings).partition(":")[0]
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return False
    return spec is not None and spec.origin is not None


def service_class(made_by: Any) -> type[Service]:
    """The class whose methods are the messages of a service, without making one."""
    if isinstance(made_by, Module):
        return made_by.service
    if isinstance(made_by, type):
        return cast("type[Service]", made_by)
    function: Callable[..., Any] = made_by
    returns = function.__annotations__.get("return")
    found = eval(returns, function.__globals__) if isinstance(returns, str) else returns
    if not isinstance(found, type):
        raise Misconfigured(
            f"{function.__module__}:{function.__name__} must name the class it returns.", hint="def create(context) -> MyService"
        )
    return found


def tier(name: str) -> int:
    return TIERS.index(name) if name in TIERS else TIERS.index("*")
