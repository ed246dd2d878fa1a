"""Providers: the outside parties of a module (payment, fulfilment, tax, …), by id, as the settings name them.

    [[providers.payment]]
    use = "system"                  # ships with the module → pp_system_default

    [[providers.payment]]
    use = "shop.payments:Invoice"   # a class of the application → pp_invoice_b2b
    id = "b2b"
    options = { days = 30 }

A class may be set up several times under several ids. Its module says what a provider must be able to do.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import Misconfigured, NotFound
from ..settings import ProviderSettings
from ..settings_sources import meant
from .outside import OutsideParty

_DEFAULT = "default"


def _named(use: str, id: str) -> str:
    """The id itself, or the class's identifier where no id is given."""
    return use if id == _DEFAULT else id


ID_RULES: Mapping[str, Callable[[str, str], str]] = {
    "payment": lambda use, id: f"pp_{use}_{id}",
    "fulfillment": lambda use, id: f"{use}_{id}",
    "tax": lambda use, id: f"tp_{use}" if id == _DEFAULT else f"tp_{use}_{id}",
}
"""Module → how an id is made of the identifier and the id in the settings. Other modules: `_named`."""


class Provider:
    """What the providers of all modules have in common."""

    outside: OutsideParty | None = None
    """Who it asks, if anybody. Set in the constructor; closed with the provider."""

    async def close(self) -> None:
        """Close connections. Called once, when the process ends."""
        if self.outside is not None:
            await self.outside.close()

    async def check(self) -> str:
        """Whether the other side would do what it is asked for, for `velella doctor`: a few words if it would. Default: nothing to look at.

        Asks it by something cheap that leaves nothing there; may take 10 s. Raises any error with what is wrong, and what to do as its
        `hint`.
        """
        return "nothing to look at"


class Providers:
    """The providers of one module, one instance of each in a process."""

    def __init__(
        self, module: str, kinds: Mapping[str, type] | None = None, configured: Sequence[ProviderSettings] = (), base: type = object
    ) -> None:
        """Set all of them up, so that a mistake in the settings fails the start and not a buyer's request. `base`: the class that they
        derive from, which says what they must be able to do.

        Raises Misconfigured, with a hint, for an unknown identifier, a class that doesn't exist or is made for something else, options that
        the class doesn't take, and one id given twice.
        """
        self.module = module
        self._base = base
        self._kinds = dict(kinds or {})
        self._instances: dict[str, Any] = {}
        for one in configured:
            identifier, cls = self._find(one.use)
            id = ID_RULES.get(module, _named)(identifier, one.id)
            if id in self._instances:
                raise Misconfigured(
                    f"Two {module} providers have the id {id}.", hint=f"Give one of them another `id` in providers.{module}."
                )
            self._instances[id] = self._set_up(cls, one, id)

    def get(self, id: str) -> Any:
        """The provider with that id. Raises NotFound, which names the ids there are."""
        try:
            return self._instances[id]
        except KeyError:
            known = ", ".join(self._instances) or "none"
            raise NotFound(
                f"Unable to retrieve the {self.module} provider with id: {id}. Configured {self.module} providers: {known}",
                hint=f"Add it to providers.{self.module} in the settings.",
            ) from None

    def ids(self) -> list[str]:
        """In the order of the settings."""
        return list(self._instances)

    def items(self) -> list[tuple[str, Any]]:
        return list(self._instances.items())

    def __contains__(self, id: str) -> bool:
        return id in self._instances

    def __iter__(self) -> Iterator[str]:
        return iter(self._instances)

    def __len__(self) -> int:
        return len(self._instances)

    def _find(self, use: str) -> tuple[str, type]:
        """Identifier and class that `use` names."""
        if ":" not in use:
            if use in self._kinds:
                return use, self._kinds[use]
            raise Misconfigured(
                f"The {self.module} module ships no provider `{use}`.{meant(use, self._kinds)}",
                hint=f"Use one of {', '.join(sorted(self._kinds)) or '(it ships none)'}, or an import path `package.module:Class`.",
            )
        path, _, name = use.partition(":")
        try:
            cls = getattr(importlib.import_module(path), name)
        except ImportError as error:
            raise Misconfigured(
                f"The {self.module} provider `{use}` can't be imported: {error}.", hint="Is its package installed?"
            ) from error
        except AttributeError as error:
            raise Misconfigured(f"There is no `{name}` in {path}.", hint=f"See `use` in providers.{self.module}.") from error
        if not isinstance(cls, type):
            raise Misconfigured(f"`{use}` is not a class.", hint=f"See `use` in providers.{self.module}.")
        if not issubclass(cls, self._base):
            raise Misconfigured(
                f"`{use}` is no {self.module} provider: it doesn't derive from {self._base.__module__}:{self._base.__name__}.",
                hint=f"Is it meant for another module than providers.{self.module}?",
            )
        return str(getattr(cls, "identifier", None) or _snake(cls.__name__)), cls

    def _set_up(self, cls: type, one: ProviderSettings, id: str) -> Any:
        _check_options(cls, one.options, self.module, id)
        try:
            made = cls(**one.options)
        except Misconfigured:
            raise
        except Exception as error:
            raise Misconfigured(
                f"The {self.module} provider {id} could not be set up: {error}.", hint=f"Look at its options in providers.{self.module}."
            ) from error
        if isinstance(made, Provider) and made.outside is not None:
            made.outside.count_as(self.module, id)
        return made


def _check_options(cls: type, options: Mapping[str, Any], module: str, id: str) -> None:
    """Raises Misconfigured for an option that the class doesn't take. One that takes any looks itself."""
    parameters = inspect.signature(cls).parameters
    if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return
    for name in options.keys() - parameters.keys():
        raise Misconfigured(
            f"The {module} provider {id} has no option `{name}`.{meant(name, parameters)}",
            hint=f"It takes {', '.join(parameters) or 'none'}: look at its options in providers.{module}.",
        )


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
