"""kill -9 of one process of every kind, one after the other, while buyers check out and merchants make products, and send, take back
and edit what was bought."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import aiohttp
import pytest

from velella.core.ids import ulid

from .buyer import Buyer
from .clerk import Clerk
from .served import Served
from .shop import Shop, sell
from .test_metrics import scrape, total

KINDS = ("product", "cart", "inventory", "order", "payment", "fulfillment", "workflows", "http", "locking", "caching")
"""The pools whose processes are killed: module replicas, coordinator, front end, locking, caching."""

STOCK = 100_000


class Crowd:
    """Buyers who check out again and again, whatever happens, and remember every answer."""

    def __init__(self, buyer: Buyer, variants: list[str], rng: random.Random) -> None:
        self.buyer, self.variants, self.rng = buyer, variants, rng
        self.orders: dict[str, str] = {}
        self.open_carts: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self.last_order = time.monotonic()
        self.stopped = False

    async def shop(self) -> None:
        while not self.stopped:
            try:
                cart = await self.buyer.ready(self.rng.choice(self.variants))
                self.open_carts.add(cart)
                await self._complete(cart)
                await asyncio.sleep(self.rng.uniform(0, 0.2))  # what is killed needs the processor too, to be there again
            except Exception as error:  # noqa: BLE001 - a killed front end cuts connections: buyers come back
                self.outcomes[type(error).__name__] += 1
                await asyncio.sleep(0.05)

    async def _complete(self, cart: str) -> None:
        status, answer = await self.buyer.complete(cart)
        self.outcomes[f"{status} {answer.get('type')}"] += 1
        if answer.get("type") == "order":
            self.orders[cart] = answer["order"]["id"]
            self.open_carts.discard(cart)
            self.last_order = time.monotonic()

    async def finish_open_carts(self) -> None:
        """After recovery no cart may be stuck: each completes now."""
        for cart in sorted(self.open_carts):
            for _ in range(20):
                await self._complete(cart)
                if cart in self.orders:
                    break
                await asyncio.sleep(0.5)


class Merchant:
    """Makes products again and again, and doesn't look after those that failed."""

    def __init__(self, running: Served, admin: Any, shop: Any) -> None:
        self.running, self.admin, self.shop = running, admin, shop
        self.made: set[str] = set()
        self.tried = 0
        self.stopped = False

    async def work(self) -> None:
        while not self.stopped:
            self.tried += 1
            try:
                self.made.add((await sell(self.admin, self.shop, f"half-{ulid().lower()}", {"eur": 10}, stock=1))["id"])
            except Exception:  # noqa: BLE001 - a killed front end cuts connections, a killed module refuses
                await asyncio.sleep(0.2)

    async def nothing_is_half_made(self) -> None:
        """Within a minute; until then it is listed."""
        until = time.monotonic() + 60
        while True:
            admin = await self.running.admin()
            fields = "id,title,sales_channels.id,variants.prices.amount,variants.inventory_items.inventory_item_id"
            rows = (await admin.get("/admin/products", q="half", limit=1000, fields=fields))["products"]
            half = [row for row in rows if not row["sales_channels"] or not _whole(row["variants"])]
            live = [row for state in ("invoking", "finishing", "compensating") for row in (await self._executions(admin, state))]
            if not half and not live:
                break
            assert time.monotonic() < until, (half, live)
            await asyncio.sleep(0.5)
        assert self.made <= {row["id"] for row in rows}, "a product that was answered is gone"
        assert await self._executions(admin, "failed") == []

    @staticmethod
    async def _executions(admin: Any, state: str) -> list[Any]:
        found: list[Any] = (await admin.get("/admin/workflows-executions", state=state, limit=100))["workflow_executions"]
        return [row for row in found if row["workflow_id"] == "create-products"]


class Importer:
    """Imports products from files again and again, and doesn't look after those that were not confirmed."""

    SIZE = 120
    """Products of a file: more than are created together."""

    def __init__(self, running: Served, admin: Any) -> None:
        self.running, self.admin = running, admin
        self.confirmed: dict[str, str] = {}
        """Transaction → what the handles of its products begin with."""
        self.stopped = False

    async def work(self) -> None:
        head = "Product Handle,Product Title,Variant Title,Variant Option 1 Name,Variant Option 1 Value"
        while not self.stopped:
            name = f"crate{ulid().lower()}"
            lines = "\n".join((head, *(f"{name}-{number},{name} {number},One,Size,M" for number in range(self.SIZE)))).encode()
            try:
                form = aiohttp.FormData()
                form.add_field("file", lines, filename="crates.csv", content_type="text/csv")
                transaction = (await self.admin.post("/admin/products/import", form))["transaction_id"]
                await self.admin.post(f"/admin/products/import/{transaction}/confirm", {})
                self.confirmed[transaction] = name
            except Exception:  # noqa: BLE001 - a killed front end cuts connections, a killed module refuses
                await asyncio.sleep(0.2)
            await asyncio.sleep(2)

    async def everything_arrived_once(self) -> None:
        """Within a minute."""
        until = time.monotonic() + 60
        admin = await self.running.admin()
        for transaction, name in self.confirmed.items():
            path = f"/admin/workflows-executions/import-products/{transaction}"
            while (state := (await admin.get(path))["workflow_execution"]["state"]) != "done":
                assert state in ("invoking", "finishing"), state
                assert time.monotonic() < until, (transaction, state)
                await asyncio.sleep(0.5)
            assert (await admin.get("/admin/products", q=name, limit=1, fields="id"))["count"] == self.SIZE


