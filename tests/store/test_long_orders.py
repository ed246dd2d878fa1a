"""What lies behind an order costs nothing: one that was changed often answers like one that was just placed. What an order would be is
worked out without writing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import text
from statements import statements_of

import velella
from velella.core.sql.db.compiled import compiled

from .conftest import Answer, Market, Row, Store
from .test_draft_orders import drafted
from .test_order_life import bought, of

LINES, EDITS, BOXES = 200, 6, 7
"""A box that is called off makes two changes."""
AT_MOST = 1.5
PAGE = "*items,*items.detail,*fulfillments,*fulfillments.items,*payment_collections,*customer,*sales_channel,*region"
OURS = str(Path(next(iter(velella.__path__))))

BEGIN: dict[str, Row] = {"edit": {}, "return": {}, "exchange": {}, "claim": {"type": "replace"}}
ADDED: dict[str, list[tuple[str, Row | None]]] = {
    "edit": [("/items", {})],
    "return": [("/request-items", None)],
    "exchange": [("/inbound/items", None), ("/outbound/items", {})],
    "claim": [("/claim-items", None), ("/outbound/items", {})],
}
"""What is said of the order's line (None) or of another unit of its variant (empty)."""


class Steps:
    """Counts lines of our own code that are carried out."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
        name = frame.f_code.co_filename
        return self.line if name.startswith(OURS) and "/tests/" not in name else None

    def line(self, frame: FrameType, event: str, _: Any) -> Callable[..., Any]:
        self.count += event == "line"
        return self.line


@contextmanager
def traced(really: bool) -> Iterator[Steps]:
    counted, before = Steps(), sys.gettrace()
    if really:
        sys.settrace(counted)
    try:
        yield counted
    finally:
        sys.settrace(before)


async def long_order(market: Market, merchant: Store) -> Row:
    items = [{"title": f"Letter {number}", "quantity": 3, "unit_price": 2} for number in range(LINES)]
    draft = await drafted(market, merchant, *items)
    return (await merchant.post(f"/admin/draft-orders/{draft['id']}/convert-to-order"))["order"]  # type: ignore[no-any-return]


async def edit(merchant: Store, order: Row, line: str, quantity: int) -> None:
    assert (await merchant.post("/admin/order-edits", {"order_id": order["id"]})).status == 200
    at = f"/admin/order-edits/{order['id']}"
    assert (await merchant.post(f"{at}/items/item/{line}", {"quantity": quantity})).status == 200
    assert (await merchant.post(f"{at}/confirm")).status == 200


async def call_off(market: Market, merchant: Store, order: Row, line: str) -> None:
    at = f"/admin/orders/{order['id']}/fulfillments"
    body = {"location_id": market.location, "items": [{"id": line, "quantity": 1}]}
    boxes = (await merchant.post(at, body, fields="fulfillments.id,fulfillments.canceled_at"))["order"]["fulfillments"]
    [box] = [each for each in boxes if each["canceled_at"] is None]
    assert (await merchant.post(f"{at}/{box['id']}/cancel")).status == 200


async def test_an_order_with_many_changes_behind_it_answers_like_a_fresh_one(market: Market, merchant: Store) -> None:
    fresh, changed = [await long_order(market, merchant) for _ in range(2)]
    lines = [line["id"] for line in changed["items"]]
    for number in range(EDITS):
        await edit(merchant, changed, lines[number], 2 if number % 2 else 4)
    for number in range(BOXES):
        await call_off(market, merchant, changed, lines[number])
    statements: dict[str, dict[str, int]] = {}
    steps: dict[str, dict[str, int]] = {}

    async def measured(which: str, name: str, method: str, path: str, body: Row | None = None) -> Answer:
        async with statements_of(market.host.database("cart")) as sent:
            with traced(counts) as counted:
                answer = await merchant(method, path, body)
        assert answer.status == 200, answer
        least = statements.setdefault(name, {})
        least[which] = min(least.get(which, sent.count), sent.count)
        steps.setdefault(name, {})[which] = counted.count
        return answer

    for counts in (False, True):  # the first time, things are learnt
        for which, order in (("fresh", fresh), ("changed", changed)):
            at, edits, line = f"/admin/orders/{order['id']}", f"/admin/order-edits/{order['id']}", order["items"][-1]["id"]
            shown = (await measured(which, "show", "GET", at))["order"]
            assert (len(shown["items"]), shown["version"]) == (LINES, 1 if order is fresh else 1 + EDITS + 2 * BOXES)
            await measured(which, "show its page", "GET", f"{at}?fields={PAGE}")
            await measured(which, "list", "GET", f"/admin/orders?id={order['id']}")
            await measured(which, "begin an edit", "POST", "/admin/order-edits", {"order_id": order["id"]})
            await measured(which, "edit", "POST", f"{edits}/items/item/{line}", {"quantity": 4})
            await measured(which, "preview", "GET", f"{at}/preview")
            if not counts:
                await measured(which, "drop the edit", "DELETE", edits)
                continue
            await measured(which, "confirm", "POST", f"{edits}/confirm")
            body = {"location_id": market.location, "items": [{"id": line, "quantity": 1}]}
            await measured(which, "send", "POST", f"{at}/fulfillments", body)
    print(statements, steps)
    for figures, spare in ((statements, 1), (steps, 0)):  # what the shop does by the clock may come in between
        assert {name: cost for name, cost in figures.items() if cost["changed"] > max(AT_MOST * cost["fresh"], cost["fresh"] + spare)} == {}


@pytest.mark.parametrize("kind", ["edit", "return", "exchange", "claim"])
async def test_what_an_order_would_be_is_worked_out_without_writing(market: Market, store: Store, merchant: Store, kind: str) -> None:
    variant, order = await bought(market, store)
    assert (await merchant.post(f"/admin/orders/{order['id']}/fulfillments", of(order, 2))).status == 200
    begun = (await merchant.post({"edit": "/admin/order-edits"}.get(kind, f"/admin/{kind}s"), BEGIN[kind] | {"order_id": order["id"]})).body
    at = f"/admin/{kind}s/{begun[kind]['id']}" if kind != "edit" else f"/admin/order-edits/{order['id']}"
    for path, body in ADDED[kind]:
        added = of(order, 1) if body is None else {"items": [{"variant_id": variant, "quantity": 1}]} if body == {} else body
        assert (await merchant.post(at + path, added)).status == 200
    rows = text('SELECT xmin::text FROM "order" WHERE id = :id UNION ALL SELECT xmin::text FROM order_change WHERE order_id = :id')
    kept = compiled(rows)
    before = await market.host.database("order").fetch(kept, {"id": order["id"]})
    for _ in range(2):
        async with statements_of(market.host.database("order")) as statements:
            preview = (await merchant.get(f"/admin/orders/{order['id']}/preview"))["order"]
        assert statements.commits == 0, str(statements)
    assert preview["version"] == 2  # nothing but the box counts
    assert await market.host.database("order").fetch(kept, {"id": order["id"]}) == before
