"""From a cart to an order."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

from velella.core.ids import ulid

from .conftest import Market, MoodyProvider, Store

D = Decimal


async def test_a_completed_cart_is_an_order(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "11.90"}, stock=5)
    cart = await store.ready(variant, quantity=2)
    answer = await store.complete(cart)
    assert answer["type"] == "order"
    order = answer["order"]
    order |= (await store.get(f"/store/orders/{order['id']}", fields="id"))["order"]
    assert (order["status"], order["payment_status"], order["fulfillment_status"]) == ("pending", "authorized", "not_fulfilled")
    assert order["email"] == cart["email"]
    assert order["shipping_address"]["city"] == "Town"
    [item] = order["items"]
    assert (item["variant_id"], item["quantity"], item["detail"]["quantity"], item["total"]) == (variant, 2, 2, D("23.8"))
    assert item["variant"]["product"]["id"] == item["product_id"]
    assert [tax["total"] for tax in item["tax_lines"]] == [D("3.8")]
    assert order["shipping_methods"][0]["name"] == "Standard"
    assert await market.reserved(variant) == 2
    [reservation] = await market.modules.inventory.list("reservation_item", {"line_item_id": item["id"]})
    assert reservation["quantity"] == 2
    shown = await store.get(f"/store/orders/{order['id']}")
    assert shown["order"] == order
    assert (await store.show(cart))["completed_at"] is not None


async def test_completing_again_answers_with_the_same_order(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.ready(variant)
    first = await store.complete(cart)
    second = await store.complete(cart)
    assert second["type"] == "order"
    assert second["order"]["id"] == first["order"]["id"]
    assert await market.reserved(variant) == 1


async def test_forty_completions_of_one_cart_are_one_order(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=100)
    cart = await store.ready(variant, provider="pp_moody_m")
    answers = await asyncio.gather(*(store.complete(cart) for _ in range(40)))
    assert {(answer["type"], answer["order"]["id"]) for answer in answers} == {("order", answers[0]["order"]["id"])}
    assert await market.reserved(variant) == 1
    assert len(await market.modules.order.list("order", {"email": cart["email"]}, fields=("id",))) == 1
    session = (await store.show(cart))["payment_collection"]["payment_sessions"][0]["id"]
    assert [count for key, count in MoodyProvider.asked.items() if session in key] == [1]


async def test_nothing_is_sold_twice(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=10)
    carts = await asyncio.gather(*(store.ready(variant) for _ in range(40)))
    answers = await asyncio.gather(*(store.complete(cart) for cart in carts))
    outcomes = Counter((answer.status, answer.body.get("type"), answer.body.get("code")) for answer in answers)
    assert outcomes == {(200, "order", None): 10, (400, "not_allowed", "insufficient_inventory"): 30}
    assert await market.reserved(variant) == 10
    refused = next(cart for cart, answer in zip(carts, answers, strict=True) if answer.status == 400)
    assert (await store.show(refused))["completed_at"] is None
    assert (await store.complete(refused)).status == 400


async def test_two_lines_cannot_both_take_the_last_unit(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=2)
    cart = await store.cart()
    await store.add(cart, variant)
    await store.add(cart, variant, metadata={"gift": True})
    await store.ship(cart)
    await store.pay(cart)
    await market.modules.inventory.adjust(
        [{"inventory_item_id": await market.item_of(variant), "location_id": market.location, "adjustment": -1}]
    )
    refused = await store.complete(cart)
    assert (refused.status, refused.body["code"]) == (400, "insufficient_inventory")
    assert await market.reserved(variant) == 0


async def test_stock_is_taken_where_it_lies(market: Market, store: Store) -> None:
    outpost = await market.new_location(f"Outpost {ulid()}")
    try:
        variant = await market.new_variant({"eur": "10"}, stock={market.location: 2, outpost: 3})
        cart = await store.ready(variant, quantity=5)
        assert (await store.complete(cart))["type"] == "order"
        assert await market.reserved(variant) == 5
        assert await market.available(variant) == 0
    finally:
        await market.modules.link.detach(
            "sales_channel_stock_location", [{"sales_channel_id": market.channel, "stock_location_id": outpost}]
        )


async def test_a_declined_payment_leaves_the_cart_as_it_was(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.ready(variant, provider="pp_moody_m", mood="declined")
    orders = await market.modules.order.count("order")
    answer = await store.complete(cart)
    assert answer["type"] == "cart"
    assert answer["cart"]["id"] == cart["id"]
    assert set(answer["error"]) == {"message", "name", "type"}
    assert answer["error"]["type"] == "payment_authorization_error"
    assert await market.modules.order.count("order") == orders
    assert await market.reserved(variant) == 0
    shown = await store.show(cart)
    assert shown["completed_at"] is None
    await store.add(cart, variant)
    await store.pay(cart)
    assert (await store.complete(cart))["type"] == "order"
    assert await market.reserved(variant) == 2


async def test_a_payment_that_needs_more_says_so(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.ready(variant, provider="pp_moody_m", mood="requires_more")
    answer = await store.complete(cart)
    assert (answer["type"], answer["error"]["type"]) == ("cart", "payment_requires_more_error")
    assert await market.reserved(variant) == 0


async def test_a_lost_answer_of_the_provider_is_asked_for(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.ready(variant, provider="pp_moody_m", mood="lost")
    answer = await store.complete(cart)
    assert answer["type"] == "order"
    assert answer["order"]["payment_collections"][0]["status"] == "authorized"


async def test_a_provider_that_does_not_answer_at_all_leaves_no_order(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.ready(variant, provider="pp_moody_m", mood="silent")
    answer = await store.complete(cart)
    assert answer.status == 503
    assert await market.reserved(variant) == 0
    assert (await store.show(cart))["completed_at"] is None


async def test_money_that_was_taken_at_once_is_booked(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.ready(variant, provider="pp_moody_m", mood="captured")
    order = (await store.complete(cart))["order"]
    assert order["payment_collections"][0]["status"] == "completed"
    assert order["summary"]["paid_total"] == order["total"]
    assert order["summary"]["pending_difference"] == 0


async def test_a_completed_cart_refuses_changes(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    cart = await store.ready(variant)
    before = await store.show(cart)
    await store.complete(cart)
    path, line = f"/store/carts/{cart['id']}", before["items"][0]["id"]
    refusals = [
        await store.post(path, {"email": "x@example.com"}),
        await store.post(f"{path}/line-items", {"variant_id": variant, "quantity": 1}),
        await store.post(f"{path}/line-items/{line}", {"quantity": 2}),
        await store("DELETE", f"{path}/line-items/{line}"),
        await store.post(f"{path}/shipping-methods", {"option_id": market.option}),
        await store.post(f"{path}/taxes"),
        await store.post("/store/payment-collections", {"cart_id": cart["id"]}),
    ]
    assert {(refused.status, refused.body["type"]) for refused in refusals} == {(400, "invalid_data")}
    after = await store.show(cart)
    changes = {name for name in after if after[name] != before[name]}
    assert changes == {"completed_at", "updated_at", "payment_collection"}


async def test_carts_that_are_not_ready_are_refused(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    cart = await store.cart()
    refusals = [await store.complete(cart)]
    await store.add(cart, variant)
    refusals.append(await store.complete(cart))
    await store.ship(cart)
    refusals.append(await store.complete(cart))
    await store.post("/store/payment-collections", {"cart_id": cart["id"]})
    refusals.append(await store.complete(cart))
    assert [(refused.status, refused.body["type"]) for refused in refusals] == [(400, "invalid_data")] * 4
    assert len({refused.body["message"] for refused in refusals}) == 4


async def test_what_costs_nothing_needs_no_payment(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "0"})
    free = await market.new_option(f"Free {ulid()}", {"eur": "0"})
    cart = await store.add(await store.cart(), variant)
    cart = await store.ship(cart, free)
    assert cart["total"] == 0
    order = (await store.complete(cart))["order"]
    assert (order["total"], order["payment_collections"]) == (0, [])


async def test_a_collection_with_nothing_to_pay_is_the_orders_all_the_same(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "0"})
    cart = await store.ship(await store.add(await store.cart(), variant), await market.new_option(f"Free {ulid()}", {"eur": "0"}))
    made = (await store.post("/store/payment-collections", {"cart_id": cart["id"]}))["payment_collection"]
    order = (await store.complete(cart))["order"]
    assert [(each["id"], each["amount"]) for each in order["payment_collections"]] == [(made["id"], 0)]


async def test_a_change_and_a_completion_at_once_agree(market: Market, store: Store) -> None:
    """Whoever is first: either the line is in the order and paid for, or it is refused."""
    variant = await market.new_variant({"eur": "10"}, stock=100)
    for _ in range(4):
        cart = await store.ready(variant)
        added, completed = await asyncio.gather(
            store.post(f"/store/carts/{cart['id']}/line-items", {"variant_id": variant, "quantity": 1}), store.complete(cart)
        )
        if completed.status == 200:
            assert added.status == 400
            assert [item["quantity"] for item in completed["order"]["items"]] == [1]
        else:
            assert added.status == 200
            assert completed.body["message"] == "Payment sessions are required to complete cart"


async def test_an_order_tells_what_was_bought_even_when_the_product_is_gone(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    cart = await store.ready(variant)
    order = (await store.complete(cart))["order"]
    await market.modules.product.delete_products([order["items"][0]["product_id"]])
    shown = (await store.get(f"/store/orders/{order['id']}"))["order"]
    assert shown["items"][0]["title"] == order["items"][0]["title"]
    assert "variant" not in shown["items"][0]
    assert shown["total"] == order["total"]
