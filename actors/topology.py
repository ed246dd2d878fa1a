"""The topology: which pools there are, which services live in each, how many replicas it has and where they may be placed.

packed    one pool with everything, one process for each core: the default on one machine
pooled    every module a pool of its own
FILE      a Ray cluster launcher file with the pools in `metadata.velella.pools`

metadata:
  velella:
    pools:
      - name: catalogue
        services: [product, pricing]      # modules, and of the engine: locking, caching, workflows, http
        replicas: {min: 2, max: 6}        # or a number; between the two it scales with the queues
        connections: 12                   # to the database, of each replica
        resources: {CPU: 1}               # reserved in Ray for each replica; default nothing
        labels: {zone: a}                 # of the nodes that may hold it; default all
        database: ${CATALOGUE_URL}        # default: the settings'; ${…} is taken from the environment

A module of Velella's that no pool names lives in the first pool with modules of Velella's that has no database of its own: so a file goes
on working when a new version brings a module more. The engine's services, and modules of one's own, have to be named.
"""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from ..core.errors import Misconfigured
from ..core.settings import Settings
from . import services as known

WITHOUT_DATABASE = frozenset(("http", "caching"))
"""Services that never open a connection."""
_POOL_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")  # it is part of a socket's path, which has room for little
EMBEDDED = "the embedded PostgreSQL"


@dataclass(frozen=True, slots=True)
class Pool:
    """Replicas that are all alike."""

    name: str
    services: tuple[str, ...]
    replicas: int = 1
    """How many there are at the start, and at least."""
    most: int = 0
    """How many there may be when queues grow. 0: always `replicas`."""
    connections: int = 8
    """Database connections of each replica, to each database that its services use."""
    resources: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    database: str | None = None

    @property
    def at_most(self) -> int:
        return max(self.replicas, self.most)

    @property
    def replicas_shown(self) -> str:
        return str(self.replicas) if self.at_most == self.replicas else f"{self.replicas} to {self.at_most}"

    @property
    def placement_shown(self) -> str:
        wanted = [f"{name} {amount:g}" for name, amount in self.resources.items()]
        return ", ".join(wanted + [f"{name}={value}" for name, value in self.labels.items()]) or "anywhere"

    @property
    def uses_database(self) -> bool:
        return any(service not in WITHOUT_DATABASE for service in self.services)

    @property
    def connections_in_all(self) -> int:
        return self.at_most * self.connections if self.uses_database else 0


@dataclass(frozen=True, slots=True)
class Topology:
    """All pools of a cluster."""

    name: str
    pools: tuple[Pool, ...]
    settings: Settings
    """The settings, with the databases that the file gives to pools."""

    @classmethod
    def of(cls, settings: Settings) -> Topology:
        """The topology that `settings.topology` names. Raises Misconfigured, with a hint, for anything that could not be started."""
        if settings.topology == "packed":
            return cls("packed", (_packed(settings),), settings)
        if settings.topology == "pooled":
            return cls("pooled", tuple(_pooled(settings)), settings)
        return cls.parse(_read(Path(settings.topology)), settings, name=settings.topology)

    @classmethod
    def parse(cls, document: Any, settings: Settings, *, name: str = "cluster.yaml") -> Topology:
        """The topology of a parsed cluster file."""
        section = document.get("metadata", {}).get("velella") if isinstance(document, Mapping) else None
        rows = section.get("pools") if isinstance(section, Mapping) else None
        if not isinstance(rows, list) or not rows:
            raise Misconfigured(f"{name} describes no pools.", hint="They are a list under metadata: velella: pools.")
        pools = _completed([_pool(row, settings) for row in rows])
        _check(pools, settings)
        databases = {service: pool.database for pool in pools for service in pool.services if pool.database is not None}
        return cls(name, tuple(pools), settings.model_copy(update={"databases": settings.databases | databases}))

    @property
    def processes(self) -> int:
        return sum(pool.replicas for pool in self.pools)

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(service for pool in self.pools for service in pool.services)

    @property
    def connections_by_database(self) -> dict[str, int]:
        """The most connections that each database will see, by its address without user and password."""
        found: Counter[str] = Counter()
        for pool in self.pools:
            databases = {self._database(service) for service in pool.services if service not in WITHOUT_DATABASE}
            for database in databases:
                found[database] += pool.at_most * pool.connections
        return dict(found)

    def _database(self, service: str) -> str:
        url = self.settings.databases.get(service) or self.settings.database_url
        if url is None:
            return EMBEDDED
        parts = urlsplit(url)
        return f"{parts.hostname or 'localhost'}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _packed(settings: Settings) -> Pool:
    return Pool("all", known.service_names(settings), settings.processes or os.cpu_count() or 1, connections=settings.connections)


