"""docs/compatibility.md says what is served."""

from __future__ import annotations

import re
from pathlib import Path

from velella.http.server import found_routes

from .facts import facts, served

TEXT = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
SERVED = TEXT.partition("## Asked beside Medusa")[0]


METHODS = r"`((?:GET |POST |DELETE )+)(/[^`\s]+)`"


def routes_in(text: str) -> set[str]:
    return {f"{method} {path}" for methods, path in re.findall(METHODS, text) for method in methods.split()}


def test_the_documentation_lists_what_is_served() -> None:
    assert routes_in(SERVED) == {f"{route.method} {route.path}" for route in found_routes()}


def test_the_documentation_counts_them() -> None:
    assert len(served()) == len(facts())
    assert f"All {len(facts())} routes are served" in " ".join(SERVED.split())
