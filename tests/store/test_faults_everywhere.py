"""Durable flows about money, and about what is made in several modules, with one message refused or lost, or their coordinator killed, at
every place where they wait for one.

The places are found by a first run that counts messages. Afterwards everything ends within a minute: money, stock, orders and books agree,
and nothing is half-made; whoever asks again gets what the flow promises. `scripts/test-kills` tries every place; here it is a sample with
every pivot.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from velella.core.errors import Conflict, NotFound, Unavailable, VelellaError
from velella.core.ids import ulid
from velella.modules.payment.provider import Ask

from ..vault import Vault
from .conftest import Market, Row, Store
from .faults import FAULTS, Fault, Plan, breakable, bury, strike
from .test_order_life import bought, figures, of

D = Decimal
VAULT = "pp_vault_v"
EVERYWHERE = os.environ.get("VELELLA_FAULTS") == "everywhere"
MINUTE = 60.0
AT_ONCE = 12
"""Cases that run beside each other; most of their time they wait for a lease to end."""


class Case(ABC):
    """One execution, and what has to be true when it is over."""

    workflow: ClassVar[str]
    pivot: ClassVar[str | None] = None
    """The message at which there is no return; None: it can be undone to its end."""

    def __init__(self, market: Market, store: Store, merchant: Store) -> None:
        self.market, self.store, self.merchant = market, store, merchant
        self.key: str | None = ulid()
        self.input: Row = {}

    @abstractmethod
    async def prepare(self) -> None: ...

    async def again(self) -> None:
        """Whoever began it asks again, until it is done."""
        await self.market.host.workflows.run(self.workflow, self.input, self.key)

    @abstractmethod
    async def agree(self, done: bool) -> None:
        """All books say the same; `done`: it was carried out."""

    # -- what they look at

    async def cart(self, provider: str = VAULT) -> tuple[Row, str]:
        """A cart that only has to be completed, with a promotion, and its session."""
        self.variant = await self.market.new_variant({"eur": "10"}, stock=5)
        promotion = await self.market.promote(value="10")
        cart = await self.store.add(await self.store.cart(), self.variant)
        await self.store.post(f"/store/carts/{cart['id']}/promotions", {"promo_codes": [promotion["code"]]})
        cart = await self.store.ship(cart)
        paid = await self.store.pay(cart, provider)
        self.collection = paid["id"]
        return cart, paid["payment_sessions"][0]["id"]

    async def ordered(self, *, at_once: bool) -> str:
        """An order over 14.95 euros, and its payment."""
        cart, self.session = await self.cart()
        Vault.purse_of(self.session).at_once = at_once
        self.order = (await self.store.complete(cart))["order"]["id"]
        [payment] = await self.market.modules.payment.list("payment", {"payment_session_id": self.session}, fields=("id",))
        return str(payment["id"])

    async def transactions(self, order: str) -> list[Decimal]:
        rows = await self.market.modules.order.list("order_transaction", {"order_id": order}, fields=("amount",))
        return sorted(row["amount"] for row in rows)

    async def payments(self) -> Row:
        fields = ("status", "authorized_amount", "captured_amount", "refunded_amount", "payments.canceled_at")
        row: Row = await self.market.modules.payment.retrieve("payment_collection", self.collection, fields=fields)
        return row


class Buy(Case):
    workflow, pivot = "complete-cart", "payment.authorize_payment_session"
    provider = VAULT

    async def prepare(self) -> None:
        self.bought, self.session = await self.cart(self.provider)
        self.key, self.input = self.bought["id"], {"cart_id": self.bought["id"]}

    async def agree(self, done: bool) -> None:
        placed = await self.market.order_ids(self.bought)
        orders = await self.market.modules.order.list("order", {"email": self.bought["email"]}, fields=("id",))
        assert [row["id"] for row in orders] == placed
        assert len(placed) <= 1
        assert len(placed) == 1 or not done
        assert await self.market.reserved(self.variant) == len(placed)
        taken = D("14.95") * len(placed) * (self.provider == VAULT)
        assert Vault.purse_of(self.session).kept == taken
        assert ((await self.payments())["captured_amount"] or 0) == taken
        assert ((await self.store.show(self.bought))["completed_at"] is not None) == bool(placed)
        if placed:
            assert await self.transactions(placed[0]) == ([taken] if taken else [])


class BuyOnAccount(Buy):
    provider = "pp_system_default"


class Capture(Case):
    workflow, pivot = "capture-payment-workflow", "payment.capture_payment"
    amount = D(2)

    async def prepare(self) -> None:
        payment = await self.ordered(at_once=self.workflow != "capture-payment-workflow")
        self.before = await self.transactions(self.order)
        self.input = {"payment_id": payment, "amount": abs(self.amount)}

    async def agree(self, done: bool) -> None:
        moved = [self.amount] if await self.transactions(self.order) != self.before else []
        assert moved or not done
        assert await self.transactions(self.order) == sorted([*self.before, *moved])
        purse, books = Vault.purse_of(self.session), await self.payments()
        assert (books["captured_amount"], books["refunded_amount"]) == (purse.taken, purse.returned)
        assert purse.taken - purse.returned == sum(self.before, D(0)) + sum(moved, D(0))


class Refund(Capture):
    workflow, pivot = "refund-payment-workflow", "payment.refund_payment"
    amount = D(-2)


class MarkAsPaid(Case):
    workflow, pivot = "mark-payment-collection-as-paid", "payment.capture_payment"

    async def prepare(self) -> None:
        await self.ordered(at_once=True)
        body = {"order_id": self.order, "amount": 7}
        made = (await self.merchant.post("/admin/payment-collections", body))["payment_collection"]["id"]
        self.key, self.input, self.collection = made, {"payment_collection_id": made, "order_id": self.order}, made

    async def agree(self, done: bool) -> None:
        paid = [D(7)] if D(7) in await self.transactions(self.order) else []
        assert paid or not done
        assert await self.transactions(self.order) == [*paid, D("14.95")]
        assert ((await self.payments())["captured_amount"] or 0) == sum(paid, D(0))


class Cancel(Case):
    workflow, pivot = "cancel-payment-collection", "payment.cancel_payment"

    async def prepare(self) -> None:
        await self.ordered(at_once=False)
        self.key, self.input = self.collection, {"payment_collection_id": self.collection}

    async def agree(self, done: bool) -> None:
        books = await self.payments()
        gone = books["status"] == "canceled"
        assert gone or not done
        assert Vault.purse_of(self.session).kept == books["authorized_amount"] == (0 if gone else D("14.95"))


class Webhook(Buy):
    """The buyer has paid in the browser and left; the provider says so."""

    workflow, pivot = "process-payment-workflow", "payment.look_up_session"

    async def prepare(self) -> None:
        self.bought, self.session = await self.cart()
        await Vault().authorize(Ask(f"{self.session}:browser", {"session_id": self.session}, D("14.95"), "eur"))
        self.input = {"provider_id": VAULT, "action": "captured", "session_id": self.session}

    async def agree(self, done: bool) -> None:
        if done:
            await super().agree(done)
        else:
            assert Vault.purse_of(self.session).kept == D("14.95")


class Settle(Case):
    """The buyer has paid in the browser; the session was dropped."""

    workflow, pivot = "settle-payment-session", "payment.settle_session"

    async def prepare(self) -> None:
        _, self.session = await self.cart()
        await Vault().authorize(Ask(f"{self.session}:browser", {"session_id": self.session}, D("14.95"), "eur"))
        Vault.tricks[f"drop {self.session}"] = "dark"
        assert await self.market.modules.payment.delete_payment_sessions([self.session])
        del Vault.tricks[f"drop {self.session}"]
        self.input = {"session_id": self.session}

    async def agree(self, done: bool) -> None:
        assert Vault.purse_of(self.session).kept == 0 or not done


class MakeProduct(Case):
    """A merchant makes a product with prices, stock and a channel."""

    workflow = "create-products"

    def product(self) -> Row:
        self.name = ulid().lower()
        variant = {"title": "One", "sku": self.name, "options": {"Size": "One"}, "prices": [{"currency_code": "eur", "amount": D(7)}]}
        around = {"sales_channels": [{"id": self.market.channel}], "shipping_profile_id": self.market.profile}
        options = [{"title": "Size", "values": ["One"]}]
        return {"title": self.name, "handle": self.name, "status": "published", "options": options, "variants": [variant], **around}

    async def prepare(self) -> None:
        self.input = {"products": [self.product()]}

    async def agree(self, done: bool) -> None:
        rows = await self.market.modules.product.list("product", {"handle": self.name}, fields=("id",))
        items = await self.market.modules.inventory.list("inventory_item", {"sku": self.name}, fields=("id",))
        assert len(rows) == len(items) <= 1
        assert rows or not done
        for row in rows:
            shown = (await self.merchant.get(f"/admin/products/{row['id']}?fields={self.SHOWN}"))["product"]
            assert [channel["id"] for channel in shown["sales_channels"]] == [self.market.channel]
            assert shown["shipping_profile"]["id"] == self.market.profile
            [variant] = shown["variants"]
            assert [price["amount"] for price in variant["prices"]] == [7]
            assert [pair["inventory_item_id"] for pair in variant["inventory_items"]] == [items[0]["id"]]

    SHOWN = "*sales_channels,*shipping_profile,*variants,*variants.prices,*variants.inventory_items"


class DropProduct(MakeProduct):
    """And deletes it."""

    workflow = "delete-products"

    async def prepare(self) -> None:
        [made] = await self.market.host.workflows.run("create-products", {"products": [self.product()]})
        self.input = {"ids": [made["id"]]}
        self.variants = [variant["id"] for variant in made["variants"]]

    async def agree(self, done: bool) -> None:
        rows = await self.market.modules.product.list("product", {"handle": self.name}, fields=("id",))
        await super().agree(done=bool(rows))
        assert not (rows and done)
        if not rows:
            links = self.market.modules.link
            assert await links.linked("product_sales_channel", "product_id", self.input["ids"]) == []
            assert await links.linked("product_variant_price_set", "variant_id", self.variants) == []


class MakeShippingOption(Case):
    """A merchant makes a shipping option with prices."""

    workflow = "create-shipping-options-workflow"

    async def prepare(self) -> None:
        self.name = ulid()
        like = await self.market.modules.fulfillment.retrieve("shipping_option", self.market.option)
        row = {name: like[name] for name in ("service_zone_id", "shipping_profile_id", "shipping_option_type_id", "price_type")}
        row["type_id"] = row.pop("shipping_option_type_id")
        self.input = {"options": [{"name": self.name, **row, "prices": [{"currency_code": "eur", "amount": D(3)}]}]}

    async def agree(self, done: bool) -> None:
        rows = await self.market.modules.fulfillment.list("shipping_option", {"name": self.name}, fields=("id",))
        assert len(rows) == 1 or (not rows and not done)
        for row in rows:
            shown = await self.market.host.graph.one("shipping_option", row["id"], ("prices.amount",))
            assert [price["amount"] for price in shown["prices"]] == [3]


class MakeRegion(Case):
    """A merchant makes a region, with who takes its payments and whether its prices hold the tax."""

    workflow = "create-regions"

    async def prepare(self) -> None:
        self.name = ulid()
        await self.market.modules.currency.keep_currencies()
        region = {"name": self.name, "currency_code": "eur", "payment_providers": ["pp_system_default"], "is_tax_inclusive": True}
        self.input = {"regions": [region]}

    async def agree(self, done: bool) -> None:
        rows = await self.market.modules.region.list("region", {"name": self.name}, fields=("id",))
        assert len(rows) == 1 or (not rows and not done)
        for row in rows:
            pairs = await self.market.modules.link.linked("region_payment_provider", "region_id", [row["id"]])
            assert [pair["payment_provider_id"] for pair in pairs] == ["pp_system_default"]
            [preference] = await self.market.modules.pricing.list("price_preference", {"attribute": "region_id", "value": row["id"]})
            assert preference["is_tax_inclusive"]


class Send(Case):
    """A merchant sends two of something."""

    workflow, pivot = "create-order-fulfillment", "fulfillment.create_fulfillment"

    async def prepare(self) -> None:
        self.variant, self.order = await bought(self.market, self.store)
        self.input = {"order_id": self.order["id"], **of(self.order, 2)}

    async def agree(self, done: bool) -> None:
        sent = D(2) if await self.counted("fulfilled_quantity") else D(0)
        assert sent or not done
        assert await figures(self.market, self.variant) == (5 - sent, 2 - sent)
        assert len(await self.boxes()) == (1 if sent else 0)

    async def counted(self, name: str) -> Decimal:
        """What the order says of its line."""
        quantity: Decimal = (await self.market.modules.order.load(self.order["id"]))["items"][0]["detail"][name]
        return quantity

    async def boxes(self) -> list[str]:
        """Fulfillments of the order that aren't called off."""
        order = await self.market.host.graph.one("order", self.order["id"], ("fulfillments.id", "fulfillments.canceled_at"))
        return [box["id"] for box in order["fulfillments"] if box["canceled_at"] is None]


