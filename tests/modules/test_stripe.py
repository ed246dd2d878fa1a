"""The Stripe provider against localstripe: money moves once, whatever is lost on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import (
    InvalidData,
    Misconfigured,
    NotAllowed,
    PaymentAuthorizationFailed,
    PaymentOutcomeUnknown,
    PaymentRequiresMore,
    UnexpectedState,
)
from velella.core.service.providers import Providers
from velella.core.settings import ProviderSettings
from velella.modules.payment import MODULE
from velella.modules.payment.providers.stripe import StripePayment, major_units, minor_units
from velella.modules.payment.service import PaymentService

from ..stripe_desk import KEY, SECRET, StripeDesk, event, signed
from .one_module import alone

D = Decimal
HELD, TAKEN = "pp_stripe_stripe", "pp_stripe_at-once"


@pytest.fixture
async def desk() -> AsyncIterator[StripeDesk]:
    async with StripeDesk() as made:
        yield made


@pytest.fixture
async def payments(fresh_database: str, desk: StripeDesk) -> AsyncIterator[PaymentService]:
    options = {"api_key": KEY, "webhook_secret": SECRET, "api_base": desk.url, "timeout": 5.0, "retries": 1}
    configured = [
        ProviderSettings(use="stripe", id="stripe", options=options),
        ProviderSettings(use="stripe", id="at-once", options={**options, "capture": True}),
    ]
    providers = Providers("payment", MODULE.provider_kinds, configured)
    async with alone(PaymentService, fresh_database, connections=8, providers=providers) as service:
        yield service
        await service.stop()


async def begun(payments: PaymentService, amount: Any = 100, provider: str = HELD, **more: Any) -> dict[str, Any]:
    (made,) = await payments.create_collections([{"amount": amount, "currency_code": more.pop("currency", "eur")}])
    return await payments.create_payment_session(made["id"], provider_id=provider, **more)


async def paid(payments: PaymentService, desk: StripeDesk, amount: Any = 100, provider: str = HELD) -> tuple[str, str]:
    """The payment, and Stripe's intent."""
    session = await begun(payments, amount, provider)
    await desk.pay(session["data"]["id"])
    payment = await payments.authorize_payment_session(session["id"])
    assert payment is not None
    return payment["id"], session["data"]["id"]


async def books(payments: PaymentService, payment: str) -> tuple[Any, Any]:
    """Captured and refunded."""
    row = await payments.retrieve("payment", payment, fields=("captures.amount", "refunds.amount"))
    return sum(each["amount"] for each in row["captures"]), sum(each["amount"] for each in row["refunds"])


# -- beginning


async def test_a_session_is_an_intent_that_the_browser_can_confirm(payments: PaymentService, desk: StripeDesk) -> None:
    data = {"amount": 1, "currency": "usd", "customer": "cus_other", "capture_method": "automatic", "metadata": {"session_id": "mine"}}
    session = await begun(payments, D("19.99"), data=data)
    intent = await desk("GET", f"payment_intents/{session['data']['id']}")
    assert (intent["amount"], intent["currency"], intent["capture_method"], intent["customer"]) == (1999, "eur", "manual", None)
    assert intent["metadata"] == {"session_id": session["id"]}
    assert session["data"]["client_secret"] == intent["client_secret"]
    assert KEY not in str(session)
    with pytest.raises(PaymentRequiresMore):
        await payments.authorize_payment_session(session["id"])


async def test_another_amount_lets_go_of_the_intent(payments: PaymentService, desk: StripeDesk) -> None:
    session = await begun(payments)
    await desk.pay(session["data"]["id"])  # held, but the cart has changed
    await payments.set_amount(session["payment_collection_id"], amount=90)
    assert (await desk("GET", f"payment_intents/{session['data']['id']}"))["status"] == "canceled"


