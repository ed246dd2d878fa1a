"""Once money has moved, or the buyer has the order, nothing is taken back: what is left to do is done until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from functools import wraps
from typing import Any

import pytest

from velella.core.errors import Busy, NotAllowed, Unavailable
from velella.modules.payment.provider import Ask, Outcome
from velella.workflows.cart import complete as completing
from velella.workflows.kit import Flow, on_hook
from velella.workflows.order import difference, ends, fulfillments, swaps
from velella.workflows.order.changes import lock_of
from velella.workflows.payment import payments as money
from velella.workflows.payment import process as processing

from ..vault import Vault
from .conftest import Market, MoodyProvider, Row, Store
from .test_draft_orders import drafted
from .test_merchants_payments import ordered, payment_of, transactions

D = Decimal
VAULT = "pp_vault_v"


@pytest.fixture(autouse=True)
def vault() -> Iterator[type[Vault]]:
    Vault.reset()
    yield Vault
    Vault.come_back()


@pytest.fixture
def busy() -> Iterator[Callable[[Any], None]]:
    """Have a step meet a full mailbox the first time."""
    real: dict[Any, Any] = {}

    def once(step: Any) -> None:
        real[step] = step.function
        left = [1]

        async def function(flow: Any, *args: Any) -> Any:
            if left:
                left.pop()
                raise Unavailable("The order pool is full")
            return await real[step](flow, *args)

        object.__setattr__(step, "function", function)

    yield once
    for step, function in real.items():
        object.__setattr__(step, "function", function)


async def until(look: Callable[[], Awaitable[Any]], wanted: Any, seconds: float = 20.0) -> None:
    """Look again until it is so."""
    seen = None
    for _ in range(int(seconds / 0.1)):
        seen = await look()
        if seen == wanted:
            return
        await asyncio.sleep(0.1)
    assert seen == wanted


async def session_of(store: Store, cart: Row) -> str:
    shown = await store.show(cart, fields="id,*payment_collection.payment_sessions")
    return str(shown["payment_collection"]["payment_sessions"][0]["id"])


async def executions(market: Market, workflow: str, key: str | None = None) -> list[Row]:
    rows = await market.host.workflows.list(workflow=workflow, limit=20)
    return [row for row in rows if key in (None, row["key"])]


async def test_an_order_that_the_buyer_was_given_is_not_taken_back_by_a_webhook(
    market: Market, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.ready(variant, provider=VAULT)
    session = await session_of(store, cart)
    Vault.tricks |= {f"status {session}": "hangs"}
    monkeypatch.setattr(market.host.settings, "payment_provider_timeout", 0.5)
    notice = {"provider_id": VAULT, "action": "authorized", "session_id": session}
    webhook = asyncio.create_task(market.host.workflows.run("process-payment-workflow", notice, None))
    order = (await store.complete(cart))["order"]["id"]
    with pytest.raises(Unavailable):
        await webhook
    assert (await store.get(f"/store/orders/{order}")).status == 200
    assert (await store.complete(cart))["order"]["id"] == order
    assert Vault.keeps(session) == [D("15.95")]
    assert await market.reserved(variant) == 1
    Vault.come_back()
    assert await market.host.workflows.run("process-payment-workflow", notice, None)
    assert await transactions(market, order) == [D("15.95")]


async def test_a_charged_checkout_is_not_refunded_for_a_refused_message(market: Market, store: Store, busy: Any) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=3)
    cart = await store.ready(variant, provider=VAULT)
    busy(completing.book_captures)
    order = (await store.complete(cart))["order"]["id"]
    [execution] = await executions(market, "complete-cart", cart["id"])
    assert (execution["state"], execution["waits_at"].split()[-1]) == ("finishing", "book-captures")
    assert (await store.complete(cart))["order"]["id"] == order
    await until(lambda: transactions(market, order), [D("15.95")])
    assert Vault.keeps(await session_of(store, cart)) == [D("15.95")]
    assert await market.reserved(variant) == 1


@pytest.mark.parametrize("kind", ["capture", "refund"])
async def test_money_that_a_merchant_has_moved_is_booked_and_moved_once(
    market: Market, store: Store, merchant: Store, busy: Any, kind: str
) -> None:
    Vault.takes_at_once = kind == "refund"
    order, id = await ordered(market, store, provider=VAULT)
    before = await transactions(market, order)
    moved = D(2) if kind == "capture" else D(-2)
    busy(money.add_to_order)
    keyed = merchant.under("pressed once")
    for _ in range(3):
        payment = (await keyed.post(f"/admin/payments/{id}/{kind}", {"amount": 2}))["payment"]
        assert [row["amount"] for row in payment[f"{kind}s"]][-1] == 2
    await until(lambda: transactions(market, order), sorted([*before, moved]))
    assert [what for what, _ in Vault.asked].count(kind) == 1


@pytest.mark.parametrize("kind", ["capture", "refund"])
async def test_a_press_whose_outcome_nobody_was_told_is_the_same_press(market: Market, store: Store, merchant: Store, kind: str) -> None:
    Vault.takes_at_once = kind == "refund"
    order, id = await ordered(market, store, provider=VAULT)
    before = await transactions(market, order)
    Vault.tricks |= {kind: "lost"}
    path = f"/admin/payments/{id}/{kind}"
    dark = await merchant.post(path, {"amount": 2})
    assert (dark.status, dark.body["type"]) == (503, "unavailable")
    Vault.come_back()
    await until(lambda: transactions(market, order), sorted([*before, D(2) if kind == "capture" else D(-2)]))
    assert (await merchant.post(path, {"amount": 2})).status == 200
    assert len(await transactions(market, order)) == len(before) + 1


async def test_what_was_marked_as_paid_gets_to_its_order(market: Market, store: Store, merchant: Store, busy: Any) -> None:
    order, _ = await ordered(market, store)
    made = (await merchant.post("/admin/payment-collections", {"order_id": order, "amount": 7}))["payment_collection"]["id"]
    busy(money.add_to_order)
    path = f"/admin/payment-collections/{made}/mark-as-paid"
    for _ in range(2):
        paid = (await merchant.post(path, {"order_id": order}))["payment_collection"]
        assert (paid["status"], len(paid["payments"])) == ("completed", 1)
    await until(lambda: transactions(market, order), [7])


async def owing(market: Market, store: Store, merchant: Store) -> str:
    """An order that was edited after it was paid: it owes 10."""
    order, payment = await ordered(market, store)
    assert (await merchant.post(f"/admin/payments/{payment}/capture")).status == 200
    assert (await merchant.post("/admin/order-edits", {"order_id": order})).status == 200
    added = {"variant_id": await market.new_variant({"eur": "10"}), "quantity": 1}
    assert (await merchant.post(f"/admin/order-edits/{order}/items", {"items": [added]})).status == 200
    return order


async def test_nothing_is_asked_for_an_order_that_is_cancelled_before_its_change_is_done(
    market: Market, store: Store, merchant: Store, busy: Any
) -> None:
    order = await owing(market, store, merchant)
    busy(difference.settle_difference)
    assert (await merchant.post(f"/admin/order-edits/{order}/confirm")).status == 503
    assert (await merchant.post(f"/admin/orders/{order}/cancel")).status == 200

    async def state() -> str:
        return str((await executions(market, "confirm-order-edit-request"))[0]["state"])

    await until(state, "done")
    shown = (await merchant.get(f"/admin/orders/{order}", fields="*payment_collections"))["order"]
    assert [one["status"] for one in shown["payment_collections"]] == ["canceled"]


async def test_a_credit_that_a_merchant_hears_nothing_of_is_given_once(market: Market, store: Store, merchant: Store, busy: Any) -> None:
    order = await owing(market, store, merchant)
    assert (await merchant.post(f"/admin/order-edits/{order}/confirm")).status == 200
    busy(difference.settle_difference)
    body, at = {"amount": 4, "reference": "goodwill", "reference_id": "1"}, f"/admin/orders/{order}"
    assert (await merchant.post(f"{at}/credit-lines", body)).status == 503

    async def asked() -> list[Any]:
        shown = (await merchant.get(at, fields="*payment_collections,*credit_lines,summary"))["order"]
        unpaid = [one["amount"] for one in shown["payment_collections"] if one["status"] == "not_paid"]
        return [unpaid, len(shown["credit_lines"]), shown["summary"]["pending_difference"]]

    await until(asked, [[6], 1, 6])
    assert (await executions(market, "create-order-credit-lines"))[0]["state"] == "done"


async def sent_off(market: Market, store: Store, merchant: Store) -> tuple[str, str, str]:
    """Two of five units, bought and sent: the variant, the order's path, and the fulfilment's id."""
    variant = await market.new_variant({"eur": "10"}, stock=5)
    order = (await store.complete(await store.ready(variant, quantity=2)))["order"]
    at, items = f"/admin/orders/{order['id']}", [{"id": order["items"][0]["id"], "quantity": 2}]
    sent = (await merchant.post(f"{at}/fulfillments?fields=*fulfillments", {"items": items}))["order"]["fulfillments"][0]["id"]
    return variant, at, sent


async def test_what_was_called_off_is_reserved_before_the_order_can_be_cancelled(
    market: Market, store: Store, merchant: Store, busy: Any
) -> None:
    variant, at, sent = await sent_off(market, store, merchant)
    busy(fulfillments.reserve_again)
    assert (await merchant.post(f"{at}/fulfillments/{sent}/cancel")).status == 503
    await merchant.post(f"{at}/cancel")

    async def state() -> str:
        return str((await executions(market, "cancel-order-fulfillment"))[0]["state"])

    await until(state, "done")
    assert (await merchant.get(at))["order"]["status"] == "canceled" or (await merchant.post(f"{at}/cancel")).status == 200
    assert await market.reserved(variant) == 0
    assert await market.available(variant) == 5


async def test_nobody_pays_for_a_cancelled_order(market: Market, store: Store, merchant: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the browser, with a session that was begun before, nor by a new one, nor at that very moment."""
    order = await owing(market, store, merchant)
    at = f"/admin/orders/{order}"
    assert (await merchant.post(f"/admin/order-edits/{order}/confirm")).status == 200
    shown = (await merchant.get(at, fields="*payment_collections"))["order"]["payment_collections"]
    [owed] = [one["id"] for one in shown if one["status"] == "not_paid"]
    path = f"/store/payment-collections/{owed}/payment-sessions"
    [session] = (await store.post(path, {"provider_id": VAULT}))["payment_collection"]["payment_sessions"]
    Vault.purse_of(session["id"]).taken = D(10)  # in the browser: nobody has told the shop yet
    other = (await merchant.post("/admin/payment-collections", {"order_id": order, "amount": 7}))["payment_collection"]["id"]
    real = ends.release_goods.function

    async def beside(flow: Any, *args: Any) -> Any:
        assert (await merchant.post(f"/admin/payment-collections/{other}/mark-as-paid", {"order_id": order})).status == 200
        return await real(flow, *args)

    object.__setattr__(ends.release_goods, "function", beside)
    try:
        assert (await merchant.post(f"{at}/cancel")).status == 200
    finally:
        object.__setattr__(ends.release_goods, "function", real)
    assert sum(await transactions(market, order)) == 0
    assert len(await transactions(market, order)) == 4
    notice = {"provider_id": VAULT, "action": "captured", "session_id": session["id"]}
    assert (await market.host.workflows.run("process-payment-workflow", notice, None))["payment_id"] is None
    assert Vault.keeps(session["id"]) == [0]
    refused = await store.post(path, {"provider_id": VAULT})
    assert (refused.status, refused.body["message"]) == (400, f"Payment collection {owed} is canceled")
    shown = (await merchant.get(at, fields="*payment_collections,payment_status"))["order"]
    assert {one["status"] for one in shown["payment_collections"]} == {"canceled"}
    assert shown["payment_status"] == "refunded"


