"""What the official SDK can ask for, and what of it is served. Run as a script, brings the table of docs/sdk.md up to date."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from velella.http.server import found_routes

DOCUMENT = Path(__file__).parents[2] / "docs" / "sdk.md"

ENTERPRISE = re.compile(r"admin\.(rbac\w+\.\w+|user\.\w+Roles?)")
"""Methods of the edition whose routes won't come: sdk.json doesn't have them."""


@cache
def asked() -> dict[str, list[str]]:
    """The routes that each method of the SDK asks for, in order."""
    found: dict[str, list[str]] = json.loads(Path(__file__).with_name("sdk.json").read_text())
    return found


def anonymous(route: str) -> str:
    """The names of parameters are ours."""
    return re.sub(r"\{\w+\}", "{}", route)


@cache
def promised() -> dict[str, dict[str, Any]]:
    """What the API promises of each route, as tests/contract has it."""
    data = json.loads((Path(__file__).parents[1] / "contract" / "routes.json").read_text())
    return {anonymous(fact["route"]): fact for fact in data["routes"]}


@cache
def served() -> dict[str, bool]:
    """By method of the SDK: whether every route it asks for is there."""
    there = {anonymous(f"{route.method} {route.path}") for route in found_routes()}
    return {method: there.issuperset(map(anonymous, routes)) for method, routes in asked().items()}


def table() -> str:
    """One row a resource."""
    rows = ["| resource | served | not served |", "| --- | --- | --- |"]
    for resource, methods in groupby(served(), lambda method: method.rpartition(".")[0]):
        names: dict[bool, list[str]] = {True: [], False: []}
        for method in methods:
            names[served()[method]].append(method.rpartition(".")[2])
        rows.append(f"| `{resource}` | {', '.join(names[True])} | {', '.join(names[False])} |")
    return "\n".join(rows)


def document() -> str:
    """docs/sdk.md as it should be."""
    return re.sub(r"\| resource \|.*\|(?=\n)", lambda _: table(), DOCUMENT.read_text(), flags=re.DOTALL)


if __name__ == "__main__":
    DOCUMENT.write_text(document())
