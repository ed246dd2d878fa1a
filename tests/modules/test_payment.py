"""The payment module: money moves once, and never more of it than was agreed."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from sqlalchemy import text

from velella.core.errors import InvalidData, NotAllowed, NotFound, PaymentAuthorizationFailed, PaymentOutcomeUnknown, PaymentRequiresMore
from velella.core.service.providers import Providers
from velella.core.settings import ProviderSettings
from velella.core.sql.db.compiled import compiled
from velella.core.sql.schema.query import Query
from velella.modules.payment import books as books_of
from velella.modules.payment import operations, tables
from velella.modules.payment.provider import AccountHolder, Ask, Data, Outcome, PaymentProvider, Status
from velella.modules.payment.providers.system import SystemPaymentProvider
from velella.modules.payment.service import PaymentService
from velella.modules.payment.showing import shown

from .one_module import alone

HOLD = compiled(text("SELECT id FROM payment_collection WHERE id = CAST(:id AS text) FOR UPDATE"))
WAITING = compiled(
    text("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()")
)

D = Decimal
AMOUNTS = ("amount", "authorized_amount", "captured_amount", "refunded_amount")
BANK = "pp_bank_main"


class Bank(PaymentProvider):
    """A provider as the outside world has them: slow, forgetful of answers, and true to its idempotency keys."""

    identifier: ClassVar[str] = "bank"

    def __init__(self) -> None:
        self.answers: dict[str, Outcome] = {}
        """Key → what was answered the first time: the same key is never carried out twice."""
        self.asked: list[str] = []
        self.moved: dict[str, Decimal] = {}
        self.dropped: list[Data] = []
        self.says: Status = "authorized"
        self.lost: set[str] = set()
        """Kinds of requests that are carried out but whose answer is lost."""
        self.down: set[str] = set()
        """Kinds of requests that don't reach it."""
        self.held: dict[str, asyncio.Event] = {}
        """Kind → until this is set requests of the kind aren't answered."""

    async def _do(self, kind: str, ask: Ask, outcome: Outcome) -> Outcome:
        self.asked.append(ask.key)
        await asyncio.sleep(0.005)
        if kind in self.held:
            await self.held[kind].wait()
        if kind in self.down:
            raise ConnectionRefusedError("the bank is closed")
        if ask.key not in self.answers:
            self.answers[ask.key] = outcome
            self.moved[kind] = self.moved.get(kind, D(0)) + ask.amount
        if kind in self.lost:
            raise TimeoutError
        return self.answers[ask.key]

    async def initiate(self, ask: Ask) -> Outcome:
        return await self._do("initiate", ask, Outcome({"intent": ask.data["session_id"], "asked": str(ask.amount)}))

    async def update(self, ask: Ask) -> Outcome:
        return await self._do("update", ask, Outcome({**ask.data, "asked": str(ask.amount)}))

    async def drop(self, ask: Ask) -> None:
        await self._do("drop", ask, Outcome({}))
        self.dropped.append(ask.data)

    async def authorize(self, ask: Ask) -> Outcome:
        return await self._do("authorize", ask, Outcome({"authorization": ask.key}, self.says))

    async def capture(self, ask: Ask) -> Outcome:
        return await self._do("capture", ask, Outcome({"captured": True}, "captured"))

    async def refund(self, ask: Ask) -> Outcome:
        if ask.amount == D(666):
            raise InvalidData("the bank refuses")
        return await self._do("refund", ask, Outcome({}, "captured"))

    async def cancel(self, ask: Ask) -> Outcome:
        return await self._do("cancel", ask, Outcome({}, "canceled"))

    async def status(self, ask: Ask) -> Outcome:
        if "status" in self.down:
            raise ConnectionRefusedError("the bank is closed")
        return self.answers.get(ask.key, Outcome({}, "pending"))

    async def account_holder(self, key: str, context: Data) -> AccountHolder | None:
        return AccountHolder(f"bank-{context['customer']['id']}", {"key": key})


