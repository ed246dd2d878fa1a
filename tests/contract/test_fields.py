"""Every field that storefronts may ask for is one that can be shown."""

from __future__ import annotations

import re

import pytest

from velella.http.server import found_routes
from velella.http.server.front import RELATIONS_LIMIT

from .asking import NAMES, caller, some_of
from .facts import anonymous, facts, served
from .walk import Shop

AT_ONCE = 40
"""Fields of one request: a line of HTTP isn't endless."""

ELSEWHERE = ("GET /store/shipping-options", "GET /store/customers/me/addresses/{}")
"""Ask for more than a shop that is open."""
PRICED = ("GET /store/products", "GET /store/product-variants")
"""Prices and quantities are worked out here, and refused elsewhere."""
WORKED_OUT = ("calculated_price", "inventory_quantity")
NOWHERE = {"countries.id"}
"""Columns that no table has."""


def can_be_shown(name: str, field: str) -> bool:
    deep = field.count(".") > facts()[name].get("depth", RELATIONS_LIMIT)
    worked_out = any(part in WORKED_OUT for part in field.split("."))
    return not deep and field not in NOWHERE and (not worked_out or name.startswith(PRICED))


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name.startswith("GET /store") and "allowed" in facts()[name] and name not in ELSEWHERE]
)
async def test_what_may_be_asked_for_can_be_shown(shop: Shop, name: str) -> None:
    fact, ids = facts()[name], shop.ids
    key = fact["keys"].split()[0]
    id = {"variant": shop.variants[0], "currency": "eur", "product_option": ids["option"]}.get(key, ids.get(key, ""))
    path = served()[name].path.split("{")[0] + (id if name.endswith("{}") else "")
    needed = {"region_id": ids["region"]} if name.startswith((*PRICED, "GET /store/payment-providers")) else {}
    names = [field for field in fact["allowed"].split() if can_be_shown(name, field)]
    for at in range(0, len(names), AT_ONCE):
        asked = names[at : at + AT_ONCE]
        answer = await caller(shop, name).raw("GET", path, params={**needed, "fields": ",".join(asked)})
        assert answer.status == 200, answer.text
        rows = answer.json[key] if isinstance(answer.json[key], list) else [answer.json[key]]
        lost = [field for field in asked if "." not in field and any(field not in row for row in rows)]
        assert set(lost) <= {"inventory_quantity"}  # nobody counts some of the variants


@pytest.mark.parametrize("path", sorted(route.path for route in found_routes() if route.method == "GET" and not route.streams))
async def test_one_field_is_shown_as_well_as_all(shop: Shop, path: str) -> None:
    known = await some_of(shop, path)
    if path.count("{") > len(known):
        known = {**dict.fromkeys(re.findall(r"{(\w+)}", path), "nothing"), **known}
    answer = await caller(shop, anonymous(f"GET {path}")).raw("GET", path.format(**known), params={"fields": "id"})
    assert answer.status < 500, answer.text
