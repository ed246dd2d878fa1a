"""Where settings come from: the command line, the environment (`VELELLA_…`), `.env`, `velella.toml`, in this order of precedence; and what
is wrong with them, said with its place and with what was probably meant."""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource
from pydantic_settings.exceptions import SettingsError

from .errors import Misconfigured
from .plugins import plugin_of
from .settings import ProviderSettings, Settings, Verified, default_providers

PREFIX = "VELELLA_"
TOML = Path("velella.toml")
DOTENV = Path(".env")
DEFAULT = "default"
ALIKE = 0.75
"""Names at least as similar as this are taken for a slip of each other."""
INFRASTRUCTURE: Mapping[str, tuple[str, ...]] = {
    "locking": ("actor", "postgres", "redis"),
    "events": ("outbox", "redis"),
    "session": ("postgres", "redis"),
    "cache": ("process", "redis"),
    "workflow_engine": ("postgres", "redis"),
}
"""What the engine itself stands on → the providers that come with Velella, the default first. Of each a shop has one."""
WITH_PROVIDERS = frozenset((*default_providers(), *INFRASTRUCTURE))
"""Built-in modules that have providers, and `INFRASTRUCTURE`."""

_HEADER = re.compile(r"\s*\[(?P<array>\[?)(?P<names>[^\[\]]+)\]")
_KEY = re.compile(r"\s*(?P<names>[\w.\"'-]+)\s*=")

Trail = Sequence[str | int]
"""Where a value lies: `("providers", "payment", 0, "use")`."""


@dataclass(frozen=True)
class Origin:
    """One place that settings come from."""

    name: str
    values: Mapping[str, Any]
    text: str | None = None
    """The text of a TOML file."""

    def place(self, trail: Trail) -> str:
        """Where a value lies in it, for a person: `velella.toml, line 3`."""
        if self.text is not None:
            line = _line(self.text, trail)
            return self.name if line is None else f"{self.name}, line {line}"
        if self.name == "the command line":
            return f"--{str(trail[0]).replace('_', '-')}"
        return f"{PREFIX}{'__'.join(str(part) for part in trail if isinstance(part, str)).upper()} in {self.name}"


def read_settings(**given: Any) -> Settings:
    """The settings; `given` are the command line's.

    Raises Misconfigured, with a line for each mistake: names that there aren't, values that a setting doesn't take, files that can't be
    read. Names in the environment that look like no setting are left alone: they may be somebody else's.
    """
    origins = origins_of(given)
    mistakes = list(_unknown_names(origins))
    try:
        settings = Settings(**given)
    except ValidationError as error:
        mistakes += [_said(each, origins) for each in error.errors()]
    else:
        mistakes += (
            *_unknown_modules(settings, origins),
            *_unknown_infrastructure(settings, origins),
            *_unknown_ways_to_sign_in(settings, origins),
        )
        if not mistakes:
            return settings
    hint = "`velella config` prints every setting with its value, where that comes from, and its meaning."
    if any("tcp://" in mistake for mistake in mistakes):
        hint = "Kubernetes sets such variables for a Service called velella: say `enableServiceLinks: false` in the pod."
    raise Misconfigured("\n".join(dict.fromkeys(mistakes)), hint=hint)


def check_plugins(settings: Settings, **given: Any) -> None:
    """Check that the plugins are there, and the options of each. `given` as for `read_settings`.

    Imports them, so it is for commands that run a shop. Raises Misconfigured, with a line for each mistake.
    """
    origins = origins_of(given)
    mistakes: list[str] = []
    for name, options in settings.plugins.items():
        try:
            plugin = plugin_of(name)
            if plugin is not None:
                plugin.model.model_validate(options)
            elif options:
                mistakes.append(f"{_place(('plugins', name), origins)}: the plugin `{name}` takes no options.")
        except Misconfigured as error:
            mistakes.append(f"{_place(('plugins', name), origins)}: {error.message[:1].lower()}{error.message[1:]}")
        except ValidationError as error:
            assert plugin is not None
            mistakes += [_said({**each, "loc": ("plugins", name, *each["loc"])}, origins, plugin.model) for each in error.errors()]
    if mistakes:
        raise Misconfigured("\n".join(mistakes), hint="The plugin's own documentation says what its options are.")


def origins_of(given: Mapping[str, Any]) -> list[Origin]:
    """All places, the one that wins first. Raises Misconfigured for one that can't be read."""
    text, values = _toml()
    return [
        Origin("the command line", given),
        Origin("the environment", {**_named_in_environment(), **_variables(EnvSettingsSource(Settings), "the environment")}),
        Origin(f"{DOTENV}", _variables(DotEnvSettingsSource(Settings), f"{DOTENV}")),
        Origin(f"{TOML}", values, text),
    ]


def origin_of(name: str, origins: Iterable[Origin]) -> str:
    """Where the value of a setting comes from, for a person."""
    return next((origin.place((name,)) for origin in origins if name in origin.values), DEFAULT)


