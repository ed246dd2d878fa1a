"""Hosts with toy services: in this process, and in processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from velella.actors.host import Host
from velella.actors.membership.directory import Directory, ReplicaAddress, ReplicaId
from velella.core.settings import Settings

TOYS = Path(__file__).parent / "toys"


@pytest.fixture(scope="package", autouse=True)
def toys_importable() -> Iterator[None]:
    """For this process and all processes that it starts."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(TOYS) if before is None else f"{TOYS}{os.pathsep}{before}"
    sys.path.insert(0, str(TOYS))
    yield
    sys.path.remove(str(TOYS))
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder whose path leaves room for sockets."""
    with tempfile.TemporaryDirectory(prefix="vt-") as folder:
        yield Path(folder)


@pytest.fixture
def settings(sockets: Path) -> Settings:
    return Settings(modules={"toy": "toy_services:create"}, data_dir=sockets, cluster_token="the token of these tests", log_format="text")


class Colony:
    """Replicas of one pool `toys`, and a host `client` in this process that has no services and sends to them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.addresses: list[ReplicaAddress] = []
        self.processes: list[asyncio.subprocess.Process] = []
        self.client: Any = None
        self._stack = AsyncExitStack()

    def address(self, index: int, pool: str = "toys") -> ReplicaAddress:
        id = ReplicaId(pool, index)
        return ReplicaAddress(id, node="here", path=str(self.folder / f"{id}.sock"))

    def directory(self) -> Directory:
        return Directory.of((address, ["toy"]) for address in self.addresses)

    async def host(self, index: int, **changes: Any) -> Host:
        """A replica in this process."""
        settings = self.settings.model_copy(update=changes)
        self.addresses.append(self.address(index))
        host = Host(settings, ["toy"], address=self.addresses[-1], directory=self.directory())
        await host.start()
        self._stack.push_async_callback(host.stop, 0.2)
        return host

    async def process(self, index: int, *, listen: str | None = None, only_tcp: bool = False) -> asyncio.subprocess.Process:
        """A replica in a process of its own."""
        address = self.address(index)
        plan = {
            "settings": self.settings.model_dump(mode="json"),
            "services": ["toy"],
            "address": address.to_wire(),
            "directory": Directory().to_wire(),
            "listen": listen,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(TOYS / "toy_process.py"), json.dumps(plan), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        self.processes.append(process)
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        known = ReplicaAddress.from_wire(json.loads(line))
        self.addresses.append(ReplicaAddress(known.replica, "elsewhere", None, known.host, known.port) if only_tcp else known)
        return process

    async def connect(self, **changes: Any) -> Any:
        """The handle of the toy service, as the client sees it."""
        settings = self.settings.model_copy(update=changes)
        self.client = Host(settings, [], address=ReplicaAddress(ReplicaId("client", 0), "here"), directory=self.directory())
        await self.client.start()
        self._stack.push_async_callback(self.client.stop, 0.2)
        return self.client.modules.toy

    async def close(self) -> None:
        await self._stack.aclose()
        for process in self.processes:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                await process.wait()


@pytest.fixture
async def colony(settings: Settings, sockets: Path) -> AsyncIterator[Colony]:
    colony = Colony(settings, sockets)
    yield colony
    await colony.close()
