"""What plugins are written with, as the code says it. Run as a script, writes docs/reference.md anew."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from velella.actors.streams import EventStream
from velella.core.flow import Flow
from velella.core.graph.graph import Graph
from velella.core.plugins import Plugin
from velella.core.rules import Benefit, Condition
from velella.core.service.module import ModuleService
from velella.core.service.third_party import ThirdPartyService
from velella.core.settings import Settings
from velella.core.shared_cache import SharedCache
from velella.http.kit import Request, Routes
from velella.modules.analytics.provider import AnalyticsProvider
from velella.modules.auth.provider import AuthProvider, Identities
from velella.modules.auth.sessions import SessionStore
from velella.modules.file.provider import FileProvider
from velella.modules.fulfillment.provider import FulfillmentProvider
from velella.modules.notification.provider import NotificationProvider
from velella.modules.payment.provider import PaymentProvider
from velella.modules.tax.provider import TaxProvider
from velella.testing import Client, Clock, Emails, Events, Shop

from .hooks_and_events import workflows

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference.md"
HEAD = """# Reference

What plugins are written with: made from the code, and held to it by a test (`python -m velella.tests.contract.reference` writes it anew).
[writing-a-module.md](writing-a-module.md) shows all of it at work; [events-and-hooks.md](events-and-hooks.md) has the hooks with their
arguments, and the events with their data.
"""
PROVIDERS = (
    PaymentProvider,
    FulfillmentProvider,
    TaxProvider,
    NotificationProvider,
    FileProvider,
    AuthProvider,
    Identities,
    AnalyticsProvider,
    EventStream,
    SessionStore,
    SharedCache,
)
INSIDE = {"write_events", "written_events", "drop_events", "forget_deltas", "begin", "keep_events", "forget_messages"}
"""Methods that only the engine calls."""


def document() -> str:
    return "\n".join((HEAD, *_sections())).rstrip() + "\n"


def _sections() -> Iterator[str]:
    yield "## In a workflow: `Flow`\n"
    yield from _members(Flow)
    yield "## In a route: `Request` and `Routes`\n"
    yield from _members(Request)
    yield from _members(Routes)
    yield "## In a module: `ModuleService`\n"
    yield from _members(ModuleService)
    yield "A module without tables is a `ThirdPartyService`:\n"
    yield from _members(ThirdPartyService, own=True)
    yield "## Across modules: `Graph`\n"
    yield from _members(Graph)
    yield "## A plugin, and its rules\n"
    for each in (Plugin, Condition, Benefit):
        yield from _members(each)
    yield "## Providers\n"
    for each in PROVIDERS:
        yield f"### `{each.__name__}`\n\n{_first(each)}\n"
        yield from _members(each)
    yield "## In tests: `velella.testing`\n"
    for each in (Shop, Client, Clock, Events, Emails):
        yield f"### `{each.__name__}`\n\n{_first(each)}\n"
        yield from _members(each, own=True)
    yield "## Workflows, and what they are run with\n"
    yield from _table(("workflow", "parameters", "what it does"), _workflow_rows())
    yield "## Settings\n"
    yield from _table(("setting", "type", "default", "what it means"), _setting_rows())


def _members(cls: type, *, own: bool = False) -> Iterator[str]:
    """Its public methods and properties; with `own`, without those that it inherits."""
    members = vars(cls).items() if own else ((name, inspect.getattr_static(cls, name)) for name in dir(cls))
    shown = [(name, member) for name, member in members if not name.startswith("_") and name not in INSIDE and _is_shown(member)]
    rows = [(f"`{cls.__name__}.{name}{_parameters(member)}`", _first(member)) for name, member in sorted(shown, key=lambda each: each[0])]
    yield from _table((cls.__name__, ""), rows)


def _is_shown(member: Any) -> bool:
    found = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return inspect.isfunction(found) and bool(found.__doc__)


def _parameters(member: Any) -> str:
    if isinstance(member, property):
        return ""
    function = getattr(member, "__func__", member)
    names = []
    for name, parameter in list(inspect.signature(function).parameters.items())[0 if isinstance(member, staticmethod) else 1 :]:
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        names.append(f"{stars}{name}{'' if parameter.default is parameter.empty else '=…'}")
    return f"({', '.join(names)})"


def _first(thing: Any) -> str:
    """The first paragraph of what is written about it."""
    about = inspect.getdoc(thing.fget if isinstance(thing, property) else thing) or ""
    return _plain(about.split("\n\n")[0])


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    names = tuple(head)
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}", *(f"| {' | '.join(row)} |" for row in rows)]
    yield "\n".join(lines) + "\n"


def _workflow_rows() -> Iterator[tuple[str, ...]]:
    for name, one in sorted(workflows().items()):
        function: Callable[..., Any] = one.function
        parameters = []
        for each in list(inspect.signature(function).parameters.values())[1:]:
            kind = "" if each.annotation is each.empty else f": {_plain(str(each.annotation))}"
            parameters.append(f"`{each.name}{kind}`{'' if each.default is each.empty else ' ?'}")
        yield f"`{name}`" + (" (durable)" if one.durable else ""), ", ".join(parameters), _first(function)


def _setting_rows() -> Iterator[tuple[str, ...]]:
    for name, field in Settings.model_fields.items():
        yield f"`{name}`", f"`{_type(field)}`", _default(field), _plain(field.description or "")


def _type(field: FieldInfo) -> str:
    kind = field.annotation
    return _plain(re.sub(r"[\w.]+\.(\w+)", r"\1", kind.__name__ if isinstance(kind, type) else str(kind)))


def _default(field: FieldInfo) -> str:
    value: Any = field.default_factory() if field.default_factory is not None else field.default  # type: ignore[call-arg]
    text = _plain(str(value)) if isinstance(value, (str, int, float, bool, list, dict)) else ""
    return f"`{text}`" if 0 < len(text) < 100 else ""


if __name__ == "__main__":
    DOCUMENT.write_text(document())