@pytest.fixture
async def payments(fresh_database: str) -> AsyncIterator[PaymentService]:
    kinds = {"system": SystemPaymentProvider, "bank": Bank}
    configured = [ProviderSettings(use="system"), ProviderSettings(use="bank", id="main")]
    async with alone(PaymentService, fresh_database, connections=8, providers=Providers("payment", kinds, configured)) as service:
        yield service


@pytest.fixture
def bank(payments: PaymentService) -> Bank:
    found: Bank = payments.providers.get(BANK)
    return found


async def collection(payments: PaymentService, amount: Any = 100, currency: str = "eur") -> str:
    (made,) = await payments.create_collections([{"amount": amount, "currency_code": currency}])
    return str(made["id"])


async def session(payments: PaymentService, of: str, provider: str = BANK) -> str:
    return str((await payments.create_payment_session(of, provider_id=provider))["id"])


async def paid(payments: PaymentService, amount: Any = 100) -> tuple[str, str]:
    """A collection with an authorised payment, and the payment."""
    of = await collection(payments, amount)
    payment = await payments.authorize_payment_session(await session(payments, of))
    assert payment is not None
    return of, str(payment["id"])


async def books(payments: PaymentService, of: str) -> tuple[str, Any, Any, Any]:
    row = await payments.retrieve("payment_collection", of)
    return row["status"], row["authorized_amount"], row["captured_amount"], row["refunded_amount"]


# -- collections


async def test_a_cart_has_one_collection_with_the_latest_amount(payments: PaymentService) -> None:
    made = await asyncio.gather(*(payments.collection_for("cart:1", currency_code="EUR", amount=D("10.50")) for _ in range(12)))
    assert len({each["id"] for each in made}) == 1
    later = await payments.collection_for("cart:1", currency_code="eur", amount=12, metadata={"ignored": "it is there already"})
    assert (later["id"], later["amount"], later["metadata"]) == (made[0]["id"], 12, None)
    row = await payments.retrieve("payment_collection", later["id"], fields=("*", "payment_sessions.*"))
    assert (row["amount"], row["currency_code"], row["payment_sessions"]) == (12, "eur", [])
    other = await payments.collection_for("cart:2", currency_code="eur", amount=12)
    assert other["id"] != later["id"]
    assert "payer_key" not in row


async def test_another_amount_drops_the_sessions_begun_for_the_old_one(payments: PaymentService, bank: Bank) -> None:
    of = await collection(payments, 100)
    begun = await session(payments, of)
    await payments.set_amount(of, amount=D("100.00"))
    same = await payments.retrieve("payment_collection", of, fields=("payment_sessions.id",))
    assert [one["id"] for one in same["payment_sessions"]] == [begun]
    await payments.set_amount(of, amount=D("90.5"))
    changed = await payments.retrieve("payment_collection", of, fields=("amount", "payment_sessions.id"))
    assert (changed["amount"], changed["payment_sessions"]) == (D("90.5"), [])
    assert [data["intent"] for data in bank.dropped] == [begun]


@pytest.mark.parametrize("amount", [-1, D("NaN"), None])
async def test_an_amount_has_to_be_one(payments: PaymentService, amount: Any) -> None:
    with pytest.raises(InvalidData):
        await collection(payments, amount)


# -- sessions


async def test_a_new_session_takes_the_place_of_the_old_one(payments: PaymentService, bank: Bank) -> None:
    of = await collection(payments)
    first = await session(payments, of)
    second = await payments.create_payment_session(
        of, provider_id="pp_system_default", data={"hello": 1}, context={"customer": {"id": "cus_1"}}
    )
    kept = await payments.list("payment_session", {"payment_collection_id": of})
    assert [row["id"] for row in kept] == [second["id"]]
    assert (second["amount"], second["status"], second["data"], second["context"]) == (
        100,
        "pending",
        {"hello": 1},
        {"customer": {"id": "cus_1"}},
    )
    assert [data["intent"] for data in bank.dropped] == [first]


