"""A process that visits a running shop: it has no services itself, and its messages go to those of the shop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ...core.errors import VelellaError
from ...core.logs import logger
from ...core.settings import Settings
from ..host import Host
from ..membership.directory import Directory, ReplicaAddress, ReplicaId
from .control import SupervisorService

log = logger("velella.visitor")

LOOK_SECONDS = 1.0
"""Seconds between two looks where the replicas are: some come and go while a visitor stays."""


@asynccontextmanager
async def visitor(settings: Settings, supervisor: SupervisorService, *, joined: bool) -> AsyncIterator[Host]:
    """A host whose modules, graph and workflows are those of the shop of this supervisor.

    It remembers no answers, because nobody tells it of changes. `joined`: this process has joined the shop's Ray cluster; else the shop is
    on this machine.
    """
    me = ReplicaAddress(ReplicaId("visitor", os.getpid()), *_node() if joined else ())
    directory = Directory.from_wire(await supervisor.directory())
    host = Host(
        settings.model_copy(update={"cache": False}),
        (),
        address=me,
        directory=directory,
        actor=_batch_call if joined else None,
        visits=True,
    )
    await host.start()
    looking = asyncio.create_task(_keep_looking(host, supervisor))
    try:
        yield host
    finally:
        looking.cancel()
        await asyncio.wait([looking])
        await host.stop()


def _node() -> tuple[str]:
    import ray

    return (str(ray.get_runtime_context().get_node_id()),)


def _batch_call(name: str) -> Any:
    from .replica import batch_call

    return batch_call(name)


async def _keep_looking(host: Host, supervisor: SupervisorService) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            host.update(Directory.from_wire(await supervisor.directory()))
        except VelellaError as error:  # it is being replaced, or the shop stops: messages then say so themselves
            log.debug("the supervisor does not answer", error=str(error))
