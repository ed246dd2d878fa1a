"""A merchant who sends, calls off, takes back and edits what buyers have bought, whatever happens; and the books of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from .served import Api, Served
from .test_stock import books

D = Decimal
SHOWN = (
    "id,status,version,currency_code,total,summary,items.id,items.variant_id,items.quantity,items.detail.*,transactions.*,"
    "fulfillments.id,fulfillments.canceled_at,fulfillments.items.line_item_id,fulfillments.items.quantity,returns.id,"
    "payment_collections.payments.id,payment_collections.payments.captures.amount,payment_collections.payments.refunds.amount,"
    "payment_collections.payments.amount"
)
GIVEN_UP = {"edit": "/admin/order-edits/{order_id}", "return_request": "/admin/returns/{return_id}/request"}
GIVEN_UP |= {"return_receive": "/admin/returns/{return_id}/receive"}
"""By which route an open change is given up, by its type."""


class Clerk:
    """Does one thing after the other to one order of several, and doesn't look after those that failed."""

    def __init__(self, running: Served, admin: Api, orders: Callable[[], Iterable[str]], location: str, rng: random.Random) -> None:
        self.running, self.admin, self.orders, self.location, self.rng = running, admin, orders, location, rng
        self.touched: set[str] = set()
        self.done: Counter[str] = Counter()
        self.stopped = False

    async def work(self) -> None:
        deeds = (self.send, self.send, self.call_off, self.take_back, self.edit, self.capture)
        while not self.stopped:
            await asyncio.sleep(self.rng.uniform(0.02, 0.1))
            orders = sorted(self.orders())
            if not orders:
                continue
            id, deed = self.rng.choice(orders[-12:] if self.rng.random() < 0.7 else orders), self.rng.choice(deeds)
            self.touched.add(id)
            try:
                self.done[deed.__name__] += await deed(await self.shown(id))
            except Exception as error:  # noqa: BLE001 - a killed front end cuts connections, a killed module refuses, and so do orders
                self.done[f"{deed.__name__}: {type(error).__name__}"] += 1

    async def shown(self, id: str) -> Any:
        return (await self.admin.get(f"/admin/orders/{id}", fields=SHOWN))["order"]

    # -- what is done to an order: whether there was something to do

    async def send(self, order: Any) -> bool:
        items = [{"id": line["id"], "quantity": left} for line in order["items"] if (left := _unsent(line)) > 0]
        if items:
            await self.admin.post(f"/admin/orders/{order['id']}/fulfillments", {"items": items, "location_id": self.location})
        return bool(items)

    async def call_off(self, order: Any) -> bool:
        boxes = [box["id"] for box in order["fulfillments"] if box["canceled_at"] is None]
        if boxes:
            await self.admin.post(f"/admin/orders/{order['id']}/fulfillments/{self.rng.choice(boxes)}/cancel", {})
        return bool(boxes)

    async def take_back(self, order: Any) -> bool:
        items = [{"id": line["id"], "quantity": 1} for line in order["items"] if _returnable(line) > 0][:1]
        if not items:
            return False
        begun = await self.admin.post("/admin/returns", {"order_id": order["id"], "location_id": self.location})
        at = f"/admin/returns/{begun['return']['id']}"
        await self.admin.post(f"{at}/request-items", {"items": items})
        await self.admin.post(f"{at}/request", {})
        await self.admin.post(f"{at}/receive", {})
        await self.admin.post(f"{at}/{self.rng.choice(('receive-items', 'dismiss-items'))}", {"items": items})
        await self.admin.post(f"{at}/receive/confirm", {})
        return True

    async def edit(self, order: Any) -> bool:
        await self.admin.post("/admin/order-edits", {"order_id": order["id"]})
        at, line = f"/admin/order-edits/{order['id']}", order["items"][0]
        if self.rng.random() < 0.5:
            await self.admin.post(f"{at}/items", {"items": [{"variant_id": line["variant_id"], "quantity": 1}]})
        else:
            await self.admin.post(f"{at}/items/item/{line['id']}", {"quantity": float(line["quantity"]) + 1})
        if self.rng.random() < 0.2:
            assert (await self.admin.raw("DELETE", at))[0] == 200
        else:
            await self.admin.post(f"{at}/confirm", {})
        return True

    async def capture(self, order: Any) -> bool:
        payments = [each["id"] for each in _payments(order) if not each["captures"]]
        if payments:
            await self.admin.post(f"/admin/payments/{payments[0]}/capture", {})
        return bool(payments)

    # -- afterwards

    async def nothing_is_stuck(self) -> None:
        """Executions end within a minute, but for imports whose answer was lost, so that nobody has confirmed them; whatever was left open
        can be given up, and what is left to be sent can be sent."""
        self.admin = await self.running.admin()
        until = time.monotonic() + 60
        states = ("invoking", "finishing", "compensating")
        while live := [row for state in states for row in await self._executions(state) if not _unconfirmed(row)]:
            assert time.monotonic() < until, live
            await asyncio.sleep(0.5)
        assert await self._executions("failed") == []
        for id in sorted(self.touched):
            changes = (await self.admin.get(f"/admin/orders/{id}/changes"))["order_changes"]
            for change in changes:
                if change["status"] in ("pending", "requested"):
                    status, answer = await self.admin.raw("DELETE", GIVEN_UP[change["change_type"]].format(**change))
                    assert status == 200, answer
        for id in sorted(self.touched)[::3]:
            await self.send(await self.shown(id))

    async def the_books_agree(self, orders: Iterable[str], stock: int, skus: dict[str, str]) -> None:
        """Of these orders: what is reserved and in stock of each variant (`skus`), each line's parcels and returns, each order's money and
        versions."""
        left: Counter[str] = Counter()
        sent: Counter[str] = Counter()
        for id in orders:
            order = await self.shown(id)
            for line in order["items"]:
                sent_back = [int(line["detail"][f"return_{state}_quantity"]) for state in ("received", "dismissed")]
                fulfilled = int(line["detail"]["fulfilled_quantity"])
                assert sum(sent_back) <= fulfilled, line
                left[line["variant_id"]] += _unsent(line)
                sent[line["variant_id"]] += fulfilled - sent_back[0]
            self._parcels_agree(order)
            self._money_agrees(order)
            if id in self.touched:
                changes = (await self.admin.get(f"/admin/orders/{id}/changes"))["order_changes"]
                versions = sorted(change["version"] for change in changes if change["status"] == "confirmed")
                assert versions == list(range(2, order["version"] + 1)), (order["version"], changes)
        for variant, sku in skus.items():
            book = await books(self.admin, sku)
            assert (book["reserved"], book["stocked"]) == (left[variant], stock - sent[variant]), (sku, book)

    @staticmethod
    def _parcels_agree(order: Any) -> None:
        parcels: Counter[str] = Counter()
        for box in order["fulfillments"]:
            if box["canceled_at"] is None:
                for item in box["items"]:
                    parcels[item["line_item_id"]] += int(item["quantity"])
        assert {line["id"]: parcels[line["id"]] for line in order["items"]} == {
            line["id"]: int(line["detail"]["fulfilled_quantity"]) for line in order["items"]
        }, order

    @staticmethod
    def _money_agrees(order: Any) -> None:
        captured = sum((D(str(each["amount"])) for payment in _payments(order) for each in payment["captures"]), D(0))
        refunded = sum((D(str(each["amount"])) for payment in _payments(order) for each in payment["refunds"]), D(0))
        moved = sum((D(str(each["amount"])) for each in order["transactions"]), D(0))
        summary = {name: D(str(value)) for name, value in order["summary"].items() if isinstance(value, int | float)}
        assert moved == captured - refunded == summary["paid_total"] - summary["refunded_total"], order
        assert captured <= sum((D(str(payment["amount"])) for payment in _payments(order)), D(0)), order

    async def _executions(self, state: str) -> list[Any]:
        found: list[Any] = (await self.admin.get("/admin/workflows-executions", state=state, limit=100))["workflow_executions"]
        return found


def _unconfirmed(execution: Any) -> bool:
    step = execution["execution"]["steps"].get("_root.wait-confirmation-product-import")
    return step is not None and step["invoke"]["status"] == "waiting"


def _payments(order: Any) -> list[Any]:
    return [payment for collection in order["payment_collections"] for payment in collection["payments"]]


def _unsent(line: Any) -> int:
    return int(line["quantity"]) - int(line["detail"]["fulfilled_quantity"])


def _returnable(line: Any) -> int:
    gone = ("return_requested_quantity", "return_received_quantity", "return_dismissed_quantity")
    return int(line["detail"]["fulfilled_quantity"]) - sum(int(line["detail"][name]) for name in gone)