async def test_what_was_taken_for_a_dropped_session_is_given_back_once(payments: PaymentService, desk: StripeDesk) -> None:
    session = await begun(payments, provider=TAKEN)
    intent = session["data"]["id"]
    desk.down.append("POST .*/cancel")
    await payments.delete_payment_sessions([session["id"]])
    desk.down.clear()
    await desk.pay(intent)  # the buyer's browser didn't know
    await asyncio.gather(*(payments.look_up_session(session["id"]) for _ in range(3)))
    assert await payments.look_up_session(session["id"]) is None
    assert await desk.refunds(intent) == [10_000]
    assert await payments.count("payment") == 0


@pytest.mark.parametrize(
    ("currency", "amount", "units"),
    [("eur", "10.05", 1005), ("jpy", "500", 500), ("kwd", "1.25", 1250), ("ugx", "5", 500), ("mga", "7", 7), ("huf", "100", 10_000)],
)
def test_amounts_are_counted_as_stripe_does(currency: str, amount: str, units: int) -> None:
    assert minor_units(D(amount), currency) == units
    assert major_units(units, currency) == D(amount)


@pytest.mark.parametrize(("currency", "amount", "units"), [("kwd", "2.231", 2230), ("bhd", "5.125", 5130), ("kwd", "1.995", 2000)])
def test_a_whole_is_moved_by_the_nearest_amount_that_stripe_can(currency: str, amount: str, units: int) -> None:
    assert minor_units(D(amount), currency) == units


@pytest.mark.parametrize(("currency", "amount"), [("kwd", "1.0005"), ("kwd", "0.004"), ("mga", "0.6"), ("eur", "0.001")])
def test_an_amount_that_stripe_has_no_word_for_is_refused(currency: str, amount: str) -> None:
    with pytest.raises(InvalidData, match="can't move"):
        minor_units(D(amount), currency)


# -- buyers


async def test_a_saved_card_pays_without_a_browser(payments: PaymentService, desk: StripeDesk) -> None:
    buyer = {"customer": {"id": "cus_1", "email": "ada@example.com", "first_name": "Ada", "last_name": "L"}}
    made = await asyncio.gather(*(payments.account_holder(HELD, buyer) for _ in range(3)))
    holder = made[0]
    assert holder is not None
    assert len({row["external_id"] for row in made if row}) == 1
    assert (await desk("GET", f"customers/{holder['external_id']}"))["name"] == "Ada L"
    other = await payments.account_holder(HELD, {"customer": {**buyer["customer"], "email": "new@example.com"}})
    assert other is not None  # another request, not a broken key

    card = await desk.card(customer=holder["external_id"])
    session = await begun(payments, context={**buyer, "account_holder": holder}, data={"payment_method": card})
    payments_made = await asyncio.gather(*(payments.authorize_payment_session(session["id"]) for _ in range(4)))
    assert len({row["id"] for row in payments_made if row}) == 1
    intent = await desk("GET", f"payment_intents/{session['data']['id']}")
    assert (intent["status"], intent["customer"]) == ("requires_capture", holder["external_id"])
    assert desk.asked.count(f"POST /v1/payment_intents/{intent['id']}/confirm") == 1


async def test_a_declined_card_is_no_payment(payments: PaymentService, desk: StripeDesk) -> None:
    session = await begun(payments, data={"payment_method": await desk.card("4000000000000341")})
    with pytest.raises(PaymentAuthorizationFailed):
        await payments.authorize_payment_session(session["id"])
    assert (await payments.retrieve("payment_session", session["id"]))["status"] == "error"
    assert await payments.count("payment") == 0


