"""A module: its name, its entities, its service, its migrations, its providers.

Every module reads like all the others:

    modules/product/
      __init__.py    MODULE = Module(name="product", schema=SCHEMA, service=ProductService)
      tables.py      SQLAlchemy Core tables and the entities over them
      queries.py     statements beyond what the kernel makes
      service.py     class ProductService(ModuleService): every public async method is a message
      migrations/    Alembic versions, one history a module
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from sqlalchemy import Table

from .. import json
from ..clock import iso
from ..codec import pack, unpack
from ..errors import Conflict, InvalidData, NotFound, ReplyLost, VelellaError
from ..graph.links import Link, Reference
from ..message import call_context, reads, writes
from ..rows import Found, Row, Rows, Typed
from ..settings import Settings
from ..sql.db.compiled import SelfRecording
from ..sql.db.database import Database
from ..sql.db.failures import Collided, Disconnected, may_be_done
from ..sql.read.documents import Showing
from ..sql.read.lists import Lists
from ..sql.read.statements import Statements
from ..sql.schema.entity import Entity
from ..sql.schema.query import Page, Query
from ..sql.schema.schema import Schema
from ..sql.write.inbox import CameBefore, Inbox, answer_of, is_step, value_of
from ..sql.write.undo import Pair, keys_of
from ..sql.write.writes import WriteStatements, by_columns, cascades, guard_of, in_order
from .providers import Providers
from .writing import Undoable, Write, running_write

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound="ModuleService")
Keys = list[str]
Parameters = Callable[[], Awaitable[Mapping[str, Any] | None]]

MOST_ROWS = 32
"""Rows of one entity that a write names one by one in its notice; more are simply the entity."""

_ATTEMPTS = 6
"""How often a write that collided with another one is begun. After that its caller hears of it."""


@dataclass(frozen=True, slots=True)
class ModuleContext:
    """What the engine hands to a module's service."""

    settings: Settings
    database: Database
    providers: Providers
    """This module's providers by id, from the settings."""
    changed: Callable[[frozenset[str]], Awaitable[None]]
    """Called after a commit, or what may have been one, with what changed, entities (`product`) and single rows (`product:prod_1`):
    caches forget them before the reply leaves. Must not raise, and must go on when the caller is cancelled: the write is done by then."""
    memory: Memory | None = None
    """What `remembered` methods keep their answers in. None: they are asked anew each time."""
    documents: Callable[[], Mapping[str, int]] = dict
    """Entity → number of the newest schema of its documents that all processes know (see `Documents`)."""
    visits: bool = False
    """This process is no part of the shop, but a command of its operator's: it may have other settings, so it registers nothing."""


class Memory(Protocol):
    """A cache of this process that hears of every change (see `actors.caching.Cache`)."""

    def get(self, key: Hashable) -> Any: ...

    async def get_or_fill(self, key: Hashable, tags: frozenset[str], fill: Callable[[], Awaitable[bytes]]) -> bytes: ...


def remembered(*entities: str) -> Callable[[Callable[Concatenate[M, P], Awaitable[R]]], Callable[Concatenate[M, P], Awaitable[R]]]:
    """Mark a method of a service whose answer follows from its arguments and rows of these entities alone, and that is often asked.

    The answer is kept as bytes until such a row changes, so each caller has one of their own. Inside a transaction the database is asked.
    A process that asks another one's service, and hears of changes, remembers the answer, too.
    """
    tags = frozenset(entities)

    def mark(method: Callable[Concatenate[M, P], Awaitable[R]]) -> Callable[Concatenate[M, P], Awaitable[R]]:
        @functools.wraps(method)
        async def from_memory(self: M, /, *args: P.args, **kwargs: P.kwargs) -> R:
            memory = self.context.memory
            if memory is None or self.database.transaction_running is not None:
                return await method(self, *args, **kwargs)
            answer: R = await recalled(memory, method, tags, functools.partial(method, self), *args, **kwargs)
            return answer

        from_memory.remembered = tags  # type: ignore[attr-defined]
        return from_memory

    return mark


