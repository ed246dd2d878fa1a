"""A plugin that tells analytics of orders: PostHog hears of each, once, whatever becomes of it meanwhile, and no buyer notices."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from velella.modules.analytics.gathering import Gathering
from velella.modules.analytics.providers.posthog import PostHog
from velella.testing import Row, Shop

from ..faulty import faulty
from ..posthog_desk import KEY, PostHogDesk


@pytest.mark.parametrize("fault", ["killed", "cut"])
async def test_every_order_is_told_once_however_long_analytics_are_away(
    shop: Shop, product: Row, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    async with PostHogDesk() as desk, faulty(desk.url) as way:
        posthog = PostHog(KEY, f"http://127.0.0.1:{way.port}", timeout=0.5)
        monkeypatch.setattr(shop.host.services["analytics"], "_gathering", Gathering(posthog))
        await way.play(fault)
        orders = [await shop.order(product) for _ in range(2)]
        async with asyncio.timeout(20):
            while await failed(shop) < len(orders):
                await asyncio.sleep(0.05)
        if fault != "cut":
            assert desk.events == []
        await way.play("slow")
        await shop.execute("UPDATE event_delivery SET due_at = now(), error = NULL WHERE error IS NOT NULL")
        await shop.settled()
        told = {event["properties"]["order_id"]: event for event in desk.events}
        assert told.keys() == {order["id"] for order in orders}
        assert len(desk.events) == len(orders)
        first = told[orders[0]["id"]]
        assert (first["event"], first["properties"]["total"]) == ("order_placed", orders[0]["total"])
        assert first["distinct_id"].startswith("cus_")
        await posthog.close()


async def failed(shop: Shop) -> int:
    connection = await shop._connect()
    try:
        return int(await connection.fetchval("SELECT count(*) FROM event_delivery WHERE error LIKE '%PostHog%'"))
    finally:
        await connection.close()
