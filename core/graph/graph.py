"""The planner: one query over the whole shop, whichever modules its fields lie in.

    page = await graph.query(Query("product", ("id", "*variants", "*variants.prices", "sales_channels.name"), {"status": "published"}))

The root's module is asked once for the whole page. Then, level by level and concurrently, each other module is asked
once with a list of keys, and its rows are joined. A query that stays inside one module passes through as bytes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from .. import json
from ..budget import ROWS
from ..codec import pack
from ..errors import InvalidData, NotFound, UnexpectedState
from ..kept import kept
from ..rows import Row, Typed, TypedRows
from ..sql.schema.fields import FieldTree
from ..sql.schema.query import Page, Query
from ..waiting import all_of
from .across import at, local_filters, ordered_keys, orders_across
from .composed import Composed, Reading, after
from .plan import Catalogue, Join, Path, Plan, plan
from .translating import Translatable, translatable

Ask = tuple[str, str, Sequence[str]]
"""A link, its key column, and ids: whose links are wanted."""
Visible = Mapping[str, Mapping[str, Any]]
"""See `Query.visible`."""
NOTHING_HIDDEN: Visible = {}


PLANS = 8 * 1024 * 1024
"""Bytes of plans that are kept."""


class _For(NamedTuple):
    """The receiver of joined rows."""

    visible: Visible = NOTHING_HIDDEN
    client: bool = False
    """A client gets no member for a single row that doesn't exist, as in Medusa's API; code gets None."""


class Source:
    """Where pages come from: the modules' handles. A cache is another `Source` that wraps this one."""

    def __init__(self, modules: Any) -> None:
        """`modules`: an object with a handle under each module's name."""
        self._modules = modules

    async def page(self, module: str, query: Query) -> Page:
        """One page of one module."""
        page: Page = await getattr(self._modules, module).query(query)
        return page

    def known(self, module: str, query: Query) -> bytes | None:
        """The JSON text of such a page if it is cached here, else None."""
        return None

    async def pairs(self, asks: Sequence[Ask]) -> list[list[Row]]:
        """The rows of several links for these ids, a list for each: those of one id in the order of their creation. The caller may change
        the rows."""
        rows: list[list[Row]] = await self._modules.link.linked_many(asks)
        return rows

    async def keys(self, module: str, entity: str, column: str, filters: Mapping[str, Any]) -> list[Any]:
        """The distinct values, without null, that a column has in the rows of one module that pass filters."""
        values = dict.fromkeys(row[column] for row in (await self.page(module, Query(entity, (column,), filters))).rows)
        values.pop(None, None)
        return list(values)


