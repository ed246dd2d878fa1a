"""`velella top` of a running shop, as a script reads it."""

from __future__ import annotations

import asyncio
import json

from .served import Served
from .shop import Shop


async def test_a_script_sees_load_and_pools(colony: Served, shop: Shop) -> None:
    store = await colony.store(shop.key)
    done = 0

    async def browse() -> None:
        nonlocal done
        while True:
            await store.get("/store/regions")
            done += 1
            await asyncio.sleep(0.005)

    browsing = asyncio.create_task(browse())
    try:
        seen = json.loads(await colony.command("top", "--once", "--json", "--every", "1.5"))
    finally:
        browsing.cancel()
    assert 0 < seen["requests"]["per_second"] <= done
    assert 0 < seen["requests"]["p50_ms"] <= seen["requests"]["p95_ms"]
    assert ("GET", "/store/regions") in {(route["method"], route["route"]) for route in seen["routes"]}
    assert 0 < seen["hit_rate"] <= 1
    there = {pool["name"]: len(pool["replicas"]) for pool in (await colony.status())["pools"]}
    assert {pool["name"]: pool["replicas"] for pool in seen["pools"]} == there
    assert all(pool["ready"] == pool["replicas"] and pool["memory_bytes"] > 1e6 for pool in seen["pools"])


async def test_people_see_the_same(colony: Served) -> None:
    text = await colony.command("top", "--once", "--every", "0.5")
    for pool in (await colony.status())["pools"]:
        assert pool["name"] in text
    assert "requests/s" in text
