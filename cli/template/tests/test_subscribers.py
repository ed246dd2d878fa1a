"""What happens after events."""

from __future__ import annotations

from thing.module.service import ThingService

from velella.testing import Client, Row, Shop


async def test_what_is_sold_is_counted(shop: Shop, product: Row) -> None:
    service = shop.modules.of(ThingService)
    [thing] = await service.create("thing", [{"name": "First", "product_id": product["id"]}])
    await shop.order(product, quantity=3)
    await shop.settled()
    assert (await service.retrieve("thing", thing["id"]))["sold"] == 3


async def test_things_of_a_withdrawn_product_go(shop: Shop, admin: Client, product: Row) -> None:
    service = shop.modules.of(ThingService)
    await service.create("thing", [{"name": "First", "product_id": product["id"]}])
    await admin.post(f"/admin/products/{product['id']}", {"title": "Still on sale"})
    await shop.settled()
    assert await service.count("thing", {"product_id": product["id"]}) == 1
    await admin.post(f"/admin/products/{product['id']}", {"status": "draft"})
    await shop.settled()
    assert await service.count("thing", {"product_id": product["id"]}) == 0
