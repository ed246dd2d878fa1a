"""Executions about an order after it was placed, that are hit by faults."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from ..carrier import Carrier
from ..vault import Vault
from .conftest import Row
from .fault_cases import Case
from .test_order_life import bought, figures, of

D = Decimal


class OfOrder(Case):
    """Something that is done with an order of two of something, of which there were five. What is sent is carried by `Carrier`."""

    option: ClassVar[str]
    """By which it is sent and brought back, for three euros."""

    async def prepare(self) -> None:
        self.variant, self.order = await bought(self.market, self.store)
        self.line = self.order["items"][0]["id"]
        self.labels: list[str] = []

    async def post(self, path: str, body: Row) -> Row:
        answer = await self.merchant.post(path, body)
        assert answer.status == 200, answer
        made: Row = answer.body
        return made

    async def send(self) -> str:
        """Send both. The fulfillment."""
        id: str = await self.market.host.workflows.run("create-order-fulfillment", self.of_both())
        return id

    def of_both(self) -> Row:
        return {"order_id": self.order["id"], **of(self.order, 2), "shipping_option_id": self.option}

    async def counted(self, name: str) -> Decimal:
        """What the order says of its line."""
        lines = {line["id"]: line for line in (await self.market.modules.order.load(self.order["id"]))["items"]}
        quantity: Decimal = lines[self.line]["detail"][name]
        return quantity

    async def boxes(self, of: str = "order", id: str | None = None) -> list[str]:
        """Fulfillments that aren't called off."""
        row = await self.market.host.graph.one(of, id or self.order["id"], ("fulfillments.id", "fulfillments.canceled_at"))
        return [box["id"] for box in row["fulfillments"] if box["canceled_at"] is None]

    async def check_carrier(self, *returns: str) -> None:
        """It carries the order's fulfillments and the labels of its returns, and nothing else."""
        labels = [label for id in returns for label in await self.boxes("return", id)]
        assert Carrier.carries(self.line) == {*await self.boxes(), *labels}
        self.labels = labels

    async def unpaid(self) -> list[Decimal]:
        """What payment collections of the order ask for."""
        wanted = {"order_id": self.order["id"], "status": "not_paid"}
        return [row["amount"] for row in await self.market.modules.payment.list("payment_collection", wanted, fields=("amount",))]


class Send(OfOrder):
    """A merchant sends two of something."""

    workflow, pivot = "create-order-fulfillment", "fulfillment.create_fulfillment"

    async def prepare(self) -> None:
        await super().prepare()
        self.input = self.of_both()

    async def agree(self, done: bool) -> None:
        sent = D(2) if await self.counted("fulfilled_quantity") else D(0)
        assert sent or not done
        assert await figures(self.market, self.variant) == (5 - sent, 2 - sent)
        assert len(await self.boxes()) == (1 if sent else 0)
        await self.check_carrier()


class CallOff(Send):
    """And thinks better of it."""

    workflow, pivot = "cancel-order-fulfillment", "fulfillment.cancel_fulfillment"

    async def prepare(self) -> None:
        await super().prepare()
        self.input = {"order_id": self.order["id"], "fulfillment_id": await self.send()}

    async def agree(self, done: bool) -> None:
        await super().agree(done=False)
        assert not done or await self.boxes() == []


class AskBack(OfOrder):
    """A merchant asks for what was sent, with a label."""

    workflow, pivot = "confirm-return-request", "order.confirm"

    async def prepare(self) -> None:
        await super().prepare()
        await self.send()
        self.back = (await self.post("/admin/returns", {"order_id": self.order["id"]}))["return"]["id"]
        await self.post(f"/admin/returns/{self.back}/request-items", of(self.order, 2))
        await self.post(f"/admin/returns/{self.back}/shipping-method", {"shipping_option_id": self.option})
        self.input = {"id": self.back}

    async def agree(self, done: bool) -> None:
        asked = await self.counted("return_requested_quantity")
        assert asked or not done
        await self.check_carrier(self.back)
        assert len(self.labels) == (1 if asked else 0)
        assert await figures(self.market, self.variant) == (3, 0)


class TakeBack(OfOrder):
    """What was sent has come back."""

    workflow, pivot = "confirm-return-receive", "order.confirm"

    async def prepare(self) -> None:
        await super().prepare()
        await self.send()
        id = (await self.post("/admin/returns", {"order_id": self.order["id"]}))["return"]["id"]
        for path, body in (("request-items", of(self.order, 2)), ("request", {}), ("receive", {}), ("receive-items", of(self.order, 2))):
            await self.post(f"/admin/returns/{id}/{path}", body)
        self.input = {"id": id}

    async def agree(self, done: bool) -> None:
        back = await self.counted("return_received_quantity")
        assert back or not done
        assert await figures(self.market, self.variant) == (3 + back, 0)


