"""A host: a process's share of the colony. It builds the services that live here and hands each what it works with."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ..core.errors import Misconfigured
from ..core.logs import logger
from ..core.messages import Service
from ..core.module import Module, ModuleContext
from ..core.providers import Providers
from ..core.settings import Settings
from . import services as known
from .context import Changed, HostContext
from .directory import HOST, Directory, ReplicaId
from .handles import Send, checked_send, handle, local_send, no_such_message, signatures
from .mailbox import Mailbox
from .router import Router

if TYPE_CHECKING:
    from ..core.query.graph import Graph
    from ..core.sql.database import Database
    from ..modules import Modules
    from .caching import CachingService
    from .coordinator import Coordinator
    from .locking import LockingService

log = logger("velella.host")


class HostService(Service):
    """The process itself, as a service: every host has one."""

    name = HOST

    def __init__(self, host: Host) -> None:
        self._host = host

    async def ping(self) -> str:
        return str(self._host.replica)

    async def forget(self, names: list[str] | None = None) -> None:
        """Drop what this process caches of these entities, or everything."""
        self._host.tell(None if names is None else frozenset(names))


class Host:
    """Services of one process, the mailbox before them and the router to those elsewhere.

    `start` and `stop` are called once each. Every handle made here keeps working as long as the host runs.
    """

    def __init__(
        self,
        settings: Settings,
        names: Iterable[str],
        *,
        replica: ReplicaId | None = None,
        directory: Directory | None = None,
        connections: int | None = None,
        wire_check: bool = False,
    ) -> None:
        self.settings = settings
        self.replica = replica or ReplicaId("local", 0)
        self.names = tuple(dict.fromkeys(names))
        self.services: dict[str, Service] = {}
        self.mailbox = Mailbox(settings.mailbox)
        self.router = Router(directory)
        self.modules: Modules = self._module_handles()
        self.locking: LockingService = handle("locking", self.resolve)
        self.caching: CachingService = handle("caching", self.resolve)
        self.workflows: Coordinator = handle("workflows", self.resolve)
        self._connections = connections or settings.connections
        self._databases: dict[str, Database] = {}
        self._opened: list[Database] = []
        self._listeners: list[Changed] = []
        self._wire_check = wire_check
        self.context = HostContext(
            settings=settings,
            replica=self.replica,
            modules=self.modules,
            locking=self.locking,
            caching=self.caching,
            workflows=self.workflows,
            router=self.router,
            mailbox=self.mailbox,
            database=self.database,
            on_changed=self._listeners.append,
            changed=self.changed,
        )

    @property
    def graph(self) -> Graph:
        """Queries across modules."""
        return self.context.graph

    # -- life
    async def start(self) -> None:
        """Build and start every service, each after those it may need. Raises Misconfigured for one that isn't installed."""
        self.services[HOST] = HostService(self)
        for name in self._in_order():
            self.services[name] = self._build(name)
        for database in self._databases.values():
            if database not in self._opened:
                self._opened.append(database)
                await database.open()
        for name in self._in_order():
            await self.services[name].start()

    async def stop(self) -> None:
        """Stop every service, the doors first, so that what is still inside can finish."""
        for name in reversed(self._in_order()):
            if name in self.services:
                try:
                    await self.services[name].stop()
                except Exception:  # one that can't stop must not keep the others
                    log.exception("a service did not stop", service=name)
        await self.router.close()
        await asyncio.gather(*(database.close() for database in self._opened))

    def _in_order(self) -> list[str]:
        return sorted(self.names, key=known.tier)

    def _build(self, name: str) -> Service:
        made_by = known.load(name, self.settings)
        if not isinstance(made_by, Module):
            service: Service = made_by(self.context)
            return service
        providers = Providers(name, made_by.provider_kinds, self.settings.providers.get(name, ()))
        return made_by.service(ModuleContext(self.settings, self.database(name), providers, self.changed))

    def database(self, name: str) -> Database:
        """The database of a service. Those with one URL share one pool of connections."""
        url = self.settings.database_of(name)
        if url not in self._databases:
            from ..core.sql.database import Database

            self._databases[url] = Database(url, connections=self._connections, statement_timeout=self.settings.statement_timeout)
        return self._databases[url]

    # -- messages
    def _module_handles(self) -> Modules:
        modules: Any = importlib.import_module("velella.modules").Modules()
        for name in (*known.module_names(), *self.settings.modules):
            setattr(modules, name, handle(name, self.resolve))
        result: Modules = modules
        return result

    def resolve(self, service: str, method: str) -> Send:
        """How a message gets to a service from here. See `handles.Handle`."""
        here = self.services.get(service)
        if here is not None:
            send = local_send(here, method)
            return checked_send(send) if self._wire_check else send
        signature = signatures(known.service_class(known.load(service, self.settings))).get(method)
        if signature is None:
            raise no_such_message(service, method)

        async def send_away(*args: Any, **kwargs: Any) -> Any:
            return await self.router.call(service, method, args, kwargs)

        return send_away

    # -- changes
    async def changed(self, names: frozenset[str]) -> None:
        """Entities changed here: this process forgets what it knew of them, then the caching pool tells the others.

        Should that pool be away the others go on until the short life of their entries ends: a change is never refused for it.
        """
        self.tell(names)
        if not self.router.directory.of_service("caching"):
            return
        try:
            await self.caching.bump(sorted(names))
        except Exception as error:  # noqa: BLE001 - the write is done and must be answered
            log.warning("a change could not be spread", names=sorted(names), error=str(error))

    def tell(self, names: frozenset[str] | None) -> None:
        for listener in self._listeners:
            listener(names)


@asynccontextmanager
async def local_host(settings: Settings, services: Iterable[str] | None = None, *, wire_check: bool = False) -> AsyncIterator[Host]:
    """A whole shop in this process: no Ray, no sockets, every message a plain await. For tests, the command line and seeding.

    `services` names those wanted; by default all that are installed, without the HTTP front end.
    `wire_check` encodes and decodes every message.
    """
    if services is None:
        services = [name for name in known.service_names(settings) if name != "http" and known.is_installed(name, settings)]
    if not (names := list(services)):
        raise Misconfigured("A host without services has nothing to do.")
    host = Host(settings, names, wire_check=wire_check)
    try:
        await host.start()
        yield host
    finally:
        await host.stop()
