"""One module by itself, on a database that has its tables and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from velella.core.service.context import ModuleContext
from velella.core.service.module import ModuleService
from velella.core.service.providers import Providers
from velella.core.settings import Settings
from velella.core.sql.db.database import Database
from velella.core.sql.schema.definition import definition

S = TypeVar("S", bound=ModuleService)


@asynccontextmanager
async def alone(service: type[S], url: str, *, connections: int = 4, providers: Providers | None = None) -> AsyncIterator[S]:
    """The service of a module alone. Started, if it has providers."""
    database = Database(url, connections=connections)
    await database.open()
    try:
        await database.script(";\n".join(definition(service.schema.metadata)))
        made = service(ModuleContext(Settings(), database, providers or Providers(service.schema.module), _nobody))
        if providers is not None:
            await made.start()
        yield made
    finally:
        await database.close()


async def _nobody(changed: frozenset[str]) -> None:
    """Ignores the invalidation."""
