"""Nothing is sold twice: not one unit to two buyers, not one cart as two orders."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from velella.core.ids import ulid

from .buyer import Buyer
from .served import Api, Served
from .shop import Shop, sell


async def books(admin: Api, sku: str) -> dict[str, Any]:
    """What the stock room says of an item: stocked, reserved, and the reservations themselves."""
    item = (await admin.get("/admin/inventory-items", sku=sku))["inventory_items"][0]["id"]
    level = (await admin.get(f"/admin/inventory-items/{item}/location-levels"))["inventory_levels"][0]
    found = await admin.get("/admin/reservations", inventory_item_id=item, limit=500)
    return {
        "stocked": level["stocked_quantity"],
        "reserved": level["reserved_quantity"],
        "reservations": found["count"],
        "units": sum(row["quantity"] for row in found["reservations"]),
    }


async def orders_with(admin: Api, variant: str) -> int:
    found = await admin.get("/admin/orders", limit=500, order="-created_at", fields="id,status,items.variant_id")
    return sum(any(item["variant_id"] == variant for item in order["items"]) for order in found["orders"] if order["status"] != "canceled")


async def gathered(coroutines: list[Any], at_once: int) -> list[Any]:
    gate = asyncio.Semaphore(at_once)

    async def one(coroutine: Any) -> Any:
        async with gate:
            return await coroutine

    return await asyncio.gather(*(one(coroutine) for coroutine in coroutines))


async def test_fifty_units_for_two_hundred_buyers_make_fifty_orders(colony: Served, shop: Shop) -> None:
    admin, buyer = await colony.admin(), Buyer(await colony.store(shop.key), shop)
    product = await sell(admin, shop, f"rare-{ulid().lower()}", {"eur": 10}, stock=50)
    variant = product["variants"][0]
    carts = await gathered([buyer.ready(variant["id"]) for _ in range(200)], at_once=8)
    answers = await asyncio.gather(*(buyer.complete(cart) for cart in carts))
    seen = Counter((status, answer.get("type"), answer.get("code")) for status, answer in answers)
    assert seen == {(200, "order", None): 50, (400, "not_allowed", "insufficient_inventory"): 150}
    assert await books(admin, variant["sku"]) == {"stocked": 50, "reserved": 50, "reservations": 50, "units": 50}
    assert await orders_with(admin, variant["id"]) == 50


async def test_two_lines_of_one_variant_cannot_both_take_the_last_unit(colony: Served, shop: Shop) -> None:
    admin, buyer = await colony.admin(), Buyer(await colony.store(shop.key), shop)
    product = await sell(admin, shop, f"last-{ulid().lower()}", {"eur": 10}, stock=2)
    variant = product["variants"][0]
    cart = await buyer.ready(variant["id"])
    # another line of the same variant: its metadata keeps it apart
    body = {"variant_id": variant["id"], "quantity": 1, "metadata": {"engraving": "A"}}
    items = (await buyer.store.post(f"/store/carts/{cart}/line-items", body))["cart"]["items"]
    assert len(items) == 2
    other = await buyer.ready(variant["id"])
    assert (await buyer.complete(other))[1]["type"] == "order"
    await _pay_again(buyer, cart)
    status, refused = await buyer.complete(cart)
    assert (status, refused["type"], refused["code"]) == (400, "not_allowed", "insufficient_inventory")
    assert await books(admin, variant["sku"]) == {"stocked": 2, "reserved": 1, "reservations": 1, "units": 1}


async def test_two_hundred_completions_of_one_cart_make_one_order(colony: Served, shop: Shop) -> None:
    admin, buyer = await colony.admin(), Buyer(await colony.store(shop.key), shop)
    product = await sell(admin, shop, f"once-{ulid().lower()}", {"eur": 10}, stock=10)
    variant = product["variants"][0]
    cart = await buyer.ready(variant["id"])
    answers = await asyncio.gather(*(buyer.complete(cart) for _ in range(200)))
    assert {status for status, _ in answers} == {200}, Counter((status, answer.get("message")) for status, answer in answers)
    assert len({answer["order"]["id"] for _, answer in answers}) == 1
    assert await orders_with(admin, variant["id"]) == 1
    assert (await books(admin, variant["sku"]))["units"] == 1
    order = await admin.get(f"/admin/orders/{answers[0][1]['order']['id']}", fields="+payment_collections.payments.id")
    assert [len(collection["payments"]) for collection in order["order"]["payment_collections"]] == [1]


async def _pay_again(buyer: Buyer, cart: str) -> None:
    """The cart has changed since its payment session was made: make one for the new amount."""
    collection = (await buyer.store.post("/store/payment-collections", {"cart_id": cart}))["payment_collection"]["id"]
    await buyer.store.post(f"/store/payment-collections/{collection}/payment-sessions", {"provider_id": "pp_system_default"})