def _pooled(settings: Settings) -> list[Pool]:
    several = {"workflows": 2, "http": 2}  # a purchase needs these two even while one replica is restarting
    return [
        Pool(name.replace("_", "-"), (name,), several.get(name, 1), connections=settings.connections)
        for name in known.service_names(settings)
    ]


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text())
    except OSError as error:
        raise Misconfigured(
            f"{path} can't be read: {error.strerror}.", hint="The topology is packed, pooled, or the path of a file."
        ) from None
    except yaml.YAMLError as error:
        raise Misconfigured(f"{path} is not YAML: {error}.") from None


def _pool(row: Any, settings: Settings) -> Pool:
    if not isinstance(row, Mapping) or not isinstance(row.get("name"), str):
        raise Misconfigured(f"A pool has no name: {row!r}.", hint="name: catalogue")
    name: str = row["name"]
    if not _POOL_NAME.fullmatch(name):
        raise Misconfigured(
            f"{name!r} can't name a pool.", hint="At most 32 small letters, digits, - and _, beginning with a letter: it names sockets."
        )
    keys = ("name", "services", "replicas", "connections", "resources", "labels", "database")
    for key in row:
        if key not in keys:
            raise Misconfigured(f"Pool {name} has an unknown key {key}.", hint=_did_you_mean(str(key), keys))
    services = row.get("services")
    if not isinstance(services, list) or not services:
        raise Misconfigured(f"Pool {name} has no services.", hint="services: [product, pricing]")
    for service in services:
        if service not in known.service_names(settings):
            raise Misconfigured(
                f"Pool {name} names an unknown service {service}.", hint=_did_you_mean(str(service), known.service_names(settings))
            )
    replicas, most = _replicas(name, row.get("replicas", 1))
    connections = row.get("connections", settings.connections)
    if not _is_count(connections):
        raise Misconfigured(f"Pool {name} has {connections!r} connections.", hint="A whole number from 1.")
    resources, labels = row.get("resources") or {}, row.get("labels") or {}
    if not isinstance(resources, Mapping) or not all(_is_amount(amount) for amount in resources.values()):
        raise Misconfigured(f"Pool {name} asks for resources that are no amounts: {resources!r}.", hint="resources: {CPU: 1}")
    if not isinstance(labels, Mapping) or not all(isinstance(value, str) for value in labels.values()):
        raise Misconfigured(f"Pool {name} asks for labels that are no texts: {labels!r}.", hint='labels: {zone: "a"}')
    return Pool(name, tuple(services), replicas, most, connections, dict(resources), dict(labels), _database(name, row.get("database")))


def _replicas(pool: str, given: Any) -> tuple[int, int]:
    if _is_count(given):
        return given, given
    if isinstance(given, Mapping) and set(given) == {"min", "max"} and _is_count(given["min"]) and _is_count(given["max"]):
        if given["min"] <= given["max"]:
            return given["min"], given["max"]
        raise Misconfigured(f"Pool {pool} has at least {given['min']} replicas and at most {given['max']}.", hint="min is the smaller one.")
    raise Misconfigured(f"Pool {pool} has {given!r} replicas.", hint="A whole number from 1, or {min: 2, max: 6}.")


def _database(pool: str, given: Any) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str):
        raise Misconfigured(f"Pool {pool} has a database that is no URL: {given!r}.", hint="database: postgresql://…")
    url = os.path.expandvars(given)
    if "${" in url:
        raise Misconfigured(
            f"The database of pool {pool} is {given}, which the environment doesn't have.", hint="Set it, or write the URL."
        )
    if not url.startswith(("postgresql://", "postgres://")):
        raise Misconfigured(f"The database of pool {pool} is not PostgreSQL's.", hint="database: postgresql://…")
    return url


def _completed(pools: Sequence[Pool]) -> list[Pool]:
    """The pools, with the modules of Velella's that none of them names."""
    built_in = known.module_names()
    named = {service for pool in pools for service in pool.services}
    missing = tuple(name for name in built_in if name not in named)
    home = next((pool for pool in pools if pool.database is None and not set(built_in).isdisjoint(pool.services)), None)
    return [replace(pool, services=(*pool.services, *missing)) if pool is home else pool for pool in pools]


def _check(pools: Sequence[Pool], settings: Settings) -> None:
    """Check that every service has one pool, and every pool its own name."""
    for name, times in Counter(pool.name for pool in pools).items():
        if times > 1:
            raise Misconfigured(f"{times} pools are called {name}.", hint="Names tell pools apart.")
    homes: dict[str, str] = {}
    for pool in pools:
        for service in pool.services:
            if service in homes:
                both = f"pools {homes[service]} and {pool.name}" if homes[service] != pool.name else f"pool {pool.name}, twice"
                raise Misconfigured(f"{service} is in {both}.", hint="A service lives in one pool; give that more replicas.")
            homes[service] = pool.name
    missing = [service for service in known.service_names(settings) if service not in homes]
    if missing:
        raise Misconfigured(f"No pool has {', '.join(missing)}.", hint="Add them to the services of a pool.")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _did_you_mean(word: str, words: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, words, n=1)
    return f"Did you mean {close[0]}?" if close else f"Known are: {', '.join(words)}."
