"""What happens after events."""

from __future__ import annotations

from thing.module.service import ThingService

from velella.testing import Row, Shop


async def test_what_is_sold_is_counted(shop: Shop, product: Row) -> None:
    service = shop.modules.of(ThingService)
    [thing] = await service.create("thing", [{"name": "First", "product_id": product["id"]}])
    await shop.order(product, quantity=3)
    await shop.settled()
    assert (await service.retrieve("thing", thing["id"]))["sold"] == 3