async def test_a_collection_in_which_sessions_are_begun_all_the_time_stays_small(
    payments: PaymentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books_of, "MOST_DROPPED", 3)
    of = await collection(payments)
    for number in range(6):
        await payments.create_payment_session(of, provider_id="pp_system_default", data={"number": number})
    kept = await payments.list("payment_session", {"payment_collection_id": of}, with_deleted=True, fields=("data", "deleted_at"))
    assert [(row["data"]["number"], row["deleted_at"] is None) for row in kept] == [(2, False), (3, False), (4, False), (5, True)]


async def test_of_sessions_begun_at_once_one_is_left(payments: PaymentService) -> None:
    of = await collection(payments)
    made = await asyncio.gather(*(session(payments, of) for _ in range(10)))
    kept = await payments.list("payment_session", {"payment_collection_id": of})
    assert len(kept) == 1
    assert kept[0]["id"] in made


async def test_a_session_asks_for_the_amount_there_is_in_the_end(payments: PaymentService, bank: Bank) -> None:
    of = await collection(payments, 100)
    held = bank.held["initiate"] = asyncio.Event()
    beginning = asyncio.ensure_future(payments.create_payment_session(of, provider_id=BANK))
    while not bank.asked:
        await asyncio.sleep(0)
    await payments.set_amount(of, amount=80)
    held.set()
    made = await beginning
    assert (made["amount"], made["data"]["asked"]) == (80, "80")


@pytest.mark.parametrize(
    ("currency", "amount", "asked"), [("jpy", "1000.4", 1000), ("eur", "10.005", D("10.01")), ("kwd", "1.2345", D("1.235"))]
)
async def test_a_provider_is_asked_for_amounts_its_currency_has(payments: PaymentService, currency: str, amount: str, asked: Any) -> None:
    of = await collection(payments, D(amount), currency)
    assert (await payments.create_payment_session(of, provider_id=BANK))["amount"] == asked


async def test_what_is_not_there_is_not_found(payments: PaymentService) -> None:
    with pytest.raises(NotFound):
        await session(payments, "pay_col_none")
    with pytest.raises(NotFound):
        await session(payments, await collection(payments), "pp_nobody")
    with pytest.raises(NotFound):
        await payments.authorize_payment_session("payses_none")
    with pytest.raises(NotFound):
        await payments.capture_payment("pay_none")


async def test_a_provider_that_refuses_to_begin_leaves_everything_as_it_was(payments: PaymentService, bank: Bank) -> None:
    of = await collection(payments)
    first = await session(payments, of)
    bank.down.add("initiate")
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.create_payment_session(of, provider_id=BANK, data={"another": "card"})
    assert [row["id"] for row in await payments.list("payment_session", {"payment_collection_id": of})] == [first]


# -- authorising


async def test_however_many_authorize_a_session_there_is_one_payment(payments: PaymentService, bank: Bank) -> None:
    of = await collection(payments, D("19.99"))
    begun = await session(payments, of)
    found = await asyncio.gather(*(payments.authorize_payment_session(begun) for _ in range(12)))
    assert len({payment["id"] for payment in found if payment}) == 1
    assert await payments.count("payment") == 1
    assert bank.moved["authorize"] == D("19.99")
    assert await books(payments, of) == ("authorized", D("19.99"), 0, 0)
    again = await payments.authorize_payment_session(begun)
    assert again == found[0]
    (kept,) = await payments.list("payment_session", {"id": begun})
    assert kept["status"] == "authorized"
    assert kept["authorized_at"] is not None


async def test_a_provider_may_capture_at_once(payments: PaymentService, bank: Bank) -> None:
    bank.says = "captured"
    of, payment = await paid(payments)
    assert await books(payments, of) == ("completed", 100, 100, 0)
    row = await payments.retrieve("payment", payment, fields=("captured_at", "captures.amount"))
    assert row["captured_at"] is not None
    assert [one["amount"] for one in row["captures"]] == [100]
    assert (await payments.retrieve("payment_collection", of))["completed_at"] is not None


