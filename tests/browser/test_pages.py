"""Every page of the dashboard that is served for, opened by its address."""

from __future__ import annotations

import re
from itertools import groupby

import pytest
from playwright.async_api import expect

from ..e2e.served import Api, Served
from ..e2e.shop import Shop
from .desk import BROKEN, Desk
from .filled import fill
from .pages import COUNTRIES, LISTS, PAGES


def area(address: str) -> str:
    """Where an address belongs: `products`, `settings/regions`."""
    return "/".join(address.split("/")[1 : 3 if address.startswith("/settings") else 2])


AREAS = {name: list(pages) for name, pages in groupby(sorted(PAGES, key=area), area)}


@pytest.fixture(scope="session")
async def ids(colony: Served, admin: Api, shop: Shop) -> dict[str, str]:
    return await fill(admin, await colony.store(shop.key), shop)


@pytest.mark.parametrize("name", AREAS)
async def test_every_page_is_shown(desk: Desk, ids: dict[str, str], name: str) -> None:
    broken = []
    for page in AREAS[name]:
        await desk.open(page.format(**ids))
        said = await desk.page.locator("body").inner_text()
        if BROKEN.search(said):
            broken.append(f"{page}: {said[-200:]}")
    print(f"{len(AREAS[name])} pages, {desk.answers} answers")
    assert broken == []


def test_every_page_that_is_a_list_is_looked_at() -> None:
    with_things = {page.rpartition("/")[0] for page in PAGES if page.rpartition("/")[2].startswith("{")}
    missing = {page for page in with_things if page and "{" not in page} - LISTS.keys()
    assert missing == set()


async def test_lists_show_rows_wherever_the_api_counts_some(desk: Desk, ids: dict[str, str], admin: Api) -> None:
    for page, (path, column) in LISTS.items():
        answer = await admin.get(f"/admin/{path}", limit=100)
        rows = next(rows for rows in answer.values() if isinstance(rows, list))
        assert (answer["count"] > 0, len(rows)) == (True, answer["count"]), path
        await desk.open(page)
        shown = "|".join(re.escape(COUNTRIES.get(row[column], str(row[column]))) for row in rows)
        await expect(desk.page.locator("main"), page).to_contain_text(re.compile(shown))
