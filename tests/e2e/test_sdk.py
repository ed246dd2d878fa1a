"""Every method of the official SDK whose route is served, called once or more on a shop that has what it asks for.

The packed topology alone: what a method is answered is the same in all of them, and test_purchase.py holds the others to that.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres

from ..conftest import clone
from . import sdk
from .conftest import run_node
from .served import ADMIN, served

SETTINGS = """
plugins = ["harbour"]
view_configurations = true
emails = ["order-placed", "order-shipped", "order-returned", "order-refunded"]

[providers]
fulfillment = [{use = "manual", id = "manual"}, {use = "harbour:Scales", id = "s"}]
payment = [{use = "system", id = "default"}, {use = "harbour:Packet", id = "p"}]
auth = [{use = "emailpass", id = "emailpass"}, {use = "harbour:Lighthouse", id = "lighthouse"}]
"""

SERVED = [method for method, there in sdk.served().items() if there]
UNSERVED = [method for method, there in sdk.served().items() if not there]

Seen = dict[str, Any]


@pytest.fixture(scope="module")
async def seen(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory, node: Path) -> Seen:
    """What the walk through a shop of its own saw: it changes and deletes what others count on."""
    folder = tmp_path_factory.mktemp("sdk")
    (folder / "velella.toml").write_text(SETTINGS)
    shutil.copytree(Path(__file__).with_name("harbour"), folder / "harbour")
    async with served(folder, "packed", "--empty", database_url=await clone(postgres, migrated)) as running:
        argument = {"base": running.base, "email": ADMIN[0], "password": ADMIN[1], "served": SERVED, "unserved": UNSERVED}
        seen: Seen = json.loads(await run_node(node, "sdk.mjs", json.dumps(argument)))
    return seen


def calls(seen: Seen, method: str) -> list[Seen]:
    found = [call for call in seen["calls"] if call["method"] == method]
    assert found, f"{method} wasn't called"
    return found


@pytest.mark.parametrize("method", SERVED)
async def test_a_method_gets_what_it_asks_for(seen: Seen, method: str) -> None:
    for call in calls(seen, method):
        assert call["error"] is None
        assert len(call["requests"]) == len(sdk.asked()[method])
        for route, request in zip(sdk.asked()[method], call["requests"], strict=True):
            assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), f"{request['method']} {request['path']}")
            assert list(wrong(method, sdk.promised()[sdk.anonymous(route)], request)) == []


async def test_a_method_that_is_not_served_says_so(seen: Seen) -> None:
    assert [method for method in UNSERVED for call in calls(seen, method) if call["error"] is None] == []


async def test_nothing_kept_the_walk_from_its_end(seen: Seen) -> None:
    assert seen["broken"] == []


async def test_buyers_get_emails_about_their_orders(seen: Seen) -> None:
    last = [call for call in calls(seen, "admin.notification.list") if call["error"] is None][-1]["requests"][0]["answer"]
    emails = {row["template"]: row for row in last["notifications"] if row["template"].startswith("order-")}
    assert emails.keys() >= {"order-placed", "order-shipped", "order-returned", "order-refunded"}
    assert emails["order-shipped"]["data"]["tracking"] == "1 https://t.example"
    assert emails["order-shipped"]["data"]["items"] == "1 × Sail Shirt (M)"
    assert emails["order-placed"]["data"]["total"].endswith(" EUR")
    assert emails["order-returned"]["data"]["items"] == "1 × Sail Shirt (M)"
    assert emails["order-refunded"]["data"]["amount"] == "1.50 EUR"


async def test_the_sdk_has_no_other_methods(seen: Seen) -> None:
    assert {method for method in seen["methods"] if not sdk.ENTERPRISE.fullmatch(method)} == sdk.asked().keys()


def test_the_documentation_lists_every_method() -> None:
    assert sdk.document() == sdk.DOCUMENT.read_text(), "run tests/e2e/sdk.py"


def wrong(method: str, fact: Seen, request: Seen) -> Iterator[str]:
    """What an answer isn't that it should be."""
    answer, keys = request["answer"], fact.get("keys", "").split()
    if request["status"] != fact["status"]:
        yield f"status {request['status']}"
    if not keys:
        return
    if set(answer) != set(keys) and "type" not in keys:
        yield f"keys {list(answer)} instead of {keys}"
        return
    path, shown = request["path"].split("/"), answer.get(keys[0])
    if "object" in keys and (answer["deleted"] is not True or not _named(answer["id"], path)):
        yield f"deleted: {answer}"
    if request["method"] == "GET" and shown == []:
        yield f"no {keys[0]}"
    if isinstance(shown, dict):
        other = "order_preview" in keys  # what would become of an order, which the path of its change doesn't name
        if fact["route"].endswith("}") and not other and not _named(shown.get("id", shown.get("code")), path):
            yield f"another {keys[0]}: {shown.get('id')}"
        if method.endswith((".create", ".update")):
            for name, value in (request["sent"] or {}).items():
                if isinstance(value, str | int | float) and name in shown and shown[name] != value:
                    yield f"{name} is {shown[name]!r}, sent was {value!r}"


def _named(id: str, path: list[str]) -> bool:
    """Whether that is what the path asks for. A level is asked for by its item and place, a customer by `me`."""
    return id in path or id.startswith("ilev_") or "me" in path
