"""A host: a process's part of the cluster. It builds the services that live here and hands each what it works with."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from ..core import tracing
from ..core.errors import Misconfigured, Unavailable
from ..core.logs import logger
from ..core.message import Service
from ..core.metrics import MetricSources, Sample
from ..core.plugins import plugin_of
from ..core.service.context import ModuleContext
from ..core.service.module import Module, ModuleService
from ..core.service.outside import samples as outside_samples
from ..core.service.providers import Providers
from ..core.service.remembering import made_of_rows, recalled
from ..core.settings import Settings
from . import services as known
from .caching import FILLERS, Announcer, Cache, remembered_of, sources
from .caching.shared import tier_of
from .context import Changed, HostContext, OnSuspects
from .graph import graph_of, memory_of
from .membership.directory import HOST, Directory, Identity, ReplicaAddress, ReplicaId
from .messaging.admission import Admission
from .messaging.handles import Send, checked_send, handle, local_send, messages_of, no_such_message
from .messaging.metrics import ServerMetrics, process_samples
from .messaging.router import Router, socket_links
from .messaging.server import Dispatcher, Endpoint
from .messaging.tls import client_tls, server_tls

if TYPE_CHECKING:
    from ..core.graph.graph import Graph
    from ..core.sql.db.database import Database
    from ..core.sql.schema.schema import Schema
    from .caching import CachingService
    from .engine.coordinator import Coordinator

log = logger("velella.host")

REACHABLE_SECONDS = 120.0
"""Seconds a front end waits for the rest of the cluster before it opens."""


class HostService(Service):
    """The process itself, as a service: every host has one."""

    name = HOST

    def __init__(self, host: Host) -> None:
        self._host = host

    async def ping(self) -> str:
        return str(self._host.replica)

    async def ready(self) -> None:
        """Return when the databases of this process answer. Raises the error that keeps one from answering."""
        await self._host.ready()

    async def status(self) -> dict[str, Any]:
        """What `velella status` shows of a replica."""
        return self._host.status()

    async def clock(self) -> float:
        """This machine's time, in seconds since 1970."""
        return time.time()

    async def metrics(self) -> list[Sample]:
        """The metrics of this process. See `core.metrics`."""
        return list(self._host.metrics.samples())

    async def forget(self, names: list[str] | None = None) -> None:
        """Drop what this process caches of these entities, or everything."""
        self._host.invalidate(None if names is None else frozenset(names))


