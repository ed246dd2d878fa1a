"""What reading costs: SQL statements of every route that lists or shows. These figures only fall."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from statements import statements_of

from velella.http.server import FrontEnd

from .asking import NAMES, caller, some_of
from .facts import served
from .walk import Shop

FILE = Path(__file__).parent / "statements.json"
BUDGETS: dict[str, int] = json.loads(FILE.read_text())
"""By route, of a shop that is warm: what hardly ever changes is known."""
OTHERWISE = re.compile(
    r"/subscribe|/callback|GET /auth/{}/{}$|GET /store/customers/me|/workflows-executions/{}/{}$"
    r"|/addresses/{}$|/service-zones/{}$|/uploads/{}$"
)
"""Without an end, not about rows, or about what no list tells of."""
CHOSEN = {"zone": "order.list", "rule_type": "rules", "rule_attribute_id": "region", "actor_type": "user", "entity": "orders"}
READING = [name for name in NAMES if name.startswith("GET") and not OTHERWISE.search(name)]


@pytest.mark.parametrize("name", READING)
async def test_reading_keeps_to_its_budget(shop: Shop, name: str) -> None:
    path = served()[name].path
    known = {**CHOSEN, **await some_of(shop, path)}
    if path.startswith(("/store/carts", "/store/orders")) and "{id}" in path:
        known["id"] = shop.ids["cart" if "carts" in path else "order"]
    if path.startswith("/admin/views") and "{id}" in path:
        known["id"] = shop.ids["view"]
    needed = {"cart_id": shop.ids["cart"]} if path == "/store/shipping-options" else {}
    needed |= {"type": "product"} if name == "GET /admin/translations/entities" else {}
    needed |= {"locales": "de-DE", "entity_types": "product"} if name == "GET /admin/translations/statistics" else {}
    needed |= {"region_id": shop.ids["region"]} if path.startswith(("/store/products", "/store/product-v", "/store/payment-prov")) else {}
    api = caller(shop, name)
    spent = []
    front = shop.host.services["http"]
    assert isinstance(front, FrontEnd)
    for _ in range(6):  # what the shop does by itself meanwhile is counted, too
        front._answers.changed(None)  # an answer that is remembered as a whole says nothing of what making it costs
        async with statements_of(shop.host.database("product")) as statements:
            answer = await api.raw("GET", path.format_map(known), params=needed)
        assert answer.status == 200, answer.text
        spent.append(statements.count)
        if os.environ.get("SHOW_STATEMENTS"):  # pytest -s
            print(f"--- {name} {spent[-1]}\n{statements}")
        if len(spent) > 2 and min(spent) <= BUDGETS.get(name, 0):
            break
    if os.environ.get("VELELLA_WRITE"):
        FILE.write_text(json.dumps({**json.loads(FILE.read_text()), name: max(spent[1:])}, indent=2, sort_keys=True) + "\n")
    assert min(spent) <= BUDGETS.get(name, 0)


def test_every_budget_is_of_a_route() -> None:
    assert set(BUDGETS) == set(READING)
