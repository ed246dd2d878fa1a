"""Prices change when a price list begins or ends, though nobody changes anything then; pages that were remembered show it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from velella.core.clock import iso, utc_now

from .conftest import Market, Store

LEAD = 3.0
"""Seconds until the list begins: time enough to have pages remembered before."""
LASTS = 2.0


async def test_a_list_begins_and_ends_on_remembered_pages(market: Market, store: Store, merchant: Store) -> None:
    variant = await market.new_variant({"eur": "20"})
    (row,) = await market.modules.product.list("product_variant", {"id": variant})
    begins = utc_now() + timedelta(seconds=LEAD)
    ends = begins + timedelta(seconds=LASTS)
    body: Any = {
        "title": "Soon", "description": "For a moment", "status": "active", "starts_at": iso(begins), "ends_at": iso(ends),
        "prices": [{"variant_id": variant, "currency_code": "eur", "amount": 15}],
    }  # fmt: skip
    await merchant.post("/admin/price-lists", body)

    async def shown() -> Any:
        ask = store.get(f"/store/products/{row['product_id']}", region_id=market.regions["de"], fields="*variants.calculated_price")
        return (await ask)["product"]["variants"][0]["calculated_price"]["calculated_amount"]

    async def becomes(amount: int, at: Any) -> None:
        """Asked all the time, so that it is remembered when the moment comes."""
        while (left := (at - utc_now()).total_seconds()) > 0.2:
            assert await shown() != amount
            await asyncio.sleep(0.1)
        await asyncio.sleep(left + 0.25)
        assert await shown() == amount

    assert await shown() == 20
    await becomes(15, begins)
    await becomes(20, ends)
