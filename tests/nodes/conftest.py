"""Three nodes with one shop, for all tests of what happens to them: they take a while to start."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres

from ..e2e.nodes import ray_nodes
from ..e2e.spread import NODES, Colony, colony_on


@pytest.fixture(scope="session")
async def colony(tmp_path_factory: pytest.TempPathFactory, postgres: EmbeddedPostgres) -> AsyncIterator[Colony]:
    connection = await asyncpg.connect(postgres.url("postgres"))
    await connection.execute("CREATE DATABASE nodes")
    await connection.close()
    async with ray_nodes(NODES) as nodes, colony_on(nodes, tmp_path_factory.mktemp("nodes"), postgres.url("nodes")) as running:
        yield running
