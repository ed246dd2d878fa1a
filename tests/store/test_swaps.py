"""Claims and exchanges: what comes back, what is sent instead, and what is reserved and owed each time."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from .conftest import Market, Row, Store
from .test_order_life import bought, figures, of
from .test_returns import sent

D = Decimal


async def begun(merchant: Store, kind: str, order: Row, **more: str) -> str:
    answer = await merchant.post(f"/admin/{kind}s", {"order_id": order["id"], **more})
    assert answer.status == 200, answer.body
    return f"/admin/{kind}s/{answer[kind]['id']}"


def act(preview: Row, action: str) -> str:
    rows = (*preview["items"], *preview["shipping_methods"])
    return next(str(each["id"]) for row in rows for each in row.get("actions", ()) if each["action"] == action)


async def test_an_exchange_asks_for_one_thing_and_sends_another(market: Market, store: Store, merchant: Store) -> None:
    variant, order = await sent(market, store, merchant)
    other = await market.new_variant({"eur": "20"}, stock=3)
    way = await market.new_option("Back again", {"eur": "4"})
    at = await begun(merchant, "exchange", order)
    assert (await merchant.post(f"{at}/request")).status == 400
    shown = await merchant.post(f"{at}/inbound/items", of(order, 1))
    assert shown["return"]["location_id"] is not None
    assert shown["order_preview"]["order_change"]["return_id"] == shown["return"]["id"]
    assert (await merchant.post(f"{at}/request")).status == 400, "nothing is sent instead"
    preview = (await merchant.post(f"{at}/outbound/items", {"items": [{"variant_id": other, "quantity": 1}]}))["order_preview"]
    preview = (await merchant.post(f"{at}/outbound/items/{act(preview, 'ITEM_ADD')}", {"quantity": 2}))["order_preview"]
    assert [item["quantity"] for item in preview["items"]] == [3, 2]
    preview = (await merchant.post(f"{at}/inbound/shipping-method", {"shipping_option_id": way}))["order_preview"]
    acts = [each for row in preview["items"] + preview["shipping_methods"] for each in row.get("actions", ())]
    returned = {each["action"]: each["return_id"] for each in acts}
    back = shown["return"]["id"]
    assert returned == {"RETURN_ITEM": back, "ITEM_ADD": None, "SHIPPING_ADD": back}
    await merchant.post(f"{at}/inbound/shipping-method/{act(preview, 'SHIPPING_ADD')}", {"custom_amount": 0})
    answers = await asyncio.gather(*(merchant.post(f"{at}/request") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    assert await figures(market, other) == (3, 2)
    swap = (await merchant.get(at, fields="*return,*return.fulfillments,*additional_items"))["exchange"]
    assert (swap["return"]["status"], len(swap["return"]["fulfillments"])) == ("requested", 1)
    [new] = swap["additional_items"]
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    each = D(str(order["items"][0]["total"])) / 3
    assert now["summary"]["pending_difference"] == D(str(now["total"])) - D(str(order["total"])) - each
    assert (await merchant.post(f"{at}/cancel")).status == 400, "its label isn't called off"

    back = f"/admin/returns/{swap['return']['id']}"
    await merchant.post(f"{back}/receive")
    await merchant.post(f"{back}/receive-items", of(order, 1))
    assert (await merchant.post(f"{back}/receive/confirm")).status == 200
    assert await figures(market, variant) == (3, 0)
    body = {"items": [{"id": new["item_id"], "quantity": 2}]}
    assert (await merchant.post(f"/admin/orders/{order['id']}/fulfillments", body)).status == 200
    assert await figures(market, other) == (1, 0)
    assert (await merchant.post(f"{at}/cancel")).status == 400
    last = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert last["summary"]["pending_difference"] == now["summary"]["pending_difference"], "it was counted when it was asked for"


async def test_merchants_who_say_at_once_what_comes_back_begin_one_return(market: Market, store: Store, merchant: Store) -> None:
    _, order = await sent(market, store, merchant)
    at = await begun(merchant, "claim", order, type="refund")
    answers = await asyncio.gather(*(merchant.post(f"{at}/inbound/items", of(order, 1)) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 400, 400], "three were sent"
    told = [answer for answer in answers if answer.status == 200]
    assert len({answer["return"]["id"] for answer in told}) == 1
    assert sorted(len(answer["order_preview"]["items"][0]["actions"]) for answer in told) == [1, 2, 3]
    assert len((await merchant.get("/admin/returns", order_id=order["id"]))["returns"]) == 1


async def test_an_exchange_that_is_called_off_leaves_nothing_behind(market: Market, store: Store, merchant: Store) -> None:
    _, order = await sent(market, store, merchant)
    other = await market.new_variant({"eur": "20"}, stock=3)
    out = await market.new_option("Out", {"eur": "6"})
    before = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    at = await begun(merchant, "exchange", order)
    await merchant.post(f"{at}/inbound/items", of(order, 1))
    await merchant.post(f"{at}/outbound/items", {"items": [{"variant_id": other, "quantity": 1}]})
    await merchant.post(f"{at}/outbound/shipping-method", {"shipping_option_id": out})
    assert (await merchant.post(f"{at}/request")).status == 200
    assert await figures(market, other) == (3, 1)
    answers = await asyncio.gather(*(merchant.post(f"{at}/cancel") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    assert await figures(market, other) == (3, 0)
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert now["items"][0]["detail"]["return_requested_quantity"] == 0
    for name in ("total", "payment_status"):
        assert now[name] == before[name]
    for kind in ("items", "shipping_methods", "payment_collections"):
        assert [row["id"] for row in now[kind]] == [row["id"] for row in before[kind]]
    assert now["summary"]["pending_difference"] == 0
    at = await begun(merchant, "exchange", order)
    await merchant.post(f"{at}/inbound/items", of(order, 1))
    assert (await merchant("DELETE", f"{at}/request"))["object"] == "exchange"
    assert (await merchant.get(at)).status == 404
    assert (await merchant.get("/admin/returns", order_id=order["id"]))["count"] == 1, "the first one's, which was called off"


async def test_a_claim_writes_off_and_sends_instead_without_a_way_of_its_own(market: Market, store: Store, merchant: Store) -> None:
    variant, order = await sent(market, store, merchant)
    at = await begun(merchant, "claim", order, type="replace")
    assert (await merchant.post("/admin/claims", {"order_id": order["id"]})).status == 400
    claimed = {"items": [{"id": order["items"][0]["id"], "quantity": 1, "reason": "wrong_item", "internal_note": "blue"}]}
    assert (await merchant.post(f"{at}/claim-items", {"items": [{**claimed["items"][0], "quantity": 4}]})).status == 400
    preview = (await merchant.post(f"{at}/claim-items", claimed))["order_preview"]
    await merchant.post(f"{at}/claim-items/{act(preview, 'WRITE_OFF_ITEM')}", {"quantity": 2})
    await merchant.post(f"{at}/outbound/items", {"items": [{"variant_id": variant, "quantity": 1, "unit_price": 0}]})
    done = await merchant.post(f"{at}/request")
    assert done["order_preview"]["items"][0]["detail"]["written_off_quantity"] == 2
    assert "return" not in done.body
    claim = (await merchant.get(at))["claim"]
    assert [(item["reason"], item["quantity"], item["note"]) for item in claim["claim_items"]] == [("wrong_item", 2, "blue")]
    [new], [wrong] = claim["additional_items"], claim["claim_items"]
    picture = {"claim_item_id": wrong["id"], "url": "https://pictures.example/blue.png", "metadata": {"by": "Ada"}}
    await market.modules.order.create("order_claim_item_image", [picture])
    shown = (await merchant.get(at, fields="claim_items.images.url,additional_items.images.*"))["claim"]
    assert [image["url"] for item in shown["claim_items"] for image in item["images"]] == [picture["url"]]
    assert [item["images"] for item in shown["additional_items"]] == [[]]
    assert await figures(market, variant) == (2, 1)
    body = {"items": [{"id": new["item_id"], "quantity": 1}]}
    assert (await merchant.post(f"/admin/orders/{order['id']}/fulfillments", body)).status == 200
    assert await figures(market, variant) == (1, 0)
    assert (await merchant.post(f"{at}/cancel")).status == 400


async def test_a_claim_that_is_called_off_is_not_written_off(market: Market, store: Store, merchant: Store) -> None:
    _, order = await sent(market, store, merchant)
    at = await begun(merchant, "claim", order, type="refund")
    line = {"id": order["items"][0]["id"], "quantity": 1, "reason": "other"}
    await merchant.post(f"{at}/claim-items", {"items": [line]})
    await merchant.post(f"{at}/inbound/items", of(order, 1))
    assert (await merchant.post(f"{at}/request"))["return"]["status"] == "requested"
    assert (await merchant.post(f"{at}/cancel"))["claim"]["canceled_at"] is not None
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]["items"][0]["detail"]
    assert (now["written_off_quantity"], now["return_requested_quantity"]) == (0, 0)
    back = (await merchant.get("/admin/returns", order_id=order["id"]))["returns"]
    assert [one["status"] for one in back] == ["canceled"]


async def test_a_claim_is_called_off_also_when_what_was_claimed_is_gone(market: Market, store: Store, merchant: Store) -> None:
    _, order = await bought(market, store)
    at = await begun(merchant, "claim", order, type="replace")
    await merchant.post(f"{at}/claim-items", {"items": [{"id": order["items"][0]["id"], "quantity": 1, "reason": "missing_item"}]})
    instead = {"variant_id": await market.new_variant({"eur": "20"}), "quantity": 1}
    await merchant.post(f"{at}/outbound/items", {"items": [instead]})
    assert (await merchant.post(f"{at}/request")).status == 200
    assert (await merchant.post("/admin/order-edits", {"order_id": order["id"]})).status == 200
    await merchant.post(f"/admin/order-edits/{order['id']}/items/item/{order['items'][0]['id']}", {"quantity": 0})
    assert (await merchant.post(f"/admin/order-edits/{order['id']}/confirm")).status == 200
    assert (await merchant.post(f"{at}/cancel"))["claim"]["canceled_at"] is not None
    assert (await merchant.get(f"/admin/orders/{order['id']}"))["order"]["items"] == []


async def test_what_a_claim_sends_instead_is_as_cheap_as_what_it_stands_for(market: Market, store: Store, merchant: Store) -> None:
    promotion = await market.promote(value="10")
    variant = await market.new_variant({"eur": "10"}, stock=9)
    cart = await store.ship(await store.add(await store.cart(), variant, 2))
    await store.post(f"/store/carts/{cart['id']}/promotions", {"promo_codes": [promotion["code"]]})
    await store.pay(cart)
    order = (await store.complete(cart))["order"]
    await merchant.post(f"/admin/orders/{order['id']}/fulfillments", of(order, 2))
    at = await begun(merchant, "claim", order, type="replace")
    preview = (await merchant.get(f"/admin/orders/{order['id']}/preview"))["order"]
    change = f"/admin/order-changes/{preview['order_change']['id']}"
    assert (await merchant.post(change, {"carry_over_promotions": True})).status == 200
    await merchant.post(f"{at}/claim-items", of(order, 1))
    preview = (await merchant.post(f"{at}/outbound/items", {"items": [{"variant_id": variant, "quantity": 1}]}))["order_preview"]
    assert preview["discount_total"] == 3
    preview = (await merchant.post(f"{at}/outbound/items/{act(preview, 'ITEM_ADD')}", {"quantity": 2}))["order_preview"]
    assert preview["discount_total"] == 4
    preview = (await merchant("DELETE", f"{at}/outbound/items/{act(preview, 'ITEM_ADD')}"))["order_preview"]
    assert preview["discount_total"] == 2
    await merchant.post(f"{at}/outbound/items", {"items": [{"variant_id": variant, "quantity": 1}]})
    assert (await merchant.post(f"{at}/request")).status == 200
    assert (await merchant.get(f"/admin/orders/{order['id']}"))["order"]["discount_total"] == 3


async def test_a_return_carries_no_promotions_over(market: Market, store: Store, merchant: Store) -> None:
    _, order = await sent(market, store, merchant)
    await begun(merchant, "return", order)
    preview = (await merchant.get(f"/admin/orders/{order['id']}/preview"))["order"]
    refused = await merchant.post(f"/admin/order-changes/{preview['order_change']['id']}", {"carry_over_promotions": True})
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")
