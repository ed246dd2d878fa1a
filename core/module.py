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

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from .messages import Service, reads, writes
from .providers import Providers
from .query.page import Page, Query
from .settings import Settings
from .sql.database import Database
from .sql.entity import Schema

R = TypeVar("R")
Row = dict[str, Any]
"""A row as a client would see it: JSON values, amounts as Decimal."""


@dataclass(frozen=True, slots=True)
class ModuleContext:
    """What the engine hands to a module's service."""

    settings: Settings
    database: Database
    providers: Providers
    """This module's providers by id, from the settings."""
    changed: Callable[[frozenset[str]], Awaitable[None]]
    """Called after a commit with the names of the entities that changed: caches forget them before the reply leaves."""


class ModuleService(Service):
    """The base of every module's service: the routine messages over its entities.

    Rows go in and come out as dicts of JSON values. What a module adds are the methods that mean business.
    """

    schema: ClassVar[Schema]

    def __init__(self, context: ModuleContext) -> None: ...

    # -- reading
    @reads
    async def query(self, query: Query) -> Page:
        """One page of one entity with its relations inside the module, as one statement."""

    @reads
    async def count(self, entity: str, filters: Mapping[str, Any] | None = None) -> int: ...

    async def list(self, entity: str, filters: Mapping[str, Any] | None = None, *, fields: Sequence[str] = ("*",), **page: Any) -> list[Row]:
        """Rows, parsed: for business code. Joins the running write's transaction."""

    async def retrieve(self, entity: str, id: str, *, fields: Sequence[str] = ("*",)) -> Row:
        """Raises NotFound with the entity's label and the id."""

    # -- writing
    @writes
    async def create(self, entity: str, rows: Sequence[Mapping[str, Any]]) -> list[Row]: ...

    @writes
    async def update(self, entity: str, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Each row names its key; only the columns it names change. NotFound when one is missing: nothing changes."""

    @writes
    async def upsert(self, entity: str, rows: Sequence[Mapping[str, Any]]) -> list[Row]: ...

    @writes
    async def delete(self, entity: str, ids: Sequence[str]) -> list[str]:
        """Soft delete with the cascades of the relations. Unknown ids are left out of the answer, not an error."""

    @writes
    async def restore(self, entity: str, ids: Sequence[str]) -> list[str]: ...

    async def run_write(self, body: Callable[[], Awaitable[R]]) -> R:
        """Carry out a write: transaction, message record, changed entities. See `messages.writes`."""


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
