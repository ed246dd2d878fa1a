"""Things are stored."""

from __future__ import annotations

from thing.module import MODULE
from thing.module.service import Thing, ThingService

from velella.core.service import migrations
from velella.testing import NewDatabase, Shop


async def test_things_are_counted(shop: Shop) -> None:
    service = shop.modules.of(ThingService)
    [made] = await service.create("thing", [{"name": "First", "product_id": "prod_1"}])
    await service.count_sales({"prod_1": 2, "prod_2": 1})
    kept: Thing = await service.retrieve("thing", made["id"])
    assert (kept["name"], kept["sold"]) == ("First", 2)


async def test_the_migrations_lead_to_the_tables(velella_database: NewDatabase) -> None:
    assert await migrations.differences(MODULE, await velella_database()) == ""
