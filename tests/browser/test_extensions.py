"""What a plugin adds to the dashboard: a widget on a page, a page of its own. The plugin is what `velella new plugin` writes."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from velella.cli.dashboard import PACKAGES, SCRIPT
from velella.cli.new import PARTS, template, write_plugin

from ..e2e.served import Served, served, velella
from .conftest import sat_at, signed_in


@pytest.fixture(scope="module")
async def extended(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A shop with a new plugin, whose dashboard was built with what that brings. The build is kept in pytest's cache."""
    brought = [(file, text) for file, text in template(list(PARTS)) if "/admin/" in file]
    recipe = sha256(f"{sorted(PACKAGES.items())}{SCRIPT}{brought}".encode()).hexdigest()[:12]
    kept = request.config.cache.mkdir(f"dashboard-extended-{recipe}")
    if not (kept / "data" / "dashboard" / "site").is_symlink():
        shutil.rmtree(kept)
        write_plugin("gift_note", kept, list(PARTS))
        said = await velella("admin", "build", data_dir=kept / "data")
        assert "With what these plugins bring: gift_note." in said
    folder: Path = tmp_path_factory.mktemp("extended")
    write_plugin("gift_note", folder, list(PARTS))
    (folder / "data").mkdir()
    (folder / "data" / "dashboard").symlink_to(kept / "data" / "dashboard")
    async with served(folder, "packed", "--empty") as running:
        yield running


async def test_a_plugin_brings_a_widget_and_a_page(request: pytest.FixtureRequest, extended: Served, chromium: Browser) -> None:
    admin = await extended.admin()
    body = {"title": "Sea chart", "options": [{"title": "Scale", "values": ["1:50000"]}], "status": "published"}
    product = (await admin.post("/admin/products", body))["product"]
    for name in ("For Ada, who finds her way", "Fair winds"):
        await admin.post("/admin/gift-notes", {"name": name, "product_id": product["id"]})
    async with sat_at(extended, chromium, request.config) as stranger:
        desk = await signed_in(stranger)
        await desk.open(f"/products/{product['id']}")
        widget = desk.page.locator("div").filter(has=desk.page.get_by_role("heading", name="Gift notes", exact=True)).last
        await expect(widget).to_contain_text("For Ada, who finds her way")
        await expect(widget).to_contain_text("Fair winds")
        await desk.page.get_by_text("Fair winds").scroll_into_view_if_needed()
        await desk.picture("extended-product")
        await desk.page.get_by_role("link", name="Gift notes").click()
        await desk.settled()
        await expect(desk.page).to_have_url(f"{extended.base}/app/gift-notes")
        await expect(desk.page.get_by_role("row").filter(has_text="Fair winds")).to_contain_text("0")
        await expect(desk.page.get_by_role("row")).to_have_count(3)
        await desk.picture("extended-page")
