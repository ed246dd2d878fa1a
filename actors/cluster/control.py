"""The control socket of a running Velella: how `velella status` and the other commands reach its supervisor."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from ...core.errors import Misconfigured
from ...core.ids import ulid
from ...core.message import Service, reads
from ...core.metrics import Sample
from ...core.settings import Settings
from ..membership.directory import Directory, ReplicaAddress, ReplicaId, Wire
from ..messaging.admission import Admission
from ..messaging.client import Lost, NotSent, Outgoing, SocketLink
from ..messaging.handles import Send, handle
from ..messaging.server import Dispatcher, Endpoint
from .ray_runtime import run_dir
from .rollout import Rollout

SUPERVISOR = "supervisor"
ANSWER_SECONDS = 30.0


class Supervising(Protocol):
    """The part of the supervisor that the control socket calls."""

    @property
    def changes(self) -> Rollout: ...
    def status(self) -> dict[str, Any]: ...
    def directory(self) -> Directory: ...
    async def metrics(self) -> dict[str, list[Sample]]: ...
    async def clear_cache(self) -> None: ...


class SupervisorService(Service):
    """The messages that a running Velella takes from its operator."""

    name = SUPERVISOR

    def __init__(self, supervisor: Supervising) -> None:
        self._supervisor = supervisor

    @reads
    async def status(self) -> dict[str, Any]:
        """Pools, replicas, processes, queues, restarts."""
        return self._supervisor.status()

    @reads
    async def directory(self) -> Wire:
        """Where the replicas are: a `Directory` in its wire form."""
        return self._supervisor.directory().to_wire()

    @reads
    async def metrics(self) -> dict[str, list[Sample]]:
        """The metrics of every replica (see `core.metrics`), by its id `product-0`."""
        return await self._supervisor.metrics()

    async def clear_cache(self) -> None:
        """Make every process drop its cache."""
        await self._supervisor.clear_cache()

    @reads
    async def change(self) -> dict[str, Any]:
        """The progress of the last change of pools: `running`, the `lines` of what was done, the `error` it ended in."""
        return self._supervisor.changes.report()

    async def scale(self, wanted: dict[str, list[int]]) -> None:
        """Begin to scale pools: pool → minimum and maximum of replicas. Raises Misconfigured, or Conflict while another change runs."""
        await self._supervisor.changes.scale({name: (least, most) for name, (least, most) in wanted.items()})

    async def roll(self, pools: list[str]) -> None:
        """Begin to replace the processes of these pools, or of all, one by one. Raises as `scale` does."""
        await self._supervisor.changes.roll(pools)

    async def stop(self) -> None:
        """Begin to stop, as on SIGTERM. Answers before that is done."""
        os.kill(os.getpid(), signal.SIGTERM)


def control_path(settings: Settings) -> str:
    return str(run_dir(settings) / "control.sock")


class Control:
    """The supervisor's end."""

    def __init__(self, settings: Settings, supervisor: Supervising) -> None:
        self._path = control_path(settings)
        self._endpoint = Endpoint(Dispatcher({SUPERVISOR: SupervisorService(supervisor)}, Admission(64)))

    async def open(self) -> None:
        await self._endpoint.listen_unix(self._path)

    async def close(self) -> None:
        await self._endpoint.close(1.0)


def address_of(settings: Settings) -> dict[str, Any]:
    """What a status tells of where a shop was told to listen, and how browsers reach it: by the names of the settings."""
    return {name: getattr(settings, name) for name in ("host", "port", "public_url")}


@asynccontextmanager
async def supervisor_handle(settings: Settings) -> AsyncIterator[SupervisorService]:
    """A handle of the supervisor that runs on the data directory. Its messages raise Misconfigured when none does."""
    link = SocketLink(ReplicaAddress(ReplicaId(SUPERVISOR, 0), path=control_path(settings)), None, True)

    def resolve(service: str, method: str) -> Send:
        async def send(*args: Any, **kwargs: Any) -> Any:
            try:
                return await link.request(Outgoing(service, method, args, kwargs, ulid()), ANSWER_SECONDS)
            except (NotSent, Lost):
                raise Misconfigured(
                    f"The Velella on {settings.data_dir} does not answer.", hint="It is starting or stopping: try again in a moment."
                ) from None

        return send

    try:
        yield handle(SUPERVISOR, resolve)
    finally:
        link.close()
