"""A whole shop in this process: every module, the workflows, no front end. Every message is encoded and decoded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import Host, local_host
from velella.core.settings import Settings
from velella.modules import Modules
from velella.workflows.defaults import seed_defaults
from velella.workflows.kit import Flow, on_hook, step

from ..conftest import clone, database_name


@dataclass
class Shop:
    host: Host

    @property
    def modules(self) -> Modules:
        return self.host.modules

    async def run(self, workflow: str, **input: Any) -> Any:
        return await self.host.workflows.run(workflow, input, None)

    async def one(self, entity: str, id: str, *fields: str) -> dict[str, Any]:
        return await self.host.graph.one(entity, id, fields or ("*",))


class Unlucky(Exception):
    """The error of a hook that is told to fail."""


@step(reads=True)
async def refuse(flow: Flow, additional_data: Any) -> None:
    if additional_data == {"refuse": True}:
        raise Unlucky


for _workflow, _hook in (
    ("create-products", "productsCreated"),
    ("update-products", "productsUpdated"),
    ("create-product-variants", "productVariantsCreated"),
    ("update-product-variants", "productVariantsUpdated"),
):
    on_hook(_workflow, _hook)(refuse)


@pytest.fixture
def unlucky() -> dict[str, Any]:
    """Makes a workflow fail at its very end."""
    return {"additional_data": {"refuse": True}}


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def seeded(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database with all tables and the shop's defaults, to be cloned."""
    url = await clone(postgres, migrated)
    settings = Settings(database_url=url, data_dir=tmp_path_factory.mktemp("seeded"))
    async with local_host(settings) as host:
        assert await seed_defaults(host.modules)
    return database_name(url)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(postgres: EmbeddedPostgres, seeded: str, tmp_path: Path) -> AsyncIterator[Shop]:
    settings = Settings(database_url=await clone(postgres, seeded), data_dir=tmp_path)
    async with local_host(settings, wire_check=True) as host:
        yield Shop(host)
