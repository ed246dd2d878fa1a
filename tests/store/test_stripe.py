"""A shop that is paid by Stripe: buyers who close the browser, webhooks that come twice, late, or from somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from velella.core.ids import ulid

from ..stripe_desk import SECRET, StripeDesk, event, signed
from .conftest import Market, Row, Store

HELD, TAKEN = "pp_stripe_stripe", "pp_stripe_at-once"


@dataclass
class Till:
    """A storefront, and what Stripe does."""

    market: Market
    store: Store
    desk: StripeDesk

    async def cart(self, provider: str = HELD, price: str = "10", currency: str = "eur", **options: Any) -> tuple[Row, str, str]:
        """A cart that only has to be paid and completed, its session and its intent."""
        variant = await self.market.new_variant({currency: price})
        cart = await self.store.ready(variant, provider=provider, **options)
        [session] = (await self.store.show(cart, fields="*payment_collection.payment_sessions"))["payment_collection"]["payment_sessions"]
        return cart, session["id"], session["data"]["id"]

    async def tell(self, kind: str, intent: str, *, id: str | None = None, provider: str = HELD, secret: str = SECRET) -> tuple[int, str]:
        """Send a webhook about an intent as it stands."""
        body = event(f"payment_intent.{kind}", await self.desk("GET", f"payment_intents/{intent}"), id or f"evt_{ulid()}")
        url = f"{self.market.base}/hooks/payment/{provider.removeprefix('pp_')}"
        async with self.store.session.post(url, data=body, headers=signed(body, secret)) as answer:
            return answer.status, await answer.text()

    async def order_of(self, cart: Row) -> Row | None:
        ids = await self.market.order_ids(cart)
        if not ids:
            return None
        fields = ("id", "payment_collections.status", "payment_collections.payments.captures.amount", "transactions.amount")
        return await self.market.host.graph.one("order", ids[0], fields)


@pytest.fixture
async def till(market: Market, store: Store, stripe_desk: StripeDesk) -> AsyncIterator[Till]:
    yield Till(market, store, stripe_desk)
    stripe_desk.lost.clear()
    stripe_desk.down.clear()


def captured(order: Row) -> list[Decimal]:
    return [each["amount"] for paid in order["payment_collections"] for payment in paid["payments"] for each in payment["captures"]]


async def test_a_buyer_pays_in_the_browser_and_completes(till: Till) -> None:
    cart, _, intent = await till.cart()
    refused = await till.store.complete(cart)
    assert (refused.body["type"], refused.body["error"]["type"]) == ("cart", "payment_requires_more_error")
    await till.desk.pay(intent)
    done = await till.store.complete(cart)
    assert done["type"] == "order"
    assert await till.tell("amount_capturable_updated", intent) == (200, "OK")
    order = await till.order_of(cart)
    assert order is not None
    assert (order["payment_collections"][0]["status"], captured(order)) == ("authorized", [])


async def test_a_declined_card_places_no_order(till: Till) -> None:
    cart, _, _ = await till.cart(payment_method=await till.desk.card("4000000000000341"))
    refused = await till.store.complete(cart)
    assert (refused.body["type"], refused.body["error"]["type"]) == ("cart", "payment_authorization_error")
    assert await till.order_of(cart) is None


async def test_a_webhook_completes_the_cart_of_a_buyer_who_has_gone(till: Till) -> None:
    cart, _, intent = await till.cart(TAKEN)
    await till.desk.pay(intent)
    told = await asyncio.gather(*(till.tell("succeeded", intent, id="evt_twice", provider=TAKEN) for _ in range(3)))
    assert await till.tell("succeeded", intent, provider=TAKEN) == (200, "OK")
    assert set(told) == {(200, "OK")}
    order = await till.order_of(cart)
    assert order is not None
    assert captured(order) == [Decimal("15.95")]
    assert [row["amount"] for row in order["transactions"]] == [Decimal("15.95")]


async def test_a_webhook_that_can_not_complete_a_cart_brings_it_up_to_date_as_its_buyer_would(till: Till, merchant: Store) -> None:
    promotion = await till.market.promote(value="50")
    items = [{"variant_id": await till.market.new_variant({"eur": "100"}), "quantity": 1}]
    cart = await till.store.ship(await till.store.cart("de", items=items, promo_codes=[promotion["code"]]))
    session = (await till.store.pay(cart, TAKEN))["payment_sessions"][0]
    await till.desk.pay(session["data"]["id"])
    assert (await merchant.post(f"/admin/promotions/{promotion['id']}", {"status": "inactive"})).status == 200
    for _ in range(2):
        assert await till.tell("succeeded", session["data"]["id"], id="evt_refused", provider=TAKEN) == (200, "OK")
    shown = await till.store.show(cart)
    assert (shown["completed_at"], shown["promotions"], shown["total"]) == (None, [], Decimal("105.95"))
    assert shown["payment_collection"]["amount"] == Decimal("105.95")
    assert shown["payment_collection"]["captured_amount"] == Decimal("55.95"), "what was paid is in the books"
    again = (await till.store.pay(cart, TAKEN))["payment_sessions"]
    [new] = [each for each in again if each["id"] != session["id"]]
    await till.desk.pay(new["data"]["id"])
    assert (await till.store.complete(cart))["order"]["total"] == Decimal("105.95")
    assert await till.desk.refunds(session["data"]["id"]) == [5595]


async def test_a_buyer_and_a_webhook_at_once_make_one_order(till: Till) -> None:
    cart, _, intent = await till.cart(TAKEN)
    await till.desk.pay(intent)
    done, *told = await asyncio.gather(till.store.complete(cart), *(till.tell("succeeded", intent, provider=TAKEN) for _ in range(3)))
    assert done["type"] == "order"
    assert {status for status, _ in told} <= {200, 409}  # 409: it is sent again
    order = await till.order_of(cart)
    assert order is not None
    assert (order["id"], captured(order)) == (done["order"]["id"], [Decimal("15.95")])
    assert [row["amount"] for row in order["transactions"]] == [Decimal("15.95")]


async def test_an_authorization_whose_answer_is_lost_is_one_order_and_one_payment(till: Till) -> None:
    cart, _, intent = await till.cart(payment_method=await till.desk.card())
    till.desk.lost.append("confirm")
    done = await till.store.complete(cart)
    assert done["type"] == "order"
    assert till.desk.asked.count(f"POST /v1/payment_intents/{intent}/confirm") == 1


async def test_what_is_captured_at_stripes_own_desk_is_known_to_the_order(till: Till) -> None:
    cart, _, intent = await till.cart()
    await till.desk.pay(intent)
    await till.store.complete(cart)
    await till.desk("POST", f"payment_intents/{intent}/capture", amount_to_capture=1000)
    for _ in range(2):
        assert await till.tell("succeeded", intent) == (200, "OK")
    order = await till.order_of(cart)
    assert order is not None
    assert (captured(order), [row["amount"] for row in order["transactions"]]) == ([10], [10])


async def test_money_for_a_cart_that_can_not_be_completed_is_in_the_books(till: Till) -> None:
    cart, session, intent = await till.cart()
    await till.desk.pay(intent)
    await till.market.modules.product.delete("product_variant", [line["variant_id"] for line in cart["items"]])
    assert await till.tell("amount_capturable_updated", intent) == (200, "OK")
    assert await till.order_of(cart) is None
    [payment] = await till.market.modules.payment.list("payment", {"payment_session_id": session})
    assert payment["canceled_at"] is None


async def test_nobody_but_stripe_is_heard(till: Till) -> None:
    cart, _, intent = await till.cart()
    await till.desk.pay(intent)
    status, text = await till.tell("amount_capturable_updated", intent, secret="whsec_other")
    assert (status, text.startswith("Webhook Error: ")) == (400, True)
    assert (await till.tell("amount_capturable_updated", intent, provider="pp_nobody_x"))[0] == 400
    assert await till.order_of(cart) is None


async def test_a_webhook_comes_again_where_stripe_could_not_be_asked(till: Till) -> None:
    cart, _, intent = await till.cart()
    await till.desk.pay(intent)
    body = event("payment_intent.amount_capturable_updated", await till.desk("GET", f"payment_intents/{intent}"), "evt_again")
    url = f"{till.market.base}/hooks/payment/stripe_stripe"
    till.desk.down.append("GET /v1/payment_intents")
    async with till.store.session.post(url, data=body, headers=signed(body)) as answer:
        assert answer.status == 503
    till.desk.down.clear()
    async with till.store.session.post(url, data=body, headers=signed(body)) as answer:
        assert answer.status == 200
    assert await till.order_of(cart) is not None


async def test_payments_of_other_shops_are_left_alone(till: Till) -> None:
    other = await till.desk("POST", "payment_intents", amount=100, currency="eur", **{"metadata[session_id]": "payses_other"})
    assert await till.tell("succeeded", other["id"]) == (200, "OK")
    plain = await till.desk("POST", "payment_intents", amount=100, currency="eur")
    assert await till.tell("succeeded", plain["id"]) == (200, "OK")


async def test_a_customer_is_one_customer_at_stripe(till: Till) -> None:
    [customer] = await till.market.modules.customer.create_customers([{"email": f"{ulid().lower()}@example.com", "has_account": True}])
    store = await till.store.signed_in(customer["id"])
    variant = await till.market.new_variant({"eur": "10"})
    found = set()
    for name in ("Ada", "Augusta"):
        await till.market.modules.customer.update("customer", [{"id": customer["id"], "first_name": name}])
        cart = await store.add(await store.cart(), variant)
        [session] = (await store.pay(cart, HELD))["payment_sessions"]
        found.add(session["data"]["customer"])
    assert len(found) == 1


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_total_that_stripe_can_not_move_as_finely_is_paid_and_given_back_as_a_whole(
    till: Till, merchant: Store, at_once: bool
) -> None:
    """2.231 KWD: Stripe takes 2.23, the order is paid."""
    cart, _, intent = await till.cart(TAKEN if at_once else HELD, "1", "kwd", country="kw")
    assert cart["total"] == Decimal("2.231")
    await till.desk.pay(intent)
    order = (await till.store.complete(cart))["order"]["id"]
    shown = (await merchant.get(f"/admin/orders/{order}"))["order"]
    path = f"/admin/payments/{shown['payment_collections'][0]['payments'][0]['id']}"
    if not at_once:
        fine = await merchant.post(f"{path}/capture", {"amount": 1.005})
        assert (fine.status, fine.body["type"]) == (400, "invalid_data")
        assert "steps of 0.01" in fine.body["message"]
        await merchant.post(f"{path}/capture")
    order_now = await till.order_of({"id": cart["id"]})
    assert order_now is not None
    assert (order_now["payment_collections"][0]["status"], captured(order_now)) == ("completed", [Decimal("2.231")])
    assert await till.tell("succeeded", intent, provider=TAKEN if at_once else HELD) == (200, "OK")
    assert (await till.desk("GET", f"payment_intents/{intent}"))["amount_received"] == 2230
    assert (await merchant.post(f"{path}/refund", {"amount": 1.005})).status == 400
    assert (await merchant.post(f"{path}/refund", {"amount": 1.01})).status == 200
    given = (await merchant.post(f"{path}/refund"))["payment"]["refunds"]
    assert [each["amount"] for each in given] == [Decimal("1.01"), Decimal("1.221")]
    assert await till.desk.refunds(intent) == [1010, 1220]
    summary = (await merchant.get(f"/admin/orders/{order}"))["order"]["summary"]
    assert (summary["paid_total"], summary["refunded_total"]) == (Decimal("2.231"), Decimal("2.231"))
