"""Draft orders: made and edited by merchants, priced as carts are, and orders in the end; what is reserved and owed each time."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from velella.modules.order.service import OrderService
from velella.workflows.order import draft_edits
from velella.workflows.order.adjusting import after_change

from .conftest import Market, Row, Store
from .test_order_life import figures

D = Decimal
ADDRESS = {"first_name": "Mia", "address_1": "Road", "city": "Town", "postal_code": "1", "country_code": "us"}


async def drafted(market: Market, merchant: Store, *items: Row, country: str = "us", **more: object) -> Row:
    """A draft with these lines: in a region where prices are without tax (7.25 %)."""
    address = {**ADDRESS, "country_code": country}
    body = {
        "region_id": market.regions[country],
        "sales_channel_id": market.channel,
        "email": "Mia@example.com",
        "shipping_address": address,
    }
    made: Row = (await merchant.post("/admin/draft-orders", {**body, "items": items, **more}))["draft_order"]
    return made


def action(preview: Row, kind: str, name: str) -> str:
    found = [act["id"] for line in preview[kind] for act in line.get("actions", ()) if act["action"] == name]
    return str(found[-1])


async def test_a_draft_reserves_nothing_until_it_is_an_order(market: Market, merchant: Store) -> None:
    variant = await market.new_variant({"usd": "10"}, stock=5)
    by_hand = {"title": "Engraving", "quantity": 1, "unit_price": 8}
    draft = await drafted(market, merchant, {"variant_id": variant, "quantity": 2}, by_hand)
    assert (draft["status"], draft["version"], draft["total"]) == ("draft", 1, D("30.03"))
    assert await figures(market, variant) == (5, 0)
    at = f"/admin/draft-orders/{draft['id']}"
    listed = (await merchant.get("/admin/draft-orders", id=draft["id"]))["draft_orders"]
    assert [each["email"] for each in listed] == ["mia@example.com"]
    assert (await merchant.get("/admin/orders", id=draft["id"]))["orders"] == []
    sent = {"items": [{"id": draft["items"][0]["id"], "quantity": 1}]}
    for path, body in (
        (f"/admin/orders/{draft['id']}/fulfillments", sent),
        ("/admin/order-edits", {"order_id": draft["id"]}),
        ("/admin/returns", {"order_id": draft["id"]}),
    ):
        assert (await merchant.post(path, body)).status == 400, path
    answers = await asyncio.gather(*(merchant.post(f"{at}/convert-to-order") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    assert await figures(market, variant) == (5, 2)
    order = (await merchant.get(f"/admin/orders/{draft['id']}", fields="status,is_draft_order,total"))["order"]
    assert (order["status"], order["is_draft_order"], order["total"]) == ("pending", False, D("30.03"))
    for refused in (await merchant.post(f"{at}/edit"), await merchant("DELETE", at), await merchant.post(at, {"email": "b@example.com"})):
        assert (refused.status, refused.body["message"]) == (400, f"Order {draft['id']} is not a draft order")
    assert (await merchant.get(at)).status == 404
    assert (await merchant.post(f"/admin/orders/{draft['id']}/fulfillments", {**sent, "location_id": market.location})).status == 200


async def test_an_edit_is_not_begun_of_a_draft_that_becomes_an_order_at_that_moment(
    market: Market, merchant: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant = await market.new_variant({"usd": "10"}, stock=50)
    draft = await drafted(market, merchant, {"variant_id": variant, "quantity": 1})
    at = f"/admin/draft-orders/{draft['id']}"
    orders = market.host.services["order"]
    assert isinstance(orders, OrderService)
    looked_at = orders.at_work
    converted: list[Any] = []

    async def converted_then(order_id: str, of: Any = None) -> Any:
        found = await looked_at(order_id, of)
        if order_id == draft["id"] and not converted:
            converted.append(None)
            converted[0] = await merchant.post(f"{at}/convert-to-order", {})
        return found

    monkeypatch.setattr(orders, "at_work", converted_then)
    refused = await merchant.post(f"{at}/edit", {})
    assert [answer.status for answer in converted] == [200]
    assert (refused.status, refused.body["message"]) == (400, f"Order {draft['id']} is not a draft order")
    assert await market.modules.order.list("order_change", {"order_id": draft["id"]}) == []


async def test_a_draft_is_deleted_with_what_it_asks_for_unless_that_is_paid(market: Market, store: Store, merchant: Store) -> None:
    drafts = [await drafted(market, merchant, {"title": "Engraving", "quantity": 1, "unit_price": 8}) for _ in range(2)]
    asked = []
    for draft in drafts:
        at = f"/admin/draft-orders/{draft['id']}"
        await merchant.post(f"{at}/edit")
        await merchant.post(f"{at}/edit/items/item/{draft['items'][0]['id']}", {"quantity": 2})
        assert (await merchant.post(f"{at}/edit/confirm")).status == 200
        [collection] = await market.modules.payment.list("payment_collection", {"order_id": draft["id"]}, fields=("id",))
        asked.append(collection["id"])
    assert (await merchant("DELETE", f"/admin/draft-orders/{drafts[0]['id']}")).status == 200
    assert (await store.post(f"/store/payment-collections/{asked[0]}/payment-sessions", {"provider_id": "pp_vault_v"})).status == 404
    path = f"/admin/payment-collections/{asked[1]}/mark-as-paid"
    assert (await merchant.post(path, {"order_id": drafts[1]["id"]})).status == 200
    refused = await merchant("DELETE", f"/admin/draft-orders/{drafts[1]['id']}")
    assert (refused.status, refused.body["type"]) == (400, "not_allowed")
    assert (await merchant.post(f"/admin/draft-orders/{drafts[1]['id']}/convert-to-order")).status == 200


async def test_what_cannot_be_had_keeps_a_draft_a_draft(market: Market, merchant: Store) -> None:
    scarce, plenty = await market.new_variant({"usd": "10"}, stock=3), await market.new_variant({"usd": "10"}, stock=9)
    first, second = [
        await drafted(market, merchant, {"variant_id": plenty, "quantity": 1}, {"variant_id": scarce, "quantity": 2}) for _ in range(2)
    ]
    assert (await merchant.post(f"/admin/draft-orders/{first['id']}/convert-to-order")).status == 200
    assert (await merchant.post(f"/admin/draft-orders/{second['id']}/convert-to-order")).status == 400
    assert (await figures(market, scarce), await figures(market, plenty)) == ((3, 2), (9, 1))
    assert (await merchant.get(f"/admin/draft-orders/{second['id']}"))["draft_order"]["status"] == "draft"
    for wrong in (
        {"variant_id": scarce, "quantity": 4},
        {"variant_id": scarce, "quantity": 0},
        {"variant_id": "variant_0", "quantity": 1},
        {"title": "Untold", "quantity": 1},
        {"quantity": 1},
    ):
        body = {"region_id": market.regions["us"], "sales_channel_id": market.channel, "email": "a@example.com", "items": [wrong]}
        assert (await merchant.post("/admin/draft-orders", body)).status == 400, wrong
    nobody = await merchant.post("/admin/draft-orders", {"region_id": market.regions["us"]})
    assert nobody.body["message"] == "Either email or customer_id must be provided"


async def test_a_code_takes_off_what_an_edit_leaves(market: Market, merchant: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    promotion = await market.promote(value="25")
    variant = await market.new_variant({"usd": "20"}, stock=9)
    draft = await drafted(market, merchant, {"variant_id": variant, "quantity": 1})
    edit, code = f"/admin/draft-orders/{draft['id']}/edit", {"promo_codes": [promotion["code"]]}
    line = draft["items"][0]["id"]
    assert (await merchant.post(f"{edit}/promotions", code)).status == 400, "no edit was begun"
    await merchant.post(edit)
    assert (await merchant.post(f"{edit}/promotions", {"promo_codes": ["NOTHING"]})).status == 400
    preview = (await merchant.post(f"{edit}/promotions", code))["draft_order_preview"]
    assert (preview["discount_total"], preview["total"]) == (D("5.3625"), D("16.09"))
    preview = (await merchant.post(f"{edit}/items/item/{line}", {"quantity": 2}))["draft_order_preview"]
    assert (preview["item_subtotal"], preview["total"]) == (40, D("32.18"))
    preview = (await merchant.post(f"{edit}/items", {"items": [{"title": "Card", "quantity": 1, "unit_price": 4}]}))["draft_order_preview"]
    assert (preview["item_subtotal"], preview["total"]) == (44, D("35.39"))
    card = action(preview, "items", "ITEM_ADD")
    preview = (await merchant("DELETE", f"{edit}/items/{card}"))["draft_order_preview"]
    assert preview["total"] == D("32.18")
    shown = (await merchant.get(f"/admin/draft-orders/{draft['id']}"))["draft_order"]
    assert (shown["total"], shown["version"]) == (D("21.45"), 1), "nothing is so before it is confirmed"
    assert (await merchant.post(f"/admin/draft-orders/{draft['id']}/convert-to-order")).status == 400, "it is being edited"

    async def overtaken(*given: Any) -> Any:
        [update] = [act for act in given[2] if act["action"] == "ITEM_UPDATE"]
        priced = await after_change(*given)
        await market.modules.order.revise_act({"id": update["order_change_id"]}, update["id"], {"internal_note": "meanwhile"})
        return priced

    with monkeypatch.context() as patch:
        patch.setattr(draft_edits, "after_change", overtaken)
        assert (await merchant.post(f"{edit}/confirm")).status == 409, "what was priced is another by now"
    answers = await asyncio.gather(*(merchant.post(f"{edit}/confirm") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    show = "version,total,promotions.code,payment_collections.amount,*items.adjustments"
    shown = (await merchant.get(f"/admin/draft-orders/{draft['id']}", fields=show))["draft_order"]
    assert (shown["version"], shown["total"]) == (2, D("32.18"))
    assert [each["code"] for each in shown["promotions"]] == [promotion["code"]]
    assert [each["amount"] for each in shown["payment_collections"]] == [D("32.18")]

    await merchant.post(edit)
    assert (await merchant("DELETE", f"{edit}/promotions", code))["draft_order_preview"]["discount_total"] == 0
    assert (await merchant("DELETE", edit)).body == {"id": draft["id"], "object": "draft-order-edit", "deleted": True}
    assert (await merchant.get(f"/admin/draft-orders/{draft['id']}"))["draft_order"]["total"] == D("32.18")
    await merchant.post(f"/admin/draft-orders/{draft['id']}/convert-to-order")
    assert (await market.modules.promotion.retrieve("promotion", promotion["id"]))["used"] == 1


async def test_a_draft_says_who_had_it_and_where_it_was_sold(market: Market, merchant: Store) -> None:
    draft = await drafted(market, merchant, {"title": "Boat", "quantity": 1, "unit_price": 100})
    customer = (await merchant.post("/admin/customers", {"email": "joan@example.com"}))["customer"]["id"]
    channel = (await merchant.post("/admin/sales-channels", {"name": "Telephone"}))["sales_channel"]["id"]
    at = f"/admin/draft-orders/{draft['id']}"
    was = (await merchant.get(at, fields="customer_id,sales_channel_id"))["draft_order"]
    await merchant.post(at, {"customer_id": customer, "sales_channel_id": channel})
    changes = (await merchant.get(f"/admin/orders/{draft['id']}/changes"))["order_changes"]
    details = {(said := change["actions"][0]["details"])["type"]: (said["old"], said["new"]) for change in changes}
    assert details == {"customer_id": (was["customer_id"], customer), "sales_channel_id": (was["sales_channel_id"], channel)}


async def test_an_edit_of_a_draft_is_requested_as_one_of_an_order(market: Market, merchant: Store) -> None:
    """So asks the dashboard where a draft's promotions were edited."""
    draft = await drafted(market, merchant, {"title": "Boat", "quantity": 1, "unit_price": 100})
    edit = f"/admin/draft-orders/{draft['id']}/edit"
    await merchant.post(edit)
    requested = (await merchant.post(f"/admin/order-edits/{draft['id']}/request"))["order_preview"]["order_change"]
    assert (requested["order_id"], requested["status"]) == (draft["id"], "requested")
    assert (await merchant.post(f"/admin/order-edits/{draft['id']}/confirm")).status == 400
    assert (await merchant.post(f"{edit}/confirm")).status == 200


