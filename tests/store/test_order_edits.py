"""Orders that are edited: lines, prices and ways of sending; what is reserved and owed each time."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from .conftest import Market, Row, Store
from .test_order_life import bought, figures, of

D = Decimal


async def begun(merchant: Store, order: Row) -> str:
    assert (await merchant.post("/admin/order-edits", {"order_id": order["id"]})).status == 200
    return f"/admin/order-edits/{order['id']}"


async def captured(merchant: Store, order: Row) -> Row:
    shown: Row = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    payment = shown["payment_collections"][0]["payments"][0]["id"]
    assert (await merchant.post(f"/admin/payments/{payment}/capture")).status == 200
    return shown


async def test_what_is_added_is_reserved_and_asked_for_and_what_goes_is_given_back(market: Market, store: Store, merchant: Store) -> None:
    variant, placed = await bought(market, store)
    order = await captured(merchant, placed)
    line, other = order["items"][0]["id"], await market.new_variant({"eur": "20"}, stock=4)
    at = await begun(merchant, order)
    assert (await merchant.post("/admin/order-edits", {"order_id": order["id"]})).status == 400
    added = (await merchant.post(f"{at}/items", {"items": [{"variant_id": other, "quantity": 3}]}))["order_preview"]
    new = next(item for item in added["items"] if item["id"] != line)
    assert (added["summary"]["pending_difference"], added["version"]) == (D(str(added["total"])) - D(str(order["total"])), 1)
    assert await figures(market, other) == (4, 0), "an edit that isn't confirmed reserves nothing"
    act = new["actions"][0]["id"]
    changed = (await merchant.post(f"{at}/items/{act}", {"quantity": 2, "unit_price": 15}))["order_preview"]
    revised = next(item for item in changed["items"] if item["id"] == new["id"])
    assert (revised["unit_price"], revised["quantity"]) == (15, 2)
    await merchant.post(f"{at}/items/item/{line}", {"quantity": 1})
    assert (await merchant.post(f"{at}/request"))["order_preview"]["order_change"]["status"] == "requested"
    answers = await asyncio.gather(*(merchant.post(f"{at}/confirm") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    assert (await figures(market, variant), await figures(market, other)) == ((5, 1), (4, 2))
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    owed = now["summary"]["pending_difference"]
    assert owed == D(str(now["total"])) - D(str(order["total"])) > 0
    assert [(one["status"], one["amount"]) for one in now["payment_collections"]] == [("completed", order["total"]), ("not_paid", owed)]
    assert (now["version"], now["summary"]["original_order_total"]) == (2, order["total"])

    await begun(merchant, order)
    await merchant.post(f"{at}/items/item/{new['id']}", {"quantity": 0})
    await merchant.post(f"{at}/confirm")
    assert (await figures(market, variant), await figures(market, other)) == ((5, 1), (4, 0))
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert [item["id"] for item in now["items"]] == [line]
    assert now["summary"]["pending_difference"] < 0
    assert [one["status"] for one in now["payment_collections"]] == ["completed"], "nothing is asked for any more"
    former = (await merchant.get(f"/admin/orders/{order['id']}", version="2", fields="total,*items"))["order"]
    assert len(former["items"]) == 2


async def test_an_edit_that_cannot_be_had_changes_nothing(market: Market, store: Store, merchant: Store) -> None:
    _, order = await bought(market, store)
    scarce = await market.new_variant({"eur": "20"}, stock=1)
    at = await begun(merchant, order)
    await merchant.post(f"{at}/items", {"items": [{"variant_id": scarce, "quantity": 2}]})
    refused = await merchant.post(f"{at}/confirm")
    assert refused.status == 400
    assert await figures(market, scarce) == (1, 0)
    now = (await merchant.get(f"/admin/orders/{order['id']}", fields="version,order_change"))["order"]
    assert (now["version"], now["order_change"]["status"]) == (1, "pending")
    for wrong in (
        {"variant_id": "variant_0", "quantity": 1},
        {"variant_id": scarce, "quantity": 0},
        {"variant_id": scarce, "quantity": 0.5},
    ):
        assert (await merchant.post(f"{at}/items", {"items": [wrong]})).status == 400
    assert (await merchant("DELETE", at)).body == {"id": order["id"], "object": "order-edit", "deleted": True}
    assert (await merchant.post(f"{at}/confirm")).status == 400


async def test_what_was_sent_stays_in_the_order(market: Market, store: Store, merchant: Store) -> None:
    variant, order = await bought(market, store)
    line = order["items"][0]["id"]
    assert (await merchant.post(f"/admin/orders/{order['id']}/fulfillments", of(order, 1))).status == 200
    at = await begun(merchant, order)
    assert (await merchant.post(f"{at}/items/item/{line}", {"quantity": 0})).status == 400
    assert (await merchant.post(f"{at}/items/item/{line}", {"quantity": 1})).status == 200
    assert (await merchant.post(f"{at}/confirm")).status == 200
    assert await figures(market, variant) == (4, 0)
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert now["fulfillment_status"] == "fulfilled"


async def test_what_is_held_is_not_asked_for_twice(market: Market, store: Store, merchant: Store) -> None:
    _, order = await bought(market, store)
    at = await begun(merchant, order)
    await merchant.post(f"{at}/items/item/{order['items'][0]['id']}", {"quantity": 3})
    await merchant.post(f"{at}/confirm")
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    more = D(str(now["total"])) - D(str(order["total"]))
    assert [(one["status"], one["amount"]) for one in now["payment_collections"]] == [("authorized", order["total"]), ("not_paid", more)]


async def test_a_credit_settles_what_is_owed_and_no_more(market: Market, store: Store, merchant: Store) -> None:
    _, placed = await bought(market, store)
    order = await captured(merchant, placed)
    at, why = f"/admin/orders/{order['id']}/credit-lines", {"reference": "goodwill", "reference_id": "1"}
    assert (await merchant.post(at, {"amount": 1, **why})).status == 400
    edit = await begun(merchant, order)
    await merchant.post(f"{edit}/items/item/{order['items'][0]['id']}", {"quantity": 3})
    await merchant.post(f"{edit}/confirm")
    owed = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]["summary"]["pending_difference"]
    assert (await merchant.post(at, {"amount": float(owed) + 1, **why})).status == 400
    assert (await merchant.post(at, {"amount": -1, **why})).status == 400
    credited = (await merchant.post(at, {"amount": float(owed), **why}))["order"]
    assert (credited["summary"]["pending_difference"], credited["total"]) == (0, order["total"])
    assert [one["status"] for one in credited["payment_collections"]] == ["completed"]