class CallOff(Send):
    """And thinks better of it."""

    workflow, pivot = "cancel-order-fulfillment", "fulfillment.cancel_fulfillment"

    async def prepare(self) -> None:
        await super().prepare()
        id = await self.market.host.workflows.run("create-order-fulfillment", self.input)
        self.input = {"order_id": self.order["id"], "fulfillment_id": id}

    async def agree(self, done: bool) -> None:
        await super().agree(done=False)
        assert not done or await self.boxes() == []


class TakeBack(Send):
    """What was sent has come back."""

    workflow, pivot = "confirm-return-receive", "order.confirm"

    async def prepare(self) -> None:
        await super().prepare()
        await self.market.host.workflows.run("create-order-fulfillment", self.input)
        id = (await self.merchant.post("/admin/returns", {"order_id": self.order["id"]}))["return"]["id"]
        for path, body in (("request-items", of(self.order, 2)), ("request", {}), ("receive", {}), ("receive-items", of(self.order, 2))):
            assert (await self.merchant.post(f"/admin/returns/{id}/{path}", body)).status == 200
        self.input = {"id": id}

    async def agree(self, done: bool) -> None:
        back = await self.counted("return_received_quantity")
        assert back or not done
        assert await figures(self.market, self.variant) == (3 + back, 0)


