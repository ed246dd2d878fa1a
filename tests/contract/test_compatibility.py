"""docs/compatibility.md says what is served, and what isn't."""

from __future__ import annotations

import re
from pathlib import Path

from velella.http.frontend import found_routes

TEXT = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
SERVED, _, REST = TEXT.partition("## Not yet")
NOT_YET = REST.partition("## Where we differ")[0]


METHODS = r"`((?:GET |POST |DELETE )+)(/[^`\s]+)`"


def routes_in(text: str) -> set[str]:
    return {f"{method} {path}" for methods, path in re.findall(METHODS, text) for method in methods.split()}


def test_the_documentation_lists_what_is_served() -> None:
    assert routes_in(SERVED) == {f"{route.method} {route.path}" for route in found_routes()}


def test_nothing_is_served_that_the_documentation_says_is_not() -> None:
    begins = tuple(f"{path.rstrip('…/')}/" for path in re.findall(r"`(/[^`\s]+)`", NOT_YET))
    served = [route for route in found_routes() if not re.fullmatch(r"/admin/orders/{id}", route.path)]
    assert begins
    assert [route.path for route in served if f"{route.path}/".startswith(begins)] == []
    assert routes_in(NOT_YET) & {f"{route.method} {route.path}" for route in found_routes()} == set()
