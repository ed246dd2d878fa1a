"""Things that come back: asked for, received in part, called off; what the order, the stock and the buyer's money say each time."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from .conftest import Market, Row, Store
from .test_order_life import bought, figures, of

D = Decimal


async def sent(market: Market, store: Store, merchant: Store, quantity: int = 3) -> tuple[str, Row]:
    """A variant, and an order of so many of it that is paid and sent."""
    variant, order = await bought(market, store, stock=5, quantity=quantity)
    shown = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    payment = shown["payment_collections"][0]["payments"][0]["id"]
    assert (await merchant.post(f"/admin/payments/{payment}/capture")).status == 200
    assert (await merchant.post(f"/admin/orders/{order['id']}/fulfillments", of(order, quantity))).status == 200
    return variant, order


async def begun(merchant: Store, order: Row) -> str:
    answer = await merchant.post("/admin/returns", {"order_id": order["id"], "internal_note": "by phone"})
    assert answer.status == 200, answer.body
    id: str = answer["return"]["id"]
    return id


async def test_what_comes_back_is_in_stock_again_and_owed_to_the_buyer(market: Market, store: Store, merchant: Store) -> None:
    variant, order = await sent(market, store, merchant)
    order = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    whole = D(str(order["total"]))
    each = D(str(order["items"][0]["total"])) / 3
    id = await begun(merchant, order)
    at = f"/admin/returns/{id}"
    preview = (await merchant.post(f"{at}/request-items", of(order, 2)))["order_preview"]
    assert preview["items"][0]["detail"]["return_requested_quantity"] == 2
    assert preview["summary"]["pending_difference"] == 0
    assert (await merchant.post(f"{at}/request-items", of(order, 2))).status == 400
    assert (await merchant.post(f"{at}/request"))["return"]["status"] == "requested"
    assert (await merchant.post(f"{at}/request")).status == 400
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert now["summary"]["pending_difference"] == float(-2 * each)
    assert now["total"] == order["total"]

    assert (await merchant.post(f"{at}/receive"))["order"]["order_change"]["change_type"] == "return_receive"
    assert (await merchant.post(f"{at}/receive/confirm")).status == 400
    assert (await merchant.post(f"{at}/receive-items", of(order, 3))).status == 400
    said = await asyncio.gather(*(merchant.post(f"{at}/receive-items", of(order, 1)) for _ in range(5)))
    assert sorted(answer.status for answer in said) == [200, 200, 400, 400, 400], "two are asked back, whoever says so first"
    counted = sorted(len(answer["order_preview"]["items"][0]["actions"]) for answer in said if answer.status == 200)
    assert counted == [1, 2], "who comes second is shown what the first has said"
    [act, _] = (await merchant.get(f"/admin/orders/{order['id']}/preview"))["order"]["items"][0]["actions"]
    assert (await merchant("DELETE", f"{at}/receive-items/{act['id']}")).status == 200
    back = await merchant.post(f"{at}/receive/confirm")
    assert (back["return"]["status"], D(str(back["order_preview"]["total"]))) == ("partially_received", whole - each)
    assert await figures(market, variant) == (3, 0)
    await merchant.post(f"{at}/receive")
    await merchant.post(f"{at}/dismiss-items", of(order, 1))
    back = await merchant.post(f"{at}/receive/confirm")
    assert (back["return"]["status"], D(str(back["order_preview"]["total"]))) == ("received", whole - 2 * each)
    assert await figures(market, variant) == (3, 0)
    assert (await merchant.post(f"{at}/cancel")).status == 400
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert now["summary"]["pending_difference"] == float(-2 * each)
    payment = now["payment_collections"][0]["payments"][0]["id"]
    assert (await merchant.post(f"/admin/payments/{payment}/refund", {"amount": float(2 * each)})).status == 200
    paid = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert (paid["summary"]["pending_difference"], D(str(paid["total"])), paid["credit_line_total"]) == (0, whole - 2 * each, 0)
    former = (await merchant.get(f"/admin/orders/{order['id']}", version="2", fields="total,*items"))["order"]
    assert (former["total"], former["items"][0]["detail"]["return_requested_quantity"]) == (order["total"], 0)


async def test_an_order_has_one_open_change(market: Market, store: Store, merchant: Store) -> None:
    _, order = await sent(market, store, merchant)
    answers = await asyncio.gather(*(merchant.post("/admin/returns", {"order_id": order["id"]}) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    [id] = [answer["return"]["id"] for answer in answers if answer.status == 200]
    at = f"/admin/returns/{id}"
    assert (await merchant("DELETE", f"{at}/request")).body == {"id": id, "object": "return", "deleted": True}
    assert (await merchant("DELETE", f"{at}/request")).status == 404
    assert (await merchant.get(at)).status == 404
    assert (await merchant.post("/admin/returns", {"order_id": order["id"]})).status == 200


async def test_of_two_who_confirm_a_return_one_does(market: Market, store: Store, merchant: Store) -> None:
    _, order = await sent(market, store, merchant)
    id = await begun(merchant, order)
    await merchant.post(f"/admin/returns/{id}/request-items", of(order, 2))
    answers = await asyncio.gather(*(merchant.post(f"/admin/returns/{id}/request") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    shown = (await merchant.get(f"/admin/orders/{order['id']}", fields="version,*items"))["order"]
    assert (shown["version"], shown["items"][0]["detail"]["return_requested_quantity"]) == (3, 2)
    answers = await asyncio.gather(*(merchant.post(f"/admin/returns/{id}/cancel") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    shown = (await merchant.get(f"/admin/orders/{order['id']}", fields="version,*items,summary"))["order"]
    assert (shown["version"], shown["items"][0]["detail"]["return_requested_quantity"]) == (4, 0)
    assert shown["summary"]["pending_difference"] == 0


async def test_items_of_a_return_are_changed_and_taken_out_until_it_is_asked_for(market: Market, store: Store, merchant: Store) -> None:
    _, order = await sent(market, store, merchant)
    at = f"/admin/returns/{await begun(merchant, order)}"
    assert (await merchant.post(f"{at}/request")).status == 400
    preview = (await merchant.post(f"{at}/request-items", of(order, 1)))["order_preview"]
    [act] = preview["items"][0]["actions"]
    assert (await merchant.post(f"{at}/request-items/{act['id']}", {"quantity": 4})).status == 400
    preview = (await merchant.post(f"{at}/request-items/{act['id']}", {"quantity": 3, "internal_note": "all"}))["order_preview"]
    assert preview["items"][0]["detail"]["return_requested_quantity"] == 3
    assert (await merchant.get(f"/admin/orders/{order['id']}/preview"))["order"]["order_change"]["status"] == "pending"
    preview = (await merchant("DELETE", f"{at}/request-items/{act['id']}"))["order_preview"]
    assert "actions" not in preview["items"][0]
    assert (await merchant("DELETE", f"{at}/request-items/{act['id']}")).status == 404
    assert (await merchant.post(f"{at}/request-items", {"items": [{"id": "ordli_0", "quantity": 1}]})).status == 400
    assert (await merchant.post("/admin/returns/return_0/request-items", of(order, 1))).status == 404


async def test_a_buyer_asks_for_a_return_with_a_label(market: Market, store: Store, merchant: Store) -> None:
    _, order = await sent(market, store, merchant)
    way = await market.new_option("Back", {"eur": "4"})
    body = {"order_id": order["id"], **of(order, 1), "return_shipping": {"option_id": way, "price": 0}, "note": "too big"}
    assert (await store.post("/store/returns", {**body, "location_id": "sloc_0"})).status == 404
    made = (await store.post("/store/returns", {**body, "receive_now": True}, fields="id,items"))["return"]
    shown = (await merchant.get(f"/admin/returns/{made['id']}", fields="status,*fulfillments,*items"))["return"]
    assert (shown["status"], len(shown["fulfillments"]), shown["items"][0]["quantity"]) == ("requested", 1, 1)
    after = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert len(after["shipping_methods"]) == 2
    assert after["shipping_methods"][1]["amount"] != 0, "a buyer doesn't say what sending back costs"
    assert (await merchant.post(f"/admin/returns/{made['id']}/cancel")).status == 400
    assert (await merchant.post(f"/admin/fulfillments/{shown['fulfillments'][0]['id']}/cancel")).status == 200
    assert (await merchant.post(f"/admin/returns/{made['id']}/cancel"))["return"]["status"] == "canceled"


async def test_a_return_that_is_called_off_is_asked_for_again_and_its_way_back_is_not(
    market: Market, store: Store, merchant: Store
) -> None:
    _, order = await sent(market, store, merchant)
    added = {"items": [{"variant_id": await market.new_variant({"eur": "20"}), "quantity": 1}]}
    await merchant.post("/admin/order-edits", {"order_id": order["id"]})
    await merchant.post(f"/admin/order-edits/{order['id']}/items", added)
    await merchant.post(f"/admin/order-edits/{order['id']}/confirm")

    async def owed() -> tuple[list[D], D]:
        shown = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
        assert len(shown["shipping_methods"]) == 1 + (shown["summary"]["pending_difference"] < 20)
        unpaid = [one["amount"] for one in shown["payment_collections"] if one["status"] == "not_paid"]
        return unpaid, shown["summary"]["pending_difference"]

    assert await owed() == ([20], 20)
    id = await begun(merchant, order)
    await merchant.post(f"/admin/returns/{id}/request-items", of(order, 3))
    way = await market.new_option("Way back", {"eur": "4"})
    await merchant.post(f"/admin/returns/{id}/shipping-method", {"shipping_option_id": way})
    assert (await merchant.post(f"/admin/returns/{id}/request")).status == 200
    assert await owed() == ([], 20 - 30 + 4)
    [label] = (await merchant.get(f"/admin/returns/{id}", fields="*fulfillments"))["return"]["fulfillments"]
    assert (await merchant.post(f"/admin/fulfillments/{label['id']}/cancel")).status == 200
    assert (await merchant.post(f"/admin/returns/{id}/cancel"))["return"]["status"] == "canceled"
    assert await owed() == ([20], 20)


async def test_what_is_called_off_is_not_received_or_asked_for_any_more(market: Market, store: Store, merchant: Store) -> None:
    """Not even where something else asks the same things back."""
    variant, order = await sent(market, store, merchant)
    first, second = [await asked_back(merchant, order, 1) for _ in range(2)]
    await merchant.post(f"/admin/returns/{first}/receive")
    await merchant.post(f"/admin/returns/{first}/receive-items", of(order, 1))
    assert (await merchant.post(f"/admin/returns/{first}/cancel"))["return"]["status"] == "canceled"
    assert (await merchant.post(f"/admin/returns/{first}/dismiss-items", of(order, 1))).status == 400
    refused = await merchant.post(f"/admin/returns/{first}/receive/confirm")
    assert (refused.status, refused.body["message"]) == (400, f"Return with id {first} has been canceled.")
    assert (await merchant("DELETE", f"/admin/returns/{first}/receive")).status == 200
    await merchant.post(f"/admin/returns/{second}/receive")
    await merchant.post(f"/admin/returns/{second}/receive-items", of(order, 1))
    assert (await merchant.post(f"/admin/returns/{second}/receive/confirm"))["return"]["status"] == "received"
    assert await figures(market, variant) == (3, 0)
    third = await begun(merchant, order)
    await merchant.post(f"/admin/returns/{third}/request-items", of(order, 1))
    assert (await merchant.post(f"/admin/returns/{third}/cancel"))["return"]["status"] == "canceled"
    assert (await merchant.post(f"/admin/returns/{third}/request")).status == 400
    assert (await merchant("DELETE", f"/admin/returns/{third}/request")).status == 200


async def asked_back(merchant: Store, order: Row, quantity: int) -> str:
    id = await begun(merchant, order)
    await merchant.post(f"/admin/returns/{id}/request-items", of(order, quantity))
    assert (await merchant.post(f"/admin/returns/{id}/request")).status == 200
    return id


async def test_what_was_never_sent_is_not_returned_and_an_order_is_not_cancelled_meanwhile(
    market: Market, store: Store, merchant: Store
) -> None:
    _, order = await bought(market, store)
    id = await begun(merchant, order)
    assert (await merchant.post(f"/admin/returns/{id}/request-items", of(order, 1))).status == 400, "nothing was sent"
    assert (await merchant.post(f"/admin/orders/{order['id']}/cancel")).status == 400, "a return is open"
    assert (await merchant("DELETE", f"/admin/returns/{id}/request")).status == 200
    assert (await merchant.post(f"/admin/orders/{order['id']}/cancel")).status == 200
    assert (await merchant.post("/admin/returns", {"order_id": order["id"]})).status == 400, "it is cancelled"


async def test_what_is_asked_back_stays_sent(market: Market, store: Store, merchant: Store) -> None:
    """Else it would be put into stock twice: when its fulfillment is called off, and when it comes back."""
    variant, order = await sent(market, store, merchant)
    order = (await merchant.get(f"/admin/orders/{order['id']}", fields="*items,*fulfillments"))["order"]
    unpack = f"/admin/orders/{order['id']}/fulfillments/{order['fulfillments'][0]['id']}/cancel"
    id = await begun(merchant, order)
    await merchant.post(f"/admin/returns/{id}/request-items", of(order, 1))
    assert (await merchant.post(f"/admin/returns/{id}/request")).status == 200
    refused = await merchant.post(unpack)
    assert (refused.status, refused.body["type"]) == (400, "not_allowed")
    assert (await merchant.post(f"/admin/returns/{id}/cancel")).status == 200
    assert (await merchant.post(unpack)).status == 200
    assert await figures(market, variant) == (5, 3)


async def test_a_line_that_is_asked_back_twice_comes_back_once(market: Market, store: Store, merchant: Store) -> None:
    variant, order = await sent(market, store, merchant)
    id = await begun(merchant, order)
    at = f"/admin/returns/{id}"
    for quantity in (1, 2):
        assert (await merchant.post(f"{at}/request-items", of(order, quantity))).status == 200
    assert (await merchant.post(f"{at}/request")).status == 200
    await merchant.post(f"{at}/receive")
    assert (await merchant.post(f"{at}/receive-items", of(order, 2))).status == 200
    assert (await merchant.post(f"{at}/receive-items", of(order, 2))).status == 400
    assert (await merchant.post(f"{at}/dismiss-items", of(order, 1))).status == 200
    assert (await merchant.post(f"{at}/receive/confirm"))["return"]["status"] == "received"
    items = (await merchant.get(at, fields="*items"))["return"]["items"]
    counted = [
        [item[f"{name}quantity"] for name in ("", "received_", "damaged_")] for item in sorted(items, key=lambda each: each["quantity"])
    ]
    assert [row[:2] for row in counted] == [[1, 1], [2, 2]]
    assert sum(row[2] for row in counted) == 1
    assert (await figures(market, variant))[0] == 4, "two of three came back whole"
