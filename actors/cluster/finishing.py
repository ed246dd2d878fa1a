"""The end of replicas: they finish the messages inside of them; and what is left of their processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable
from typing import Any

import psutil

from ...core.logs import logger
from .members import Member

log = logger("velella.supervisor")

FINISH_SECONDS = 10.0
"""Seconds the messages inside get to finish when we stop."""


class Finishing:
    """The replicas of one supervisor that are about to end."""

    def __init__(self) -> None:
        self._asked: set[asyncio.Future[Any]] = set()
        self._hurried = False

    async def wait_for(self, members: Iterable[Member], *, drain: bool = False) -> None:
        """Have replicas finish the messages inside of them. Returns when they have, when their time is over, or once it is hurried.

        Raises nothing: a replica that doesn't finish in order is logged. `drain`: others of its pool stay, and its clients from outside
        are sent to them first.
        """
        if self._hurried:
            return
        asked = [asyncio.ensure_future(replied(member.actor.stop.remote(FINISH_SECONDS, drain))) for member in members]
        if not asked:
            return
        for one in asked:
            self._asked.add(one)
            one.add_done_callback(self._asked.discard)
        done, late = await asyncio.wait(asked, timeout=2 * FINISH_SECONDS + 5.0)
        for one in late:
            one.cancel()
        for one in done:
            if not one.cancelled() and (error := one.exception()) is not None:
                log.warning("a replica did not finish in order", error=str(error).strip())

    def hurry(self) -> None:
        """Wait for none, from here on."""
        self._hurried = True
        for one in tuple(self._asked):
            one.cancel()


async def replied(reference: Any) -> Any:
    """A Ray reference as a coroutine, to make a task of it."""
    return await reference


def processes_of(members: Iterable[Member]) -> list[psutil.Process]:
    found = []
    for member in members:
        if member.pid is not None and member.pid != os.getpid():
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(member.pid))
    return found


def pids_of(process: psutil.Process) -> set[int]:
    """A process and its descendants, except PostgreSQL's: those come and go with every connection."""
    pids = {process.pid}
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # ended meanwhile
            if child.name() != "postgres":
                pids.add(child.pid)
    return pids
