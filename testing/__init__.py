"""Testing plugins: a shop on a real PostgreSQL, clients of its APIs, what it sells, its time, its events and its emails.

In `tests/conftest.py`:

    pytest_plugins = ["velella.testing"]

A test then asks for what it needs:

    async def test_a_thing_is_bought(shop: Shop, product: Row, events: Events) -> None:
        order = await shop.order(product, quantity=2)
        assert [event.data["id"] for event in await events.emitted("order.placed")] == [order["id"]]

The shop has the plugins of the `velella.toml` beside `pyproject.toml`, or those of the fixture `velella_settings`, which a conftest.py may
override. It is in this process; `pytest --topology=packed --topology=pooled` serves it by processes of its own, as `velella serve` does (so
does the file of a topology), and runs each test in each. Tests that move the clock have it in this process in any case.

pytest-asyncio has to run tests and fixtures in one loop:

    [tool.pytest.ini_options]
    asyncio_mode = "auto"
    asyncio_default_fixture_loop_scope = "session"
    asyncio_default_test_loop_scope = "session"
"""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from ..actors.cluster.postgres import EmbeddedPostgres
from ..core.flow import Event
from ..core.ids import ulid
from ..core.service import migrations
from ..core.settings import Settings
from ..modules.notification.provider import NotificationMessage
from .client import Answer, Client, Refused
from .clock import Clock
from .opening import HERE, opened
from .seen import Emails, Events
from .shop import Row, Shop

__all__ = [
    "Answer",
    "Client",
    "Clock",
    "Emails",
    "Event",
    "Events",
    "NewDatabase",
    "NotificationMessage",
    "Refused",
    "Row",
    "Shop",
    "opened",
]

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
"""A database of tests needn't survive a power cut."""
NewDatabase = Callable[[], Awaitable[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("velella")
    group.addoption("--topology", action="append", help="How the shop runs: here, packed, pooled, FILE; may be repeated. Default: here.")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "velella_topology" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("topology") or [HERE]
        metafunc.parametrize("velella_topology", [HERE] if "clock" in metafunc.fixturenames else chosen, scope="session", indirect=True)


@pytest.fixture(scope="session")
def velella_topology(request: pytest.FixtureRequest) -> str:
    """How the shop of this test runs."""
    file = Path(request.param)
    return str(file.absolute()) if file.suffix else str(request.param)


@pytest.fixture(scope="session")
def velella_settings(pytestconfig: pytest.Config) -> dict[str, Any]:
    """The settings of the shop. To be overridden where they aren't those of the project's velella.toml."""
    file = pytestconfig.rootpath / "velella.toml"
    return tomllib.loads(file.read_text()) if file.exists() else {}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def velella_database() -> AsyncIterator[NewDatabase]:
    """Makes a database, with the tables of the modules that come with Velella, and returns its URL. To be overridden where there is a
    server already."""
    with TemporaryDirectory(prefix="velella-test-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", FAST)
        await server.start()

        async def new(template: str) -> str:
            name = f"test_{ulid().lower()}"
            connection = await asyncpg.connect(server.url("postgres"))
            try:
                await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
            finally:
                await connection.close()
            return server.url(name)

        made = await new("template1")  # making the tables takes longer than copying them
        await migrations.migrate_all(Settings(_env_file=None, database_url=made, data_dir=Path(folder), modules={}, databases={}))
        try:
            yield partial(new, made.partition("?")[0].rpartition("/")[2])
        finally:
            await server.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(
    request: pytest.FixtureRequest,
    velella_topology: str,
    velella_settings: dict[str, Any],
    velella_database: NewDatabase,
) -> AsyncIterator[Shop]:
    """The shop, the same one for all tests of a run."""
    if request.config.getini("asyncio_default_test_loop_scope") != "session":
        raise pytest.UsageError('A shop outlives a test: set asyncio_default_test_loop_scope = "session" for pytest (see velella.testing).')
    with TemporaryDirectory(prefix="velella-", ignore_cleanup_errors=True) as folder:
        async with opened(velella_settings, topology=velella_topology, database_url=await velella_database(), folder=Path(folder)) as shop:
            yield shop


@pytest.fixture
def store(shop: Shop) -> Client:
    """The store API, as a storefront uses it."""
    return shop.store


@pytest.fixture
def admin(shop: Shop) -> Client:
    """The admin API, as a user of the shop."""
    return shop.admin


@pytest_asyncio.fixture(loop_scope="session")
async def product(shop: Shop) -> Row:
    """A product of its own for 10 EUR, of which 100 are there."""
    return await shop.product()


@pytest_asyncio.fixture(loop_scope="session")
async def cart(shop: Shop, product: Row) -> Row:
    """A cart of its own with one `product`."""
    return await shop.cart(product)


@pytest_asyncio.fixture(loop_scope="session")
async def order(shop: Shop, product: Row) -> Row:
    """A placed order of one `product`."""
    return await shop.order(product)


@pytest.fixture
def clock(shop: Shop) -> Clock:
    """The shop's clock."""
    return Clock(shop)


@pytest.fixture
def emails(shop: Shop) -> Emails:
    """The emails of this test."""
    return Emails(shop)


@pytest.fixture
def events(shop: Shop) -> Events:
    """The events of this test."""
    return Events(shop)