async def test_a_declined_session_may_be_tried_again(payments: PaymentService, bank: Bank) -> None:
    of = await collection(payments)
    begun = await session(payments, of)
    bank.says = "error"
    with pytest.raises(PaymentAuthorizationFailed):
        await payments.authorize_payment_session(begun)
    assert (await payments.retrieve("payment_session", begun))["status"] == "error"
    bank.says = "authorized"
    assert await payments.authorize_payment_session(begun)
    assert await books(payments, of) == ("authorized", 100, 0, 0)
    assert len({key for key in bank.asked if "authorize" in key}) == 2


async def test_a_buyer_who_has_to_act_is_told_so(payments: PaymentService, bank: Bank) -> None:
    begun = await session(payments, await collection(payments))
    bank.says = "requires_more"
    with pytest.raises(PaymentRequiresMore):
        await payments.authorize_payment_session(begun)
    assert (await payments.retrieve("payment_session", begun))["status"] == "requires_more"
    assert await payments.count("payment") == 0


async def test_an_authorization_may_take_its_time(payments: PaymentService, bank: Bank) -> None:
    of = await collection(payments)
    begun = await session(payments, of)
    bank.says = "pending_authorization"
    assert await payments.authorize_payment_session(begun) is None
    assert (await books(payments, of))[0] == "awaiting"
    await session(payments, of)
    assert begun in [row["id"] for row in await payments.list("payment_session")]  # it may still be paid: not dropped

    begun = await session(payments, (await payments.collection_for("cart:1", currency_code="eur", amount=100))["id"])
    assert len(await payments.unsettled_sessions(-1e6)) == 1
    asked, held = len(bank.asked), asyncio.Event()
    bank.held["authorize"] = held
    slow = asyncio.create_task(payments.authorize_payment_session(begun, order_id="order_1"))
    while len(bank.asked) == asked:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.01)
    del bank.held["authorize"]
    assert await payments.authorize_payment_session(begun, order_id="order_1") is None
    bank.down |= {"authorize", "status"}
    held.set()
    assert await slow is None, "another caller was told that it takes its time"
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.authorize_payment_session(begun, order_id="order_1")
    assert await payments.unsettled_sessions(-1e6) == [], "an order waits for it, and nobody gives it back"


async def test_a_lost_answer_is_asked_for_and_never_guessed(payments: PaymentService, bank: Bank) -> None:
    of = await collection(payments)
    begun = await session(payments, of)
    bank.lost.add("authorize")
    bank.down.add("status")
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.authorize_payment_session(begun)
    assert (await books(payments, of))[1] in (None, 0)
    bank.down.clear()
    assert await payments.authorize_payment_session(begun)
    assert bank.moved["authorize"] == 100


async def test_a_request_that_never_arrived_may_be_repeated(payments: PaymentService, bank: Bank) -> None:
    begun = await session(payments, await collection(payments))
    bank.down.add("authorize")
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.authorize_payment_session(begun)
    bank.down.clear()
    assert await payments.authorize_payment_session(begun)
    assert bank.moved["authorize"] == 100


async def test_a_session_dropped_while_it_is_authorized_gives_back_what_it_holds(payments: PaymentService, bank: Bank) -> None:
    of = await collection(payments)
    begun = await session(payments, of)
    held = bank.held["authorize"] = asyncio.Event()
    authorizing = asyncio.ensure_future(payments.authorize_payment_session(begun))
    while not any("authorize" in key for key in bank.asked):
        await asyncio.sleep(0)
    await payments.set_amount(of, amount=120)
    held.set()
    with pytest.raises(PaymentAuthorizationFailed):
        await authorizing
    assert (await books(payments, of))[1] in (None, 0)
    assert await payments.list("payment_session", {"id": begun}) == []
    bank.dropped.clear()
    [owed] = await payments.unsettled_sessions(-1)
    assert (owed["id"], await payments.settle_session(begun)) == (begun, "given back")
    assert len(bank.dropped) == 1
    assert await payments.unsettled_sessions(-1) == []


