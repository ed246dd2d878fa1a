"""What becomes of orders: sent in parts, delivered, called off, and what stock and money say each time."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from .conftest import Market, Row, Store

D = Decimal


async def bought(market: Market, store: Store, stock: int = 5, quantity: int = 2) -> tuple[str, Row]:
    """A variant of which so many were ordered, and the order."""
    variant = await market.new_variant({"eur": "10"}, stock=stock)
    order: Row = (await store.complete(await store.ready(variant, quantity=quantity)))["order"]
    return variant, order


def of(order: Row, quantity: int) -> Row:
    return {"items": [{"id": order["items"][0]["id"], "quantity": quantity}]}


async def figures(market: Market, variant: str) -> tuple[Decimal, Decimal]:
    """What is in stock of it, and what is reserved."""
    item = await market.modules.inventory.retrieve(
        "inventory_item", await market.item_of(variant), fields=("stocked_quantity", "reserved_quantity")
    )
    return item["stocked_quantity"], item["reserved_quantity"]


async def test_what_is_sent_leaves_the_stock_and_its_reservation(market: Market, store: Store, merchant: Store) -> None:
    variant, order = await bought(market, store)
    at = f"/admin/orders/{order['id']}/fulfillments"
    assert await figures(market, variant) == (5, 2)
    first = (await merchant.post(at, of(order, 1), fields="*fulfillments,*items"))["order"]
    assert await figures(market, variant) == (4, 1)
    assert first["items"][0]["detail"]["fulfilled_quantity"] == 1
    assert (await merchant.post(at, of(order, 2))).status == 400
    assert (await merchant.post(at, of(order, 1))).status == 200
    assert await figures(market, variant) == (3, 0)
    box = first["fulfillments"][0]["id"]
    assert (await merchant.post(f"{at}/{box}/cancel")).status == 200
    assert await figures(market, variant) == (4, 1)
    again = await merchant.post(f"{at}/{box}/cancel")
    assert (again.status, again.body["message"]) == (400, "The fulfillment is already canceled")
    shown = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert (shown["fulfillment_status"], shown["version"]) == ("partially_fulfilled", 4)


async def test_of_two_who_send_the_last_units_one_does(market: Market, store: Store, merchant: Store) -> None:
    for counted in (True, False):
        variant = await market.new_variant({"eur": "10"}, stock=5 if counted else None)
        order = (await store.complete(await store.ready(variant, quantity=2)))["order"]
        at = f"/admin/orders/{order['id']}/fulfillments"
        answers = await asyncio.gather(*(merchant.post(at, of(order, 2)) for _ in range(3)))
        assert sorted(answer.status for answer in answers) == [200, 400, 400]
        shown = (await merchant.get(f"/admin/orders/{order['id']}", fields="*fulfillments,*items"))["order"]
        assert (len(shown["fulfillments"]), shown["items"][0]["detail"]["fulfilled_quantity"]) == (1, 2)
        if counted:
            assert await figures(market, variant) == (3, 0)


async def test_what_is_reserved_elsewhere_leaves_no_location_with_less_than_nothing(
    market: Market, store: Store, merchant: Store, shed: str
) -> None:
    variant = await market.new_variant({"eur": "10"}, stock={market.location: 3, shed: 2})
    order = (await store.complete(await store.ready(variant, quantity=4)))["order"]  # three are reserved at one location, one in the shed
    at = f"/admin/orders/{order['id']}/fulfillments"
    refused = await merchant.post(at, of(order, 3) | {"location_id": shed})
    assert (refused.status, refused.body["code"]) == (400, "insufficient_inventory")
    assert await figures(market, variant) == (5, 4)
    assert (await merchant.post(at, of(order, 2) | {"location_id": shed})).status == 200
    assert (await merchant.post(at, of(order, 2) | {"location_id": market.location})).status == 200
    assert await figures(market, variant) == (1, 0)


async def test_what_may_be_sold_before_it_is_there_may_be_sent_from_anywhere_also_once_it_was_called_off(
    market: Market, store: Store, merchant: Store, shed: str
) -> None:
    variant = await market.new_variant({"eur": "10"}, stock={market.location: 1, shed: 0}, backorder=True)
    orders = [(await store.complete(await store.ready(variant, quantity=3)))["order"] for _ in range(2)]  # one's goods at each location
    for place in (shed, market.location):
        for order in orders:
            at = f"/admin/orders/{order['id']}/fulfillments"
            sent = await merchant.post(at, of(order, 3) | {"location_id": place}, fields="*fulfillments")
            assert sent.status == 200
            box = next(each["id"] for each in sent["order"]["fulfillments"] if each["canceled_at"] is None)
            assert await figures(market, variant) == (-2, 3)
            assert (await merchant.post(f"{at}/{box}/cancel")).status == 200
    assert await figures(market, variant) == (1, 6)


async def test_of_two_who_call_a_fulfillment_off_one_does(market: Market, store: Store, merchant: Store) -> None:
    variant, order = await bought(market, store)
    at = f"/admin/orders/{order['id']}/fulfillments"
    box = (await merchant.post(at, of(order, 2), fields="*fulfillments"))["order"]["fulfillments"][0]["id"]
    answers = await asyncio.gather(*(merchant.post(f"{at}/{box}/cancel") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    assert await figures(market, variant) == (5, 2)
    assert (await merchant.get(f"/admin/orders/{order['id']}"))["order"]["fulfillment_status"] == "canceled"
    assert (await merchant.post(f"{at}/{box}/shipments", of(order, 2))).status == 400


async def test_what_a_provider_refuses_never_happened(market: Market, store: Store, merchant: Store) -> None:
    variant, order = await bought(market, store)
    at = f"/admin/orders/{order['id']}"
    before = (await merchant.get(at))["order"]
    option = before["shipping_methods"][0]["shipping_option_id"]
    await market.modules.fulfillment.update("shipping_option", [{"id": option, "provider_id": None}])
    await market.modules.fulfillment.create("fulfillment_provider", [{"id": "gone_gone"}])
    await market.modules.fulfillment.update("shipping_option", [{"id": option, "provider_id": "gone_gone"}])
    try:
        refused = await merchant.post(f"{at}/fulfillments", of(order, 1))
    finally:
        await market.modules.fulfillment.update("shipping_option", [{"id": option, "provider_id": "manual_manual"}])
    assert refused.status in (400, 404)
    assert await figures(market, variant) == (5, 2)
    after = (await merchant.get(at, fields="*items,*fulfillments,*changes"))["order"]
    assert (after["items"][0]["detail"]["fulfilled_quantity"], after["fulfillments"], after["changes"]) == (0, [], [])
    assert (await merchant.post(f"{at}/fulfillments", of(order, 2))).status == 200


async def test_a_parcel_leaves_and_arrives(market: Market, store: Store, merchant: Store) -> None:
    _, order = await bought(market, store)
    at = f"/admin/orders/{order['id']}/fulfillments"
    address = {"address_1": "Elsewhere", "country_code": "de"}
    sent = (await merchant.post(at, of(order, 2) | {"delivery_address": address}, fields="*fulfillments,*fulfillments.delivery_address"))[
        "order"
    ]
    [box] = sent["fulfillments"]
    assert (box["delivery_address"]["address_1"], box["created_by"] is not None) == ("Elsewhere", True)
    label = {"tracking_number": "1", "tracking_url": "https://t.example", "label_url": "https://l.example"}
    shipped = await merchant.post(f"{at}/{box['id']}/shipments", of(order, 2) | {"labels": [label]}, fields="*fulfillments.labels,*items")
    assert shipped["order"]["fulfillments"][0]["labels"][0]["tracking_number"] == "1"
    assert (await merchant.post(f"{at}/{box['id']}/cancel")).status == 400
    assert (await merchant.post(f"{at}/{box['id']}/mark-as-delivered")).status == 200
    assert (await merchant.post(f"{at}/{box['id']}/mark-as-delivered")).status == 400
    shown = (await merchant.get(f"/admin/orders/{order['id']}", fields="*items"))["order"]
    counted = shown["items"][0]["detail"]
    assert [counted[f"{name}_quantity"] for name in ("fulfilled", "shipped", "delivered")] == [2, 2, 2]
    assert shown["fulfillment_status"] == "delivered"
    former = (await merchant.get(f"/admin/orders/{order['id']}", version="2", fields="version,*items"))["order"]
    assert (former["version"], former["items"][0]["detail"]["shipped_quantity"]) == (2, 0)


async def test_a_cancelled_order_gives_back_goods_and_money(market: Market, store: Store, merchant: Store) -> None:
    variant, order = await bought(market, store)
    at = f"/admin/orders/{order['id']}"
    payment = (await merchant.get(at))["order"]["payment_collections"][0]["payments"][0]
    assert (await merchant.post(f"/admin/payments/{payment['id']}/capture")).status == 200
    box = (await merchant.post(f"{at}/fulfillments", of(order, 1), fields="*fulfillments"))["order"]["fulfillments"][0]["id"]
    refused = await merchant.post(f"{at}/cancel")
    assert (refused.status, refused.body["type"]) == (400, "not_allowed")
    await merchant.post(f"{at}/fulfillments/{box}/cancel")
    answers = await asyncio.gather(*(merchant.post(f"{at}/cancel") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    shown = (await merchant.get(at))["order"]
    assert (shown["status"], shown["payment_status"], shown["total"], shown["summary"]["pending_difference"]) == (
        "canceled",
        "refunded",
        0,
        0,
    )
    [refund] = shown["payment_collections"][0]["payments"][0]["refunds"]
    assert refund["amount"] == order["total"]
    assert await figures(market, variant) == (5, 0)
    assert (await merchant.post(f"{at}/fulfillments", of(order, 1))).status == 400
    assert (await merchant.post(f"{at}/complete")).status == 400
    assert (await merchant.post(f"{at}/archive"))["order"]["status"] == "archived"


async def test_a_fulfillment_by_itself_counts_for_nobody_and_one_of_an_order_for_that(
    market: Market, store: Store, merchant: Store
) -> None:
    variant, order = await bought(market, store)
    at = f"/admin/orders/{order['id']}"
    of_order = (await merchant.post(f"{at}/fulfillments", of(order, 2), fields="*fulfillments"))["order"]["fulfillments"][0]
    body = {"location_id": of_order["location_id"], "provider_id": "manual_manual", "delivery_address": {}, "labels": [], "data": {}}
    body |= {"order_id": order["id"], "metadata": None, "items": [{"title": "Gift", "sku": "", "barcode": "", "quantity": 1}]}
    alone = (await merchant.post("/admin/fulfillments", body))["fulfillment"]
    assert [item["title"] for item in alone["items"]] == ["Gift"]
    shipped = await merchant.post(f"/admin/fulfillments/{alone['id']}/shipment", {"labels": []})
    assert shipped["fulfillment"]["shipped_at"] is not None
    assert (await merchant.post(f"/admin/fulfillments/{of_order['id']}/cancel"))["fulfillment"]["canceled_at"] is not None
    assert await figures(market, variant) == (5, 2)
    assert (await merchant.get(at, fields="*items"))["order"]["items"][0]["detail"]["fulfilled_quantity"] == 0
    assert (await merchant.post("/admin/fulfillments", body | {"location_id": "sloc_none"})).status == 404


async def test_what_is_reserved_for_an_order_is_there_to_be_sent(market: Market, store: Store, merchant: Store) -> None:
    """The ways of sending say whether the goods are there: also the last ones, and only what is left of them."""
    variant, order = await bought(market, store, stock=3)
    at = f"/admin/orders/{order['id']}"

    async def short(path: str) -> set[bool]:
        options = (await merchant.get(f"{path}/shipping-options"))["shipping_options"]
        assert {option["service_zone"]["fulfillment_set"]["location"]["id"] for option in options} == {market.location}
        return {option["insufficient_inventory"] for option in options}

    draft = {"email": "d@example.com", "region_id": market.regions["de"], "sales_channel_id": market.channel}
    draft |= {"items": [{"variant_id": variant, "quantity": 1}]}
    made = (await merchant.post("/admin/draft-orders", draft))["draft_order"]
    assert (await short(at), await short(f"/admin/orders/{made['id']}")) == ({False}, {False})
    await store.complete(await store.ready(variant))
    assert (await short(at), await short(f"/admin/orders/{made['id']}")) == ({False}, {True})
    assert (await merchant.post(f"{at}/fulfillments", of(order, 2))).status == 200
    assert await short(at) == {False}


async def test_a_page_of_orders_says_the_same_as_text_and_with_rows_of_other_modules(market: Market, store: Store, merchant: Store) -> None:
    """Pages of orders alone are passed on as text, with the statuses put in; others are put together from rows."""
    variant = await market.new_variant({"eur": "10.10"}, stock=9)
    sent, kept = [(await store.complete(await store.ready(variant, quantity=2)))["order"] for _ in range(2)]

    async def listed() -> list[Row]:
        asked = {"id[$in][0]": sent["id"], "id[$in][1]": kept["id"], "order": "-created_at"}
        alone = (await merchant.get("/admin/orders", **asked, fields="+email,+region_id,*shipping_methods"))["orders"]
        joined = (await merchant.get("/admin/orders", **asked, fields="+email,+region_id,*shipping_methods,+region.id"))["orders"]
        assert all(order.pop("region")["id"] for order in joined)
        assert alone == joined
        assert [order["id"] for order in alone] == [kept["id"], sent["id"]]
        by_region = await merchant.get("/admin/orders", **asked | {"order": "region.name"}, fields="+email,+region_id,*shipping_methods")
        across = by_region["orders"]
        assert sorted(across, key=lambda order: -order["display_id"]) == alone
        rows: list[Row] = alone
        return rows

    await listed()
    box = f"/admin/orders/{sent['id']}/fulfillments"
    assert (await merchant.post(box, of(sent, 1))).status == 200
    assert [order["fulfillment_status"] for order in await listed()] == ["not_fulfilled", "partially_fulfilled"]
    assert (await merchant.post(box, of(sent, 1))).status == 200
    await merchant.post(f"/admin/orders/{kept['id']}", {"email": "else@example.com"})
    now = await listed()
    assert [order["fulfillment_status"] for order in now] == ["not_fulfilled", "fulfilled"]
    assert [order["email"] for order in now] == ["else@example.com", sent["email"]]
    await merchant.post(f"/admin/orders/{kept['id']}/cancel")
    assert [(order["status"], order["payment_status"]) for order in await listed()] == [("canceled", "canceled"), ("pending", "authorized")]