class CancelOrder(Case):
    """A merchant calls an order off that is paid."""

    workflow, pivot = "cancel-order", "payment.refund_payment"

    async def prepare(self) -> None:
        await self.ordered(at_once=True)
        self.input = {"order_id": self.order}

    async def agree(self, done: bool) -> None:
        gone = (await self.market.modules.order.retrieve("order", self.order, fields=("status",)))["status"] == "canceled"
        assert gone or not done
        assert await self.market.reserved(self.variant) == (0 if gone else 1)
        assert Vault.purse_of(self.session).kept == (0 if gone else D("14.95"))
        assert await self.transactions(self.order) == [*([D("-14.95")] if gone else []), D("14.95")]


class ConvertDraft(Case):
    """A draft with a promotion becomes an order."""

    workflow, pivot = "convert-draft-order", "order.convert"

    async def prepare(self) -> None:
        self.variant = await self.market.new_variant({"eur": "10"}, stock=5)
        self.promotion = await self.market.promote(value="10")
        where = {"region_id": self.market.regions["de"], "sales_channel_id": self.market.channel, "email": "ada@example.com"}
        items = [{"variant_id": self.variant, "quantity": 2}]
        body = {**where, "items": items, "promo_codes": [self.promotion["code"]]}
        self.draft = (await self.merchant.post("/admin/draft-orders", body))["draft_order"]
        self.input = {"id": self.draft["id"]}

    async def agree(self, done: bool) -> None:
        order = await self.market.modules.order.retrieve("order", self.draft["id"], fields=("status", "is_draft_order"))
        placed = order == {"id": self.draft["id"], "status": "pending", "is_draft_order": False}
        assert placed or (not done and order["status"] == "draft")
        assert await self.market.reserved(self.variant) == (2 if placed else 0)
        assert (await self.market.modules.promotion.retrieve("promotion", self.promotion["id"]))["used"] == (1 if placed else 0)


