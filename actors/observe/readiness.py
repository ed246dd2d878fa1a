"""Whether the shop can serve: every service has a replica whose databases answer."""

from __future__ import annotations

import asyncio
import time

from ...core.errors import Unavailable, VelellaError
from ..membership.directory import HOST
from ..messaging.router import Router

ANSWER_SECONDS = 1.0
"""Seconds a replica may take to say that it is ready."""
REMEMBERED_SECONDS = 1.0
"""Seconds for which an answer is reused: however often a process is asked, it asks the others once in that time."""


class Readiness:
    """Answers the front ends' readiness checks."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._asking: asyncio.Task[None] | None = None
        self._asked = float("-inf")

    async def check(self) -> None:
        """Return if every service can be served. Raises Unavailable, which names the services that can't."""
        if self._asking is None or (self._asking.done() and time.monotonic() - self._asked > REMEMBERED_SECONDS):
            self._asked = time.monotonic()
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(_seen)
        await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        router = self._router
        answers = await router.broadcast(HOST, "ready", seconds=ANSWER_SECONDS)
        ready = {replica for replica, answer in answers.items() if not isinstance(answer, VelellaError)}
        missing = sorted(service for service in router.directory.services if ready.isdisjoint(router.replicas(service)))
        if missing:
            raise Unavailable(f"Not ready: {', '.join(missing)}.", hint="`velella status` shows what is up.")


def _seen(task: asyncio.Task[None]) -> None:
    """Retrieve the error of a check that no caller waits for any more."""
    if not task.cancelled():
        task.exception()