class Host:
    """Services of one process, their admission, and the router to services elsewhere.

    `start` and `stop` are called once each. Every handle made here keeps working as long as the host runs.
    """

    def __init__(
        self,
        settings: Settings,
        names: Iterable[str],
        *,
        address: ReplicaAddress | None = None,
        listen: str | None = None,
        directory: Directory | None = None,
        connections: int | None = None,
        actor: Callable[[str], Any] | None = None,
        wire_check: bool = False,
        visits: bool = False,
    ) -> None:
        """A host for the services `names`. `visits`: see `HostContext`.

        It listens on the unix socket `address.path` and, on the interface `listen` if that is given, on a TCP port of its own choice.
        `directory` says where the others are; `actor` finds a Ray actor by name, for those without an address.
        """
        self.settings = settings
        self.address = replace(address or ReplicaAddress(ReplicaId("local", 0)), incarnation=token_hex(8))
        self.replica = self.address.replica
        self._standing = Identity(self.replica, str(self.address.incarnation))
        self.names = tuple(dict.fromkeys(names))
        self.services: dict[str, Service] = {}
        self.admission = Admission(settings.admission)
        self.restarts = 0
        """How often this replica was restarted, as last reported by the supervisor."""
        self.metrics = MetricSources()
        self._server_metrics = ServerMetrics()
        links = socket_links(self.address, settings.cluster_token, actor, self, client_tls(settings))
        self.router = Router(self.replica, links, self._send_here)
        self.on_superseded: Callable[[], None] | None = None
        """Called when another process has taken our place."""
        self.router.update(directory or Directory.of([(self.address, self.names)]))
        self._connections = connections or settings.connections
        self.dispatcher = Dispatcher(self.services, self.admission, at_once=max(32, 4 * self._connections), metrics=self._server_metrics)
        self.endpoint = Endpoint(self.dispatcher, self.replica)
        self._listen = listen
        self.modules = self._module_handles()
        self.caching: CachingService = handle("caching", self.resolve)
        self.workflows: Coordinator = handle("workflows", self.resolve)
        self._databases: dict[str, Database] = {}
        self._started: list[str] = []
        self._local: dict[tuple[str, str], Send] = {}
        self._listeners: list[Changed] = []
        self._watchers: list[OnSuspects] = []
        self._memory: Cache | None = None
        self._fills = not set(FILLERS).isdisjoint(self.names)
        """Whether it is invalidated after the processes whose cached answers it may ask for."""
        if settings.cache and (
            self._fills or not set(sources(settings)).isdisjoint(self.names)
        ):  # others receive no invalidation from elsewhere
            self._memory = Cache(settings.cache_bytes // 8, settings.longest_cached)
            self._listeners.append(self._memory.changed)
        self._shared = tier_of(settings)
        if self._shared is not None:
            self._listeners.append(self._shared.changed)
            self.metrics.add(self._shared.samples)
        self._announce = Announcer(self.router, settings, self._shared) if settings.cache else _keep_quiet
        self._wire_check = wire_check
        self._visits = visits
        self._plugins = AsyncExitStack()
        """What plugins started in this process."""
        self.context = HostContext(
            settings=settings,
            replica=self.replica,
            modules=self.modules,
            workflows=self.workflows,
            router=self.router,
            admission=self.admission,
            database=self.database,
            on_changed=self._listeners.append,
            on_suspects=self._watchers.append,
            changed=self.changed,
            metrics=self.metrics,
            make_graph=graph_of,
            make_memory=memory_of,
            shared=self._shared,
            visits=visits,
        )
        for source in (process_samples, self.admission.samples, self._server_metrics.samples, outside_samples, self._own_samples):
            self.metrics.add(source)

    @property
    def graph(self) -> Graph:
        """Queries across modules."""
        return self.context.graph

    # -- life
    async def start(self) -> None:
        """Build and start every service, each after the ones it may need, then take messages; the HTTP front end opens last.

        It opens once every service of the cluster answers, so that the first request needn't wait. Raises Misconfigured for
        a service that isn't installed and Unavailable if a part of the cluster doesn't come up.
        """
        self.services[HOST] = HostService(self)
        for name in self._in_order():
            self.services[name] = self._build(name)
        await asyncio.gather(*(database.open() for database in self._databases.values()))
        await self._start_plugins()
        inner, front_end = [name for name in self._in_order() if name != "http"], [name for name in self.names if name == "http"]
        await self._start(inner)
        if self.address.path is not None:
            await self.endpoint.listen_unix(self.address.path)
        if self._listen is not None:
            port = await self.endpoint.listen_tcp(self._listen, 0, self._token(), server_tls(self.settings))
            self.address = replace(self.address, host=self._listen, port=port)
        if front_end:
            missing = await self.router.reachable([name for name in self.router.directory.services if name != "http"], REACHABLE_SECONDS)
            if missing:
                raise Unavailable(f"No replica of {', '.join(missing)} answers.", hint="`velella status` shows what is up.")
            await self._start(front_end)

    async def _start(self, names: Iterable[str]) -> None:
        for name in names:
            self._started.append(name)
            await self.services[name].start()

    async def _start_plugins(self) -> None:
        for name in self.settings.plugins if not self._visits else ():
            plugin = plugin_of(name)
            if plugin is not None:
                plugin.options(self.settings)
                if plugin.start is not None:
                    await self._plugins.enter_async_context(plugin.start(self.context))

    async def drain(self, seconds: float = 10.0) -> None:
        """Other replicas take over our work: send clients from outside to them, within `seconds`."""
        await asyncio.gather(*(self._end(f"{name} drains", service.drain(), seconds) for name, service in list(self.services.items())))

    async def stop(self, seconds: float = 10.0) -> None:
        """Close the front end, let messages inside finish, stop every service, disconnect.

        The front end may take half of `seconds`, everything else as long: a part that isn't finished by then, or fails, is left as it is,
        and the next parts are stopped all the same.
        """
        for name in reversed(self._started):
            if name in ("http", "workflows"):
                await self._end(name, self.services[name].stop(), seconds / 2 if name == "http" else seconds + 2.0)
        await self._end("endpoint", self.endpoint.close(seconds), seconds + 2.0)
        for name in reversed(self._started):
            if name not in ("http", "workflows"):
                await self._end(name, self.services[name].stop(), seconds)
        await self._end("plugins", self._plugins.aclose(), seconds)
        if self._shared is not None:
            await self._end("the shared cache", self._shared.stop(), seconds)
        self.router.close()
        await asyncio.gather(*(self._end("database", database.close(), seconds) for database in self._databases.values()))

    @staticmethod
    async def _end(what: str, ending: Awaitable[None], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await ending
        except Exception:  # a service that fails to stop, or not in time, must not block the others
            log.exception("a part of this process did not stop", part=what)

    def _token(self) -> str:
        if self.settings.cluster_token is None:
            raise Misconfigured("A TCP socket needs the cluster's token.", hint="Set VELELLA_CLUSTER_TOKEN, the same on every node.")
        return self.settings.cluster_token

    def _in_order(self) -> list[str]:
        return sorted(self.names, key=known.tier)

    def _build(self, name: str) -> Service:
        made_by = known.load(name, self.settings)
        if not isinstance(made_by, Module):
            service: Service = made_by(self.context)
            return service
        providers = Providers(name, made_by.provider_kinds, self.settings.providers.get(name, ()), made_by.provider)
        changed = partial(self._changed_quietly, made_by.schema) if made_by.caching == "none" else self.changed
        return made_by.service(
            ModuleContext(
                self.settings,
                self.database(name),
                providers,
                changed,
                self._memory,
                documents=lambda: self.router.directory.documents,
                visits=self._visits,
            )
        )

    def database(self, name: str) -> Database:
        """The database of a service. Services with one URL share one pool of connections."""
        url = self.settings.database_of(name)
        if url not in self._databases:
            from ..core.sql.db.database import Database

            self._databases[url] = Database(url, connections=self._connections, statement_timeout=self.settings.statement_timeout)
        return self._databases[url]

    async def ready(self) -> None:
        """Return when every database that this process uses answers. Raises the error that keeps one from answering."""
        await asyncio.gather(*(database.answers() for database in self._databases.values()))

    # -- membership
    def update(self, directory: Directory) -> None:
        """Replicas came, went or moved."""
        if directory.version < self.router.directory.version:
            return  # an older directory, overtaken on its way
        suspects = directory.suspects - self.router.directory.suspects
        self.router.update(directory)
        self.endpoint.update(directory)
        self._standing = self._standing.after(directory)
        if suspects:
            for watcher in self._watchers:
                watcher(suspects)

    def identity(self) -> Identity:
        return self._standing

    def superseded(self) -> None:
        """Another process has our place: messages inside must not be sent on."""
        if not self.router.replaced:
            log.error("another process has been started as this replica: this one ends", replica=str(self.replica))
            self.router.replaced = True
            if self.on_superseded is not None:
                self.on_superseded()

    # -- messages
    def _module_handles(self) -> Any:
        modules = known.new_handles()
        for name in (*known.module_names(), *self.settings.modules):
            setattr(modules, name, handle(name, self.resolve))
        return modules

    def resolve(self, service: str, method: str) -> Send:
        """The function that sends a message to a service from here. See `handles.Handle`."""
        here = self.services.get(service)
        cls = type(here) if here is not None else known.service_class(known.load(service, self.settings))
        message = messages_of(cls).get(method)
        if message is None:
            raise no_such_message(service, method)
        if here is not None:
            return self._send_here(service, method)
        router = self.router

        async def send_away(*args: Any, **kwargs: Any) -> Any:
            return await router.call(service, method, message, args, kwargs)

        send = _traced(send_away, service, method, "client")
        made_of = made_of_rows(getattr(cls, method))
        if made_of is None or self._memory is None or not self._fills:
            return send
        return partial(recalled, self._memory, f"{service}.{method}", made_of, send)

    def _send_here(self, service: str, method: str) -> Send:
        """The function that sends inside this process."""
        if (service, method) not in self._local:
            send = local_send(self.services[service], method, self._server_metrics.of(service, method))
            self._local[service, method] = _traced(checked_send(send) if self._wire_check else send, service, method, "internal")
        return self._local[service, method]

    def status(self) -> dict[str, Any]:
        admission = self.admission
        return {
            "pid": os.getpid(),
            "services": list(self.names),
            "waiting": admission.waiting,
            "running": admission.inside - admission.waiting,
            "handled": admission.handled,
            "refused": admission.refused,
            "seconds": round(admission.seconds, 6),
            "socket": self.address.path,
            "port": self.address.port,
            "documents": self.documents(),
        }

    def documents(self) -> dict[str, int]:
        """Entity → number of the newest schema of its documents that this process knows, for the modules that it has."""
        modules = (service for service in self.services.values() if isinstance(service, ModuleService))
        return {
            name: entity.document.newest
            for module in modules
            for name, entity in module.schema.entities.items()
            if entity.document is not None
        }

    def _own_samples(self) -> Iterator[Sample]:
        yield "velella_replica_restarts_total", (), self.restarts
        for database in self._databases.values():
            yield from database.samples()

    # -- changes
    async def changed(self, names: frozenset[str]) -> None:
        """Entities changed here: drop them from this process's cache, then send the invalidation to the others.

        If they can't be reached, their entries live on until they expire: a write is never refused for that.
        """
        self.invalidate(names)
        try:
            await self._announce(names)
        except Exception as error:  # noqa: BLE001 - the write is done and must be answered
            log.warning("an invalidation could not be sent", names=sorted(names), error=str(error))

    async def _changed_quietly(self, schema: Schema, names: frozenset[str]) -> None:
        """Send invalidation only for the entities of this module that are cached."""
        if remembered := remembered_of(names, schema):
            await self.changed(remembered)

    def invalidate(self, names: frozenset[str] | None) -> None:
        for listener in self._listeners:
            listener(names)


def _traced(send: Send, service: str, method: str, kind: str) -> Send:
    """`send` with a span around each message, if this process is traced."""
    if not tracing.is_on():
        return send

    async def traced(*args: Any, **kwargs: Any) -> Any:
        with tracing.span(f"{service}.{method}", kind):
            return await send(*args, **kwargs)

    return traced


async def _keep_quiet(names: frozenset[str]) -> None:
    """Send nothing: the module's rows aren't cached."""


@asynccontextmanager
async def local_host(
    settings: Settings, services: Iterable[str] | None = None, *, wire_check: bool = False, visits: bool = False
) -> AsyncIterator[Host]:
    """A whole shop in this process: no Ray, no sockets, every message a plain await. For tests, the command line and seeding.

    `services` names the wanted ones; by default all that are installed, without the HTTP front end.
    `wire_check` encodes and decodes every message. `visits`: it isn't part of the shop (see `HostContext`).
    """
    if services is None:
        services = [name for name in known.service_names(settings) if name != "http" and known.is_installed(name, settings)]
    if not (names := list(services)):
        raise Misconfigured("A host without services has nothing to do.")
    host = Host(settings, names, wire_check=wire_check, visits=visits)
    try:
        await host.start()
        yield host
    finally:
        await host.stop()