async def test_a_paid_session_is_never_dropped(payments: PaymentService) -> None:
    of, payment = await paid(payments)
    (row,) = await payments.list("payment", {"id": payment})
    assert await payments.delete_payment_sessions([row["payment_session_id"]]) == []
    await session(payments, of)
    assert await payments.count("payment_session") == 2


# -- capturing, refunding, cancelling


async def test_parts_add_up_to_what_was_authorized_and_no_more(payments: PaymentService, bank: Bank) -> None:
    of, payment = await paid(payments)
    answers = await asyncio.gather(*(payments.capture_payment(payment, amount=D("30")) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 3
    assert all(isinstance(answer, (dict, InvalidData)) for answer in answers)
    assert await books(payments, of) == ("authorized", 100, 90, 0)
    with pytest.raises(InvalidData, match="10 is authorized and not yet captured"):
        await payments.capture_payment(payment, amount=D("10.01"))
    done = await payments.capture_payment(payment, captured_by="user_1")
    assert done["captured_at"] is not None
    assert (done["captures"][-1]["amount"], done["captures"][-1]["created_by"]) == (10, "user_1")
    assert await books(payments, of) == ("completed", 100, 100, 0)
    assert (await payments.capture_payment(payment))["captures"] == done["captures"]
    assert bank.moved["capture"] == 100


async def test_what_is_booked_at_once_is_all_counted(payments: PaymentService) -> None:
    of, payment = await paid(payments)
    outside = contextvars.copy_context()
    async with payments.database.transaction():
        await payments.database.execute(HOLD, {"id": of})
        both = [asyncio.create_task(payments.capture_payment(payment, amount=D(each)), context=outside.copy()) for each in ("30", "70")]
        while await payments.database.fetch_value(WAITING, {}) < 2:  # both have looked at what was captured so far
            await asyncio.sleep(0.01)
    await asyncio.gather(*both)
    [row] = await payments.list("payment", {"id": payment}, fields=("captured_at", "captures.amount"))
    assert (row["captured_at"] is not None, sorted(each["amount"] for each in row["captures"])) == (True, [30, 70])
    assert await books(payments, of) == ("completed", 100, 100, 0)


async def test_refunds_add_up_to_what_was_captured_and_no_more(payments: PaymentService, bank: Bank) -> None:
    of, payment = await paid(payments)
    with pytest.raises(InvalidData):
        await payments.refund_payment(payment, amount=1)
    await payments.capture_payment(payment, amount=60)
    answers = await asyncio.gather(*(payments.refund_payment(payment, amount=25) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 2
    (reason,) = await payments.create("refund_reason", [{"label": "Broken", "code": "broken"}])
    row = await payments.refund_payment(payment, note="sorry", refund_reason_id=reason["id"], created_by="user_1")
    last = row["refunds"][-1]
    assert (last["amount"], last["note"], last["refund_reason_id"], last["created_by"]) == (10, "sorry", reason["id"], "user_1")
    assert await books(payments, of) == ("authorized", 100, 60, 60)
    assert bank.moved["refund"] == 60


async def test_what_comes_late_to_a_cancelled_order_leaves_its_collection_cancelled(payments: PaymentService) -> None:
    """Whatever is held, captured and given back afterwards, and in whichever parts."""
    of, payment = await paid(payments)
    await payments.assign(of, "order_1")
    assert await payments.close_collections_of("order_1") == [payment]
    await payments.capture_payment(payment)  # it was on its way
    assert await books(payments, of) == ("canceled", 100, 100, 0)
    await payments.refund_payment(payment, amount=40)
    await payments.refund_payment(payment)
    assert await books(payments, of) == ("canceled", 100, 100, 100)
    [shown] = await payments.list("payment_collection", {"id": of}, fields=("completed_at",))
    assert shown["completed_at"] is None
    with pytest.raises(InvalidData, match="canceled"):
        await session(payments, of)


async def test_under_one_key_money_moves_once(payments: PaymentService, bank: Bank) -> None:
    of, payment = await paid(payments)
    await asyncio.gather(*(payments.capture_payment(payment, amount=40, key="wfx_1:4") for _ in range(6)))
    await payments.capture_payment(payment, amount=40, key="wfx_1:4")
    assert await books(payments, of) == ("authorized", 100, 40, 0)
    assert bank.moved["capture"] == 40
    assert await payments.count("capture") == 1


async def test_a_capture_whose_answer_is_lost_is_settled_by_its_key(payments: PaymentService, bank: Bank) -> None:
    of, payment = await paid(payments)
    bank.lost.add("capture")
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.capture_payment(payment, key="wfx_1:4")
    assert await books(payments, of) == ("authorized", 100, 0, 0)
    with pytest.raises(InvalidData, match=": 0 is authorized and not yet captured"):  # it counts until it is known
        await payments.capture_payment(payment)
    with pytest.raises(NotAllowed):
        await payments.cancel_payment(payment)
    bank.lost.clear()
    await payments.capture_payment(payment, key="wfx_1:4")
    assert await books(payments, of) == ("completed", 100, 100, 0)
    assert bank.moved["capture"] == 100


async def test_a_refund_in_doubt_stays_so_while_its_provider_is_not_in_the_settings(
    payments: PaymentService, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, payment = await paid(payments)
    await payments.capture_payment(payment)
    bank.lost.add("refund")
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.refund_payment(payment, amount=40, key="wfx_1:4")
    bank.lost.clear()
    with monkeypatch.context() as without:
        without.delitem(payments.providers._instances, BANK)
        with pytest.raises(PaymentOutcomeUnknown):
            await payments.refund_payment(payment, amount=40, key="wfx_1:4")
    await payments.refund_payment(payment, amount=40, key="wfx_1:4")
    assert (bank.moved["refund"], await books(payments, of)) == (40, ("completed", 100, 100, 40))


async def test_what_a_dead_process_left_behind_is_taken_up(payments: PaymentService, bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    of, payment = await paid(payments)
    bank.lost.add("capture")
    with pytest.raises(PaymentOutcomeUnknown):
        await payments.capture_payment(payment, amount=40)
    bank.lost.clear()
    monkeypatch.setattr(operations, "PATIENCE", 0.0)
    await payments.capture_payment(payment)
    assert await books(payments, of) == ("completed", 100, 100, 0)
    assert bank.moved["capture"] == 100
    assert sorted(row["amount"] for row in await payments.list("capture")) == [40, 60]


async def test_a_refused_refund_is_not_booked_and_counts_no_longer(payments: PaymentService) -> None:
    of, payment = await paid(payments, 1000)
    await payments.capture_payment(payment)
    with pytest.raises(InvalidData, match="the bank refuses"):
        await payments.refund_payment(payment, amount=666)
    await payments.refund_payment(payment, amount=999)
    assert (await books(payments, of))[3] == 999


async def test_a_cancelled_payment_is_done_with(payments: PaymentService, bank: Bank) -> None:
    of, payment = await paid(payments)
    rows = await asyncio.gather(*(payments.cancel_payment(payment) for _ in range(5)))
    assert all(row["canceled_at"] is not None for row in rows)
    assert bank.moved["cancel"] == 100
    assert (await books(payments, of))[1] == 0
    with pytest.raises(InvalidData, match="cancelled"):
        await payments.capture_payment(payment)
    (begun,) = await payments.list("payment_session", {"payment_collection_id": of})
    assert begun["status"] == "canceled"
    with pytest.raises(PaymentAuthorizationFailed):
        await payments.authorize_payment_session(begun["id"])
    again = await session(payments, of)  # takes its place: the buyer pays after all
    assert [row["id"] for row in await payments.list("payment_session", {"payment_collection_id": of})] == [again]
    assert await payments.authorize_payment_session(again)
    assert (await books(payments, of))[:2] == ("authorized", 100)


async def test_a_captured_payment_can_not_be_cancelled(payments: PaymentService) -> None:
    of, payment = await paid(payments)
    await payments.capture_payment(payment, amount=1)
    with pytest.raises(NotAllowed):
        await payments.cancel_payment(payment)
    with pytest.raises(NotAllowed):
        await payments.cancel_collection(of)


async def test_either_a_capture_or_a_cancellation_wins(payments: PaymentService, bank: Bank) -> None:
    _, payment = await paid(payments)
    answers = await asyncio.gather(payments.capture_payment(payment), payments.cancel_payment(payment), return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert ("capture" in bank.moved) != ("cancel" in bank.moved)


# -- providers


async def test_the_system_provider_agrees_to_everything(payments: PaymentService) -> None:
    of = await collection(payments)
    payment = await payments.authorize_payment_session(await session(payments, of, "pp_system_default"))
    assert payment is not None
    assert payment["provider_id"] == "pp_system_default"
    await payments.capture_payment(payment["id"])
    await payments.refund_payment(payment["id"], amount=D("0.01"))
    assert await books(payments, of) == ("completed", 100, 100, D("0.01"))
    assert await payments.account_holder("pp_system_default", {"customer": {"id": "cus_1"}}) is None


async def test_a_buyer_has_one_account_with_a_provider(payments: PaymentService) -> None:
    buyer = {"customer": {"id": "cus_1", "email": "ada@example.com"}}
    made = await asyncio.gather(*(payments.account_holder(BANK, buyer) for _ in range(4)))
    assert len({row["id"] for row in made if row}) == 1
    assert made[0] is not None
    assert (made[0]["external_id"], made[0]["email"]) == ("bank-cus_1", "ada@example.com")


# -- how they are shown

SHOWN = (
    ("*", "*payment_sessions"),
    ("id", "*payment_sessions", "*payments", "*payments.captures"),
    ("amount", "payment_sessions.raw_amount", "payment_sessions.data", "payment_sessions.settle_at", "payment_sessions.payment_id"),
    ("*payment_sessions.payment_collection", "payment_sessions.payment.captures.amount"),
    ("payment_sessions.payment_collection.payment_sessions.id", "order_id", "document", "session_ids", "settle_at", "version"),
    ("payment_sessions", "payments.payment_session.status", "*payment_providers"),
)


async def test_collections_are_shown_alike_out_of_documents_out_of_hand_and_by_views(
    payments: PaymentService, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, _ = await paid(payments)
    first = await session(payments, of)
    whole = (await payments.create_payment_session(of, provider_id=BANK, data={"b": 1, "a": {}}))["payment_collection"]
    assert (await payments.list("payment_session", {"id": first}, with_deleted=True))[0]["deleted_at"] is not None
    for fields in SHOWN:
        for with_deleted in (False, True):
            query = Query("payment_collection", fields, {"id": of}, with_deleted=with_deleted)
            rows = (await payments.query(query)).rows
            with monkeypatch.context() as views:
                views.setattr(payments.statements.documents, "showing", lambda *_, **__: None)
                assert rows == (await payments.query(query)).rows, query
        in_hand = shown([whole], fields)
        again = (await payments.query(Query("payment_collection", fields, {"id": of}))).rows
        assert in_hand is None or in_hand == again, fields
    [row] = (await payments.query(Query("payment_collection", SHOWN[0], {"id": of}))).rows
    assert {name for name in row if name not in tables.payment_collection.c} == {f"raw_{name}" for name in AMOUNTS} | {"payment_sessions"}
    assert not row.keys() & {"payer_key", "order_id", "version", "document", "document_schema", "session_ids", "settle_at"}
    assert [(each["status"], bool(each["payment"])) for each in row["payment_sessions"]] == [("authorized", True), ("pending", False)]
    assert not row["payment_sessions"][0].keys() & {*tables.BOOKKEEPING, "root_id"}


async def test_a_payment_shows_its_session_without_reading_other_collections(payments: PaymentService) -> None:
    _, payment = await paid(payments)
    await paid(payments)
    asked = payments.statements.page(Query("payment", ("payment_session.status",), {"id": payment}))
    assert "root_id" in asked.sql
    [row] = (await payments.query(Query("payment", ("payment_session.status",), {"id": payment}))).rows
    assert row["payment_session"] == {"status": "authorized", "id": row["payment_session"]["id"]}
