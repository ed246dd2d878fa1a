"""Orders that are edited: lines, prices and ways of sending; what is reserved and owed each time."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import Conflict
from velella.core.ids import ulid
from velella.workflows.cart.discounts import discount as discount_of
from velella.workflows.order import adjusting

from .conftest import Market, MoodyProvider, Row, Store
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


async def test_what_there_is_more_of_is_reserved_with_what_there_was(market: Market, store: Store, merchant: Store) -> None:
    variant, placed = await bought(market, store)
    order = await captured(merchant, placed)
    line, was = order["items"][0]["id"], order["items"][0]["quantity"]
    [before] = (await merchant.get("/admin/reservations", line_item_id=line))["reservations"]
    at = await begun(merchant, order)
    await merchant.post(f"{at}/items/item/{line}", {"quantity": was + 1})
    await merchant.post(f"{at}/items", {"items": [{"variant_id": variant, "quantity": 1}]})
    assert (await merchant.post(f"{at}/confirm")).status == 200
    now = (await merchant.get("/admin/reservations", line_item_id=line))["reservations"]
    assert [(one["id"], one["quantity"]) for one in now] == [(before["id"], was + 1)]
    assert (await figures(market, variant))[1] == was + 2
    await merchant.post(f"/admin/orders/{order['id']}/fulfillments", {"items": [{"id": line, "quantity": was + 1}]})
    assert (await figures(market, variant))[1] == 1


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


async def test_whoever_adds_while_another_confirms_adds_to_what_is_reserved_or_to_nothing(
    market: Market, store: Store, merchant: Store
) -> None:
    _, order = await bought(market, store)
    other = await market.new_variant({"eur": "20"}, stock=9)
    at, one = await begun(merchant, order), {"items": [{"variant_id": other, "quantity": 1}]}
    await merchant.post(f"{at}/items", one)
    adding = asyncio.gather(*(merchant.post(f"{at}/items", one) for _ in range(3)))
    confirmed = await merchant.post(f"{at}/confirm")
    assert {answer.status for answer in await adding} <= {200, 400}
    assert confirmed.status in (200, 409)
    if confirmed.status == 409:
        assert await figures(market, other) == (9, 0), "what was reserved is given back"
        assert (await merchant.post(f"{at}/confirm")).status == 200
    lines = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]["items"]
    assert await figures(market, other) == (9, sum(line["quantity"] for line in lines if line["variant_id"] == other))

    await begun(merchant, order)
    await merchant.post(f"{at}/items", one)
    [change] = await market.modules.order.list(
        "order_change", {"order_id": order["id"], "status": "pending"}, fields=("*", "revision", "actions.*")
    )
    await merchant.post(f"{at}/items", one)
    with pytest.raises(Conflict):
        await market.modules.order.confirm(change)


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


async def test_what_is_added_to_an_order_that_was_free_or_whose_payment_failed_can_be_paid(
    market: Market, store: Store, merchant: Store
) -> None:
    """Their collection is the one that the cart had: nobody can pay in it as the cart's buyer any more."""
    variant, gift = await market.new_variant({"eur": "10"}), await market.new_variant({"eur": "0"})
    cart = await store.ship(await store.add(await store.cart(), gift), await market.new_option(f"Free {ulid()}", {"eur": "0"}))
    await store.post("/store/payment-collections", {"cart_id": cart["id"]})
    free = (await store.complete(cart))["order"]
    failed = (await store.complete(await store.ready(variant, provider="pp_moody_m", mood="slow")))["order"]
    [waiting] = await market.modules.payment.list("payment_collection", {"order_id": failed["id"]}, fields=("id", "payment_sessions.id"))
    session, at = waiting["payment_sessions"][0]["id"], f"/store/payment-collections/{waiting['id']}/payment-sessions"
    MoodyProvider.failed.add(session)
    assert (await store.post(at, {"provider_id": "pp_moody_m"})).status == 400, "the money may still come"
    asked = await merchant.post(f"/admin/orders/{failed['id']}/payment-sessions/authorize", {"payment_session_id": session})
    assert (asked.status, asked.body["type"]) == (422, "payment_authorization_error")
    for order in (free, failed):
        edit = await begun(merchant, order)
        await merchant.post(f"{edit}/items", {"items": [{"variant_id": variant, "quantity": 1}]})
        assert (await merchant.post(f"{edit}/confirm")).status == 200
        now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
        [asks] = now["payment_collections"]
        assert (asks["status"], asks["amount"]) == ("not_paid", now["total"])
        paying = f"/store/payment-collections/{asks['id']}/payment-sessions"
        begun_again = (await store.post(paying, {"provider_id": "pp_moody_m", "data": {"mood": "slow"}}))["payment_collection"]
        assert [each["amount"] for each in begun_again["payment_sessions"]] == [now["total"]]
        to_be_looked_after = {each["payment_collection_id"] for each in await market.modules.payment.unsettled_sessions(-1e6)}
        assert asks["id"] not in to_be_looked_after, "what is paid for an order isn't given back"
        paid = await merchant.post(f"/admin/payment-collections/{asks['id']}/mark-as-paid", {"order_id": order["id"]})
        assert (paid["payment_collection"]["status"], paid["payment_collection"]["captured_amount"]) == ("completed", now["total"])
        assert (await store.post(paying, {"provider_id": "pp_moody_m"})).status == 400, "it is paid"


