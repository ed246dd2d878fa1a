"""A shop whose processes share a Memcached of the tests' own."""

from __future__ import annotations

import shutil
import socket
import tomllib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from stand_in import MemcachedStandIn, RealMemcached

pytest_plugins = ["velella.testing"]

KINDS = ("stand-in", *(("memcached",) if shutil.which("memcached") else ()))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(params=KINDS)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[MemcachedStandIn]:
    made = await (RealMemcached(free_port()) if request.param == "memcached" else MemcachedStandIn()).start()
    yield made
    await made.kill()


@pytest.fixture(scope="session")
async def of_shop() -> AsyncIterator[MemcachedStandIn]:
    made = await MemcachedStandIn().start()
    yield made
    await made.kill()


@pytest.fixture(scope="session")
def velella_settings(pytestconfig: pytest.Config, of_shop: MemcachedStandIn) -> dict[str, Any]:
    settings = tomllib.loads((pytestconfig.rootpath / "velella.toml").read_text())
    settings["providers"]["cache"][0]["options"]["port"] = of_shop.port
    return settings
