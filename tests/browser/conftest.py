"""A served shop with the dashboard, and Chromium to use it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from velella.cli.dashboard import PACKAGES, SCRIPT

from ..e2e.served import Api, Served, served, velella
from ..e2e.shop import Country, Shop, open_shop
from .desk import Desk
from .orders import Orders

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
COUNTRIES = [Country("dk", "eur", rate=25, inclusive=True, shipping=10), Country("gb", "gbp", rate=20, inclusive=False, shipping=8)]
BUILD = 1200
"""Seconds that a test may take, since the first one builds the dashboard: minutes, more where other things run."""
PATIENCE = 60_000.0
"""Milliseconds within which a page shows what it should: many, for a browser beside other tests on a few cores is slow."""
PICTURES = Path(__file__).parents[2] / "docs" / "dashboard"
expect.set_options(timeout=PATIENCE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", action="store_true", help="take the pictures in docs/dashboard anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(BUILD))


@pytest.fixture(scope="session")
async def built(request: pytest.FixtureRequest) -> Path:
    """Folder of Medusa's dashboard, built once a recipe: it is kept in pytest's cache until `--cache-clear`."""
    recipe = sha256(f"{sorted(PACKAGES.items())}{SCRIPT}".encode()).hexdigest()[:12]
    folder = request.config.cache.mkdir(f"dashboard-{recipe}")
    if not (folder / "dashboard" / "site").is_symlink():
        await velella("admin", "build", data_dir=folder)
    return folder / "dashboard"


@pytest.fixture(scope="session")
async def colony(built: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A shop with an admin user, served with the dashboard."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "data").mkdir()
    (folder / "data" / "dashboard").symlink_to(built)
    async with served(folder, "packed", "--empty") as running:
        yield running


@pytest.fixture(scope="session")
async def admin(colony: Served) -> Api:
    """The HTTP API, to check what is really stored."""
    return await colony.admin()


@pytest.fixture(scope="session")
async def shop(admin: Api) -> Shop:
    return await open_shop(admin, COUNTRIES)


@pytest.fixture(scope="session")
async def orders(colony: Served, admin: Api, shop: Shop) -> Orders:
    """What is sold, and orders of it."""
    return await Orders.open(admin, await colony.store(shop.key), shop)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def sat_at(shop: Served, chromium: Browser, config: pytest.Config) -> AsyncIterator[Desk]:
    """The dashboard of a shop before logging in. Fails the test if any request of it goes wrong."""
    context = await chromium.new_context(base_url=shop.base, viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    desk = Desk(await context.new_page(), shop.base, PICTURES if config.getoption("--pictures") else None)
    yield desk
    await context.close()
    assert desk.slips == []


async def signed_in(stranger: Desk) -> Desk:
    await stranger.open("/login")
    await stranger.sign_in()
    await expect(stranger.page).not_to_have_url(re.compile("/login"))
    return stranger


@pytest.fixture
async def stranger(request: pytest.FixtureRequest, colony: Served, chromium: Browser) -> AsyncIterator[Desk]:
    """The dashboard before logging in."""
    async with sat_at(colony, chromium, request.config) as desk:
        yield desk


@pytest.fixture
async def desk(stranger: Desk) -> Desk:
    """The dashboard, logged in."""
    return await signed_in(stranger)
