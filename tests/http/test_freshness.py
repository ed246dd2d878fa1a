"""Who changed something sees it at once, in the admin as in the store, though answers are remembered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import local_host
from velella.core.ids import ulid
from velella.core.settings import Settings
from velella.http.server import FrontEnd, found_routes
from velella.workflows.defaults import seed_defaults

from ..conftest import clone
from .admin.conftest import Merchant
from .conftest import Client, Shop


@pytest.fixture(scope="module")
async def shop(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """A whole shop, with every route there is."""
    settings = Settings(database_url=await clone(postgres, migrated), data_dir=tmp_path_factory.mktemp("whole"), port=0).with_secrets()
    async with local_host(settings) as host:
        await seed_defaults(host.modules)
        front = FrontEnd(host.context, found_routes())
        await front.start()
        yield Shop(host, front, f"http://127.0.0.1:{front.port}")
        await front.stop()


@pytest.fixture
async def merchant(admin: Client) -> Merchant:
    return Merchant(admin)


async def test_a_changed_price_title_or_channel_shows_at_once(shop: Shop, client: Client, merchant: Merchant) -> None:
    channel = (await merchant.post("/admin/sales-channels", {"name": f"Web {ulid()}"}))["sales_channel"]["id"]
    regions = (await merchant.get("/admin/regions"))["regions"]
    free = [code for code in ("dk", "se", "no", "fi") if code not in {country["iso_2"] for one in regions for country in one["countries"]}]
    eur = {"name": "North", "currency_code": "eur", "countries": free[:1]}
    region = (await merchant.post("/admin/regions", eur))["region"]["id"]
    made = await merchant.post(
        "/admin/products",
        {
            "title": "Lamp",
            "status": "published",
            "handle": ulid().lower(),
            "sales_channels": [{"id": channel}],
            "options": [{"title": "Size", "values": ["S"]}],
            "variants": [{"title": "S", "options": {"Size": "S"}, "prices": [{"currency_code": "eur", "amount": 10}]}],
        },
    )
    product, variant = made["product"]["id"], made["product"]["variants"][0]["id"]
    key = (await merchant.post("/admin/api-keys", {"title": "Web", "type": "publishable"}))["api_key"]
    await merchant.post(f"/admin/api-keys/{key['id']}/sales-channels", {"add": [channel]})
    store = client.with_(x_publishable_api_key=key["token"])
    listed, one = f"/store/products?region_id={region}&id={product}", f"/store/products/{product}?region_id={region}"

    async def seen() -> list[tuple[str, Any]]:
        """The product as everybody sees it: twice each, the second time from memory."""
        found = []
        for _ in range(2):
            for path in (listed, one):
                answer = (await store("GET", path)).json
                for row in answer["products"] if "products" in answer else [answer["product"]]:
                    found.append((row["title"], row["variants"][0]["calculated_price"]["calculated_amount"]))
            for row in (await merchant.get("/admin/products", id=product))["products"]:
                found.append((row["title"], row["variants"][0]["prices"][0]["amount"]))
            row = (await merchant.get(f"/admin/products/{product}"))["product"]
            found.append((row["title"], row["variants"][0]["prices"][0]["amount"]))
        return found

    assert await seen() == [("Lamp", 10)] * 8
    prices = {"prices": [{"currency_code": "eur", "amount": 12.5}]}
    await merchant.post(f"/admin/products/{product}/variants/{variant}", prices)
    assert {(title, str(amount)) for title, amount in await seen()} == {("Lamp", "12.5")}
    await merchant.post(f"/admin/products/{product}", {"title": "Lantern"})
    assert {title for title, _ in await seen()} == {"Lantern"}
    await merchant.post(f"/admin/sales-channels/{channel}/products", {"remove": [product]})
    assert (await store("GET", listed)).json["count"] == 0
    assert (await store("GET", one)).status == 404
    await merchant.post(f"/admin/sales-channels/{channel}/products", {"add": [product]})
    assert (await store("GET", listed)).json["count"] == 1
    await merchant.post(f"/admin/products/{product}", {"status": "draft"})
    assert (await store("GET", listed)).json["count"] == 0


async def test_stock_shows_at_once_where_it_was_asked_for(shop: Shop, client: Client, merchant: Merchant) -> None:
    channel = (await merchant.post("/admin/sales-channels", {"name": f"Web {ulid()}"}))["sales_channel"]["id"]
    location = await merchant.location()
    await merchant.post(f"/admin/stock-locations/{location}/sales-channels", {"add": [channel]})
    sku = ulid()
    variants = [{"title": "S", "sku": sku, "options": {"Size": "S"}, "manage_inventory": True, "prices": []}]
    made = await merchant.post(
        "/admin/products",
        {
            "title": "Chair",
            "status": "published",
            "sales_channels": [{"id": channel}],
            "options": [{"title": "Size", "values": ["S"]}],
            "variants": variants,
        },
    )
    product = made["product"]["id"]
    item = (await merchant.get("/admin/inventory-items", sku=sku))["inventory_items"][0]["id"]
    key = (await merchant.post("/admin/api-keys", {"title": "Web", "type": "publishable"}))["api_key"]
    await merchant.post(f"/admin/api-keys/{key['id']}/sales-channels", {"add": [channel]})
    store = client.with_(x_publishable_api_key=key["token"])
    path = f"/store/products?id={product}&fields=%2Bvariants.inventory_quantity"

    async def stock() -> Any:
        return [(await store("GET", path)).json["products"][0]["variants"][0]["inventory_quantity"] for _ in range(2)]

    assert await stock() == [0, 0]
    await merchant.post(f"/admin/inventory-items/{item}/location-levels", {"location_id": location, "stocked_quantity": 7})
    assert await stock() == [7, 7]
    await shop.host.modules.inventory.reserve([{"inventory_item_id": item, "location_id": location, "quantity": 2, "line_item_id": "l1"}])
    assert await stock() == [5, 5]
