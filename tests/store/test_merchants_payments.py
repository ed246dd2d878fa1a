"""Payments as merchants see them: captured, given back, and added to an order, never more than there is."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from velella.core.ids import ulid

from ..signing import token_of
from ..stripe_desk import StripeDesk
from .conftest import Answer, Market, MoodyProvider, Row, Store


async def ordered(market: Market, store: Store, price: str = "10", provider: str = "pp_system_default") -> tuple[str, str]:
    """An order over that and 5.95 of shipping, and its payment."""
    cart = await store.ready(await market.new_variant({"eur": price}), provider=provider)
    order = (await store.complete(cart))["order"]
    return order["id"], await payment_of(market, order["id"])


async def payment_of(market: Market, order: str) -> str:
    row = await market.host.graph.one("order", order, ("payment_collections.payments.id",))
    return str(row["payment_collections"][0]["payments"][0]["id"])


async def transactions(market: Market, order: str) -> list[Decimal]:
    rows = await market.modules.order.list("order_transaction", {"order_id": order}, fields=("amount",))
    return sorted(row["amount"] for row in rows)


def kinds(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def sums(payment: Row) -> tuple[Any, Any]:
    return sum(each["amount"] for each in payment["captures"]), sum(each["amount"] for each in payment["refunds"])


async def test_a_payment_is_captured_and_given_back_in_parts(market: Market, store: Store, merchant: Store) -> None:
    order, id = await ordered(market, store)
    await merchant.post(f"/admin/payments/{id}/capture", {"amount": 10.45})
    whole = (await merchant.post(f"/admin/payments/{id}/capture"))["payment"]
    assert (sums(whole), whole["captured_at"] is not None) == ((Decimal("15.95"), 0), True)
    reason = (await merchant.post("/admin/refund-reasons", {"label": "Broken", "code": "broken"}))["refund_reason"]
    body = {"amount": 0.95, "refund_reason_id": reason["id"], "note": "Sorry"}
    [refund] = (await merchant.post(f"/admin/payments/{id}/refund", body))["payment"]["refunds"]
    assert (refund["amount"], refund["note"], refund["payment_id"]) == (Decimal("0.95"), "Sorry", id)
    assert refund["refund_reason"] == {"id": reason["id"], "label": "Broken", "code": "broken"}
    rest = (await merchant.post(f"/admin/payments/{id}/refund"))["payment"]
    assert sums(rest) == (Decimal("15.95"), Decimal("15.95"))
    assert await transactions(market, order) == [Decimal("-15"), Decimal("-0.95"), Decimal("5.5"), Decimal("10.45")]
    [kept] = await market.modules.payment.list("capture", {"payment_id": id}, fields=("created_by",), limit=1)
    assert kept["created_by"] == "user_1"
    shown = (await merchant.get(f"/admin/orders/{order}"))["order"]
    assert shown["payment_status"] == "refunded"


@pytest.mark.parametrize("provider", ["pp_system_default", "pp_stripe_stripe"])
async def test_refunds_at_once_never_give_back_more_than_was_captured(
    market: Market, store: Store, merchant: Store, stripe_desk: StripeDesk, provider: str
) -> None:
    if provider == "pp_system_default":
        order, id = await ordered(market, store, "94.05")
    else:
        cart = await store.ready(await market.new_variant({"eur": "94.05"}), provider=provider)
        found = (await store.show(cart, fields="*payment_collection.payment_sessions"))["payment_collection"]["payment_sessions"]
        await stripe_desk.pay(found[0]["data"]["id"])
        order = (await store.complete(cart))["order"]["id"]
        id = await payment_of(market, order)
    captures = await asyncio.gather(*(merchant.post(f"/admin/payments/{id}/capture") for _ in range(3)))
    assert 200 in kinds(list(captures))
    keyed = [merchant.under(f"press {n}") for n in range(8)]
    answers = await asyncio.gather(*(each.post(f"/admin/payments/{id}/refund", {"amount": 30}) for each in keyed))
    assert kinds(list(answers)) == {200: 3, 400: 5}
    assert sums((await merchant.get(f"/admin/payments/{id}"))["payment"]) == (100, 90)
    assert await transactions(market, order) == [-30, -30, -30, 100]
    if provider == "pp_stripe_stripe":
        assert await stripe_desk.refunds(found[0]["data"]["id"]) == [3000, 3000, 3000]


@pytest.mark.parametrize("kind", ["capture", "refund"])
async def test_pressing_twice_moves_money_once(market: Market, store: Store, merchant: Store, kind: str) -> None:
    order, id = await ordered(market, store)
    if kind == "refund":
        await merchant.post(f"/admin/payments/{id}/capture")
    path, sign = f"/admin/payments/{id}/{kind}", 1 if kind == "capture" else -1
    before = await transactions(market, order)
    for pressed in (merchant, merchant.under(ulid())):
        answers = await asyncio.gather(*(pressed.post(path, {"amount": 2}) for _ in range(4)))
        assert kinds(list(answers)) == {200: 4}
    assert (await pressed.post(path, {"amount": 2})).status == 200  # its key is known
    assert await transactions(market, order) == sorted([*before, 2 * sign, 2 * sign])
    assert (await merchant.post(path, {"amount": 2})).status == 200  # once more, after the first was answered
    assert await transactions(market, order) == sorted([*before, *[2 * sign] * 3])
    other = Store(market, store.session, {**pressed.headers, "authorization": f"Bearer {await _another_user(market)}"})
    assert (await other.post(path, {"amount": 2})).status == 200  # somebody else's key is another one
    assert await transactions(market, order) == sorted([*before, *[2 * sign] * 4])


async def test_a_second_press_that_is_late_at_the_door_is_still_of_before_the_answer(
    market: Market, store: Store, merchant: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, id = await ordered(market, store)
    await merchant.post(f"/admin/payments/{id}/capture")
    credentials, asked = market.front._credentials, 0
    stands = credentials.stands

    async def slow_the_second_time(*args: Any) -> bool:
        nonlocal asked
        asked += 1
        if asked == 2:
            await asyncio.sleep(0.3)
        return await stands(*args)

    monkeypatch.setattr(credentials, "stands", slow_the_second_time)
    before = await transactions(market, order)
    answers = await asyncio.gather(*(merchant.post(f"/admin/payments/{id}/refund", {"amount": 2}) for _ in range(2)))
    assert kinds(list(answers)) == {200: 2}
    assert await transactions(market, order) == sorted([*before, -2])
    assert (await merchant.post(f"/admin/payments/{id}/refund", {"amount": 2})).status == 200
    assert await transactions(market, order) == sorted([*before, -2, -2])


async def _another_user(market: Market) -> str:
    return await token_of(market.modules, market.front.tokens, "user", "user_2")


async def test_a_refund_for_a_reason_that_nobody_knows_moves_no_money(market: Market, store: Store, merchant: Store) -> None:
    _, id = await ordered(market, store)
    await merchant.post(f"/admin/payments/{id}/capture")
    assert (await merchant.post(f"/admin/payments/{id}/refund", {"refund_reason_id": "refr_0"})).status == 404
    assert sums((await merchant.get(f"/admin/payments/{id}"))["payment"]) == (Decimal("15.95"), 0)


@pytest.mark.parametrize("amount", [0, -1, "1", None])
async def test_an_amount_has_to_be_one(market: Market, store: Store, merchant: Store, amount: Any) -> None:
    for what in ("capture", "refund"):
        answer = await merchant.post(f"/admin/payments/pay_0/{what}", {"amount": amount})
        assert (answer.status, answer.body["type"]) == (400, "invalid_data")


async def test_more_than_there_is_can_not_be_moved(market: Market, store: Store, merchant: Store) -> None:
    _, id = await ordered(market, store)
    assert (await merchant.post(f"/admin/payments/{id}/refund", {"amount": 1})).status == 400
    assert (await merchant.post(f"/admin/payments/{id}/capture", {"amount": 15.96})).status == 400
    assert (await merchant.post(f"/admin/payments/{id}/capture", {"amount": 15.95}))["payment"]["captured_at"] is not None


async def test_an_order_pays_more_and_a_merchant_books_it_once(market: Market, store: Store, merchant: Store) -> None:
    order, _ = await ordered(market, store)
    added = (await merchant.post("/admin/payment-collections", {"order_id": order, "amount": 20.5}))["payment_collection"]
    assert (added["amount"], added["currency_code"], added["status"]) == (Decimal("20.5"), "eur", "not_paid")
    path = f"/admin/payment-collections/{added['id']}/mark-as-paid"
    assert (await merchant.post(path, {"order_id": "order_0"})).status == 400
    answers = await asyncio.gather(*(merchant.post(path, {"order_id": order}) for _ in range(5)))
    assert kinds(list(answers)) == {200: 5}
    paid = answers[0]["payment_collection"]
    assert (paid["status"], paid["captured_amount"], len(paid["payments"])) == ("completed", Decimal("20.5"), 1)
    assert await transactions(market, order) == [Decimal("20.5")]
    refused = await merchant("DELETE", f"/admin/payment-collections/{added['id']}")
    assert (refused.status, refused.body["type"]) == (400, "not_allowed")


async def test_a_collection_that_nobody_pays_can_be_taken_back(market: Market, store: Store, merchant: Store) -> None:
    order, _ = await ordered(market, store)
    added = (await merchant.post("/admin/payment-collections", {"order_id": order, "amount": 1}))["payment_collection"]["id"]
    gone = await merchant("DELETE", f"/admin/payment-collections/{added}")
    assert gone.body == {"id": added, "object": "payment-collection", "deleted": True}
    shown = (await merchant.get(f"/admin/orders/{order}"))["order"]
    assert added not in [each["id"] for each in shown["payment_collections"]]
    begun = (await merchant.post("/admin/payment-collections", {"order_id": order, "amount": 1}))["payment_collection"]["id"]
    path = f"/admin/payment-collections/{begun}/payment-sessions"
    [session] = (await merchant.post(path, {"provider_id": "pp_system_default"}))["payment_collection"]["payment_sessions"]
    assert session["amount"] == 1
    assert (await merchant("DELETE", f"/admin/payment-collections/{begun}")).status == 200
    assert await market.modules.payment.count("payment_session", {"id": session["id"]}) == 0
    assert (await merchant.post("/admin/payment-collections", {"order_id": order, "amount": -1})).status == 400
    assert (await merchant.post("/admin/payment-collections", {"order_id": "order_0", "amount": 1})).status == 404


async def test_a_merchant_asks_whether_the_money_of_an_order_is_there_by_now(market: Market, store: Store, merchant: Store) -> None:
    cart = await store.ready(await market.new_variant({"eur": "10"}), provider="pp_moody_m", mood="slow")
    order = (await store.complete(cart))["order"]["id"]
    shown = (await merchant.get(f"/admin/orders/{order}", fields="*payment_collections.payment_sessions"))["order"]
    session = shown["payment_collections"][0]["payment_sessions"][0]
    assert session["status"] == "pending_authorization"
    at, body = "payment-sessions/authorize", {"payment_session_id": session["id"]}
    other, _ = await ordered(market, store)
    refused = await merchant.post(f"/admin/orders/{other}/{at}", body)
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")
    waiting = await merchant.post(f"/admin/orders/{order}/{at}", body)
    assert (waiting["is_authorized"], waiting["order"]["id"]) == (False, order)
    assert await transactions(market, order) == []
    MoodyProvider.arrived.add(session["id"])
    answers = await asyncio.gather(*(merchant.post(f"/admin/orders/{order}/{at}", body) for _ in range(3)))
    assert {200} <= set(kinds(answers)) <= {200, 400}
    assert all(answer["is_authorized"] for answer in answers if answer.status == 200)
    assert await transactions(market, order) == [Decimal("15.95")]
    assert (await merchant.get(f"/admin/orders/{order}"))["order"]["payment_status"] == "captured"