class EditDraft(ConvertDraft):
    """A draft is to have more of its line and no promotion any more."""

    workflow, pivot = "confirm-draft-order-edit", "order.confirm"

    async def prepare(self) -> None:
        await super().prepare()
        at = f"/admin/draft-orders/{self.draft['id']}/edit"
        assert (await self.merchant.post(at)).status == 200
        assert (await self.merchant.post(f"{at}/items/item/{self.draft['items'][0]['id']}", {"quantity": 3})).status == 200
        assert (await self.merchant("DELETE", f"{at}/promotions", {"promo_codes": [self.promotion["code"]]})).status == 200

    async def agree(self, done: bool) -> None:
        show = "version,total,promotions.id,payment_collections.amount"
        draft = (await self.merchant.get(f"/admin/draft-orders/{self.draft['id']}", fields=show))["draft_order"]
        edited = draft["version"] == 2
        assert edited or not done
        assert draft["total"] == (30 if edited else 18)
        assert len(draft["promotions"]) == (0 if edited else 1)
        assert [each["amount"] for each in draft["payment_collections"]] == ([30] if edited else [])


CASES: Sequence[type[Case]] = (
    Buy, BuyOnAccount, Capture, Refund, MarkAsPaid, Cancel, Webhook, Settle,
    Send, CallOff, TakeBack, CancelOrder, ConvertDraft, EditDraft,
    MakeProduct, DropProduct, MakeShippingOption, MakeRegion,
)  # fmt: skip


