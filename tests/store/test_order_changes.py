"""What a merchant changes in an order is written down beside it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from velella.workflows.kit import Flow, step, workflow
from velella.workflows.order.update import update_order

from .conftest import Market, Row, Store
from .test_orders import placed


async def changes_of(merchant: Store, order: Row) -> list[Row]:
    rows: list[Row] = (await merchant.get(f"/admin/orders/{order['id']}/changes"))["order_changes"]
    return rows


def told(change: Row) -> tuple[str, Any, Any]:
    [action] = change["actions"]
    details = action["details"]
    return details["type"], details["old"], details["new"]


async def test_each_thing_that_is_changed_is_a_confirmed_change(market: Market, store: Store, merchant: Store) -> None:
    order = await placed(market, store)
    body = {"email": "new@example.com", "shipping_address": {"city": "Harbour"}, "metadata": {"gift": True}}
    changed = (await merchant.post(f"/admin/orders/{order['id']}", body))["order"]
    assert (changed["shipping_address"]["city"], changed["shipping_address"]["address_1"]) == ("Harbour", "Street 1")
    changes = {told(change)[0]: change for change in await changes_of(merchant, order)}
    assert set(changes) == {"email", "shipping_address", "metadata"}
    assert told(changes["email"])[1:] == (order["email"], "new@example.com")
    _, old, new = told(changes["shipping_address"])
    assert (old["city"], new["city"]) == ("Town", "Harbour")
    for change in changes.values():
        about = (change["order_id"], change["version"], change["change_type"], change["status"], change["created_by"])
        assert about == (order["id"], 1, "update_order", "confirmed", "user_1")
        assert change["confirmed_at"] is not None


async def test_what_stays_as_it_was_is_no_change(market: Market, store: Store, merchant: Store) -> None:
    order = await placed(market, store)
    address = {"first_name": "Ada", "city": "Town", "country_code": "de"}
    await merchant.post(f"/admin/orders/{order['id']}", {"email": order["email"], "shipping_address": address, "metadata": None})
    assert await changes_of(merchant, order) == []


async def test_changes_are_found_by_what_they_are(market: Market, store: Store, merchant: Store) -> None:
    order = await placed(market, store)
    for email in ("first@example.com", "second@example.com"):
        await merchant.post(f"/admin/orders/{order['id']}", {"email": email})
    path = f"/admin/orders/{order['id']}/changes"
    first, second = (await merchant.get(path, fields="id,*actions"))["order_changes"]
    assert [told(each)[2] for each in (first, second)] == ["first@example.com", "second@example.com"]
    assert [row["id"] for row in (await merchant.get(path, id=second["id"]))["order_changes"]] == [second["id"]]
    assert (await merchant.get(path, status="declined"))["order_changes"] == []
    assert (await merchant.get("/admin/orders/order_0/changes"))["order_changes"] == []


@step
async def sink(flow: Flow) -> None:
    raise RuntimeError("sunk")


@workflow("test-change-and-sink")
async def change_and_sink(flow: Flow, id: str, changes: Row) -> None:
    await flow.run(update_order, id, changes)
    await flow.run(sink)


async def test_a_change_that_is_undone_leaves_no_trace(market: Market, store: Store, merchant: Store) -> None:
    order = await placed(market, store)
    with pytest.raises(RuntimeError, match="sunk"):
        await market.host.workflows.run("test-change-and-sink", {"id": order["id"], "changes": {"email": "gone@example.com"}})
    assert (await merchant.get(f"/admin/orders/{order['id']}"))["order"]["items"][0]["id"] == order["items"][0]["id"]
    assert (await merchant.get(f"/admin/orders/{order['id']}", fields="email"))["order"]["email"] == order["email"]
    assert await changes_of(merchant, order) == []


async def test_two_merchants_change_one_order_and_both_are_written_down(market: Market, store: Store, merchant: Store) -> None:
    order = await placed(market, store)
    path = f"/admin/orders/{order['id']}"
    bodies = [{"email": "one@example.com"}, {"shipping_address": {"city": "Elsewhere"}}, {"email": "two@example.com"}]
    answers = await asyncio.gather(*(merchant.post(path, body) for body in bodies))
    assert [answer.status for answer in answers] == [200, 200, 200]
    changes = [told(change) for change in await changes_of(merchant, order)]
    emails = [(old, new) for kind, old, new in changes if kind == "email"]
    assert len(changes) == 3
    assert emails[0][0] == order["email"]
    assert emails[1][0] == emails[0][1]  # each saw what the one before had left
    shown = (await merchant.get(path, fields="email,*shipping_address"))["order"]
    assert (shown["email"], shown["shipping_address"]["city"]) == (emails[1][1], "Elsewhere")


async def test_the_preview_is_the_order_and_its_items_are_counted(market: Market, store: Store, merchant: Store) -> None:
    order = await placed(market, store)
    shown = (await merchant.get(f"/admin/orders/{order['id']}/preview"))["order"]
    assert (shown["total"], shown["raw_total"]["value"], shown["return_requested_total"]) == (order["total"], str(order["total"]), 0)
    assert (shown["items"][0]["detail"]["quantity"], shown["transactions"]) == (1, [])
    [item] = (await merchant.get(f"/admin/orders/{order['id']}/line-items"))["order_items"]
    assert (item["item_id"], item["item"]["id"], item["history"]) == (*[order["items"][0]["id"]] * 2, {"version": {"from": 1, "to": 1}})


async def test_the_items_of_an_order_are_those_that_the_database_finds(market: Market, store: Store, merchant: Store) -> None:
    order = await placed(market, store)
    path = f"/admin/orders/{order['id']}/line-items"
    at = f"/admin/orders/{order['id']}/fulfillments"

    async def shown(fields: str) -> Row:
        [item] = (await merchant.get(path))["order_items"]
        whole = await merchant.get(path, fields=fields)  # out of the order's document
        assert whole == await merchant.get(path, fields=fields, **{"id[]": item["id"]})  # out of the views on it
        found: Row = whole["order_items"][0]
        return found

    for fields in ("*,*item", "id,raw_quantity,item.tax_lines.*,item.adjustments.*", "order_id,*item.detail,metadata"):
        assert (await shown(fields)).keys() >= {"id", "item"}
    for sent in (0, 1):
        assert (await shown("fulfilled_quantity"))["fulfilled_quantity"] == sent
        if not sent:
            await merchant.post(at, {"items": [{"id": order["items"][0]["id"], "quantity": 1}]})
    assert (await merchant.get("/admin/orders/order_unknown/line-items"))["order_items"] == []


async def test_an_order_is_shown_as_it_was_at_a_former_version(market: Market, store: Store, merchant: Store) -> None:
    order = await placed(market, store)
    paid = {"currency_code": "eur", "reference": "capture", "reference_id": "capt_1"}
    back = {**paid, "amount": -4, "reference": "refund", "reference_id": "ref_1"}
    await market.modules.order.add_transactions(order["id"], [{**paid, "amount": order["total"]}])
    path = f"/admin/orders/{order['id']}"
    before = (await merchant.get(path))["order"]
    await market.modules.order.add_transactions(order["id"], [back])
    now = (await merchant.get(path))["order"]
    assert (now["version"], now["total"], len(now["credit_lines"])) == (2, order["total"] - 4, 1)
    assert (await merchant.get(path, version="1"))["order"] == before
    assert (await merchant.get(path, version="2"))["order"] == now
    assert (await merchant.get(path, version="1", fields="total,items.variant.id"))["order"]["items"][0]["variant"] is not None
    assert (await merchant.get(path, version="3")).status == 404


async def test_variants_are_listed_with_what_there_is_of_them_anywhere(market: Market, merchant: Store) -> None:
    shed = (await market.modules.stock_location.create_locations([{"name": "A shed that sells nowhere"}]))[0]["id"]
    counted = await market.new_variant({"eur": "10"}, stock={market.location: 5, shed: 4}, takes=2)
    free = await market.new_variant({"eur": "10"})
    rows = (await merchant.get("/admin/product-variants", **{"id[0]": counted, "id[1]": free, "fields": "title,inventory_quantity"}))[
        "variants"
    ]
    assert {row["id"]: row.get("inventory_quantity") for row in rows} == {counted: 4, free: None}