async def test_what_a_bank_takes_its_time_for_is_given_back_when_the_order_is_cancelled(
    market: Market, store: Store, merchant: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped: list[Any] = []

    async def drop(_: MoodyProvider, ask: Ask) -> None:
        dropped.append(ask.data["session_id"])

    monkeypatch.setattr(MoodyProvider, "drop", drop)
    cart = await store.ready(await market.new_variant({"eur": "10"}), provider="pp_moody_m", mood="slow")
    session = await session_of(store, cart)
    order = (await store.complete(cart))["order"]["id"]
    assert (await merchant.post(f"/admin/orders/{order}/cancel")).status == 200
    assert dropped == [session]
    MoodyProvider.arrived.add(session)
    notice = {"provider_id": "pp_moody_m", "action": "captured", "session_id": session}
    assert (await market.host.workflows.run("process-payment-workflow", notice, None))["payment_id"] is None
    assert (dropped, await transactions(market, order)) == ([session, session], [])


async def test_a_draft_is_taxed_for_where_it_goes_whatever_stops_its_update(market: Market, merchant: Store, busy: Any) -> None:
    draft = await drafted(market, merchant, {"title": "Boat", "quantity": 1, "unit_price": 100})
    busy(difference.settle_difference)
    at = f"/admin/draft-orders/{draft['id']}"
    await merchant.post(at, {"shipping_address": {"country_code": "de"}})

    async def taxed() -> tuple[Any, Any]:
        shown = (await merchant.get(at, fields="total,shipping_address.country_code"))["draft_order"]
        return shown["shipping_address"]["country_code"], shown["total"]

    assert await taxed() in (("us", D("107.25")), ("de", 119))
    await until(taxed, ("de", 119))


async def test_what_was_being_called_off_before_an_upgrade_is_reserved_after_it(
    market: Market, store: Store, merchant: Store, busy: Any
) -> None:
    """A version that looked for no returns counted back first, and reserved then."""
    variant, at, sent = await sent_off(market, store, merchant)
    flow_of_today = fulfillments.cancel_order_fulfillment
    today, look = flow_of_today.function, fulfillments.packed_in.function

    @wraps(look)
    async def unasked(flow: Any, *of: str) -> Any:
        return {name: value for name, value in (await look(flow, *of)).items() if name != "coming_back"}

    async def before(flow: Any, order_id: str, fulfillment_id: str, **_: Any) -> str:
        async with flow.lock(lock_of(order_id)):
            packed = await flow.run(fulfillments.packed_in, order_id, fulfillment_id)
            await flow.run(fulfillments.call_off, fulfillment_id)
            acts = fulfillments.counting("CANCEL_ITEM_FULFILLMENT", fulfillment_id, packed["quantities"])
            await flow.run(fulfillments.register, order_id, acts)
            await flow.run(fulfillments.reserve_again, packed["items"], packed["location_id"])
        return fulfillment_id

    busy(fulfillments.reserve_again)
    object.__setattr__(fulfillments.packed_in, "function", unasked)
    object.__setattr__(flow_of_today, "function", before)
    try:
        assert (await merchant.post(f"{at}/fulfillments/{sent}/cancel")).status == 503
    finally:
        object.__setattr__(fulfillments.packed_in, "function", look)
        object.__setattr__(flow_of_today, "function", today)

    async def state() -> str:
        return str((await executions(market, "cancel-order-fulfillment"))[0]["state"])

    await until(state, "done")
    assert (await market.reserved(variant), await market.available(variant)) == (2, 3)
    line = (await merchant.get(at, fields="*items,*items.detail"))["order"]["items"][0]
    assert line["detail"]["fulfilled_quantity"] == 0


def test_claims_and_exchanges_that_were_being_called_off_before_an_upgrade_are_called_off_after_it() -> None:
    """What was done is found again by where its step is: one that has moved is another one."""
    assert swaps.called_off.reference == "velella.workflows.order.swaps:called_off"


async def test_a_webhooks_booking_is_repeated_until_it_is_done(market: Market, store: Store, busy: Any) -> None:
    cart = await store.ready(await market.new_variant({"eur": "10"}), provider=VAULT)
    order = (await store.complete(cart))["order"]["id"]
    notice = {"provider_id": VAULT, "action": "captured", "session_id": await session_of(store, cart)}
    busy(processing.add_to_order)
    with pytest.raises(Unavailable):
        await market.host.workflows.run("process-payment-workflow", notice, "notice 1")
    await market.host.workflows.run("process-payment-workflow", notice, "notice 1")
    assert await transactions(market, order) == [D("15.95")]


async def test_a_webhook_that_finds_its_provider_busy_comes_again(market: Market, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    cart = await store.ready(await market.new_variant({"eur": "10"}), provider=VAULT)
    session = await session_of(store, cart)
    authorize = Vault.authorize
    await Vault().authorize(Ask(f"{session}:browser", {"session_id": session}, D("15.95"), "eur"))
    refused: list[str] = []

    async def busy(self: Vault, ask: Ask) -> Outcome:
        if not refused:
            refused.append(ask.key)
            raise Busy("The vault is asked too often", retry_after=1.0)
        return await authorize(self, ask)

    monkeypatch.setattr(Vault, "authorize", busy)
    notice = {"provider_id": VAULT, "action": "authorized", "session_id": session}
    with pytest.raises(Unavailable):
        await market.host.workflows.run("process-payment-workflow", notice, "busy")
    assert await market.host.workflows.run("process-payment-workflow", notice, "busy")
    [order_id] = await market.order_ids(cart)
    assert (await store.complete(cart))["order"]["id"] == order_id
    assert Vault.keeps(session) == [D("15.95")]


_refusals: dict[str, int] = {}


@on_hook("complete-cart", "orderCreated")
async def grumble(flow: Flow, order_id: str, cart_id: str) -> None:
    if _refusals.get(cart_id, 0):
        _refusals[cart_id] -= 1
        raise NotAllowed("The application isn't ready for it")


@pytest.mark.parametrize("provider", ["pp_system_default", VAULT])
async def test_an_order_that_stands_waits_for_the_application(market: Market, store: Store, provider: str) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=3)
    cart = await store.ready(variant, provider=provider)
    _refusals[cart["id"]] = 1
    order = (await store.complete(cart))["order"]["id"]
    assert [row["state"] for row in await executions(market, "complete-cart", cart["id"])] == ["finishing"]

    async def state() -> str:
        return str((await executions(market, "complete-cart", cart["id"]))[0]["state"])

    await until(state, "done")
    assert (await store.complete(cart))["order"]["id"] == order
    assert await payment_of(market, order)