async def set_quantity(merchant: Store, order: Row, quantity: int) -> list[tuple[str, Any]]:
    """Edit the line of an order. Returns how its payment collections stand then."""
    at = await begun(merchant, order)
    await merchant.post(f"{at}/items/item/{order['items'][0]['id']}", {"quantity": quantity})
    answer = await merchant.post(f"{at}/confirm")
    assert answer.status == 200, answer.body
    return await asked_for(merchant, order)


async def asked_for(merchant: Store, order: Row) -> list[tuple[str, Any]]:
    shown = (await merchant.get(f"/admin/orders/{order['id']}", fields="*payment_collections"))["order"]["payment_collections"]
    return [(one["status"], one["amount"]) for one in sorted(shown, key=lambda one: str(one["id"]))]


async def tried(market: Market, merchant: Store, order: Row, provider: str, **data: str) -> str:
    """Begin to pay what an order owes, and have the provider say how that stands. Returns the session."""
    shown = (await merchant.get(f"/admin/orders/{order['id']}", fields="*payment_collections"))["order"]["payment_collections"]
    [owed] = [one["id"] for one in shown if one["status"] == "not_paid"]
    begun = await merchant.post(f"/admin/payment-collections/{owed}/payment-sessions", {"provider_id": provider, "data": data})
    session: str = begun["payment_collection"]["payment_sessions"][0]["id"]
    await heard(market, provider, session)
    return session


async def heard(market: Market, provider: str, session: str) -> None:
    await market.host.workflows.run("process-payment-workflow", {"provider_id": provider, "action": "pending", "session_id": session}, None)


async def test_an_order_is_changed_whatever_became_of_an_attempt_to_pay_the_difference(
    market: Market, store: Store, merchant: Store
) -> None:
    """A card that was declined is in nobody's way; what a bank takes its time for isn't asked for again."""
    _, placed = await bought(market, store)
    order = await captured(merchant, placed)
    whole, each = ("completed", order["total"]), D(10)
    assert await set_quantity(merchant, order, 3) == [whole, ("not_paid", each)]
    await tried(market, merchant, order, "pp_vault_v")
    assert await asked_for(merchant, order) == [whole, ("awaiting", each)]
    assert await set_quantity(merchant, order, 2) == [whole]
    assert await set_quantity(merchant, order, 3) == [whole, ("not_paid", each)]
    slow = await tried(market, merchant, order, "pp_moody_m", mood="slow")
    coming = ("awaiting", each)
    assert await set_quantity(merchant, order, 5) == [whole, coming, ("not_paid", 2 * each)]
    assert await set_quantity(merchant, order, 2) == [whole, coming]
    MoodyProvider.arrived.add(slow)
    await heard(market, "pp_moody_m", slow)
    assert await asked_for(merchant, order) == [whole, ("completed", each)]


async def test_what_is_captured_is_not_asked_for_before_the_order_hears_of_it(market: Market, store: Store, merchant: Store) -> None:
    _, order = await bought(market, store)
    shown = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    payment = shown["payment_collections"][0]["payments"][0]["id"]
    await market.modules.payment.capture_payment(payment)  # and the process has died
    assert await set_quantity(merchant, order, 3) == [("completed", order["total"]), ("not_paid", D(10))]
    assert (await merchant.post(f"/admin/payments/{payment}/capture")).status == 200
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert now["summary"]["pending_difference"] == 10