def _toml() -> tuple[str, Mapping[str, Any]]:
    try:
        text = TOML.read_text()
        return text, tomllib.loads(text)
    except FileNotFoundError:
        return "", {}
    except PermissionError:
        folder = Path.cwd()
        if not os.access(folder, os.X_OK, effective_ids=True):
            raise Misconfigured(
                f"Settings are looked for in {folder}, which this account may not look into.", hint="`cd /` first."
            ) from None
        raise Misconfigured(f"{TOML} can't be read: this account may not.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{TOML} can't be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).partition(" (at ")
        place = where.rstrip(")") or "somewhere"
        raise Misconfigured(
            f"{TOML}, {place}: {what[:1].lower()}{what[1:]}.",
            hint='It is a TOML file: `port = 9001`, `plugins = ["my_plugin"]`, `[databases]`.',
        ) from None


def _named_in_environment() -> dict[str, Any]:
    """Everything with our prefix, whether it is a setting or not: pydantic reads settings only."""
    return {name.removeprefix(PREFIX).partition("__")[0].lower(): text for name, text in os.environ.items() if name.startswith(PREFIX)}


def _variables(source: EnvSettingsSource, name: str) -> Mapping[str, Any]:
    try:
        return source()
    except SettingsError as error:
        found = re.search(r'field "(\w+)"', str(error))
        setting = found[1] if found else "?"
        raise Misconfigured(
            f"{PREFIX}{setting.upper()} in {name}: this setting is a list or a table, which stands there as JSON.",
            hint=f"""{PREFIX}PLUGINS='["my_plugin"]', or in {TOML}: plugins = ["my_plugin"].""",
        ) from None


# -- mistakes


def _unknown_names(origins: Iterable[Origin]) -> Iterator[str]:
    for origin in origins:
        for name in sorted(origin.values.keys() - Settings.model_fields.keys()):
            probably = meant(name, Settings.model_fields)
            if probably or origin.text is not None:
                yield f"{origin.place((name,))}: there is no setting `{name}`.{probably}"


def _unknown_modules(settings: Settings, origins: Sequence[Origin]) -> Iterator[str]:
    known = WITH_PROVIDERS | settings.modules.keys()
    for module in settings.providers.keys() - known:
        yield f"{_place(('providers', module), origins)}: no module `{module}` has providers.{meant(module, known)}"


def _unknown_infrastructure(settings: Settings, origins: Sequence[Origin]) -> Iterator[str]:
    for kind, shipped in INFRASTRUCTURE.items():
        named = settings.providers.get(kind, ())
        if len(named) > 1:
            yield f"{_place(('providers', kind, 1), origins)}: `providers.{kind}` takes one provider."
        for at, one in enumerate(named):
            if ":" not in one.use and one.use not in shipped:
                place = _place(("providers", kind, at, "use"), origins)
                yield f"{place}: `providers.{kind}` has no `{one.use}`.{meant(one.use, shipped)}"


def _unknown_ways_to_sign_in(settings: Settings, origins: Sequence[Origin]) -> Iterator[str]:
    """A slip there would ask for nothing that is to be proven, or let nobody in."""
    named = settings.providers["auth"]
    if any(":" in one.use and one.id == DEFAULT for one in named):
        return  # it is called as its class says
    known = {one.use if one.id == DEFAULT else one.id for one in named}
    there: list[tuple[Trail, str]] = [
        (("auth_verifications", actor, at, "auth_provider"), kind.auth_provider)
        for actor, kinds in settings.auth_verifications.items()
        for at, kind in enumerate(kinds)
    ]
    if "auth_methods" in settings.model_fields_set:
        there += [(("auth_methods", actor, at), id) for actor, ids in settings.auth_methods.items() for at, id in enumerate(ids)]
    for trail, id in there:
        if id not in known:
            yield f"{_place(trail, origins)}: `providers.auth` has no `{id}`.{meant(id, known)}"


def _said(error: Any, origins: Sequence[Origin], model: type[BaseModel] | None = None) -> str:
    """One of pydantic's errors as a line. `model`: what has other names than the one that there isn't; default: that of the setting."""
    trail: Trail = error["loc"]
    if model is not None:
        whose = f"the plugin `{trail[1]}`"
    else:
        model, whose = (Verified, "a verification") if trail[0] == "auth_verifications" else (ProviderSettings, "a provider")
    place, last = _place(trail, origins), str(trail[-1])
    if error["type"] == "extra_forbidden":
        return f"{place}: {whose} has no `{last}`.{meant(last, model.model_fields)}"
    if error["type"] == "missing":
        return f"{place}: `{'.'.join(map(str, trail))}` is missing."
    value = error["input"]
    shown = f" {value!r:.60}" if isinstance(value, str | int | float) and not _is_secret(trail) else ""
    return f"{place}: `{'.'.join(map(str, trail))}` can't be{shown or ' that'}: {_lowered(error['msg'])}."


def _place(trail: Trail, origins: Sequence[Origin]) -> str:
    return next((origin.place(trail) for origin in origins if trail[0] in origin.values), ".".join(map(str, trail)))


def meant(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that there isn't: which one was probably meant."""
    close = get_close_matches(name, list(known), n=1, cutoff=ALIKE)
    return f" Did you mean `{close[0]}`?" if close else ""


def _is_secret(trail: Trail) -> bool:
    return trail[0] in (*Settings.SECRETS, "providers", "plugins", "databases", "database_url")


def _lowered(text: str) -> str:
    return re.sub("^(Input|String) should", "it should", text.removeprefix("Value error, "))


def _line(text: str, trail: Trail) -> int | None:
    """The line of a value in a TOML file; that of what it lies in where it has none of its own."""
    table: list[str | int] = []
    tables: Counter[tuple[str, ...]] = Counter()
    best, at = 0, None
    for number, line in enumerate(text.splitlines(), 1):
        found = _HEADER.match(line) or _KEY.match(line)
        if found is None:
            continue
        names = tuple(name.strip(" \t\"'") for name in found["names"].split("."))
        if found.re is _HEADER:
            here = table = [*names, tables[names]] if found["array"] else [*names]
            tables[names] += 1
        else:
            here = [*table, *names]
        shared = min(len(here), len(trail))
        if shared > best and list(trail[:shared]) == here[:shared]:
            best, at = shared, number
    return at