async def test_a_way_of_sending_is_added_changed_and_removed(market: Market, merchant: Store) -> None:
    draft = await drafted(market, merchant, {"title": "Boat", "quantity": 1, "unit_price": 100})
    edit, option = f"/admin/draft-orders/{draft['id']}/edit", {"shipping_option_id": market.option}
    await merchant.post(edit)
    preview = (await merchant.post(f"{edit}/shipping-methods", {**option, "custom_amount": 10}))["draft_order_preview"]
    assert (preview["shipping_subtotal"], preview["total"]) == (10, D("117.98"))
    act = action(preview, "shipping_methods", "SHIPPING_ADD")
    preview = (await merchant.post(f"{edit}/shipping-methods/{act}", {**option, "custom_amount": 20}))["draft_order_preview"]
    assert preview["shipping_subtotal"] == 20
    await merchant.post(f"{edit}/confirm")
    method = preview["shipping_methods"][0]["id"]
    await merchant.post(edit)
    preview = (await merchant.post(f"{edit}/shipping-methods/method/{method}", {"custom_amount": 0}))["draft_order_preview"]
    assert (preview["shipping_total"], preview["total"]) == (0, D("107.25"))
    assert (await merchant.post(f"{edit}/shipping-methods/method/ordsm_0", {"custom_amount": 0})).status == 400
    await merchant("DELETE", edit)
    shown = (await merchant.get(f"/admin/draft-orders/{draft['id']}"))["draft_order"]
    assert shown["total"] == D("128.7"), "what was given up changed nothing"
    await merchant.post(edit)
    await merchant("DELETE", f"{edit}/shipping-methods/method/{method}")
    await merchant.post(f"{edit}/confirm")
    shown = (await merchant.get(f"/admin/draft-orders/{draft['id']}", fields="total,*shipping_methods,*payment_collections"))["draft_order"]
    assert (shown["total"], shown["shipping_methods"]) == (D("107.25"), [])
    assert [(one["status"], one["amount"]) for one in shown["payment_collections"]] == [("not_paid", D("107.25"))]


async def test_a_draft_that_goes_elsewhere_is_taxed_there(market: Market, merchant: Store) -> None:
    draft = await drafted(market, merchant, {"title": "Boat", "quantity": 1, "unit_price": 100})
    assert draft["total"] == D("107.25")
    at = f"/admin/draft-orders/{draft['id']}"
    moved = (await merchant.post(at, {"shipping_address": {"country_code": "de", "city": "Kiel"}, "email": "nia@example.com"}))[
        "draft_order"
    ]
    assert (moved["total"], moved["email"], moved["version"]) == (119, "nia@example.com", 1)
    assert (moved["shipping_address"]["city"], moved["shipping_address"]["first_name"]) == ("Kiel", "Mia")
    changes = (await merchant.get(f"/admin/orders/{draft['id']}/changes"))["order_changes"]
    assert {change["change_type"] for change in changes} == {"update_order"}
    assert {change["actions"][0]["details"]["type"] for change in changes} == {"shipping_address", "email"}
    assert (await merchant("DELETE", at)).body == {"id": draft["id"], "object": "draft-order", "deleted": True}
    assert {(await merchant.get(at)).status, (await merchant("DELETE", at)).status, (await merchant.post(f"{at}/edit")).status} == {404}
