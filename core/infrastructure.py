"""What a shop itself stands on (locks, the stream of events, sessions): the one provider of each kind that the settings name.

[[providers.locking]]
use = "redis"                   # ships with Velella, or a class of the application: `package.module:Class`
options = { url = "redis://…" }
"""

from __future__ import annotations

import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from .errors import Misconfigured
from .settings import Settings
from .settings_sources import INFRASTRUCTURE, meant


class InfrastructureProvider(ABC):
    """One of them. Options of the settings are keyword arguments of the class."""

    @classmethod
    async def check(cls, **options: Any) -> str:
        """Whether the other side can be reached, for `velella doctor`; `options`: those of the settings. See `Provider.check`."""
        return "nothing to look at"

    @abstractmethod
    async def stop(self) -> None:
        """Disconnect."""


class Infrastructure:
    """The providers of one kind."""

    def __init__(self, kind: str, base: type, shipped: Mapping[str, str], package: str) -> None:
        """`base`: the `InfrastructureProvider` that they derive from, which is their contract. `shipped`: name → `module:Class` in
        `package`; a name that isn't among them stands for no provider at all."""
        self._kind = kind
        self._base = base
        self._shipped = shipped
        self._package = package

    def chosen(self, settings: Settings) -> tuple[Any, Mapping[str, Any]] | None:
        """The class of the provider that the settings name, and its options; None where that is no provider at all.

        Raises Misconfigured for one that there isn't, and for options that it doesn't take.
        """
        names, configured = INFRASTRUCTURE[self._kind], settings.providers.get(self._kind, ())
        if len(configured) > 1:
            raise Misconfigured(f"providers.{self._kind} takes one provider.", hint="Leave one entry.")
        use, options = (configured[0].use, configured[0].options) if configured else (names[0], {})
        if ":" not in use and use not in names:
            raise Misconfigured(
                f"providers.{self._kind} has no `{use}`.{meant(use, names)}",
                hint=f"Use one of {', '.join(names)}, or an import path `package.module:Class`.",
            )
        if ":" not in use and use not in self._shipped:
            return None
        cls = self._imported(use)
        self._check_options(use, cls, options)
        return cls, options

    def set_up(self, settings: Settings, *given: Any) -> Any:
        """The provider that the settings name, or None: its class called with `given` and its options. Raises Misconfigured."""
        chosen = self.chosen(settings)
        if chosen is None:
            return None
        cls, options = chosen
        try:
            return cls(*given, **options)
        except Misconfigured:
            raise
        except Exception as error:
            raise Misconfigured(f"providers.{self._kind} could not be set up: {error}.", hint="Look at its options.") from error

    def _imported(self, use: str) -> type:
        path, _, name = self._shipped.get(use, use).partition(":")
        try:
            cls = getattr(importlib.import_module(f".{path}" if use in self._shipped else path, self._package), name)
        except (ImportError, AttributeError) as error:
            raise Misconfigured(f"providers.{self._kind}: `{use}` can't be imported: {error}.", hint="Is its package installed?") from error
        if not isinstance(cls, type) or not issubclass(cls, self._base):
            raise Misconfigured(
                f"providers.{self._kind}: `{use}` doesn't derive from {self._base.__module__}:{self._base.__name__}.",
                hint="Is it meant for something else?",
            )
        return cls

    def _check_options(self, use: str, cls: type, options: Mapping[str, Any]) -> None:
        taken = {name: one for name, one in inspect.signature(cls).parameters.items() if one.kind is one.KEYWORD_ONLY}
        for name in options.keys() - taken.keys():
            raise Misconfigured(
                f"providers.{self._kind}: `{use}` takes no option `{name}`.{meant(name, taken)}",
                hint=f"It takes {', '.join(taken) or 'none'}.",
            )
        for name, one in taken.items():
            if one.default is one.empty and name not in options:
                raise Misconfigured(f"providers.{self._kind}: `{use}` needs the option `{name}`.", hint=f"It takes {', '.join(taken)}.")
