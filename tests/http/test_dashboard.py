"""The dashboard under /app: what is built is served, and what isn't says how."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from velella.cli.dashboard import _put_in_place

from .conftest import Shop

PAGE = "<!doctype html><title>Shop</title>"
SCRIPT = "console.log('sail')" * 100


def build(folder: Path, page: str = PAGE) -> None:
    """What `velella admin build` leaves."""
    made = folder / "build" / "out"
    (made / "assets").mkdir(parents=True)
    (made / "index.html").write_text(page)
    (made / "assets" / "index-1.js").write_text(SCRIPT)
    (made / "assets" / "index-1.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    _put_in_place(made, folder / "site")


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def folder(shop: Shop) -> Iterator[Path]:
    folder = shop.front.settings.dashboard_dir
    folder.mkdir()
    yield folder
    for place in sorted(folder.rglob("*"), reverse=True):
        place.unlink() if place.is_symlink() or place.is_file() else place.rmdir()
    folder.rmdir()


async def test_without_a_dashboard_a_page_says_how_to_build_one(shop: Shop, browser: aiohttp.ClientSession) -> None:
    for path in ("/app", "/app/", "/app/products"):
        async with browser.get(shop.base + path) as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (503, "no-store")
            assert f"velella admin build --data-dir {shop.host.settings.data_dir}</code>" in await answer.text()
    async with browser.get(f"{shop.base}/app", headers={"X-Forwarded-For": "192.0.2.1"}) as answer:
        assert "<code>velella admin build</code>" in await answer.text()  # who comes from elsewhere isn't told where data lie


async def test_every_page_of_the_dashboard_is_its_page(shop: Shop, folder: Path, browser: aiohttp.ClientSession) -> None:
    build(folder)
    for path in ("/app", "/app/", "/app/orders/order_1", "/app/index.html"):
        async with browser.get(shop.base + path) as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
            assert answer.headers["Content-Type"].startswith("text/html")
            assert await answer.text() == PAGE


async def test_assets_are_kept_for_good_and_sent_compressed(shop: Shop, folder: Path, browser: aiohttp.ClientSession) -> None:
    build(folder)
    async with browser.get(f"{shop.base}/app/assets/index-1.js") as answer:
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
        assert await answer.text() == SCRIPT


@pytest.mark.parametrize(
    "path", ["/app/assets/none.js", "/app/assets/..%2f..%2f..%2fsecrets%2fjwt", "/app/assets/%2e%2e/index.html", "/apples"]
)
async def test_nothing_else_is_there(shop: Shop, folder: Path, browser: aiohttp.ClientSession, path: str) -> None:
    build(folder)
    (folder.parent / "secrets").mkdir(exist_ok=True)
    async with browser.get(URL(f"{shop.base}{path}", encoded=True)) as answer:
        assert answer.status in (200, 404)
        assert await answer.text() == PAGE if answer.status == 200 else "Cannot GET" in await answer.text()


async def test_a_new_build_takes_the_place_of_the_old_one(shop: Shop, folder: Path, browser: aiohttp.ClientSession) -> None:
    build(folder)
    build(folder, "<!doctype html><title>New</title>")
    async with browser.get(f"{shop.base}/app") as answer:
        assert "New" in await answer.text()
    assert len([each for each in folder.iterdir() if each.name.startswith("site-")]) == 1
