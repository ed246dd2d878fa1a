"""Executions that are hit by faults, and what has to be true of each when it is over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import ClassVar

from velella.core.ids import ulid
from velella.modules.file.files import Files
from velella.modules.payment.provider import Ask

from ..vault import Vault
from .conftest import Market, Row, Store

D = Decimal
VAULT = "pp_vault_v"


class Case(ABC):
    """One execution, and what has to be true when it is over."""

    workflow: ClassVar[str]
    pivot: ClassVar[str | None] = None
    """The message at which there is no return; None: it can be undone to its end."""
    always: ClassVar[Sequence[str]] = ()
    """Messages that are sent and then lost, or their sender's last ones, in each test."""
    stock: ClassVar[int] = 5
    """How much there is of what carts are filled with."""

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
        self.variant = await self.market.new_variant({"eur": "10"}, stock=self.stock)
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


class BuyTheLast(BuyOnAccount):
    """Nothing is left once it is reserved, wherever one looks again."""

    always, stock = ("inventory.reserve",), 1


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


class ImportPart(MakeProduct):
    """A part of a file changes the price of a product that has another for quantities, and creates one."""

    workflow = "import-products-part"

    async def prepare(self) -> None:
        given = self.product()
        given["variants"][0]["prices"].append({"currency_code": "eur", "amount": D(5), "min_quantity": 10})
        [made] = await self.market.host.workflows.run("create-products", {"products": [given]})
        self.changed, [variant] = made["id"], made["variants"]
        self.name = ulid().lower()
        columns = (
            "Product Id", "Product Handle", "Product Title", "Variant Id", "Variant Title", "Variant Sku", "Variant Price EUR",
            "Variant Option 1 Name", "Variant Option 1 Value", "Product Sales Channel 1", "Shipping Profile Id",
        )  # fmt: skip
        around = f"{self.market.channel},{self.market.profile}"
        head, *rows = (
            ",".join(columns), f"{made['id']},,,{variant['id']},,,8,,,,", f",{self.name},{self.name},,One,{self.name},7,Size,One,{around}"
        )  # fmt: skip

        async def lines() -> AsyncIterator[bytes]:
            yield "\n".join((head, *rows)).encode()

        files = Files.of(self.market.host.settings)
        name = f"{self.name}.csv"
        await files.store(name, "text/csv", lines(), "private", name=name)
        at = {"line": 2, "offset": len(head) + 1}
        file = {"id": name, "access": "private", "columns": list(columns), "delimiter": ",", **at}
        self.input = {"part": self.key, "file": file, **at}

    async def agree(self, done: bool) -> None:
        await super().agree(done)
        created = await self.market.modules.product.count("product", {"handle": self.name})
        shown = (await self.merchant.get(f"/admin/products/{self.changed}?fields={self.SHOWN}"))["product"]
        prices = sorted(price["amount"] for price in shown["variants"][0]["prices"])
        assert (created, prices) in (((1, [5, 8]),) if done else ((1, [5, 8]), (0, [5, 7])))


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
