"""Providers that are dark, slow, double, lie and come back: no money is held without an order, and none is taken twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from decimal import Decimal

import pytest

from velella.core.ids import ulid
from velella.modules.payment.provider import Ask

from ..vault import Trick, Vault, happened_before
from .conftest import Market, Row, Store

D = Decimal
VAULT = "pp_vault_v"


@pytest.fixture(autouse=True)
def vault(market: Market, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Vault]]:
    Vault.reset()
    monkeypatch.setattr(market.host.settings, "payment_provider_timeout", 0.4)
    yield Vault
    Vault.come_back()


async def session_of(store: Store, cart: Row) -> str:
    shown = await store.show(cart, fields="id,*payment_collection.payment_sessions")
    return str(shown["payment_collection"]["payment_sessions"][0]["id"])


async def long_ago(market: Market, seconds: float, *sessions: str) -> None:
    """As if what happened to these sessions had happened so long ago."""
    await happened_before(market.host.database("payment"), seconds, sessions)


async def settled(market: Market) -> None:
    """Settle what is due, until nothing of the vault is. (Other tests have providers that never answer.)"""
    for _ in range(100):
        await market.host.workflows.run("settle-payments", {"grace": -1})
        every = await market.host.workflows.list(workflow="settle-payment-session", limit=200)
        rows = [row for row in every if (row["key"] or "").partition("@")[0] in Vault.purses]
        if all(row["state"] in ("done", "reverted", "failed") for row in rows):
            return
        await asyncio.sleep(0.2)
    raise AssertionError([row for row in rows if row["state"] != "done"])


async def order_of(market: Market, cart: Row) -> Row | None:
    ids = await market.order_ids(cart)
    fields = ("id", "total", "transactions.amount", "payment_collections.captured_amount", "payment_collections.refunded_amount")
    return await market.host.graph.one("order", ids[0], fields) if ids else None


async def test_money_that_went_into_the_dark_is_neither_kept_nor_taken_twice(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.ready(variant, provider=VAULT)
    first = await session_of(store, cart)
    Vault.tricks |= {"authorize": "lost", "status": "dark", "drop": "dark"}
    dark = await store.complete(cart)
    assert (dark.status, dark.body["type"], await market.reserved(variant)) == (503, "unavailable", 0)
    assert Vault.keeps(first) == [D("15.95")]
    await store.add(cart, variant)  # the buyer changes the cart: it is free
    await store.pay(cart, VAULT)
    second = await session_of(store, cart)
    assert (await store.complete(cart)).status == 503  # not before it is known what became of the first
    await market.host.workflows.run("settle-payments", {"grace": -1})
    waiting = [row for row in await market.host.workflows.list(workflow="settle-payment-session") if (row["key"] or "").startswith(first)]
    assert [row["state"] for row in waiting] == ["invoking"]  # operators see it
    Vault.come_back()
    done = await store.complete(cart)
    assert done["type"] == "order"
    assert Vault.keeps(first, second) == [0, D("25.95")]
    order = await order_of(market, cart)
    assert order is not None
    assert [row["amount"] for row in order["transactions"]] == [D("25.95")]
    await settled(market)
    await long_ago(market, 700, first, second)
    await settled(market)
    assert Vault.keeps(first, second) == [0, D("25.95")]


@pytest.mark.parametrize("trick", ["hangs", "dark", "late", "broken"])
async def test_a_provider_that_does_not_answer_leaves_the_cart_free(market: Market, store: Store, trick: Trick) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.ready(variant, provider=VAULT)
    Vault.tricks |= {"authorize": trick, "status": "hangs", "drop": "hangs"}
    async with store.session.post(f"{market.base}/store/carts/{cart['id']}/complete", headers=store.headers) as answer:
        assert (answer.status, answer.headers.get("Retry-After")) == (503, "5")
    first = await session_of(store, cart)
    assert (await store.show(cart))["completed_at"] is None
    assert await market.reserved(variant) == 0
    await store.add(cart, variant)
    await store.pay(cart)  # by somebody else
    assert (await store.complete(cart)).status == 503
    Vault.come_back()
    assert (await store.complete(cart))["type"] == "order"
    assert Vault.keeps(first) == [0]
    assert await market.reserved(variant) == 2


@pytest.mark.parametrize("asked", ["account_holder", "initiate"])
async def test_a_payment_that_can_not_be_begun_leaves_the_cart_free(market: Market, store: Store, asked: str) -> None:
    [customer] = await market.modules.customer.create_customers([{"email": f"{ulid().lower()}@example.com", "has_account": True}])
    variant = await market.new_variant({"eur": "10"})
    buyer = await store.signed_in(customer["id"])
    cart = await buyer.ready(variant)
    collection = (await buyer.show(cart, fields="id,*payment_collection"))["payment_collection"]["id"]
    Vault.tricks[asked] = "hangs"
    path = f"/store/payment-collections/{collection}/payment-sessions"
    refused = await buyer.post(path, {"provider_id": VAULT})
    assert (refused.status, refused.body["type"]) == (503, "unavailable")
    assert (await buyer.complete(cart))["type"] == "order"  # by the payment that was begun before


async def test_who_presses_again_after_the_dark_pays_once(market: Market, store: Store) -> None:
    cart = await store.ready(await market.new_variant({"eur": "10"}), provider=VAULT)
    Vault.tricks |= {"authorize": "lost", "status": "dark"}
    assert (await store.complete(cart)).status == 503
    Vault.come_back()
    await settled(market)  # the money turns up, for the buyer to go on with
    assert (await store.complete(cart))["type"] == "order"
    session = await session_of(store, cart)
    assert Vault.keeps(session) == [D("15.95")]
    await long_ago(market, 86_400, session)
    await settled(market)
    assert Vault.keeps(session) == [D("15.95")]


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_buyer_who_leaves_gets_everything_back(market: Market, store: Store, at_once: bool) -> None:
    Vault.takes_at_once = at_once
    cart = await store.ready(await market.new_variant({"eur": "10"}), provider=VAULT)
    session = await session_of(store, cart)
    await Vault().authorize(Ask(f"{session}:browser", {"session_id": session}, D("15.95"), "eur"))
    await settled(market)
    assert Vault.keeps(session) == [D("15.95")]
    await long_ago(market, 3601, session)
    await settled(market)
    assert Vault.keeps(session) == [0]
    refused = await store.complete(cart)
    assert (refused.status, refused.body["message"]) == (400, "Payment sessions are required to complete cart")
    await store.pay(cart, VAULT)
    assert (await store.complete(cart))["type"] == "order"


async def test_a_paid_session_of_an_open_cart_gives_way_to_another_one(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    cart = await store.ready(variant, provider=VAULT)
    first = await session_of(store, cart)
    await Vault().authorize(Ask(f"{first}:browser", {"session_id": first}, D("15.95"), "eur"))
    await market.modules.payment.look_up_session(first)  # a webhook says so; then the buyer wants more
    await store.add(cart, variant)
    refused = await store.complete(cart)
    assert (refused.status, refused.body["type"]) == (400, "not_allowed")
    await store.pay(cart, VAULT)
    order = (await store.complete(cart))["order"]
    [row] = await market.modules.cart.list("cart", {"id": cart["id"]}, fields=("payment_collection_id",))
    rows = await market.modules.payment.list("payment", {"payment_collection_id": row["payment_collection_id"]}, fields=("*",))
    assert sorted(Vault.keeps(*(row["payment_session_id"] for row in rows))) == [0, D("25.95")]
    assert order["total"] == D("25.95")


async def test_a_completed_cart_begins_no_other_payment(market: Market, store: Store) -> None:
    cart = await store.ready(await market.new_variant({"eur": "10"}), provider=VAULT)
    collection = (await store.show(cart, fields="id,*payment_collection"))["payment_collection"]["id"]
    await store.complete(cart)
    refused = await store.post(f"/store/payment-collections/{collection}/payment-sessions", {"provider_id": VAULT})
    assert (refused.status, refused.body["type"]) == (400, "invalid_data")


async def test_whatever_providers_do_the_books_are_true_in_the_end(market: Market, store: Store) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    variant = await market.new_variant({"eur": "10"}, stock=1000)
    carts = await asyncio.gather(*(store.ready(variant, provider=VAULT, nonce=ulid()) for _ in range(10)))
    sessions: dict[str, set[str]] = {cart["id"]: set() for cart in carts}

    async def note(cart: Row) -> None:
        shown = await store.show(cart, fields="id,*payment_collection.payment_sessions")
        for session in shown["payment_collection"]["payment_sessions"]:
            if session["provider_id"] == VAULT:
                sessions[cart["id"]].add(session["id"])
                Vault.bought[session["id"]] = cart["id"]

    async def buyer(cart: Row, dice: random.Random) -> None:
        await note(cart)
        for _ in range(dice.randint(1, 4)):
            await store.complete(cart)
            if dice.random() < 0.5:
                await store.post(f"/store/carts/{cart['id']}/line-items", {"variant_id": variant, "quantity": 1})
            collection = (await store.show(cart, fields="id,*payment_collection"))["payment_collection"]["id"]
            body = {"provider_id": VAULT, "data": {"nonce": ulid()}}
            await store.post(f"/store/payment-collections/{collection}/payment-sessions", body)
            await note(cart)

    tricks: list[Trick] = ["lost", "dark", "hangs", "late", "lies", "broken"]
    for _ in range(3):
        Vault.tricks |= {"authorize": dice.choice(tricks), "status": dice.choice(["dark", "hangs"]), "drop": dice.choice(tricks[:4])}
        await asyncio.gather(*(buyer(cart, random.Random(dice.random())) for cart in dice.sample(carts, 5)))
        Vault.come_back()
    await settled(market)
    for cart in carts:
        await long_ago(market, 86_400, *sessions[cart["id"]], "none")
    await settled(market)
    for cart in carts:
        order = await order_of(market, cart)
        kept = sum(Vault.keeps(*(id for id in sessions[cart["id"]] if id in Vault.purses)), D(0))
        assert kept == (order["total"] if order else 0), (seed, cart["id"])
        if order:
            assert sum(row["amount"] for row in order["transactions"]) == order["total"]
    assert Vault.twice == [], seed
    orders = [order for cart in carts if (order := await order_of(market, cart))]
    items = (
        await market.modules.order.list("order_item", {"order_id": [order["id"] for order in orders]}, fields=("quantity",))
        if orders
        else []
    )
    assert await market.reserved(variant) == sum((row["quantity"] for row in items), D(0))
