"""A module without tables: what it shows is kept by a third party, or it shows nothing and only has methods.

    class CmsService(ThirdPartyService):
        name = "cms"
        schema = Schema("cms", Entity("cms_post", post, key="id"))       # `post` says what its rows have; it is never made

        async def find(self, entity, keys):
            return await self.client.posts(product_ids=keys.get("product_id"))

With `Reference`s its rows are shown, filtered and ordered by like those of any module, from both sides. The kernel asks `find` for the rows
that may be meant, and has the database apply the query to them, as rows of a statement: so filters, orders, pages and fields mean what they
mean everywhere. Nothing of it is cached, unless the service does that.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from .. import json
from ..errors import TooLarge
from ..message import reads
from ..rows import Row, Typed, TypedRows
from ..sql.db.compiled import DIALECT, BoundStatement
from ..sql.schema.entity import Entity
from ..sql.schema.query import Page, Query
from .context import ModuleContext
from .module import ModuleService

R = TypeVar("R")


class ThirdPartyService(ModuleService):
    """The base of a service without tables. It is read only: what it asks of third parties is its own methods, marked `@repeatable` where
    twice is once."""

    tableless = True
    most_rows: ClassVar[int] = 1000
    """Rows that `find` may give."""

    def __init__(self, context: ModuleContext) -> None:
        super().__init__(context)
        for kind in self.schema.entities.values():
            if kind.relations:
                raise TypeError(f"{kind.called} is kept by a third party: what it has to do with others are references")

    async def check(self) -> str:
        """Whether the third party would do what it is asked for, for `velella doctor`, like `check` of providers. Default: nothing to look
        at."""
        return "it loads"

    @abstractmethod
    async def find(self, entity: str, keys: Mapping[str, Sequence[Any]]) -> Sequence[Mapping[str, Any]]:
        """The rows whose columns have one of these values each; others are left out afterwards. No keys: nothing is asked that the third
        party could look for.

        Raises what the caller is to get: Unavailable where the third party doesn't answer, NotAllowed for more than it can give.
        """

    # -- reading

    @reads
    async def query(self, query: Query) -> Page:
        row = (await self._from_found(query.entity, query.filters, self.statements.page(query)))[0]
        return Page(row["page"], row["count"] if query.count else None)

    @reads
    async def documents(self, query: Query) -> list[tuple[str, bytes]]:
        rows = await self._from_found(query.entity, query.filters, self.statements.page(query, apart=True))
        return [(row[0], row[1]) for row in rows if row[0] is not None]

    @reads
    async def count(self, entity: str, filters: Mapping[str, Any] | None = None) -> int:
        row = (await self._from_found(entity, filters or {}, self.statements.count(entity, filters or {})))[0]
        return int(row["count"])

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
        query = Query(entity, tuple(fields), filters or {}, tuple(order), limit, offset, with_deleted)
        found = await self._from_found(entity, query.filters, self.statements.page(query, hidden=True, twins=False))
        rows: TypedRows[Typed] = json.loads(found[0]["page"])
        return rows

    # -- what only tables have

    async def run_write(self, body: Callable[[], Awaitable[R]], *, one_statement: bool = False, answers: bool = False) -> R:
        raise TypeError(f"{self.schema.module} has no tables to write to: a method that asks a third party is @repeatable")

    async def forget_messages(self, seconds: float, keep: Sequence[str] = ()) -> int:
        return 0

    async def write_events(self, events: Sequence[str], version: int) -> Sequence[str]:
        return sorted(events)

    async def written_events(self, limit: int) -> Sequence[tuple[str, str, Row]]:
        return ()

    async def drop_events(self, ids: Sequence[str]) -> None: ...

    # -- inside

    async def _from_found(self, entity: str, filters: Mapping[str, Any], asked: BoundStatement) -> Sequence[Any]:
        """The rows of a statement over the entity's table, in place of which stands what the third party has."""
        kind = self.schema[entity]
        keys = keys_in(kind, filters)
        found = [] if any(not values for values in keys.values()) else await self.find(entity, keys)
        if len(found) > self.most_rows:
            raise TooLarge(f"The {self.schema.module} module gave {len(found)} rows; it may give {self.most_rows} at once.")
        columns = ", ".join(f'"{column.name}" {column.type.compile(DIALECT)}' for column in kind.table.columns)
        rows = f"SELECT * FROM jsonb_to_recordset(${len(asked.arguments) + 1}::jsonb) AS given({columns})"
        sql = f'WITH "{kind.table.name}" AS ({rows}) SELECT * FROM ({asked.sql}) AS asked'
        values = [*asked.arguments, json.dumps([dict(row) for row in found])]
        return await self.database.fetch_rows(BoundStatement(sql, values, asked.custom_plan))


def keys_in(kind: Entity, filters: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The columns of which filters want one of some values, and the values."""
    keys: dict[str, list[Any]] = {}

    def want(column: str, values: list[Any]) -> None:
        keys[column] = [value for value in keys[column] if value in values] if column in keys else values

    for name, value in filters.items():
        if name == "$and" and isinstance(value, list | tuple):
            for each in value:
                for column, values in keys_in(kind, each).items() if isinstance(each, Mapping) else ():
                    want(column, values)
        elif name in kind.table.c and isinstance(value, Mapping) and value.keys() in ({"$in"}, {"$eq"}):
            one = next(iter(value.values()))
            want(name, list(one) if isinstance(one, list | tuple) else [one])
        elif name in kind.table.c and isinstance(value, list | tuple):
            want(name, list(value))
        elif name in kind.table.c and isinstance(value, str | int) and not isinstance(value, bool):
            want(name, [value])
    return keys
