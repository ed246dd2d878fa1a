"""A module: its name, its entities, its service, its migrations, its providers.

Every module reads like all the others:

    modules/product/
      __init__.py    MODULE = Module(name="product", schema=SCHEMA, service=ProductService)
      tables.py      SQLAlchemy Core tables and the entities over them
      queries.py     statements beyond what the kernel makes
      service.py     class ProductService(ModuleService): every public async method is a message
      types.py       TypedDicts of what messages take and answer, where business code reads it field by field
      migrations/    Alembic versions, one history a module
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isfunction, signature
from typing import Any, ClassVar, Literal, ParamSpec, TypeVar

from sqlalchemy import Table

from .. import json
from ..clock import iso
from ..errors import Conflict, InvalidData, NotFound
from ..graph.links import Link, Reference
from ..message import reads, repeatable, writes
from ..rows import Row, Rows, Typed, TypedRows
from ..settings import Settings
from ..sql.db.failures import Collided
from ..sql.read.documents import Showing
from ..sql.read.lists import Lists
from ..sql.read.statements import Statements
from ..sql.schema.entity import Entity
from ..sql.schema.query import Page, Query
from ..sql.schema.schema import Schema
from ..sql.write.inbox import Inbox
from ..sql.write.outbox import ModuleOutbox, events_of
from ..sql.write.undo import Pair, keys_of
from ..sql.write.writes import WriteStatements, by_columns, cascades, guard_of, in_order
from .context import ModuleContext
from .recorded import MOST_ROWS, RecordedWrites

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound="ModuleService")
Keys = list[str]


class ModuleService(RecordedWrites):
    """The base of every module's service: the routine messages over its entities.

    Rows go in and come out as dicts of JSON values, of the type that the caller declares. A module adds its business
    methods.
    """

    schema: ClassVar[Schema]
    tableless: ClassVar[bool] = False
    """Whether the tables of its schema are never made: see `ThirdPartyService`."""

    def __init_subclass__(cls) -> None:
        """Raises TypeError for a method that has the name of a kernel's and means something else: the kernel would call it."""
        super().__init_subclass__()
        for name, own in vars(cls).items():
            kernels = None if name.startswith("_") else getattr(ModuleService, name, None)
            if isfunction(own) and isfunction(kernels) and [*signature(own).parameters] != [*signature(kernels).parameters]:
                raise TypeError(f"{cls.__name__}.{name} isn't what the kernel calls {name}{signature(kernels)}: name it otherwise")

    def __init__(self, context: ModuleContext) -> None:
        self.context = context
        self.database = context.database
        self.providers = context.providers
        self.statements = Statements(self.schema, context.documents)
        self.lists = Lists(self.database, self.statements)
        self._writes = WriteStatements(self.statements.catalog)
        self.inbox = Inbox(self.schema)
        self._outbox = ModuleOutbox(self.schema)

    # -- reading

    @reads
    async def query(self, query: Query) -> Page:
        """One page of one entity with its relations inside the module, as one statement.

        Hidden columns are treated as unknown names. Raises InvalidData for unknown fields and values that don't fit.
        """
        page, count = await self.lists.page(query)
        showing = self.statements.documents.showing(query)
        return Page(page, count) if showing is None else Page.of(self._out_of_documents(query.entity, showing, page), count)

    async def _rows(self, query: Query) -> tuple[Rows, int | None]:
        """The result of `query` as rows: for a module that adds something to them."""
        page, count = await self.lists.page(query)
        showing = self.statements.documents.showing(query)
        return json.loads(page) if showing is None else self._out_of_documents(query.entity, showing, page), count

    @reads
    async def documents(self, query: Query) -> list[tuple[str, bytes]]:
        """The result of `query` row by row: keys and JSON texts, in the page's order. For callers that cache rows, not pages."""
        rows = await self.lists.rows(query)
        showing = self.statements.documents.showing(query)
        if showing is None:
            return rows
        shown = self._out_of_documents(query.entity, showing, [text for _, text in rows])
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
    ) -> TypedRows[Typed]:
        """Rows, parsed: for business code, of the type that the caller declares. Joins the running write's transaction.

        `*` leaves out the raw_ twins (amounts are exact already); hidden columns are included where they are named.
        """
        query = Query(entity, tuple(fields), filters or {}, tuple(order), limit, offset, with_deleted)
        page = (await self.database.fetch_row(self.statements.page(query, hidden=True, twins=False)))[0]
        showing = self.statements.documents.showing(query, hidden=True, twins=False)
        found: Any = json.loads(page) if showing is None else self._out_of_documents(entity, showing, page)
        rows: TypedRows[Typed] = found
        return rows

    @reads
    async def retrieve(self, entity: str, id: str, *, fields: Sequence[str] = ("*",)) -> Typed:
        """One row by its key, as `list` gives it. Raises NotFound with the entity's label and the id."""
        kind = self.schema[entity]
        rows: TypedRows[Typed] = await self.list(entity, {kind.key: id}, fields=fields, limit=1)
        if not rows:
            raise _missing(kind, id)
        return rows[0]

    @reads
    async def whole(self, entity: str, id: str) -> Row | None:
        """All of a row and of its document, hidden columns too; None if it doesn't exist. In one statement, whatever the document holds."""
        texts = (await self.database.fetch_row(self.statements.whole(entity, id)))[0]
        return self.statements.documents.opened(self.schema[entity], json.loads(texts[0])) if texts else None

    def _out_of_documents(self, entity: str, showing: Showing, texts: Sequence[str | bytes]) -> Rows:
        """Rows that came as they are stored, as they are shown."""
        kind, opened = self.schema[entity], self.statements.documents.opened
        rows: Rows = [opened(kind, json.loads(text)) for text in texts]
        return [showing.show(row, (row,)) for row in rows]

    # -- writing

    @writes(one_statement=True)
    async def create(self, entity: str, rows: Sequence[Mapping[str, Any]]) -> TypedRows[Typed]:
        """Insert rows. Returns all their columns as they are stored, in the order given. Missing ids are made.

        Raises InvalidData for a name that isn't a column (relations included) and for a row that exists already, NotFound for
        a reference to a row that doesn't exist.
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
    async def update(self, entity: str, rows: Sequence[Mapping[str, Any]]) -> TypedRows[Typed]:
        """Update rows. Each names its key; only the columns it names change. Returns all columns of the rows, in the order given.

        Raises NotFound when one is missing, InvalidData where metadata would become too large: nothing changes. A row that names the
        table's guarding `version` is only updated if that is still its version, else Conflict.
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
        self._writes.check_merged(kind, given, done)
        if given:
            self._touch_stored(kind, done)
        return in_order(kind, given, done)

    @writes
    async def upsert(self, entity: str, rows: Sequence[Mapping[str, Any]]) -> TypedRows[Typed]:
        """Update the rows whose key exists, create the others. Raises what create and update raise."""
        kind = self.schema[entity]
        keyed = [row for row in rows if row.get(kind.key) is not None]
        there = await self._lock(kind, [row[kind.key] for row in keyed]) if keyed else set()
        new = [row for row in keyed if row[kind.key] not in there]
        taken = [row for row in keyed if row[kind.key] in there]
        done: dict[Any, Any] = {row[kind.key]: row for row in await self._create_or_find(kind, new)}
        # rows that another transaction created in between are updated
        taken += [row for row in new if row[kind.key] not in done]
        done |= {row[kind.key]: row for row in await self.update(entity, taken)}
        made: Iterator[Any] = iter(await self.create(entity, [row for row in rows if row.get(kind.key) is None]))
        return [done[row[kind.key]] if row.get(kind.key) is not None else next(made) for row in rows]

    @writes
    async def delete(self, entity: str, ids: Sequence[str]) -> Keys:
        """Delete softly with the cascades of the relations; in tables without `deleted_at`, for good.

        Returns the ids that existed. Unknown ids are left out of the answer, not an error.
        """
        kind = self.schema[entity]
        if len(ids) > 1:
            await self._lock(kind, ids)
        gone = await self._delete(kind, kind.key, list(dict.fromkeys(ids)))
        return [id for id in dict.fromkeys(ids) if id in gone]

    @writes
    async def restore(self, entity: str, ids: Sequence[str]) -> Keys:
        """Undo a soft delete, with everything that was deleted along. Returns the ids that were deleted."""
        kind = self.schema[entity]
        if not kind.soft:
            raise InvalidData(f"{kind.called} can't be restored: it is gone when it is deleted")
        back = await self._restore(kind, None, {"keys": list(dict.fromkeys(ids))})
        return [id for id in dict.fromkeys(ids) if id in back]

    # -- events

    @repeatable
    async def write_events(self, events: Sequence[str], version: int) -> Sequence[str]:
        """Write exactly these events from now on (see `ModuleOutbox.announce`). Returns those that the module doesn't have."""
        await self._outbox.announce(self.database, events, version)
        return sorted(set(events) - events_of(self.schema).keys())

    @reads
    async def announced_events(self) -> Sequence[str]:
        """The events that are written by now, of every change that is committed from now on: who keeps something up to date by them
        begins to read after that."""
        return await self._outbox.announced(self.database)

    @reads
    async def written_events(self, limit: int) -> Sequence[tuple[str, str, Row]]:
        """Ids, names and data of the events that have been written first and not been dropped."""
        return await self._outbox.waiting(self.database, limit)

    @repeatable
    async def drop_events(self, ids: Sequence[str]) -> None:
        """Drop events that have reached the engine."""
        await self._outbox.drop(self.database, ids)

    # -- for a module's own methods

    async def _refuse_others(self, entity: str, ids: Sequence[str]) -> None:
        """Check nested rows that come with ids: unknown ids are new rows. Raises NotFound for an id of a row that belongs to something
        else."""
        for row in await self.list(entity, {"id": list(ids)}, fields=("id",), limit=1) if ids else ():
            raise NotFound(f"{self.schema[entity].called} with id: {row['id']} was not found")

    def _stored_new(self, kind: Entity, rows: Rows) -> None:
        """Note that rows are new."""
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

    async def forget_deltas(self) -> None:
        """Drop deltas that are no longer needed. To be called regularly (see `Lists.forget`)."""
        await self.lists.forget()

    # -- inside

    async def _create_together(
        self,
        parts: Sequence[tuple[str, Sequence[Mapping[str, Any]]]],
        pairs: Sequence[tuple[Table, Sequence[tuple[str, str]]]] = (),
        *,
        seen: tuple[str, Row] | None = None,
    ) -> Sequence[TypedRows[Any]]:
        """`create` for several entities whose rows may refer to each other, as one statement. Returns what each `create` would return.

        `pairs` go into tables of two keys, where they don't exist yet. Parts without rows cost nothing. `seen`: an entity, and what its row
        has to have still (`{"id": …, "revision": …}`) for this to be right: else Collided, so that the write is carried out again. Where
        the entity counts its updates, this is one.
        """
        given = [self._writes.new_rows(self.schema[entity], rows) for entity, rows in parts]
        asked = [(self.schema[entity], rows) for (entity, _), rows in zip(parts, given, strict=True) if rows]
        if not asked:
            return [[] for _ in parts]
        holds = (self.schema[seen[0]], seen[1]) if seen is not None else None
        statement, params = self._writes.insert_all(asked, [(table, each) for table, each in pairs if each], holds)
        made: list[Rows] | None = await self.answer(statement, params)
        if made is None:
            raise Collided("What this goes with was changed meanwhile.")
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
        """Create the rows whose key is still free."""
        if not rows:
            return []
        statement, params = self._writes.insert(kind, self._writes.new_rows(kind, rows), or_nothing=True)
        made: Rows = json.loads(await self.database.fetch_json(statement, params))
        self._stored_new(kind, made)
        return made

    async def _delete(self, kind: Entity, by: str, keys: Sequence[Any]) -> set[Any]:
        """Delete by a column, and what is deleted along. Where rows are deleted for good, the rows that refer to them go first."""
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
        if kept:  # after its children: undone in reverse order, it exists before them
            self.keep(kind.table, [self._deleted(kind, *row) for row in deleted])
        gone = {row[0] for row in deleted}
        if gone:
            self.touch_rows(kind.name, gone)
        return gone

    @staticmethod
    def _deleted(kind: Entity, key: Any, further: Any) -> Pair:
        """`further`: the time of deletion, or the row that was deleted for good."""
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
"""`rows`: rows that are asked for by their keys, and answers of routes that are made from them, are cached. `answers`: only the answers.
`none`: the module changes with every purchase, so it sends no invalidation, except for entities that are `remembered`."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module, as the engine loads it by name."""

    name: str
    schema: Schema
    service: type[ModuleService]
    package: str
    """Import path of the folder; its `migrations` are in there."""
    provider_kinds: Mapping[str, type] = field(default_factory=dict)
    """Identifier in the settings → provider class, for the providers that ship with the module."""
    provider: type = object
    """What its providers derive from."""
    references: tuple[Reference, ...] = ()
    """Columns of this module that hold keys of other modules' rows. A many-to-many connection is an entity of the module with a reference
    to either side."""
    links: tuple[Link, ...] = ()
    """Links whose rows are this module's entities, one for each link and with its name."""
    caching: Caching = "answers"
    """What is cached of it."""
    unversioned: tuple[str, ...] = ()
    """Tables that no migration makes: they are made, and get columns and indexes, as they are declared. None is dropped, and no column."""
    widened: Callable[[Settings], Module] | None = None
    """Gives the module as a shop with these settings has it, where plugins add to it."""

    def __post_init__(self) -> None:
        if self.service.tableless:
            object.__setattr__(self, "caching", "none")  # nobody would say when it changes

    def of(self, settings: Settings) -> Module:
        """The module as a shop with these settings has it."""
        return self if self.widened is None else self.widened(settings)
