"""One shop on three nodes: placed by labels, changed while it sells, and nodes that go silent, come back and die."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import yaml

from velella.actors.postgres import EmbeddedPostgres

from .nodes import Nodes, ray_nodes
from .served import ADMIN, VELELLA, Api, free_port

NODES = {
    "head": {"num_cpus": 1, "labels": {"door": "yes"}},
    "left": {"num_cpus": 1, "labels": {"door": "yes"}},
    "right": {"num_cpus": 1, "labels": {"door": "no"}},
}
ENGINE = ["locking", "caching", "workflows"]


@dataclass
class Colony:
    """A shop that `velella up` has started on nodes."""

    nodes: Nodes
    port: int
    data_dir: Path
    environment: dict[str, str]
    session: aiohttp.ClientSession

    async def velella(self, *words: str, ok: bool = True) -> str:
        process = await asyncio.create_subprocess_exec(
            *VELELLA, *words, "--data-dir", str(self.data_dir), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            cwd=self.data_dir.parent, env=self.environment,
        )  # fmt: skip
        output = (await process.communicate())[0].decode()
        assert (process.returncode == 0) == ok, f"velella {' '.join(words)} exited with {process.returncode}: {output}"
        return output

    async def status(self) -> dict[str, list[dict[str, Any]]]:
        """Replicas by pool."""
        report = json.loads(await self.velella("status", "--json"))
        return {pool["name"]: pool["replicas"] for pool in report["pools"]}

    def door(self, node: str) -> Api:
        return Api(self.session, f"http://{self.nodes[node].address}:{self.port}")

    async def admin(self, node: str) -> Api:
        api = self.door(node)
        token = (await api.post("/auth/user/emailpass", {"email": ADMIN[0], "password": ADMIN[1]}))["token"]
        return Api(self.session, api.base, {"authorization": f"Bearer {token}"})


def write_topology(file: Path, modules: int) -> None:
    """Three pools; `modules` replicas of the one that holds all modules."""
    from velella.actors.services import service_names
    from velella.core.settings import Settings

    names = [name for name in service_names(Settings()) if name not in (*ENGINE, "http")]
    pools = [
        {"name": "doors", "services": ["http"], "replicas": 2, "labels": {"door": "yes"}},
        {"name": "engine", "services": ENGINE, "replicas": 2},
        {"name": "modules", "services": names, "replicas": modules, "connections": 4},
    ]
    file.write_text(yaml.safe_dump({"metadata": {"velella": {"pools": pools}}}))


@asynccontextmanager
async def colony_on(nodes: Nodes, folder: Path, database_url: str) -> AsyncIterator[Colony]:
    file = folder / "cluster.yaml"
    write_topology(file, modules=2)
    environment = os.environ | nodes.environment | {"VELELLA_DATABASE_URL": database_url, "VELELLA_LOG_LEVEL": "warning"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()) as session:
        colony = Colony(nodes, free_port(), folder / "data", environment, session)
        await colony.velella("migrate")
        up = await colony.velella("up", str(file), "--address", nodes.address, "--host", "node", "--port", str(colony.port))
        assert "with 6 replicas on 3 nodes" in up
        await colony.velella("user", "create", "--email", ADMIN[0], "--password", ADMIN[1])
        yield colony


@pytest.fixture(scope="module")
async def colony(tmp_path_factory: pytest.TempPathFactory, postgres: EmbeddedPostgres) -> AsyncIterator[Colony]:
    connection = await asyncpg.connect(postgres.url("postgres"))
    await connection.execute("CREATE DATABASE spread")
    await connection.close()
    async with ray_nodes(NODES) as nodes, colony_on(nodes, tmp_path_factory.mktemp("spread"), postgres.url("spread")) as running:
        yield running


async def test_pools_are_where_their_labels_say_and_apart(colony: Colony) -> None:
    there = await colony.status()
    places = {pool: {replica["node"] for replica in replicas} for pool, replicas in there.items()}
    address = {name: node.address for name, node in colony.nodes.nodes.items()}
    assert places["doors"] == {address["head"], address["left"]}
    assert len(places["engine"]) == len(places["modules"]) == 2, "two replicas of a pool are on two nodes"
    for node in ("head", "left"):
        assert (await (await colony.admin(node)).get("/admin/stores"))["stores"], "both doors lead to the same shop"


async def test_the_file_and_commands_change_pools_that_run(colony: Colony) -> None:
    file = colony.data_dir.parent / "cluster.yaml"
    write_topology(file, modules=3)
    assert "modules: 2 → 3 replicas" in await colony.velella("up", str(file))
    assert len({replica["node"] for replica in (await colony.status())["modules"]}) == 3
    assert "modules: 3 → 2 replicas" in await colony.velella("scale", "modules=2")
