"""What a package says of itself as a plugin: its options, and what is done when a process starts.

# reviews/__init__.py
class ReviewOptions(Options):
    days: int = 14

plugin = Plugin(__name__, ReviewOptions)

# velella.toml
[plugins.reviews]
days = 30

# wherever there are settings
plugin.options(flow.settings).days
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import Misconfigured
from .graph.links import Link
from .rules import Benefit, Condition, Rule, Rules
from .settings import Settings


class Options(BaseModel):
    """Base of a plugin's options. Names that it doesn't have are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Process(Protocol):
    """The process that a plugin starts in."""

    @property
    def settings(self) -> Settings: ...
    @property
    def modules(self) -> Any:
        """Handles of all modules: `velella.modules.Modules`."""


O = TypeVar("O", bound=Options)  # noqa: E741
Start = Callable[[Process], AbstractAsyncContextManager[object]]


class Plugin(Generic[O]):
    """A plugin. Its package has it as `plugin`; a package that has none takes no options."""

    def __init__(
        self, name: str, options: type[O], *, links: Sequence[Link] = (), rules: Sequence[Rule] = (), start: Start | None = None
    ) -> None:
        """
        Args:
            name: the package's, as the settings name it: `__name__`.
            options: what may stand in its section of the settings; `Options` for none.
            links: between things of any modules, made by `link`.
            rules: conditions of promotions, prices and tax rates, and benefits of promotions (`velella.core.rules`).
            start: entered once in each process of the shop, before that serves, and left when it stops: for connections and the like.
        """
        self.name = name
        self.model = options
        self.links = tuple(links)
        self.rules = tuple(rules)
        self.start = start
        self._known: tuple[dict[str, Any], O] | None = None

    def options(self, settings: Settings) -> O:
        """The options in these settings, checked. Raises Misconfigured."""
        given = settings.plugins.get(self.name, {})
        if self._known is None or self._known[0] is not given:
            try:
                self._known = given, self.model.model_validate(given)
            except ValidationError as error:
                raise Misconfigured(f"The options of the plugin {self.name}: {error}", hint="See the setting plugins.") from None
        return self._known[1]


def plugin_of(name: str) -> Plugin[Any] | None:
    """What a package says of itself. Raises Misconfigured where there is no such package."""
    try:
        package = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the package exists, something it needs doesn't: that traceback is the message
        raise Misconfigured(f"There is no plugin {name}: no package has that name.", hint="Is it installed where Velella is?") from None
    found = getattr(package, "plugin", None)
    return found if isinstance(found, Plugin) else None


def links_of(plugins: Iterable[str]) -> tuple[Link, ...]:
    """All links that these plugins declare. Raises Misconfigured where two of them declare one, and names both."""
    found: dict[str, tuple[str, Link]] = {}
    for plugin in filter(None, map(plugin_of, plugins)):
        for link in plugin.links:
            if link.name in found:
                raise Misconfigured(f"{found[link.name][0]} and {plugin.name} both declare the link {link.name}.")
            found[link.name] = plugin.name, link
    return tuple(link for _, link in found.values())


def rules_of(settings: Settings) -> Rules:
    """All rules that the plugins of these settings bring. Raises Misconfigured for a name that isn't the plugin's own."""
    return _rules_of(tuple(settings.plugins))


@lru_cache
def _rules_of(plugins: tuple[str, ...]) -> Rules:
    conditions: dict[str, Condition] = {}
    benefits: dict[str, Benefit] = {}
    for plugin in filter(None, map(plugin_of, plugins)):
        for rule in plugin.rules:
            name = rule.attribute if isinstance(rule, Condition) else rule.type
            if not name.startswith(f"{plugin.name}.") or name in conditions or name in benefits:
                raise Misconfigured(f"The rule {name} of {plugin.name} needs a name of its own.", hint=f"{plugin.name}.something")
            if isinstance(rule, Condition):
                conditions[name] = rule
            else:
                benefits[name] = rule
    return Rules(conditions, benefits)