async def recalled(
    memory: Memory, name: Hashable, tags: frozenset[str], ask: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
) -> Any:
    """What `ask` answers to these arguments, from memory where it is there. The answer is the caller's own."""
    place = (name, pack([args, kwargs]))
    known: bytes | None = memory.get(place)
    if known is None:

        async def fill() -> bytes:
            return pack(await ask(*args, **kwargs))

        known = await memory.get_or_fill(place, tags, fill)
    return unpack(known)


def made_of_rows(method: Callable[..., Any]) -> frozenset[str] | None:
    """The entities that the answers of a `remembered` method are made of; None for any other method."""
    tags: frozenset[str] | None = getattr(method, "remembered", None)
    return tags


class ModuleService(Undoable):
    """The base of every module's service: the routine messages over its entities.

    Rows go in and come out as dicts of JSON values. What a module adds are the methods that mean business.
    """

    schema: ClassVar[Schema]

    def __init__(self, context: ModuleContext) -> None:
        self.context = context
        self.database = context.database
        self.providers = context.providers
        self.statements = Statements(self.schema, context.documents)
        self.lists = Lists(self.database, self.statements)
        self._writes = WriteStatements(self.statements.catalog)
        self.inbox = Inbox(self.schema)

    # -- reading

    @reads
    async def query(self, query: Query) -> Page:
        """One page of one entity with its relations inside the module, as one statement.

        Hidden columns are as unknown as any other name. Raises InvalidData for unknown fields and values that don't fit.
        """
        page, count = await self.lists.page(query)
        showing = self.statements.documents.showing(query)
        return Page(page, count) if showing is None else Page.of(self._out_of_documents(query.entity, showing, page), count)

    async def _rows(self, query: Query) -> tuple[Rows, int | None]:
        """What `query` gives, as rows: for a module that adds something to them."""
        page, count = await self.lists.page(query)
        showing = self.statements.documents.showing(query)
        return json.loads(page) if showing is None else self._out_of_documents(query.entity, showing, page), count

    @reads
    async def documents(self, query: Query) -> list[tuple[str, bytes]]:
        """What `query` gives, row by row: keys and JSON texts, in the page's order. For who remembers rows, not pages."""
        rows = await self.lists.rows(query)
        showing = self.statements.documents.showing(query)
        if showing is None:
            return rows
        shown = self._out_of_documents(query.entity, showing, b"[%b]" % b",".join(text for _, text in rows))
        return [(key, json.dumps(row)) for (key, _), row in zip(rows, shown, strict=True)]

    @reads
    async def count(self, entity: str, filters: Mapping[str, Any] | None = None) -> int:
        """How many rows there are, without those that are softly deleted."""
        return await self.lists.count(entity, filters or {})

    @reads
    async def list(
        self,
        entity: str,
        filters: Mapping[str, Any] | None = None,
        *,
        fields: Sequence[str] = ("*",),
        order: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
        with_deleted: bool = False,
    ) -> Found[Typed]:
        """Rows, parsed: for business code, of the type that the caller declares. Joins the running write's transaction.

        `*` leaves out the raw_ twins (amounts are exact already); hidden columns come where they are named.
        """
        query = Query(entity, tuple(fields), filters or {}, tuple(order), limit, offset, with_deleted)
        page = (await self.database.fetch_row(self.statements.page(query, hidden=True, twins=False)))[0]
        showing = self.statements.documents.showing(query, hidden=True, twins=False)
        found: Any = json.loads(page) if showing is None else self._out_of_documents(entity, showing, page)
        rows: Found[Typed] = found
        return rows

    @reads
    async def retrieve(self, entity: str, id: str, *, fields: Sequence[str] = ("*",)) -> Typed:
        """One row by its key, as `list` gives it. Raises NotFound with the entity's label and the id."""
        kind = self.schema[entity]
        rows: Found[Typed] = await self.list(entity, {kind.key: id}, fields=fields, limit=1)
        if not rows:
            raise _missing(kind, id)
        return rows[0]

    @reads
    async def whole(self, entity: str, id: str) -> Row | None:
        """All of a row and of its document, hidden columns too; None where it isn't there. In one statement, whatever lies in it."""
        rows: Rows = json.loads((await self.database.fetch_row(self.statements.whole(entity, id)))[0])
        return self.statements.documents.opened(self.schema[entity], rows[0]) if rows else None

    def _out_of_documents(self, entity: str, showing: Showing, page: bytes) -> Rows:
        """The rows of a page that came as they are kept, as they are shown."""
        kind, opened = self.schema[entity], self.statements.documents.opened
        rows: Rows = [opened(kind, row) for row in json.loads(page)]
        return [showing.show(row, (row,)) for row in rows]

    # -- writing

    @writes(one_statement=True)
    async def create(self, entity: str, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Insert rows; all their columns as they are stored, in the order given. Ids are made where they are missing.

        Raises InvalidData for what isn't a column (relations included) and for a row that exists already, NotFound for
        a reference that leads nowhere.
        """
        kind = self.schema[entity]
        if not rows:
            return []
        given = self._writes.new_rows(kind, rows)
        for row in given:
            if row.get(kind.key) is None and kind.table.c[kind.key].identity is None and kind.table.c[kind.key].server_default is None:
                raise InvalidData(f"{kind.called} needs a value for {kind.key}")
        statement, params = self._writes.insert(kind, given)
        made: Rows = json.loads(await self.database.fetch_json(statement, params))
        self._stored_new(kind, made)
        return in_order(kind, given, made)

    @writes
    async def update(self, entity: str, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Each row names its key; only the columns it names change. All columns of the rows, in the order given.

        Raises NotFound when one is missing: nothing changes. A row that names the table's guarding `version` is only
        updated if that is still its version, else Conflict.
        """
        kind = self.schema[entity]
        given = [self._writes.checked(kind, row) for row in rows]
        keys = self._keys_of(kind, given)
        if len(keys) > 1:
            await self._lock(kind, keys)
        done: Rows = []
        for names, group in by_columns(given).items():
            if self.keeps:
                [[stored, pairs]] = await self.database.fetch(*self._writes.update_kept(kind, names, group))
                self.keep(kind.table, pairs or ())
            else:
                stored = await self.database.fetch_json(*self._writes.update(kind, names, group))
            done += json.loads(stored)
        if len(done) < len(given):
            await self._refuse_update(kind, given, done)
        if given:
            self._touch_stored(kind, done)
        return in_order(kind, given, done)

    @writes
    async def upsert(self, entity: str, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Update the rows whose key is there, create the others. Raises what create and update raise."""
        kind = self.schema[entity]
        keyed = [row for row in rows if row.get(kind.key) is not None]
        there = await self._lock(kind, [row[kind.key] for row in keyed]) if keyed else set()
        new = [row for row in keyed if row[kind.key] not in there]
        taken = [row for row in keyed if row[kind.key] in there]
        done = {row[kind.key]: row for row in await self._create_or_find(kind, new)}
        # what somebody else created in between is updated after all
        taken += [row for row in new if row[kind.key] not in done]
        done |= {row[kind.key]: row for row in await self.update(entity, taken)}
        made = iter(await self.create(entity, [row for row in rows if row.get(kind.key) is None]))
        return [done[row[kind.key]] if row.get(kind.key) is not None else next(made) for row in rows]

    @writes
    async def delete(self, entity: str, ids: Sequence[str]) -> Keys:
        """Soft delete with the cascades of the relations; tables without `deleted_at` lose their rows.

        The ids that were there. Unknown ids are left out of the answer, not an error.
        """
        kind = self.schema[entity]
        if len(ids) > 1:
            await self._lock(kind, ids)
        gone = await self._delete(kind, kind.key, list(dict.fromkeys(ids)))
        return [id for id in dict.fromkeys(ids) if id in gone]

    @writes
    async def restore(self, entity: str, ids: Sequence[str]) -> Keys:
        """Take back a soft delete, with everything that was deleted along. The ids that were deleted."""
        kind = self.schema[entity]
        if not kind.soft:
            raise InvalidData(f"{kind.called} can't be restored: it is gone when it is deleted")
        back = await self._restore(kind, None, {"keys": list(dict.fromkeys(ids))})
        return [id for id in dict.fromkeys(ids) if id in back]

    # -- for a module's own methods

    async def answer(self, statement: SelfRecording, params: Mapping[str, Any] | Parameters) -> Any:
        """Send the statement of a write that is one, and answers by its one value (see `message.Message`). JSON comes parsed.

        `params`: or what reads and works them out, which isn't called where the answer is known from before; None, and nothing is sent,
        where it finds nothing to be written. Raises TypeError for a second statement: there is room for one in the record.
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

    async def _refuse_others(self, entity: str, ids: Sequence[str]) -> None:
        """Nested rows that are given with ids nobody has are new ones. Raises NotFound for an id that is a row's of something else."""
        for row in await self.list(entity, {"id": list(ids)}, fields=("id",), limit=1) if ids else ():
            raise NotFound(f"{self.schema[entity].called} with id: {row['id']} was not found")

    def touch(self, *entities: str) -> None:
        """Say that rows of these entities change in the running write: after a statement of the module's own."""
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
        """Like `touch`, where it is known which rows: who remembers others of the entity by their keys needn't forget them."""
        rows = {f"{entity}:{key}" for key in keys}
        self.touch(*(rows if len(rows) <= MOST_ROWS else (entity,)))

    def _stored_new(self, kind: Entity, rows: Rows) -> None:
        """Say that rows are new."""
        self._touch_stored(kind, rows)
        if self.keeps:
            keys = {kind.key, *keys_of(kind.table)}
            self.keep(kind.table, [(None, {key: row[key] for key in keys}) for row in rows])

    def _touch_stored(self, kind: Entity, rows: Rows) -> None:
        """`touch_rows` for rows that are new or changed, and for what they belong to, which may have one more now: by the column that
        says so and its value (`product_variant.product_id:prod_1`)."""
        self.touch_rows(kind.name, (row[kind.key] for row in rows))
        for column in kind.belongs_by:
            names = {f"{kind.name}.{column}:{row[column]}" for row in rows if row[column] is not None}
            self.touch(*(names if len(names) <= MOST_ROWS else (kind.name,)))

    async def forget_messages(self, seconds: float, keep: Sequence[str] = ()) -> int:
        """Drop the record of writes older than that; how many they were. A write sent again later than that is done again.

        `keep`: executions that go on, however old they are.
        """
        return await self.inbox.forget(self.database, seconds, keep)

    async def forget_tallies(self) -> None:
        """Drop what tallies hold that nobody needs any more. To be called again and again (see `Lists.forget`)."""
        await self.lists.forget()

    async def run_write(self, body: Callable[[], Awaitable[R]], *, one_statement: bool = False, answers: bool = False) -> R:
        """Carry out a write: transaction, message record, changed entities. See `message.writes` and `message.Message`.

        Inside another write of this service: part of it. A write that collides with another one is undone by the
        database and begun again, a few times; then its caller gets Conflict.
        """
        if self._running() is not None:
            return await body()
        attempt, doubtful = 1, False
        while True:
            try:
                return await self._write_once(body, one_statement, answers, doubtful)
            except (Collided, Disconnected, ReplyLost) as error:
                if attempt == _ATTEMPTS or self.database.transaction_running is not None:
                    raise
                if isinstance(error, ReplyLost):  # if it was done, then its record is there
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
        """Of the running message, if it is to be recorded."""
        call = call_context.get()
        return call.message_id if call is not None else None

    async def _refused(self, error: VelellaError, body: Callable[[], Awaitable[R]]) -> R:
        """Record that a step's write was refused. Raises the error, unless somebody has carried out that very write meanwhile."""
        id = self._message_id()
        if id is None or not is_step(id) or error.status >= 500 or self.database.transaction_running is not None:
            raise error
        earlier = await self.inbox.refuse(self.database, id, error)
        if earlier is None:
            raise error
        return await self._answer_again(earlier, body)

    async def _answer_again(self, reply: bytes, body: Callable[[], Awaitable[R]]) -> R:
        """What a write answered that was carried out before. Whoever did so may have died before telling anybody: it is told now."""
        value = value_of(reply)
        if value is None:
            answer: R = answer_of(reply)
            await self._tell_of(self._everything)
            return answer
        running = Write(self, answered=value)
        token = running_write.set(running)
        try:
            return await body()
        finally:
            running.running = False
            running_write.reset(token)
            await self._tell_of(running.touched)

    async def _write_once(self, body: Callable[[], Awaitable[R]], one_statement: bool, answers: bool, doubtful: bool) -> R:
        """`doubtful`: it may have been done already, and nobody has heard of it."""
        call = call_context.get()
        message_id = call.message_id if call is not None else None
        joined = self.database.transaction_running is not None
        fresh = call is not None and call.fresh and not joined and not doubtful
        alone = one_statement and not joined and (message_id is None or (answers and fresh))
        running = Write(self, record=message_id if alone else None)
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
                        transaction.after_commit.append(functools.partial(self._tell_of, running.touched))
                    return result
            return await self._answer_again(earlier, body)
        except CameBefore:
            assert message_id is not None
            return await self._answer_again(await self.inbox.reply(self.database, message_id), body)
        finally:
            running.running = False
            running_write.reset(token)

    async def _write_alone(self, running: Write, body: Callable[[], Awaitable[R]]) -> R:
        """One statement is its own transaction. What it changes is known when it has answered: without an answer it may be anything."""
        touched: Iterable[str] = running.touched
        try:
            return await body()
        except BaseException as error:
            if may_be_done(error):
                touched = self._everything
            raise
        finally:
            await self._tell_of(touched)

    @property
    def _everything(self) -> frozenset[str]:
        return frozenset(self.schema.entities)

    async def _tell_of(self, names: Iterable[str]) -> None:
        if changed := frozenset(names):
            await self.context.changed(changed)

    async def _create_together(
        self, parts: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], pairs: Sequence[tuple[Table, Sequence[tuple[str, str]]]] = ()
    ) -> Sequence[Rows]:
        """`create` for several entities whose rows may refer to each other, as one statement; what each `create` would give.

        `pairs` go into tables of two keys, where they aren't there yet. Parts without rows cost nothing.
        """
        given = [self._writes.new_rows(self.schema[entity], rows) for entity, rows in parts]
        asked = [(self.schema[entity], rows) for (entity, _), rows in zip(parts, given, strict=True) if rows]
        if not asked:
            return [[] for _ in parts]
        statement, params = self._writes.insert_all(asked, [(table, each) for table, each in pairs if each])
        made: list[Rows] = json.loads(await self.database.fetch_json(statement, params))
        for (kind, _), rows in zip(asked, made, strict=True):
            self._stored_new(kind, rows)
        for table, each in pairs:
            self.keep_pairs(table, each)
        stored = iter(made)
        return [in_order(self.schema[entity], rows, next(stored)) if rows else [] for (entity, _), rows in zip(parts, given, strict=True)]

    def _keys_of(self, kind: Entity, rows: Rows) -> Keys:
        keys = [row.get(kind.key) for row in rows]
        if any(key is None for key in keys):
            raise InvalidData(f"{kind.called} needs a value for {kind.key}")
        if len(set(keys)) < len(keys):
            raise InvalidData(f"{kind.called}: the same {kind.key} is named twice")
        return [key for key in keys if key is not None]

    async def _lock(self, kind: Entity, keys: Sequence[Any]) -> set[Any]:
        statement, params = self._writes.lock(kind, keys)
        return {row[0] for row in await self.database.fetch(statement, params)}

    async def _refuse_update(self, kind: Entity, given: Rows, done: Rows) -> None:
        updated = {row[kind.key] for row in done}
        left = [row for row in given if row[kind.key] not in updated]
        there = await self._lock(kind, [row[kind.key] for row in left])
        for row in left:
            if row[kind.key] not in there:
                raise _missing(kind, row[kind.key])
        raise Conflict(f"{kind.called} with {kind.key}: {left[0][kind.key]} was changed meanwhile ({guard_of(kind)} has risen)")

    async def _create_or_find(self, kind: Entity, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create those whose key nobody took meanwhile."""
        if not rows:
            return []
        statement, params = self._writes.insert(kind, self._writes.new_rows(kind, rows), or_nothing=True)
        made: Rows = json.loads(await self.database.fetch_json(statement, params))
        self._stored_new(kind, made)
        return made

    async def _delete(self, kind: Entity, by: str, keys: Sequence[Any]) -> set[Any]:
        """Delete by a column, and what goes along. Where rows really go, those that refer to them go first."""
        if not keys:
            return set()
        kept = self.keeps
        statement = self._writes.delete(kind, by, kept=kept)
        if kind.soft:
            deleted = await self.database.fetch(statement, {"keys": list(keys)})
            await self._delete_children(kind, {row[0] for row in deleted})
        else:
            if cascades(kind):
                rows = await self.database.fetch(self._writes.children(kind, by), {"keys": list(keys)})
                await self._delete_children(kind, {row[0] for row in rows})
            deleted = await self.database.fetch(statement, {"keys": list(keys)})
        if kept:  # after its children: taken back in reverse it is there before them
            self.keep(kind.table, [self._deleted(kind, *row) for row in deleted])
        gone = {row[0] for row in deleted}
        if gone:
            self.touch_rows(kind.name, gone)
        return gone

    @staticmethod
    def _deleted(kind: Entity, key: Any, further: Any) -> Pair:
        """`further`: the time of deletion, or the row that is gone."""
        return ({kind.key: key, "deleted_at": None}, {kind.key: key, "deleted_at": further}) if kind.soft else (further, None)

    async def _delete_children(self, kind: Entity, keys: set[Any]) -> None:
        for relation in cascades(kind):
            await self._delete(self.schema[relation.target], relation.key, sorted(keys))

    async def _restore(self, kind: Entity, by: str | None, params: Mapping[str, Any]) -> set[Any]:
        rows = await self.database.fetch(self._writes.restore(kind, by), params)
        if not rows:
            return set()
        self.touch(kind.name)  # what they belong to has them again
        if self.keeps:
            self.keep(kind.table, [({kind.key: key, "deleted_at": iso(time)}, {kind.key: key, "deleted_at": None}) for key, time in rows])
        for relation in cascades(kind):
            child = self.schema[relation.target]
            if child.soft:
                await self._restore(child, relation.key, {"keys": [row[0] for row in rows], "times": [row[1] for row in rows]})
        return {row[0] for row in rows}


def _missing(kind: Entity, key: Any) -> NotFound:
    return NotFound(f"{kind.called} with {kind.key}: {key} was not found")


Caching = Literal["rows", "answers", "none"]
"""`rows`: rows that are asked for by their keys, and answers of routes that are made from them. `answers`: only those. `none`: it changes
with every purchase, so nobody is told of its changes, but of those of entities that are `remembered`."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module, as the engine loads it by name."""

    name: str
    schema: Schema
    service: type[ModuleService]
    package: str
    """Import path of the folder; its `migrations` lie there."""
    provider_kinds: Mapping[str, type] = field(default_factory=dict)
    """Identifier in the settings → provider class, of the providers that ship with the module."""
    references: tuple[Reference, ...] = ()
    """Columns of this module that hold keys of other modules' things. What ties many to many is an entity of the module with a reference
    to either side."""
    links: tuple[Link, ...] = ()
    """Links whose rows are this module's entities, one a link and by its name."""
    absent: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    """Entity → names that lead to modules which are yet to come, and whether they are lists. They can be asked for; nothing is there."""
    caching: Caching = "answers"
    """What of it is remembered."""
