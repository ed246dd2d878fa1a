"""A served shop whose database takes no writes for a while, as in a failover, in both topologies."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core.ids import ulid

from .buyer import Buyer
from .served import Api, Served
from .shop import Shop, sell


async def test_who_writes_is_told_when_to_come_again_and_nothing_is_half_done(colony: Served, shop: Shop) -> None:
    admin, store = await colony.admin(), await colony.store(shop.key)
    product = await sell(admin, shop, f"buoy-{ulid().lower()}", {"eur": 25, "jpy": 1000, "kwd": 1.22}, stock=5)
    variant = product["variants"][0]["id"]
    buyer = Buyer(store, shop)
    cart = await buyer.ready(variant)
    region = {"name": "Nowhere", "currency_code": "eur"}

    async def ask(api: Api, path: str, body: Any) -> tuple[int, bool]:
        async with colony.session.post(colony.base + path, json=body, headers=api.headers) as answer:
            await answer.read()
            return answer.status, int(answer.headers.get("Retry-After", 0)) >= 1

    database = await asyncpg.connect(EmbeddedPostgres(colony.data_dir / "postgres").url())
    try:
        await database.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        await database.execute("SELECT pg_reload_conf()")
        while await database.fetchval("SHOW default_transaction_read_only") == "off":
            await asyncio.sleep(0.02)
        asked = [(store, f"/store/carts/{cart}/complete", {}), (admin, "/admin/regions", region), (store, "/store/carts", {})]
        for _ in range(2):  # the second time by new connections
            assert await asyncio.gather(*(ask(*one) for one in asked)) == [(503, True)] * 3
        assert (await store.get(f"/store/carts/{cart}"))["cart"]["completed_at"] is None
        regions = (await admin.get("/admin/regions", fields="id,name", limit="100"))["regions"]
        assert "Nowhere" not in {each["name"] for each in regions}
    finally:
        await database.execute("SET default_transaction_read_only = off")
        await database.execute("ALTER SYSTEM RESET default_transaction_read_only")
        await database.execute("SELECT pg_reload_conf()")
        await database.close()
    async with asyncio.timeout(60):
        while (done := await buyer.complete(cart))[0] == 503:
            await asyncio.sleep(0.2)
    assert done[1]["type"] == "order"
    assert (await buyer.complete(cart))[1]["order"]["id"] == done[1]["order"]["id"]
    orders = (await admin.get("/admin/orders", fields="id,items.variant_id", limit="100"))["orders"]
    assert [order["id"] for order in orders if order["items"][0]["variant_id"] == variant] == [done[1]["order"]["id"]]
