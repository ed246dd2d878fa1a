"""A write that is being carried out, keeping what it changes, and undoing that."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, ClassVar, Generic, TypedDict, TypeVar

from sqlalchemy import Table

from ..message import Message, Service, message_of, writes
from ..sql.db.database import Database
from ..sql.schema.schema import Schema
from ..sql.write.undo import Aggregate, Change, Pair, TakingBack, keys_of
from ..sql.write.writes import cascades

R = TypeVar("R")


class Kept(TypedDict, Generic[R]):
    """The answer of a write, and what undoing it needs: `getattr(modules, module).undo(change)`."""

    module: str
    answer: R
    change: Change


class RunningWrite:
    """A write of one service that is being carried out."""

    __slots__ = ("again", "answered", "change", "record", "running", "sent", "service", "touched")

    def __init__(self, service: Service, *, record: str | None = None, answered: bytes | None = None, again: bool = False) -> None:
        """`record`: the id under which its one statement has to record itself. `answered`: the recorded value, if it was carried out
        before. `again`: it was tried before, in vain."""
        self.service = service
        self.again = again
        self.record = record
        self.answered = answered
        self.sent = False
        self.touched: set[str] = set()
        self.change: Change | None = None
        """What it has changed so far; None if its caller doesn't need to undo it."""
        self.running = True


running_write: ContextVar[RunningWrite | None] = ContextVar("velella_write", default=None)


class Undoable(Service):
    """The half of a module's service by which its writes can be undone."""

    schema: ClassVar[Schema]
    database: Database

    @abstractmethod
    def touch(self, *entities: str) -> None: ...

    @abstractmethod
    def run_write(self, body: Callable[[], Awaitable[R]], *, one_statement: bool = False, answers: bool = False) -> Awaitable[R]: ...

    @abstractmethod
    def delete(self, entity: str, ids: Sequence[str]) -> Awaitable[list[str]]: ...

    async def kept(self, method: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Kept[Any]:
        """Carry out another write of this service, and keep what it changes: `undo` undoes it. Raises what the write raises.

        It costs what the write costs: a write of one statement stays one statement.
        """
        write, named = getattr(self, method), kwargs or {}
        said = message_of(write)
        if said.kind != "write":
            raise TypeError(f"{self.schema.module} has no write {method}")
        one_statement = said.is_one_statement(args, named)
        return await self.run_write(partial(self._keep_all, write, args, named), one_statement=one_statement, answers=said.answers)

    kept.message = Message("write")  # type: ignore[attr-defined]

    async def _keep_all(self, write: Callable[..., Awaitable[Any]], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Kept[Any]:
        running = self._running()
        assert running is not None
        change: Change = []
        around, running.change = running.change, change
        try:
            answer = await write(*args, **kwargs)
        finally:
            running.change = around
        return {"module": self.schema.module, "answer": answer, "change": change}

    @writes
    async def undo(self, change: Change) -> None:
        """Undo what a write changed, where that still is as the write left it (see `sql.undo`).

        Under one message id it is done once, which matters for columns that count.
        """
        for name, pairs in reversed(change):
            await self._undo(self.schema.metadata.tables[name], pairs)
        self.touch(*self.schema.entities)

    @property
    def keeps(self) -> bool:
        """Whether the running write has to `keep` what it changes."""
        running = self._running()
        return running is not None and running.change is not None

    def keep(self, table: Table, pairs: Iterable[Pair]) -> None:
        """Note what a statement of the module's own has changed. Does nothing if the caller doesn't need to undo it."""
        running = self._running()
        if running is not None and running.change is not None and (changed := list(pairs)):
            running.change.append((table.name, changed))

    def keep_pairs(self, table: Table, pairs: Iterable[tuple[str, str]]) -> None:
        """`keep` for new rows of a table of two keys."""
        left, right = (str(column.name) for column in list(table.columns)[:2])
        self.keep(table, [(None, {left: one, right: other}) for one, other in pairs])

    @asynccontextmanager
    async def keeping(self, aggregate: Aggregate, ids: Sequence[str]) -> AsyncIterator[list[str]]:
        """Keep what the block changes by reading all rows of some aggregates before and after. Other writers of them must be locked out.

        Gives the list of ids, to which ids of new aggregates may be added. Reads nothing if the caller doesn't need to undo it.
        """
        running, looked_at = self._running(), list(ids)
        if running is None or running.change is None:
            yield looked_at
            return
        before = await aggregate.rows(self.database, looked_at)
        change, running.change = running.change, None
        try:
            yield looked_at
        finally:
            running.change = change
        change += aggregate.change(before, await aggregate.rows(self.database, looked_at))

    async def _undo(self, table: Table, pairs: Sequence[Pair]) -> None:
        """Undo what was changed in one table. A module whose rows depend on each other overrides this."""
        back = TakingBack(self.database, table)
        created = [left for was, left in pairs if was is None and left is not None]
        kinds = (kind for kind in self.schema.entities.values() if kind.table is table and kind.view_of is None)
        kind = next((kind for kind in kinds if keys_of(table) == [kind.key]), None)  # none of pairs: their key names other rows, too
        if kind is None:
            await back.created(created)
        elif created:
            keys = [row[kind.key] for row in await back.standing(created)]
            cascading = {(self.schema[relation.target].table.name, relation.key) for relation in cascades(kind)}
            used = await back.used(kind.key, keys, cascading)
            await self.delete(kind.name, [key for key in keys if key not in used])
        await back.changed(pairs)
        await back.deleted([was for was, left in pairs if was is not None and left is None])

    def _running(self) -> RunningWrite | None:
        running = running_write.get()
        return running if running is not None and running.service is self and running.running else None
