"""What the official dashboard asks for: each call of each page, with the fields it names there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .facts import anonymous, served
from .walk import Shop

DASHBOARD = json.loads((Path(__file__).parent / "dashboard.json").read_text())
"""By page the calls in its code (more than it makes: parts are shared); and the `fields` it names, with the route they go to."""
SELECTIONS = DASHBOARD["selections"]
WHAT_IS_DONE = re.compile(r"(POST|DELETE) ")
"""Asked for when somebody does something; a page that is only looked at doesn't."""


def calls_of(page: str) -> list[str]:
    return [call for call in DASHBOARD["pages"][page].split(" | ") if call]


def asked_for_on(page: str) -> list[str]:
    """What opening a page asks of the server."""
    calls = [*calls_of(page), *DASHBOARD["shell"].split(" | ")]
    return [call for call in calls if not WHAT_IS_DONE.match(call)]


def test_no_page_asks_for_what_is_not_served() -> None:
    print(f"{len(DASHBOARD['pages'])} pages")
    missing = {anonymous(call) for page in DASHBOARD["pages"] for call in asked_for_on(page) if anonymous(call) not in served()}
    assert missing == set()


@pytest.mark.parametrize("selection", SELECTIONS, ids=lambda row: f"{row['get']} for {row['by']}")
async def test_the_fields_that_a_page_names_are_shown(shop: Shop, selection: dict[str, str]) -> None:
    path, query = selection["get"], {"fields": selection["fields"]}
    if "{id}" in path:
        path = path.replace("{id}", await _some(shop, path.partition("/{id}")[0]), 1)
    if "{variant_id}" in path:
        path = path.replace("{variant_id}", await _some(shop, path.partition("/{variant_id}")[0]))
    answer = await shop.admin.raw("GET", path, params=query)
    assert answer.status == 200, answer.text
    row = _row(answer.json)
    assert row is not None, f"{path}: nothing to look at"
    names = [name.strip() for name in selection["fields"].split(",") if name.strip()]
    wanted = {name.strip("+*").split(".")[0] for name in names if not name.startswith("-")}
    assert wanted <= set(row)
    assert {name.removeprefix("-") for name in names if name.startswith("-")} & set(row) <= wanted


async def _some(shop: Shop, path: str) -> str:
    """The id of one of the things of a list: one with much in it, where it is known which."""
    if path == "/admin/products":
        return shop.ids["product"]
    if path == "/admin/stock-locations":
        return shop.ids["location"]
    row = _row((await shop.admin.raw("GET", path)).json)
    assert row is not None, f"{path}: nothing there"
    return str(row["id"])


def _row(answer: dict[str, Any]) -> dict[str, Any] | None:
    """The thing in an answer, or the first of its list."""
    shown = next(iter(answer.values()))
    return (shown[0] if shown else None) if isinstance(shown, list) else shown