async def test_a_card_that_wants_its_owner_asks_for_the_browser(payments: PaymentService, desk: StripeDesk) -> None:
    session = await begun(payments, data={"payment_method": await desk.card("4000002500003155")})
    with pytest.raises(PaymentRequiresMore):
        await payments.authorize_payment_session(session["id"])
    kept = await payments.retrieve("payment_session", session["id"])
    assert (kept["status"], kept["data"]["next_action"]["type"]) == ("requires_more", "use_stripe_sdk")
    intent, secret = kept["data"]["id"], kept["data"]["client_secret"]
    await desk("POST", f"payment_intents/{intent}/_authenticate", client_secret=secret, success="true")
    assert await payments.authorize_payment_session(session["id"])


# -- answers that are lost


async def test_an_authorization_whose_answer_is_lost_is_asked_for(payments: PaymentService, desk: StripeDesk) -> None:
    session = await begun(payments, data={"payment_method": await desk.card()})
    desk.lost.append("confirm")
    assert await payments.authorize_payment_session(session["id"])
    assert sum("confirm" in each for each in desk.asked) == 1


async def test_an_authorization_that_nobody_can_be_asked_about_is_not_guessed(payments: PaymentService, desk: StripeDesk) -> None:
    session = await begun(payments, data={"payment_method": await desk.card()})
    desk.down.append("payment_intents")
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.authorize_payment_session(session["id"])
    assert await payments.count("payment") == 0
    desk.down.clear()
    assert await payments.authorize_payment_session(session["id"])


async def test_a_capture_and_refunds_whose_answers_are_lost_happen_once(payments: PaymentService, desk: StripeDesk) -> None:
    payment, intent = await paid(payments, desk)
    desk.lost.append("/capture")
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.capture_payment(payment, key="wfx_1:2")
    assert await books(payments, payment) == (0, 0)
    desk.lost.clear()
    await payments.capture_payment(payment, key="wfx_1:2")
    assert await books(payments, payment) == (100, 0)
    assert desk.asked.count(f"POST /v1/payment_intents/{intent}/capture") == 1

    desk.lost.append("POST /v1/refunds")
    await payments.refund_payment(payment, amount=30, key="wfx_2:2")  # Stripe says that it knows of it
    desk.lost.append("GET /v1/refunds")
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.refund_payment(payment, amount=D("20.5"), key="wfx_3:2")
    desk.lost.clear()
    await payments.refund_payment(payment, amount=D("20.5"), key="wfx_3:2")
    assert await books(payments, payment) == (100, D("50.5"))
    assert await desk.refunds(intent) == [2050, 3000]


async def test_a_cancellation_whose_answer_is_lost_is_looked_up(payments: PaymentService, desk: StripeDesk) -> None:
    payment, intent = await paid(payments, desk)
    desk.lost.append("/cancel")
    assert (await payments.cancel_payment(payment))["canceled_at"] is not None
    assert (await desk("GET", f"payment_intents/{intent}"))["status"] == "canceled"


# -- taking and giving back


