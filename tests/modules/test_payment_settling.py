"""Money in the dark: what a provider holds is known to the shop's books, or asked for until it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import NotFound, PaymentAuthorizationFailed, PaymentInDoubt, PaymentOutcomeUnknown
from velella.core.service.providers import Providers
from velella.core.settings import ProviderSettings
from velella.modules.payment.providers.system import SystemPaymentProvider
from velella.modules.payment.service import PaymentService

from ..vault import Vault, happened_before
from .one_module import alone

VAULT = "pp_vault_v"


@pytest.fixture
async def payments(fresh_database: str) -> AsyncIterator[PaymentService]:
    Vault.reset()
    configured = [ProviderSettings(use="system"), ProviderSettings(use="vault", id="v")]
    providers = Providers("payment", {"system": SystemPaymentProvider, "vault": Vault}, configured)
    async with alone(PaymentService, fresh_database, connections=8, providers=providers) as service:
        service.context.settings.payment_provider_timeout = 0.2
        yield service


async def begun(payments: PaymentService, amount: Any = 10, provider: str = VAULT) -> tuple[str, str]:
    """A cart's collection, and a session to pay it in."""
    of = (await payments.collection_for("cart:1", currency_code="eur", amount=amount))["id"]
    return of, str((await payments.create_payment_session(of, provider_id=provider))["id"])


async def owed(payments: PaymentService) -> list[str]:
    return [row["id"] for row in await payments.unsettled_sessions(-1)]


async def settle(payments: PaymentService) -> list[str]:
    return [await payments.settle_session(id) for id in await owed(payments)]


async def pass_time(payments: PaymentService, seconds: float) -> None:
    """As if everything had happened so long ago."""
    await happened_before(payments.database, seconds)


@pytest.mark.parametrize("trick", ["lost", "dark", "hangs", "late", "broken"])
async def test_a_session_in_doubt_is_asked_for_until_there_is_an_answer(payments: PaymentService, trick: Any) -> None:
    _, session = await begun(payments)
    Vault.tricks |= {"authorize": trick, "status": "dark"}
    with pytest.raises(PaymentInDoubt) as said:
        await payments.authorize_payment_session(session)
    assert (said.value.status, said.value.retry_after) == (503, 5)
    assert await owed(payments) == [session]
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.settle_session(session)
    Vault.come_back()
    took = trick not in ("dark", "hangs")
    assert await settle(payments) == ["held" if took else "later"]
    assert await payments.count("payment", {"payment_session_id": session}) == took
    assert await owed(payments) == []
    await pass_time(payments, 3601)  # no order comes of it
    assert await settle(payments) == ["given back" if took else "later"]
    assert Vault.keeps(session) == [0]
    if took:
        [payment] = await payments.list("payment", {"payment_session_id": session}, fields=("captures.amount", "refunds.amount"))
        assert [[row["amount"] for row in payment[name]] for name in ("captures", "refunds")] == [[10], [10]]


async def test_the_buyer_may_go_on_with_a_session_that_was_in_doubt(payments: PaymentService) -> None:
    of, session = await begun(payments)
    Vault.tricks |= {"authorize": "lost", "status": "dark"}
    with pytest.raises(PaymentInDoubt):
        await payments.authorize_payment_session(session)
    Vault.come_back()
    payment = await payments.authorize_payment_session(session)
    assert payment is not None
    assert [capture["amount"] for capture in payment["captures"]] == [10]
    await pass_time(payments, 86_400)
    assert await owed(payments) == []  # an order stands for it
    assert Vault.keeps(session) == [10]
    assert (await payments.retrieve("payment_collection", of))["captured_amount"] == 10


