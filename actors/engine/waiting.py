"""Waiting for executions that another coordinator carries out."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from ...core.errors import NotFound, VelellaError
from ...core.logs import logger
from ...core.message import call_context
from .store import ExecutionOutcome, Executions

log = logger("velella.workflows")

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25


class Outcomes:
    """Reads the outcome of all executions that this process waits for in one statement, at growing intervals."""

    def __init__(self, store: Executions) -> None:
        self._store = store
        self._waiting: dict[str, asyncio.Future[ExecutionOutcome]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._pause = FIRST_PAUSE

    async def of(self, id: str) -> ExecutionOutcome:
        """The outcome of an execution: its end, its answer, or that it waits. The caller sets the time limit. Raises NotFound if its row is
        dropped."""
        future = self._waiting.get(id)
        if future is None:
            future = self._waiting[id] = asyncio.get_running_loop().create_future()
        self._pause = FIRST_PAUSE
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(future)

    async def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
        for future in self._waiting.values():
            future.cancel()

    async def _ask(self) -> None:
        call_context.set(None)
        try:
            while self._waiting:
                try:
                    asked = list(self._waiting)
                    self._settle(asked, await self._store.outcomes(asked))
                except VelellaError as error:  # each caller has its own time limit
                    log.warning("executions can't be asked after", error=str(error))
                await asyncio.sleep(self._pause)
                self._pause = min(LONGEST_PAUSE, self._pause * 1.3)
        finally:
            self._asking = None

    def _settle(self, asked: list[str], outcomes: dict[str, ExecutionOutcome]) -> None:
        for id in asked:  # not for what was added since: the statement didn't read that
            outcome = outcomes.get(id)
            if outcome is not None and not outcome.is_answered:
                continue
            future = self._waiting.pop(id)
            if future.done():
                continue
            if outcome is not None:
                future.set_result(outcome)
            else:
                future.set_exception(NotFound(f"Execution with id: {id} was not found"))
                future.exception()
