"""What happens in workflows of others."""

from __future__ import annotations

from thing.module.service import ThingService

from velella.testing import Client, Row, Shop


async def test_things_go_with_their_product(shop: Shop, admin: Client, product: Row) -> None:
    service = shop.modules.of(ThingService)
    await service.create("thing", [{"name": "First", "product_id": product["id"]}])
    await admin.delete(f"/admin/products/{product['id']}")
    assert await service.count("thing", {"product_id": product["id"]}) == 0
