"""Orders are numbered one after the other: what is refused has no number."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import Market, Row, Store


async def number(store: Store, cart: Row) -> int:
    order: Row = (await store.complete(cart))["order"]
    return int(order["display_id"])


@pytest.mark.parametrize("mood", ["declined", "requires_more"])
async def test_a_payment_that_is_refused_leaves_no_gap(market: Market, store: Store, mood: str) -> None:
    variant = await market.new_variant({"eur": "10"})
    before = await number(store, await store.ready(variant))
    cart = await store.ready(variant)
    orders = await market.modules.order.count("order")
    for _ in range(3):
        await store.pay(cart, "pp_moody_m", mood=mood)
        assert (await store.complete(cart))["type"] == "cart"
    assert await market.modules.order.count("order") == orders
    await store.pay(cart)
    assert await number(store, cart) == before + 1


async def test_what_is_refused_for_its_stock_or_its_promotion_leaves_no_gap(market: Market, store: Store) -> None:
    last, plenty = await market.new_variant({"eur": "10"}, stock=1), await market.new_variant({"eur": "10"})
    once = await market.promote(limit=1)
    short = [await store.ready(last) for _ in range(3)]
    promoted = []
    for _ in range(3):
        items = [{"variant_id": plenty, "quantity": 1}]
        promoted.append(await store.ship(await store.cart("de", items=items, promo_codes=[once["code"]])))
        await store.pay(promoted[-1])
    before = await number(store, await store.ready(plenty))
    answers = await asyncio.gather(*(store.complete(cart) for cart in (*short, *promoted)))
    placed = sorted(answer["order"]["display_id"] for answer in answers if answer.status == 200)
    assert placed == [before + 1, before + 2]
    assert {answer.status for answer in answers} == {200, 400}
    assert await number(store, await store.ready(plenty)) == before + 3