class Graph:
    """Queries over all modules."""

    def __init__(self, modules: object, catalogue: Catalogue, *, source: Source | None = None) -> None:
        self.catalogue = catalogue
        self._source: Source | Reading = source or Source(modules)
        self._plan = kept(PLANS)(self._make_plan)
        self.translatable = kept(PLANS)(self._make_translatable)
        """Where rows of an entity, with these fields, show what can be translated: see `Translatable`."""
        self._composed = Composed()

    async def query(self, query: Query) -> Page:
        """Return one page. Filters and orders may reach into other modules as the fields do.

        Raises InvalidData for an unknown entity, field or filter, and beyond the budget.
        """
        steps = self._plan(query.entity, query.fields)
        visible = await self._visible(query) if query.visible else NOTHING_HIDDEN
        most = ROWS // (1 + steps.relations)
        if query.limit is not None and query.limit > most and query.count:
            page = await self._root(replace(query, limit=most), steps, visible)
            if (page.count or 0) - query.offset > most:
                raise InvalidData(f"With these fields a page may have {most} rows: ask with a limit of at most that.")
        else:
            page = await self._root(query, steps, visible)
        if steps.local:
            return page
        rows = page.own_rows()
        await self._finish(steps, rows, _For(visible, client=True))
        return Page.of(rows, page.count)

    async def composed(self, query: Query, make: Callable[[list[Row]], bytes], shape: Any = ()) -> bytes | None:
        """What `make` makes of the rows of one page, or None where it has no rows. It is made once for the same texts of the modules.

        Answers don't get old: each module is asked every time. `shape`: all that `make` depends on besides the rows and their fields.
        Nothing below the rows may be hidden (`Query.visible`). Raises what `query` raises.
        """
        steps = self._plan(query.entity, query.fields)
        page = await self._root(query, steps, NOTHING_HIDDEN)
        if page.empty:
            return None
        here, reading = after(pack((query.entity, query.fields, query.slots, shape)), [page.json]), Reading(self._source)
        made = await self._composed.find(here, reading)
        if made is None:
            rows, joining = json.loads(page.json), copy.copy(self)
            joining._source = reading
            await joining._finish(steps, rows, _For(client=True))
            made = make(rows)
            self._composed.keep(here, reading, made)
        return made

    async def rows(self, query: Query) -> TypedRows[Typed]:
        """Return the rows of one page, for code that reads them, of the type that it declares.

        The list and its rows are the caller's own, but rows may share nested values.
        """
        steps = self._plan(query.entity, query.fields)
        if steps.local and steps.fields == query.fields and (known := self._source.known(steps.module, query)) is not None:
            own: TypedRows[Typed] = json.loads(known)
            return own
        visible = await self._visible(query) if query.visible else NOTHING_HIDDEN
        found: Any = (await self._root(query, steps, visible)).own_rows()
        await self._finish(steps, found, _For(visible))
        rows: TypedRows[Typed] = found
        return rows

    async def local(self, query: Query) -> Query:
        """The query in terms of its entity's own module, for messages of that module that take a query. Its fields must lie in that
        module."""
        filters = await local_filters(self.catalogue, self, query.entity, query.filters)
        visible = self._of_module(self.catalogue.module_of(query.entity), await self._visible(query))
        return replace(query, filters=filters, visible=visible)

    async def keys(self, entity: str, column: str, filters: Mapping[str, Any]) -> list[Any]:
        """The distinct values, without null, that a column has in the rows that pass filters."""
        local = await local_filters(self.catalogue, self, entity, filters)
        return await self._source.keys(self.catalogue.module_of(entity), entity, column, local)

    async def pairs(self, link: str, key: str, ids: Sequence[str]) -> list[Row]:
        """The link rows for these ids by a link's key column, those of one id in the order of their creation: both keys and the further
        columns."""
        return (await self.pairs_of((link, key, ids)))[0]

    async def pairs_of(self, *asks: Ask) -> list[list[Row]]:
        """`pairs` for several links, in their order. What isn't cached is read in one statement."""
        asked = [(link, key, list(ids)) for link, key, ids in asks if ids]
        found = iter(await self._source.pairs(asked) if asked else ())
        return [next(found) if ids else [] for _, _, ids in asks]

    async def one(self, entity: str, id: str, fields: Sequence[str] = ("*",), *, with_deleted: bool = False) -> Typed:
        """The row with that key. Raises NotFound, which names the entity and the key."""
        known = self.catalogue.entity(entity)
        rows: TypedRows[Typed] = await self.rows(Query(entity, tuple(fields), {known.key: id}, limit=1, with_deleted=with_deleted))
        if not rows:
            raise NotFound(f"{known.called} with {known.key}: {id} was not found")
        return rows[0]

    async def expand(self, entity: str, rows: Sequence[Row], fields: Sequence[str]) -> Sequence[Row]:
        """Join what lies in other modules onto rows that the caller has, in place.

        Only the fields that leave the entity's module have an effect. The rows must hold the columns that lead
        out (`customer_id` for `customer.email`), and the relations on the way. Nothing is removed.

        Raises UnexpectedState for a row without such a column.
        """
        steps = self._plan(entity, tuple(fields))
        if rows:
            await self._join(steps, rows, _For())
        return rows

    def own_fields(self, entity: str, fields: Sequence[str]) -> tuple[str, ...]:
        """The fields that the entity's own module shows, with the columns that lead from there to other modules."""
        return self._plan(entity, tuple(fields)).fields

    def within(self, entity: str, fields: Sequence[str]) -> bool:
        """Whether the entity's own module shows all of these fields."""
        return self._plan(entity, tuple(fields)).local

    async def complete(self, entity: str, rows: list[Row], fields: Sequence[str]) -> list[Row]:
        """Turn rows that have their `own_fields` already into what a query would have returned, in place.

        Values of other modules that a row has already, under the name they would get, aren't read.
        """
        await self._finish(self._plan(entity, tuple(fields)), rows, _For(client=True))
        return rows

    # -- inside

    def _make_plan(self, entity: str, fields: tuple[str, ...]) -> Plan:
        return plan(self.catalogue, entity, FieldTree.parse(fields))

    def _make_translatable(self, entity: str, fields: tuple[str, ...]) -> Translatable:
        return translatable(self.catalogue, entity, FieldTree.parse(fields))

    async def _root(self, query: Query, steps: Plan, visible: Visible) -> Page:
        """The part of a page that the root's own module gives."""
        module = steps.module
        filters = await local_filters(self.catalogue, self, query.entity, query.filters)
        local = query if filters is query.filters and steps.fields == query.fields else replace(query, fields=steps.fields, filters=filters)
        if visible:
            local = replace(local, visible=self._of_module(module, visible))
        if not query.order or not orders_across(self.catalogue, query.entity, query.order):
            return await self._source.page(module, local)
        keys = await ordered_keys(self.catalogue, self, local)
        end = None if query.limit is None else query.offset + query.limit
        wanted = keys[query.offset : end]
        key = self.catalogue.entity(query.entity).key
        among = {key: {"$in": wanted}}
        found = Query(query.entity, (*steps.fields, key), among, with_deleted=query.with_deleted, slots=query.slots, visible=local.visible)
        position = {value: i for i, value in enumerate(wanted)}
        rows = sorted((await self._source.page(module, found)).rows, key=lambda row: position[row[key]])
        return Page.of(rows, len(keys) if query.count else None)

    async def _visible(self, query: Query) -> Visible:
        """The conditions on rows below the root, in terms of each entity's own module."""
        return {name: await local_filters(self.catalogue, self, name, filters) for name, filters in query.visible.items()}

    def _of_module(self, module: str, visible: Visible) -> Visible:
        return {name: filters for name, filters in visible.items() if self.catalogue.module_of(name) == module}

    async def _finish(self, steps: Plan, rows: list[Row], whom: _For) -> None:
        if rows and not steps.local:
            await self._join(steps, rows, whom)
            _prune(steps.prune, rows)

    async def _join(self, steps: Plan, rows: Sequence[Row], whom: _For) -> None:
        """Carry out all joins of a plan concurrently."""
        asked: list[tuple[Join, list[Row], Query, bytes | None]] = []
        for join in steps.joins:
            ends = [end for row in rows for end in at(row, join.path)] if join.path else rows
            ours = [row for row in ends if join.name not in row]
            try:
                keys = {row[join.key] for row in ours}
            except KeyError:
                where = ".".join((*join.path, join.name))
                raise UnexpectedState(f"{where} can't be joined: a row has no {join.key}") from None
            keys.discard(None)
            if not keys:
                _joined(join, ours, [], whom)
                continue
            query = self._by_key(join.plan, join.target_key, sorted(keys), whom.visible)
            known = self._source.known(join.plan.module, query)
            if known is not None and join.plan.local:
                _joined(join, ours, json.loads(known), whom)
            else:
                asked.append((join, ours, query, known))
        if asked:
            await all_of(*(self._join_one(*each, whom) for each in asked))

    def _by_key(self, steps: Plan, key: str, values: Sequence[Any], visible: Visible) -> Query:
        """The query for all rows of one module whose `key` is one of the values and that are visible."""
        seen = self._of_module(steps.module, visible) if visible else visible
        filters: dict[str, Any] = {key: {"$in": values}}
        if steps.entity in seen:
            filters["$and"] = [seen[steps.entity]]
        return Query(steps.entity, steps.fields, filters, visible=seen)

    async def _join_one(self, join: Join, ours: Sequence[Row], query: Query, known: bytes | None, whom: _For) -> None:
        """`known`: the JSON text of the rows that the query asks for, if it is cached."""
        steps = join.plan
        theirs: list[Row] = (await self._source.page(steps.module, query)).own_rows() if known is None else json.loads(known)
        if theirs and not steps.local:
            await self._join(steps, theirs, whom)
        _joined(join, ours, theirs, whom)


