"""Batching: messages that queue up for the same rows are carried out together, in one transaction.

    class Reservations(ModuleService):
        def __init__(self, context):
            super().__init__(context)
            self._reserving = Batcher(self, self._reserve_alone, self._reserve_together)

        @writes(batched=True)
        async def reserve(self, lines):
            return await self._reserving.ask(lines)

While one batch is being carried out the next one gathers: no message waits for others, and the more there are, the less each costs. A
single message takes the fast path. Each gets an answer of its own, first come first served; one that is refused undoes nothing of the
others. Each is recorded (see `writes`) in the batch's transaction, so that a repetition gets the same answer.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Generic, TypeVar

from ..errors import DeadlineExceeded, VelellaError
from ..message import CallContext, call_context
from ..sql.write.inbox import RECORDED_ALONE

if TYPE_CHECKING:
    from .module import ModuleService

A = TypeVar("A")
R = TypeVar("R")

MOST = 256
"""Messages of one batch."""


class _Waiting(Generic[A, R]):
    """A message that waits for its batch."""

    __slots__ = ("answer", "argument", "call", "context")

    def __init__(self, argument: A, call: CallContext | None) -> None:
        self.argument = argument
        self.call = call
        self.context = copy_context()
        self.answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()

    @property
    def gave_up(self) -> bool:
        """Whether its caller has given up and no record would tell of it: then it must not be carried out."""
        return self.answer.done() and self.message_id is None

    @property
    def message_id(self) -> str | None:
        return self.call.message_id if self.call is not None else None


class _GaveUp(Exception):
    """The batch is rolled back, and each of its messages tried alone: the caller of one without a record has given up, so that what was
    done for it is undone; or one came before, and was recorded alone."""


class Batcher(Generic[A, R]):
    """Carries out messages of one method of a service, one batch after the other."""

    def __init__(
        self,
        service: ModuleService,
        alone: Callable[[A], Awaitable[R]],
        together: Callable[[Sequence[A]], Awaitable[Sequence[R | VelellaError]]],
    ) -> None:
        """`alone` carries out one message, `together` several, in the order they came: it returns an answer or an error for each, and
        leaves no trace of those that it refuses. Both run inside the service's transaction, and may run again where it collides with
        another one. `alone` sends one statement, and answers by it (see `Message.answers`): recording the message needs no transaction
        then."""
        self._service = service
        self._alone = alone
        self._together = together
        self._waiting: deque[_Waiting[A, R]] = deque()
        self._working: asyncio.Task[None] | None = None

    async def ask(self, argument: A) -> R:
        """Carry out one message, and return its answer. Raises the error it is refused with.

        Inside a transaction of the service it is part of that one. A message whose caller is cancelled before the commit isn't carried out,
        unless it is recorded: then it goes on, and its record holds the answer.
        """
        service = self._service
        if service.database.transaction_running is not None:
            return await service.run_write(lambda: self._alone(argument))
        asked: _Waiting[A, R] = _Waiting(argument, call_context.get())
        self._waiting.append(asked)
        if self._working is None:
            # in a context of its own: it outlives the flow that happened to come first
            self._working = asyncio.create_task(self._work(), context=Context())
        return await asked.answer

    async def _work(self) -> None:
        try:
            while batch := self._next():
                answers = await self._answers(batch)
                for asked, answer in zip(batch, answers, strict=True):
                    if asked.answer.done():
                        continue
                    if isinstance(answer, Exception):
                        asked.answer.set_exception(answer)
                    else:
                        asked.answer.set_result(answer)
        finally:
            self._working = None

    async def _answers(self, batch: Sequence[_Waiting[A, R]]) -> Sequence[R | Exception]:
        """The outcome of each message. If the database refuses the batch as a whole, the error doesn't say which message is at fault: then
        each is tried alone."""
        if len(batch) > 1:
            try:
                return await self._several(batch)
            except _GaveUp:
                pass
            except VelellaError as error:
                if error.status >= 500:  # the outcome isn't known, or nothing can be done: retrying is up to the callers
                    return [error for _ in batch]
            except Exception as error:  # noqa: BLE001 - raised in each caller
                return [error for _ in batch]
        # each in its caller's context: what it does belongs to that trace
        return [await asyncio.create_task(self._one(asked), context=asked.context) for asked in batch]

    def _next(self) -> list[_Waiting[A, R]]:
        """The messages that have waited longest. Of two with one id the second waits until the first one's answer is known."""
        batch: list[_Waiting[A, R]] = []
        again: list[_Waiting[A, R]] = []
        ids: set[str] = set()
        while self._waiting and len(batch) < MOST:
            asked = self._waiting.popleft()
            if asked.answer.done():  # its caller gave up
                continue
            if asked.call is not None and asked.call.left() <= 0:
                asked.answer.set_exception(DeadlineExceeded("The time for this request is over."))
            elif asked.message_id in ids:
                again.append(asked)
            else:
                batch.append(asked)
                if asked.message_id is not None:
                    ids.add(asked.message_id)
        self._waiting.extendleft(reversed(again))
        return batch

    async def _one(self, asked: _Waiting[A, R]) -> R | Exception:
        async def body() -> R:
            answer = await self._alone(asked.argument)
            if asked.gave_up:
                raise _GaveUp
            return answer

        try:
            recorded = asked.message_id is not None  # a message without a record isn't carried out if its caller gives up before the commit
            return await self._service.run_write(body, one_statement=recorded, answers=True)
        except Exception as error:  # noqa: BLE001 - raised in the caller
            return error

    async def _several(self, batch: Sequence[_Waiting[A, R]]) -> Sequence[R | VelellaError]:
        longest = max((asked.call.deadline for asked in batch if asked.call is not None), default=time.monotonic() + 30.0)
        call_context.set(CallContext(batch[0].call.trace_id if batch[0].call is not None else "", longest))
        log = self._service.inbox

        async def body() -> list[R | VelellaError]:
            database = self._service.database
            done = await log.begin_many(database, [asked.message_id for asked in batch if asked.message_id is not None])
            if any(answer is RECORDED_ALONE for answer in done.values()):
                raise _GaveUp
            if done:  # the process that did it may have died before it sent the invalidation
                self._service.touch_everything()
            fresh = [asked for asked in batch if asked.message_id not in done]
            answers = await self._together([asked.argument for asked in fresh]) if fresh else ()
            if any(asked.gave_up for asked in fresh):
                raise _GaveUp
            made = dict(zip(fresh, answers, strict=True))
            await log.finish_many(database, [(asked.message_id, answer) for asked, answer in made.items() if asked.message_id is not None])
            return [made[asked] if asked in made else done[str(asked.message_id)] for asked in batch]

        return await self._service.run_write(body)
