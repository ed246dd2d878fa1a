"""A write that is being carried out, keeping what it changes, and taking that back."""

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
from ..sql.write.undo import Aggregate, Change, Pair, TakingBack
from ..sql.write.writes import cascades

R = TypeVar("R")


class Kept(TypedDict, Generic[R]):
    """What a write answered, and what taking it back needs: `getattr(modules, module).undo(change)`."""

    module: str
    answer: R
    change: Change


class Write:
    """A write of one service that is being carried out."""

    __slots__ = ("answered", "change", "record", "running", "sent", "service", "touched")

    def __init__(self, service: Service, *, record: str | None = None, answered: bytes | None = None) -> None:
        """`record`: the id under which its one statement has to record itself. `answered`: what that gave when it was carried out."""
        self.service = service
        self.record = record
        self.answered = answered
        self.sent = False
        self.touched: set[str] = set()
        self.change: Change | None = None
        """What it has changed so far, where somebody wants to be able to take it back."""
        self.running = True


running_write: ContextVar[Write | None] = ContextVar("velella_write", default=None)


class Undoable(Service):
    """The half of a module's service by which its writes can be taken back."""

    schema: ClassVar[Schema]
    database: Database

    @abstractmethod
    def touch(self, *entities: str) -> None: ...

    @abstractmethod
    def run_write(self, body: Callable[[], Awaitable[R]], *, one_statement: bool = False, answers: bool = False) -> Awaitable[R]: ...

    @abstractmethod
    def delete(self, entity: str, ids: Sequence[str]) -> Awaitable[list[str]]: ...

    async def kept(self, method: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Kept[Any]:
        """Carry out another write of this service, and keep what it changes: `undo` takes it back. Raises what the write raises.

        It costs what the write costs: one statement stays one.
        """
        write, named = getattr(self, method), kwargs or {}
        said = message_of(write)
        if said.kind != "write":
            raise TypeError(f"{self.schema.module} has no write {method}")
        return await self.run_write(partial(self._keep_all, write, args, named), one_statement=said.is_one_statement(args, named))

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
        """Take back what a write changed, as far as it still stands (see `sql.undo`).

        Under one message id it is done once; columns that count are the reason why that matters.
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
        """Say what a statement of the module's own has changed. Does nothing where nobody wants to take it back."""
        running = self._running()
        if running is not None and running.change is not None and (changed := list(pairs)):
            running.change.append((table.name, changed))

    def keep_pairs(self, table: Table, pairs: Iterable[tuple[str, str]]) -> None:
        """`keep` for new rows of a table of two keys."""
        left, right = (str(column.name) for column in list(table.columns)[:2])
        self.keep(table, [(None, {left: one, right: other}) for one, other in pairs])

    @asynccontextmanager
    async def keeping(self, aggregate: Aggregate, ids: Sequence[str]) -> AsyncIterator[list[str]]:
        """Keep what is changed inside by looking at all rows of some things before and after. Whoever else changes them has to be kept out.

        Gives the list of ids, to which those of new things may be added. Looks at nothing where nobody wants to take it back.
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
        """Take back what was changed in one table. A module whose rows hang together does that its own way."""
        back = TakingBack(self.database, table)
        created = [left for was, left in pairs if was is None and left is not None]
        kind = next((kind for kind in self.schema.entities.values() if kind.table is table and kind.view_of is None), None)
        if kind is None:
            await back.created(created)
        elif created:
            keys = [row[kind.key] for row in await back.standing(created)]
            cascading = {(self.schema[relation.target].table.name, relation.key) for relation in cascades(kind)}
            used = await back.used(kind.key, keys, cascading)
            await self.delete(kind.name, [key for key in keys if key not in used])
        await back.changed(pairs)
        await back.deleted([was for was, left in pairs if was is not None and left is None])

    def _running(self) -> Write | None:
        running = running_write.get()
        return running if running is not None and running.service is self and running.running else None
