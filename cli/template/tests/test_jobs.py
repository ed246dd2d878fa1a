"""What happens by the clock."""

from __future__ import annotations

from thing.module.service import ThingService

from velella.testing import Clock, Shop


async def test_sales_are_counted_anew_each_month(shop: Shop, clock: Clock) -> None:
    service = shop.modules.of(ThingService)
    [thing] = await service.create("thing", [{"name": "First", "product_id": "prod_1", "sold": 7}])
    await clock.forward(days=32)
    assert (await service.retrieve("thing", thing["id"]))["sold"] == 0
