"""docs/compatibility.md says what is served, and what isn't."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from velella.http.server import found_routes

from .facts import later, served

TEXT = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
SERVED, _, REST = TEXT.partition("## Not yet")
NOT_YET = REST.partition("## Where we differ")[0]


METHODS = r"`((?:GET |POST |DELETE )+)(/[^`\s]+)`"


def routes_in(text: str) -> set[str]:
    return {f"{method} {path}" for methods, path in re.findall(METHODS, text) for method in methods.split()}


def test_the_documentation_lists_what_is_served() -> None:
    assert routes_in(SERVED) == {f"{route.method} {route.path}" for route in found_routes()}


def test_the_documentation_lists_what_is_not() -> None:
    assert routes_in(NOT_YET) == set(later())


def test_the_documentation_counts_them() -> None:
    routes = list(served().values())
    assert f"{len(routes)} of the {len(routes) + len(later())} routes are served" in " ".join(NOT_YET.split())
    missing = Counter(_area(route.split()[1]) for route in later())
    there = Counter(_area(route.path) for route in routes)
    counted = {area: (int(served), int(all)) for area, served, all in re.findall(r"\| `(/\S+)` \| (\d+) of (\d+) \|", NOT_YET)}
    assert counted == {area: (there[area], there[area] + number) for area, number in missing.items()}


def _area(path: str) -> str:
    return "/".join(path.split("/")[:3])
