"""Writes of a service: one transaction each, recorded under their message id, with invalidation after the commit."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from .. import json
from ..codec import pack
from ..errors import ReplyLost, VelellaError
from ..message import call_context
from ..sql.db.compiled import SelfRecording
from ..sql.db.failures import Collided, Disconnected, may_be_done
from ..sql.write.inbox import CameBefore, Inbox, answer_of, is_step, value_of
from .context import ModuleContext
from .writing import RunningWrite, Undoable, running_write

R = TypeVar("R")
Parameters = Callable[[], Awaitable[Mapping[str, Any] | None]]

MOST_ROWS = 32
"""Rows of one entity that an invalidation names one by one; with more of them it names the entity."""

_ATTEMPTS = 6
"""How often a write that collides with another one is tried. After that its caller gets Conflict."""


class RecordedWrites(Undoable):
    """The half of a module's service that carries writes out."""

    inbox: Inbox
    context: ModuleContext

    # -- for a module's own methods

    async def answer(self, statement: SelfRecording, params: Mapping[str, Any] | Parameters) -> Any:
        """Send the statement of a write that is one statement, and return its one value (see `message.Message`). JSON comes parsed.

        `params`: the parameters, or a function that works them out, which isn't called if the answer is recorded already; if it returns
        None, nothing is written. Raises TypeError for a second statement: the record has room for one value.
        """
        running = self._running()
        if running is None:
            raise TypeError("answer belongs inside a method marked @writes")
        if running.record is not None or running.answered is not None:
            if running.sent:
                raise TypeError("A write that answers by one statement sends no other one")
            running.sent = True
        if running.answered is not None:
            return json.loads(running.answered)
        if callable(params):
            found = await params()
            if found is None:
                return None
            params = found
        if running.record is not None:
            value = await self.inbox.record(self.database, running.record, statement, params)
        else:
            value = await self.database.fetch_value(statement, params)
        return json.loads(value) if isinstance(value, bytes) else value

    @property
    def is_repeated(self) -> bool:
        """Whether the running write was carried out before, so that `answer` gives what it gave then, whatever is true by now."""
        running = self._running()
        return running is not None and running.answered is not None

    @property
    def begins_again(self) -> bool:
        """Whether the running write was tried before and collided with another one: what its caller has read is old."""
        running = self._running()
        return running is not None and running.again

    def touch(self, *entities: str) -> None:
        """Note that rows of these entities change in the running write: to be called after a statement of the module's own."""
        running = self._running()
        if running is None:
            raise TypeError("touch belongs inside a method marked @writes")
        running.touched.update(entities)
        for view, seen in self.schema.views:
            running.touched.update(f"{view}{name.removeprefix(seen)}" for name in entities if name.partition(":")[0] == seen)

    def touch_everything(self) -> None:
        """Like `touch`, where it isn't known what has changed."""
        self.touch(*self._everything)

    def touch_rows(self, entity: str, keys: Iterable[Any]) -> None:
        """Like `touch`, where it is known which rows: caches needn't drop other rows of the entity."""
        rows = {f"{entity}:{key}" for key in keys}
        self.touch(*(rows if len(rows) <= MOST_ROWS else (entity,)))

    async def forget_messages(self, seconds: float, keep: Sequence[str] = ()) -> int:
        """Drop records of writes older than `seconds`. Returns how many. A write that is sent again after that is carried out again.

        `keep`: executions that are still running, however old they are.
        """
        return await self.inbox.forget(self.database, seconds, keep)

    async def run_write(self, body: Callable[[], Awaitable[R]], *, one_statement: bool = False, answers: bool = False) -> R:
        """Carry out a write: transaction, record, invalidation. See `message.writes` and `message.Message`.

        Inside another write of this service: part of it. A write that collides with another one is rolled back by the
        database and tried again, a few times; then its caller gets Conflict.
        """
        if self._running() is not None:
            return await body()
        attempt, doubtful = 1, False
        while True:
            try:
                return await self._write_once(body, one_statement, answers, doubtful, again=attempt > 1)
            except (Collided, Disconnected, ReplyLost) as error:
                if attempt == _ATTEMPTS or self.database.transaction_running is not None:
                    raise
                if isinstance(error, ReplyLost):  # if it was done, its record exists
                    if not answers or self._message_id() is None:
                        raise
                    doubtful = True
            except VelellaError as error:
                return await self._refused(error, body)
            await asyncio.sleep(random.uniform(0.2, 1.0) * 0.01 * 2**attempt)
            attempt += 1

    # -- inside

    @staticmethod
    def _message_id() -> str | None:
        """The id of the running message, if it is to be recorded."""
        call = call_context.get()
        return call.message_id if call is not None else None

    async def _refused(self, error: VelellaError, body: Callable[[], Awaitable[R]]) -> R:
        """Record that a step's write was refused. Raises the error, unless that very write was carried out meanwhile."""
        id = self._message_id()
        if id is None or not is_step(id) or error.status >= 500 or self.database.transaction_running is not None:
            raise error
        earlier = await self.inbox.refuse(self.database, id, error)
        if earlier is None:
            raise error
        return await self._answer_again(earlier, body)

    async def _answer_again(self, reply: bytes, body: Callable[[], Awaitable[R]]) -> R:
        """The answer of a write that was carried out before. The process that did it may have died before the invalidation, so it is sent
        now."""
        value = value_of(reply)
        if value is None:
            answer: R = answer_of(reply)
            await self._invalidate(self._everything)
            return answer
        running = RunningWrite(self, answered=value)
        token = running_write.set(running)
        try:
            return await body()
        finally:
            running.running = False
            running_write.reset(token)
            await self._invalidate(running.touched)

    async def _write_once(self, body: Callable[[], Awaitable[R]], one_statement: bool, answers: bool, doubtful: bool, *, again: bool) -> R:
        """`doubtful`: an earlier attempt may have taken effect without an answer. `again`: there was one."""
        call = call_context.get()
        message_id = call.message_id if call is not None else None
        joined = self.database.transaction_running is not None
        fresh = call is not None and call.fresh and not joined and not doubtful
        alone = one_statement and not joined and (message_id is None or (answers and fresh))
        running = RunningWrite(self, record=message_id if alone else None, again=again)
        token = running_write.set(running)
        try:
            if alone:
                return await self._write_alone(running, body)
            async with self.database.transaction() as transaction:
                earlier = await self.inbox.begin(self.database, message_id) if message_id is not None and not fresh else None
                if earlier is None:
                    result = await body()
                    if message_id is not None:
                        packed = pack(result)
                        if not fresh:
                            await self.inbox.finish(self.database, message_id, packed)
                        elif not await self.inbox.keep(self.database, message_id, packed):
                            raise CameBefore
                    if running.touched:
                        transaction.after_commit.append(functools.partial(self._invalidate, running.touched))
                    return result
            return await self._answer_again(earlier, body)
        except CameBefore:
            assert message_id is not None
            return await self._answer_again(await self.inbox.reply(self.database, message_id), body)
        finally:
            running.running = False
            running_write.reset(token)

    async def _write_alone(self, running: RunningWrite, body: Callable[[], Awaitable[R]]) -> R:
        """Carry out a write that is its own transaction. What it changed is known from its answer; without one, everything is
        invalidated."""
        touched: Iterable[str] = running.touched
        try:
            return await body()
        except BaseException as error:
            if may_be_done(error):
                touched = self._everything
            raise
        finally:
            await self._invalidate(touched)

    @property
    def _everything(self) -> frozenset[str]:
        return frozenset(self.schema.entities)

    async def _invalidate(self, names: Iterable[str]) -> None:
        if changed := frozenset(names):
            await self.context.changed(changed)