@pytest.fixture
async def broken(market: Market) -> AsyncIterator[None]:
    Vault.reset()
    async with breakable(market.host):
        yield
        await bury()


async def over(market: Market, case: Case, until: float) -> str | None:
    """Wait until an execution is over; how it ended."""
    while True:
        rows = await market.host.workflows.list(workflow=case.workflow, limit=1000)
        mine = [row for row in rows if row["key"] == case.key]
        if not mine or mine[0]["state"] in ("done", "reverted", "failed"):
            return mine[0]["state"] if mine else None
        assert time.monotonic() < until, mine
        await asyncio.sleep(0.5)


async def again(case: Case, until: float) -> None:
    while True:
        try:
            await case.again()
            return
        except (Unavailable, Conflict):
            assert time.monotonic() < until, "it can't be asked again"
            await asyncio.sleep(0.5)


async def tried(case: Case, plan: Plan) -> str | None:
    """What is wrong after all, if something is."""
    name = f"{type(case).__name__} {plan.fault} at {plan.at}"
    said: Any = "not begun"
    try:
        await case.prepare()
        until = time.monotonic() + MINUTE
        said = await strike(case.market.host, plan, case.workflow, case.input, case.key)
        assert plan.sent, "it sent nothing"
        state = await over(case.market, case, until)
        assert state != "failed"
        await case.agree(done=state == "done")
        await again(case, until)
        assert await over(case.market, case, until) == "done"
        await case.agree(done=True)
    except (AssertionError, VelellaError, NotFound) as error:
        where = plan.sent[plan.at] if plan.at is not None and plan.at < len(plan.sent) else "?"
        wrong = f"{name} ({where}), which said {said!r}: {type(error).__name__} {error}"
        print("wrong:", wrong)
        return wrong
    return None


async def test_all_that_modules_keep_agrees_wherever_a_flow_is_hit(market: Market, store: Store, merchant: Store, broken: None) -> None:
    seed = int(os.environ.get("VELELLA_SEED", random.randrange(1 << 32)))
    print("seed", seed)
    dice = random.Random(seed)
    plans: list[tuple[type[Case], int, Fault]] = []
    for kind in CASES:
        whole = Plan()
        assert await tried(kind(market, store, merchant), whole) is None
        assert kind.pivot is None or kind.pivot in whole.sent, (kind.__name__, whole.sent)
        if EVERYWHERE:
            plans += [(kind, at, fault) for at in range(len(whole.sent)) for fault in FAULTS]
        else:
            if kind.pivot is not None:
                pivot = whole.sent.index(kind.pivot)
                plans += [(kind, pivot, fault) for fault in dice.sample(FAULTS, 2)]
                asked = [at for at, name in enumerate(whole.sent) if name.startswith("provider.")]
                assert asked or not kind.pivot.startswith("payment."), (kind.__name__, whole.sent)
                if asked:
                    plans.append((kind, dice.choice(asked), dice.choice(("killed before", "killed after"))))
            plans += [(kind, dice.randrange(len(whole.sent)), dice.choice(FAULTS)) for _ in range(2)]
    places = asyncio.Semaphore(AT_ONCE)

    async def one(kind: type[Case], at: int, fault: Fault) -> str | None:
        async with places:
            return await tried(kind(market, store, merchant), Plan(at, fault))

    wrong = [said for said in await asyncio.gather(*(one(*plan) for plan in plans)) if said is not None]
    print(len(plans), "faults")
    assert wrong == [], f"seed {seed}: {len(wrong)} of {len(plans)}\n" + "\n".join(wrong)