def _whole(variants: list[Any]) -> bool:
    return bool(variants) and all(variant["prices"] and variant["inventory_items"] for variant in variants)


@pytest.mark.timeout(420)
@pytest.mark.parametrize("colony", ["pooled"], indirect=True)
async def test_service_goes_on_and_the_books_agree_whatever_is_killed(colony: Served, shop: Shop) -> None:
    seed = int(os.environ.get("VELELLA_TEST_SEED", random.SystemRandom().randrange(2**32)))
    print(f"VELELLA_TEST_SEED={seed}")
    await _kill_under_load(colony, shop, random.Random(seed))


async def _kill_under_load(running: Served, shop: Shop, rng: random.Random) -> None:
    admin = await running.admin()
    product = await sell(admin, shop, f"wanted-{ulid().lower()}", {"eur": 10}, stock=STOCK, variants=3)
    crowd = Crowd(Buyer(await running.store(shop.key), shop), [variant["id"] for variant in product["variants"]], rng)
    merchant = Merchant(running, admin, shop)
    clerk = Clerk(running, admin, crowd.orders.values, shop.location, rng)
    importer = Importer(running, admin)
    works = (*(crowd.shop() for _ in range(4)), merchant.work(), clerk.work(), importer.work())
    buyers = [asyncio.create_task(work) for work in works]
    try:
        await _orders_flow(crowd)
        kinds = list(KINDS)
        rng.shuffle(kinds)
        for kind in kinds:
            await asyncio.sleep(rng.uniform(0.3, 1.0))
            pool = next(pool for pool in (await running.status())["pools"] if pool["name"] == kind)
            victim = rng.choice([replica for replica in pool["replicas"] if replica["pid"]])
            print(f"kill -9 {victim['pid']} ({kind}-{victim['index']})")
            os.kill(victim["pid"], signal.SIGKILL)
            await _orders_flow(crowd, why=kind)
    finally:
        crowd.stopped = merchant.stopped = clerk.stopped = importer.stopped = True
        await asyncio.gather(*buyers)
    print(crowd.outcomes)
    await crowd.finish_open_carts()
    await merchant.nothing_is_half_made()
    print(len(merchant.made), "products made, of", merchant.tried)
    await importer.everything_arrived_once()
    print(len(importer.confirmed), "files imported")
    print(clerk.done)
    await clerk.nothing_is_stuck()
    admin = await running.admin()  # its front end may be a new one
    variants = {variant["id"] for variant in product["variants"]}
    orders = [order for order in await _all_orders(admin) if variants & {item["variant_id"] for item in order["items"]}]
    assert set(crowd.orders.values()) <= {order["id"] for order in orders}, "an answered order is gone"
    assert not set(crowd.open_carts), "a cart is stuck"
    live = [order for order in orders if order["status"] != "canceled"]
    assert len(live) == len(crowd.orders), "an order nobody was told of, or two of one cart"
    skus = {variant["id"]: variant["sku"] for variant in product["variants"]}
    await clerk.the_books_agree([order["id"] for order in live], STOCK, skus)
    restarts = {pool["name"]: sum(replica["restarts"] for replica in pool["replicas"]) for pool in (await running.status())["pools"]}
    assert all(restarts[kind] >= 1 for kind in KINDS), restarts
    until = time.monotonic() + 20  # doors hear of the last restart when the supervisor next looks round
    while (counted := _restarts_told(await scrape(running), restarts)) != restarts:
        assert time.monotonic() < until, counted
        await asyncio.sleep(0.5)


def _restarts_told(figures: Any, pools: Iterable[str]) -> dict[str, int]:
    return {pool: int(total(figures, "velella_replica_restarts_total", pool=pool)) for pool in pools}


async def _orders_flow(crowd: Crowd, why: str = "start") -> None:
    """An order that was begun after now comes through within 30 s."""
    since = time.monotonic()
    while crowd.last_order < since + 0.5:
        assert time.monotonic() < since + 30, f"no order within 30 s after {why}: {crowd.outcomes}"
        await asyncio.sleep(0.1)


async def _all_orders(admin: Any) -> list[Any]:
    rows: list[Any] = []
    while True:
        page = await admin.get(
            "/admin/orders", limit=200, offset=len(rows), order="created_at", fields="id,status,items.variant_id,items.quantity"
        )
        rows += page["orders"]
        if len(rows) >= page["count"]:
            return rows