async def test_who_hears_nothing_of_a_payment_has_what_another_heard(payments: PaymentService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both asked for the same order, and only one got an answer: the other neither takes the payment from the order, nor fails."""
    payments.context.settings.payment_provider_timeout = 30.0
    _, session = await begun(payments)
    asks, gives_up = asyncio.Event(), asyncio.Event()

    async def silent(*_: Any) -> None:
        asks.set()
        await gives_up.wait()
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "authorize", silent)
        slow = asyncio.create_task(payments.authorize_payment_session(session, order_id="order_1"))
        await asks.wait()
    payment = await payments.authorize_payment_session(session, order_id="order_1")
    Vault.tricks |= {"status": "dark"}
    gives_up.set()
    again = await slow
    assert payment is not None
    assert again is not None
    assert (again["id"], again["captures"]) == (payment["id"], payment["captures"])
    Vault.tricks.clear()
    for seconds in (60, 3601):
        await pass_time(payments, seconds)
        assert await settle(payments) == []
    assert Vault.keeps(session) == [10]


async def test_money_that_went_into_the_dark_comes_back_before_the_buyer_pays_again(payments: PaymentService) -> None:
    of, first = await begun(payments)
    Vault.tricks |= {"authorize": "lost", "status": "dark", "drop": "dark"}
    with pytest.raises(PaymentInDoubt):
        await payments.authorize_payment_session(first)
    await payments.set_amount(of, amount=12)  # the buyer changes the cart
    assert await owed(payments) == [first]
    _, second = await begun(payments, 12)
    del Vault.tricks["authorize"]
    with pytest.raises(PaymentInDoubt):
        await payments.authorize_payment_session(second)
    assert ("authorize", second) not in Vault.asked
    Vault.come_back()
    assert await payments.authorize_payment_session(second)
    assert Vault.keeps(first, second) == [0, 12]
    assert await owed(payments) == []
    await pass_time(payments, 601)  # what was on its way then has arrived by now
    assert (await owed(payments), await settle(payments)) == ([first], ["given back"])
    await pass_time(payments, 86_400)
    assert await owed(payments) == []


async def test_what_arrives_late_is_given_back(payments: PaymentService) -> None:
    of, first = await begun(payments)
    Vault.tricks |= {"authorize": "late"}
    with pytest.raises(PaymentInDoubt):
        await payments.authorize_payment_session(first)
    Vault.tricks |= {"drop": "dark"}
    await payments.set_amount(of, amount=12)
    Vault.come_back()
    assert Vault.keeps(first) == [10]
    assert await settle(payments) == ["given back"]
    assert Vault.keeps(first) == [0]


async def test_what_arrives_after_its_session_was_dropped_is_given_back(payments: PaymentService) -> None:
    """That is another request to the provider than the one by which it forgot the session: it may know its keys."""
    of, first = await begun(payments)
    await payments.set_amount(of, amount=12)
    assert Vault.asked[-1] == ("drop", first)
    Vault.purse_of(first).taken = Decimal(10)  # it was on its way from the buyer's browser
    assert await payments.look_up_session(first) is None
    assert Vault.keeps(first) == [0]
    assert await owed(payments) == []


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_provider_that_lies_keeps_nothing(payments: PaymentService, at_once: bool) -> None:
    _, session = await begun(payments)
    Vault.takes_at_once = at_once
    Vault.tricks |= {"authorize": "lies"}
    with pytest.raises(PaymentAuthorizationFailed):
        await payments.authorize_payment_session(session)
    assert Vault.keeps(session) == [10]
    Vault.come_back()
    assert await payments.authorize_payment_session(session)  # tried again: what it took the first time counts
    assert Vault.keeps(session) == [10]
    assert [what for what, _ in Vault.asked].count("authorize") == 1


async def test_a_buyer_who_leaves_gets_back_what_was_held(payments: PaymentService) -> None:
    Vault.takes_at_once = False
    of, session = await begun(payments)
    held = await Vault().authorize(_ask(session))  # in the buyer's browser
    assert held.status == "authorized"
    assert await payments.look_up_session(session)  # the webhook came; the cart was never completed
    assert (await payments.retrieve("payment_collection", of))["authorized_amount"] == 10
    assert await owed(payments) == []
    await pass_time(payments, 3601)
    Vault.tricks |= {"cancel": "dark"}
    [late] = await owed(payments)
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.settle_session(late)
    Vault.come_back()
    assert await settle(payments) == ["given back"]
    assert Vault.keeps(session) == [0]
    assert (await payments.retrieve("payment_collection", of))["authorized_amount"] == 0
    with pytest.raises(NotFound):
        await payments.authorize_payment_session(session)


async def test_a_session_that_nobody_pays_in_is_dropped_in_the_end(payments: PaymentService) -> None:
    _, session = await begun(payments)
    looks = 0
    while await payments.count("payment_session", {"id": session}):
        await pass_time(payments, 86_400)
        assert await settle(payments) in (["later"], ["given back"], [])
        looks += 1
        assert looks < 12
    assert ("drop", session) in Vault.asked
    assert await owed(payments) == []


async def test_either_an_order_gets_the_money_or_it_is_given_back(payments: PaymentService) -> None:
    for _ in range(8):
        Vault.takes_at_once = False
        of = (await payments.create_collections([{"amount": 10, "currency_code": "eur"}]))[0]["id"]
        await payments.database.script(f"UPDATE payment_collection SET payer_key = 'cart:{of}' WHERE id = '{of}'")
        session = (await payments.create_payment_session(of, provider_id=VAULT))["id"]
        await Vault().authorize(_ask(session))
        await payments.look_up_session(session)
        await pass_time(payments, 3601)
        got, said = await asyncio.gather(
            payments.authorize_payment_session(session), payments.settle_session(session), return_exceptions=True
        )
        assert Vault.keeps(session) == ([10] if isinstance(got, dict) else [0]), (got, said)


async def test_an_order_stands_for_what_a_webhook_has_booked_at_the_same_time(payments: PaymentService) -> None:
    Vault.takes_at_once = False
    _, session = await begun(payments)
    await Vault().authorize(_ask(session))  # in the buyer's browser
    paid, _ = await asyncio.gather(payments.authorize_payment_session(session, order_id="order_1"), payments.look_up_session(session))
    assert paid is not None
    await pass_time(payments, 86_400)
    assert await owed(payments) == []
    [collection] = await payments.list("payment_collection", fields=("order_id", "payments.id"))
    assert (collection["order_id"], len(collection["payments"])) == ("order_1", 1)


async def test_what_asks_nobody_is_never_settled(payments: PaymentService) -> None:
    of, session = await begun(payments, provider="pp_system_default")
    await payments.set_amount(of, amount=12)
    await begun(payments, 12, provider="pp_system_default")
    await pass_time(payments, 864_000)
    assert await owed(payments) == []
    assert await payments.settle_session(session) == "settled"


async def test_pressing_twice_begins_one_session(payments: PaymentService) -> None:
    of, first = await begun(payments)
    assert (await payments.create_payment_session(of, provider_id=VAULT))["id"] == first
    other = await payments.create_payment_session(of, provider_id=VAULT, data={"card": "another"})
    assert other["id"] != first
    keyed = [(await payments.create_payment_session(of, provider_id=VAULT, key=key))["id"] for key in ("a", "a", "b", "b")]
    assert len(set(keyed)) == 2
    assert (keyed[0], keyed[2]) == (keyed[1], keyed[3])
    at_once = await asyncio.gather(*(payments.create_payment_session(of, provider_id=VAULT, key="c") for _ in range(5)))
    assert len({row["id"] for row in at_once}) == 1
    assert await payments.authorize_payment_session(at_once[0]["id"])
    assert (await payments.create_payment_session(of, provider_id=VAULT, key="c"))["id"] == at_once[0]["id"]  # also once it is paid
    assert sum(Vault.purses[id].forgotten for id in Vault.purses) == len(Vault.purses) - 1


def _ask(session: str) -> Any:
    from velella.modules.payment.provider import Ask

    return Ask(f"{session}:browser", {"session_id": session}, Decimal(10), "eur")