def _joined(join: Join, ours: Sequence[Row], theirs: list[Row], whom: _For) -> None:
    """Put the rows of the far end where they belong."""
    by_key: dict[Any, Any] = {}
    if join.many:
        for row in theirs:
            by_key.setdefault(row[join.target_key], []).append(row)
    else:
        by_key = {row[join.target_key]: row for row in theirs}
    taken = {key: _taken(join, found) for key, found in by_key.items()} if join.take else by_key
    if join.plan.prune:
        _prune(join.plan.prune, theirs)
    nothing = join.take_many if join.take else join.many
    for row in ours:
        value = taken.get(row[join.key])
        if value is not None:
            row[join.name] = value
        elif nothing or not whom.client:
            row[join.name] = [] if nothing else None


def _taken(join: Join, found: Row | list[Row]) -> Any:
    """The value to show for what an alias found for one key."""
    ends = [end for row in found for end in at(row, join.take)] if isinstance(found, list) else at(found, join.take)
    if join.take_many:
        return ends
    return ends[-1] if ends else None


def _prune(columns: Sequence[tuple[Path, str]], rows: Sequence[Row]) -> None:
    """Remove columns that were read for joining only."""
    for path, column in columns:
        for row in rows:
            for end in at(row, path):
                end.pop(column, None)