class Exchange(OfOrder):
    """One of what was sent is exchanged for another one, and comes back with a label."""

    workflow, pivot = "confirm-exchange-request", "order.confirm"
    kind: ClassVar[str] = "exchange"
    body: ClassVar[Row] = {}

    async def prepare(self) -> None:
        await super().prepare()
        await self.send()
        begun = await self.post(f"/admin/{self.kind}s", {"order_id": self.order["id"], **self.body})
        id = begun[self.kind]["id"]
        at = f"/admin/{self.kind}s/{id}"
        await self.post(f"{at}/inbound/items", of(self.order, 1))
        await self.post(f"{at}/inbound/shipping-method", {"shipping_option_id": self.option})
        await self.post(f"{at}/outbound/items", {"items": [{"variant_id": self.variant, "quantity": 1}]})
        self.input = {"id": id}

    async def agree(self, done: bool) -> None:
        lines = len((await self.market.modules.order.load(self.order["id"]))["items"])
        assert lines == 2 or not done
        swapped = lines - 1
        assert await self.counted("return_requested_quantity") == swapped
        assert await figures(self.market, self.variant) == (3, swapped)
        assert await self.unpaid() == ([D(3)] if swapped else [])
        await self.check_carrier((await self.market.modules.order.retrieve(f"order_{self.kind}", self.input["id"]))["return_id"])
        assert len(self.labels) == swapped


class CallOffExchange(OfOrder):
    """And is not, after all: nothing was sent yet, and there is no label."""

    workflow, pivot = "cancel-exchange", "order.call_off"

    async def prepare(self) -> None:
        await super().prepare()
        await self.send()
        id = (await self.post("/admin/exchanges", {"order_id": self.order["id"]}))["exchange"]["id"]
        await self.post(f"/admin/exchanges/{id}/inbound/items", of(self.order, 1))
        await self.post(f"/admin/exchanges/{id}/outbound/items", {"items": [{"variant_id": self.variant, "quantity": 1}]})
        await self.post(f"/admin/exchanges/{id}/outbound/shipping-method", {"shipping_option_id": self.option})
        await self.post(f"/admin/exchanges/{id}/request", {})
        self.input = {"id": id}

    async def again(self) -> None:
        if (await self.market.modules.order.retrieve("order_exchange", self.input["id"]))["canceled_at"] is None:
            await super().again()

    async def agree(self, done: bool) -> None:
        gone = (await self.market.modules.order.retrieve("order_exchange", self.input["id"]))["canceled_at"] is not None
        assert gone or not done
        stays = 0 if gone else 1
        order = await self.market.modules.order.load(self.order["id"])
        assert (len(order["items"]), len(order["shipping_methods"])) == (1 + stays, 1 + stays)
        assert await self.counted("return_requested_quantity") == stays
        assert await figures(self.market, self.variant) == (3, stays)
        assert await self.unpaid() == ([D(3)] if stays else [])


class BackAtOnce(OfOrder):
    """A buyer asks for a label to send one back, which is received with that."""

    workflow, pivot = "create-complete-return-order", "order.confirm"

    async def prepare(self) -> None:
        await super().prepare()
        await self.send()
        self.input = {
            "order_id": self.order["id"],
            "items": of(self.order, 1)["items"],
            "return_shipping": {"option_id": self.option},
            "receive_now": True,
        }

    async def agree(self, done: bool) -> None:
        returns = await self.market.modules.order.list("return", {"order_id": self.order["id"]}, fields=("id", "status"))
        asked, back = await self.counted("return_requested_quantity"), await self.counted("return_received_quantity")
        assert len(returns) == asked + back <= 1
        assert back == 1 or not done
        assert [each["status"] for each in returns] == (["received"] if back else ["requested"] if asked else [])
        assert await figures(self.market, self.variant) == (3 + back, 0)
        await self.check_carrier(*(each["id"] for each in returns))
        assert len(self.labels) == len(returns)


class Claim(Exchange):
    """One of what was sent is replaced."""

    workflow = "confirm-claim-request"
    kind = "claim"
    body: ClassVar[Row] = {"type": "replace"}


class Edit(OfOrder):
    """An order is to have one more of its line."""

    workflow, pivot = "confirm-order-edit-request", "order.confirm"

    async def prepare(self) -> None:
        await super().prepare()
        await self.post("/admin/order-edits", {"order_id": self.order["id"]})
        await self.post(f"/admin/order-edits/{self.order['id']}/items/item/{self.line}", {"quantity": 3})
        self.input = {"id": self.order["id"]}

    async def agree(self, done: bool) -> None:
        quantity = await self.counted("quantity")
        assert quantity == 3 or not done
        assert await figures(self.market, self.variant) == (5, quantity)
        assert await self.unpaid() == ([D(10)] if quantity == 3 else [])


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