async def test_a_part_is_captured_and_given_back_in_parts(payments: PaymentService, desk: StripeDesk) -> None:
    payment, _ = await paid(payments, desk)
    await payments.capture_payment(payment, amount=60)
    with pytest.raises(InvalidData):  # Stripe captures once and lets go of the rest
        await payments.capture_payment(payment, amount=40)
    answers = await asyncio.gather(*(payments.refund_payment(payment, amount=25) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 2
    assert await books(payments, payment) == (60, 50)
    with pytest.raises(NotAllowed):
        await payments.cancel_payment(payment)


async def test_money_may_be_taken_at_once(payments: PaymentService, desk: StripeDesk) -> None:
    payment, intent = await paid(payments, desk, D("12.34"), TAKEN)
    assert await books(payments, payment) == (D("12.34"), 0)
    await payments.refund_payment(payment)
    assert await desk.refunds(intent) == [1234]


# -- what happens at Stripe's own desk


async def test_what_stripe_says_when_asked_again_is_booked_once(payments: PaymentService, desk: StripeDesk) -> None:
    session = await begun(payments)
    await payments.look_up_session(session["id"])
    assert await payments.count("payment") == 0
    intent = session["data"]["id"]
    await desk.pay(intent)
    found = await asyncio.gather(*(payments.look_up_session(session["id"]) for _ in range(4)))
    assert len({row["id"] for row in found if row}) == 1
    assert found[0] is not None
    payment = found[0]["id"]
    assert await books(payments, payment) == (0, 0)
    await desk("POST", f"payment_intents/{intent}/capture", amount_to_capture=7050)
    await asyncio.gather(*(payments.look_up_session(session["id"]) for _ in range(4)))
    assert await books(payments, payment) == (D("70.5"), 0)


async def test_a_payment_that_stripe_let_go_is_cancelled_here(payments: PaymentService, desk: StripeDesk) -> None:
    session = await begun(payments)
    await desk.pay(session["data"]["id"])
    payment = await payments.authorize_payment_session(session["id"])
    await desk("POST", f"payment_intents/{session['data']['id']}/cancel")
    row = await payments.look_up_session(session["id"])
    assert payment is not None
    assert row is not None
    assert (row["id"], row["canceled_at"] is not None) == (payment["id"], True)


# -- webhooks


async def read(payments: PaymentService, body: bytes, headers: dict[str, str]) -> Any:
    return await payments.read_notice(HELD, body, {name.lower(): value for name, value in headers.items()})


async def test_a_webhook_is_read_where_stripe_has_signed_it(payments: PaymentService) -> None:
    intent = {"id": "pi_1", "amount": 1999, "amount_received": 1000, "currency": "eur", "metadata": {"session_id": "payses_1"}}
    body = event("payment_intent.succeeded", intent)
    notice = await read(payments, body, signed(body))
    assert (notice.action, notice.session_id, notice.amount, notice.id) == ("captured", "payses_1", 10, "evt_1")
    for action, kind in (("authorized", "amount_capturable_updated"), ("failed", "payment_failed"), ("not_supported", "created")):
        body = event(f"payment_intent.{kind}", intent)
        assert (await read(payments, body, signed(body))).action == action
    foreign = event("payment_intent.succeeded", {**intent, "metadata": {}})
    assert (await read(payments, foreign, signed(foreign))).action == "not_supported"


async def test_a_webhook_that_stripe_has_not_signed_is_refused(payments: PaymentService) -> None:
    body = event("payment_intent.succeeded", {"id": "pi_1", "amount": 1, "currency": "eur", "metadata": {"session_id": "payses_1"}})
    for headers in ({}, signed(body, "whsec_other"), signed(body + b" "), signed(body, at=time.time() - 3600), {"stripe-signature": "x"}):
        with pytest.raises(InvalidData, match="signed"):
            await read(payments, body, headers)
    for odd in (b"[]", b"{}", b"nonsense", b'{"type": "x", "data": 5}'):
        with pytest.raises(InvalidData):
            await read(payments, odd, signed(odd))
    with pytest.raises(InvalidData):
        await read(payments, b"\xff", {"stripe-signature": "t=1,v1=x"})


# -- settings


async def test_a_key_that_stripe_does_not_know_is_the_shops_mistake(desk: StripeDesk, fresh_database: str) -> None:
    configured = [ProviderSettings(use="stripe", id="stripe", options={"api_key": "nonsense", "api_base": desk.url})]
    async with alone(PaymentService, fresh_database, providers=Providers("payment", MODULE.provider_kinds, configured)) as service:
        desk._session.headers.pop("Authorization")
        with pytest.raises(UnexpectedState):
            await begun(service)
        with pytest.raises(InvalidData, match="webhook_secret"):
            await service.read_notice(HELD, b"{}", {})
        await service.stop()


def test_options_are_checked_at_the_start() -> None:
    for options in ({}, {"api_key": "sk_1", "unknown": 1}):
        with pytest.raises(Misconfigured):
            Providers("payment", {"stripe": StripePayment}, [ProviderSettings(use="stripe", options=options)])
