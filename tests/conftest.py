"""What every test stands on: a real PostgreSQL, started once, and empty databases cloned from a migrated one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from velella.actors.postgres import EmbeddedPostgres
from velella.core.ids import ulid

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """One server for the whole run. It needn't survive a power cut, so it doesn't wait for the disk.

    It lies in memory where there is room: to take away its hundreds of databases took a minute."""
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
    """URL of a new database like `template`."""
    name = f"test_{ulid().lower()}"
    connection = await asyncpg.connect(postgres.url("postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    finally:
        await connection.close()
    return postgres.url(name)


@pytest.fixture
async def fresh_database(postgres: EmbeddedPostgres) -> str:
    """URL of a new database with nothing in it."""
    return await clone(postgres)


STARTING_PROCESSES = ("tests/actors/", "tests/e2e/test_lifecycle.py", "tests/e2e/test_hostile.py")
"""Tests of how fast processes come, go and are noticed, and of what requests take of a processor (more for the same work when its caches
and its clock are shared). Tests of stock, money, kills and recovery are never tried again."""


LONGEST_FIRST = ("e2e", "actors", "store", "contract", "engine", "benchmarks", "workflows", "http", "plugins", "modules")
"""Folders in the order in which they are begun, so that processes that share them out end at about the same time; then the others."""


@pytest.hookimpl(tryfirst=True)  # before the marks are looked at
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A machine that stalls makes the former fail: they are tried twice more, which shows as R.

    Where there are two processes (see scripts/test), what shares a server runs in one: a folder, and of the served shops each topology.
    """
    for item in items:
        if item.nodeid.startswith(STARTING_PROCESSES):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=2))
        item.add_marker(pytest.mark.xdist_group(_server(item)))
    items.sort(key=lambda item: LONGEST_FIRST.index(_folder(item)) if _folder(item) in LONGEST_FIRST else len(LONGEST_FIRST))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _server(item: pytest.Item) -> str:
    folder = _folder(item)
    if folder != "e2e":
        return folder
    given = getattr(item, "callspec", None)
    return f"e2e {given.params.get('colony', item.path.stem) if given else item.path.stem}"


WHEN_ASKED_FOR = ("browser", "nodes")
"""Folders of tests that take long or need more than Python: scripts/test-browser and scripts/test-nodes run them."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    folder = collection_path.name
    left_out = collection_path.parent == Path(__file__).parent and folder in WHEN_ASKED_FOR
    return True if left_out and not any(f"tests/{folder}" in asked for asked in config.args) else None