@pytest.mark.parametrize(("country", "inclusive"), [("de", False), ("de", True), ("us", True)])
async def test_no_line_costs_less_than_nothing_whether_its_discount_has_taxes_or_its_price(
    market: Market, store: Store, merchant: Store, country: str, inclusive: bool
) -> None:
    currency = {"de": "eur", "us": "usd"}[country]
    promotion = await market.promote(kind="fixed", value="10.15", currency_code=currency, allocation="across", is_tax_inclusive=inclusive)
    cart = await store.cart(country)
    await store.add(cart, await market.new_variant({currency: "10"}), 3)
    await store.post(f"/store/carts/{cart['id']}/promotions", {"promo_codes": [promotion["code"]]})
    cart = await store.ship(cart)
    await store.pay(cart)
    order = (await store.complete(cart))["order"]
    await set_quantity(merchant, order, 1)
    [now] = (await merchant.get(f"/admin/orders/{order['id']}", fields="*items"))["order"]["items"]
    left = {"de": 0, "us": D("10.725") - order["items"][0]["discount_total"]}[country]  # of 10, to which taxes come in the US
    assert now["total"] == left


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


async def test_an_edit_that_carries_promotions_over_takes_them_off_what_it_adds(
    market: Market, store: Store, merchant: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the rules under which they were granted: neither a limit that is used up nor an end takes anything away again."""
    promotion = await market.promote(value="10", limit=1)
    variant, other = await market.new_variant({"eur": "10"}, stock=9), await market.new_variant({"eur": "20"}, stock=9)
    cart = await store.ship(await store.add(await store.cart(), variant, 2))
    await store.post(f"/store/carts/{cart['id']}/promotions", {"promo_codes": [promotion["code"]]})
    await store.pay(cart)
    order = (await store.complete(cart))["order"]
    assert order["discount_total"] == 2
    assert (await merchant.post(f"/admin/promotions/{promotion['id']}", {"status": "inactive"})).status == 200
    at, added = await begun(merchant, order), {"items": [{"variant_id": other, "quantity": 1}]}
    preview = (await merchant.post(f"{at}/items", added))["order_preview"]
    assert preview["discount_total"] == 2, "an edit leaves promotions alone unless it says otherwise"
    change = f"/admin/order-changes/{preview['order_change']['id']}"
    act = next(act["id"] for line in preview["items"] for act in line.get("actions", ()) if act["action"] == "ITEM_ADD")

    async def discount() -> Decimal:
        shown = (await merchant.get(f"/admin/orders/{order['id']}/preview"))["order"]
        return D(str(shown["discount_total"]))

    async def overtaken(*given: Any, **how: Any) -> None:
        await discount_of(*given, **how)
        assert (await merchant.post(f"{at}/items/{act}", {"internal_note": "meanwhile"})).status == 200

    with monkeypatch.context() as patch:
        patch.setattr(adjusting, "discount", overtaken)
        late = await merchant.post(change, {"carry_over_promotions": True})
        assert (late.status, await discount()) == (409, 2), "what was worked out for an action that is another by now isn't stored"
    said = (await merchant.post(change, {"carry_over_promotions": True, "internal_note": "a regular"}))["order_change"]
    assert (said["carry_over_promotions"], said["internal_note"], await discount()) == (True, "a regular", 4)
    assert (await merchant.post(change, {"carry_over_promotions": False}))["order_change"]["internal_note"] == "a regular"
    assert await discount() == 2
    answers = await asyncio.gather(
        merchant.post(change, {"carry_over_promotions": True}), *(merchant.post(f"{at}/items", added) for _ in range(3))
    )
    assert {answer.status for answer in answers} <= {200, 409}
    if answers[0].status == 409:
        await merchant.post(change, {"carry_over_promotions": True})
    lines = 1 + sum(answer.status == 200 for answer in answers[1:])
    assert await discount() == 2 + 2 * lines, "of two who meet neither overlooks the other"
    await merchant.post(f"{at}/items/item/{order['items'][0]['id']}", {"quantity": 1})
    assert await discount() == 1 + 2 * lines
    assert (await merchant.post(f"{at}/confirm")).status == 200
    now = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert now["discount_total"] == 1 + 2 * lines
    assert now["summary"]["current_order_total"] == now["total"]
    assert (await market.modules.promotion.retrieve("promotion", promotion["id"]))["used"] == 1
    late = await merchant.post(change, {"carry_over_promotions": False})
    assert (late.status, late.body["type"]) == (400, "invalid_data")
    assert (await merchant.post(change, {"internal_note": "late"}))["order_change"]["internal_note"] == "late"
