"""Requests for things that don't exist, by a caller with the rights to ask."""

from __future__ import annotations

import re
from typing import Any

from velella.http.kit import Route

from .api import Answer, Api
from .facts import BEYOND, facts, served
from .walk import Shop

NAMES = sorted(served())
RESETTING = "POST /auth/{}/{}/update"
WITH_BODY = [name for name in NAMES if "body" in facts()[name]]


def caller(shop: Shop, name: str) -> Api:
    """A caller that the route admits."""
    if name in BEYOND:
        return shop.guest
    auth = facts()[name]["auth"]
    if auth.startswith("user"):
        return shop.admin
    if auth.startswith("customer") and "optional" not in auth:
        return shop.buyer
    if "unregistered" in auth:
        return shop.buyer
    return shop.store if "/store/" in name else shop.guest


def path_of(route: Route) -> str:
    """The path of something that doesn't exist."""
    known = {"actor_type": "user", "auth_provider": "emailpass", "rule_type": "rules", "rule_attribute_id": "region"}
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "nobody"), route.path)


async def refused(api: Api, name: str, body: Any = None, **options: Any) -> Answer:
    route = served()[name]
    if "body" in facts()[name]:  # what the query string needs is there: it is about the body
        needed = {each: "x" for each in facts()[name].get("query", {}) if not each.endswith("?") and each not in ("~", "$")}
        options.setdefault("params", needed)
    return await api.raw(route.method, path_of(route), body, **options)


def is_error(answer: Answer, status: int, type: str) -> str:
    """The message of an error, which has nothing but a type and a message."""
    assert answer.status == status, answer.text
    assert set(answer.json) == {"type", "message"}, answer.text
    assert answer.json["type"] == type
    assert answer.json["message"]
    return str(answer.json["message"])


async def some_of(shop: Shop, path: str) -> dict[str, str]:
    """Values of the path's parameters that exist, as far as there are lists to find them in."""
    known: dict[str, str] = {}
    for parameter in re.finditer(r"{(\w+)}", path):
        prefix = path[: parameter.start() - 1].format(**known)
        api = shop.store if path.startswith("/store") else shop.admin
        answer = await api.raw("GET", prefix)
        listed = next(iter(answer.json.values())) if answer.status == 200 and answer.json else None
        if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
            return known
        known[parameter[1]] = str(next(listed[0][name] for name in ("id", "code", "name") if name in listed[0]))
    return known
