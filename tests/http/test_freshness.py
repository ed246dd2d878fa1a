"""Who changed something sees it at once, in the admin as in the store, though answers are remembered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from statements import statements_of

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


async def test_what_is_translated_is_shown_in_each_language_and_changes_at_once(shop: Shop, client: Client, merchant: Merchant) -> None:
    channel = (await merchant.post("/admin/sales-channels", {"name": f"Web {ulid()}"}))["sales_channel"]["id"]
    ids = []
    for title in ("Lamp", "Desk"):
        body = {
            "title": title,
            "status": "published",
            "sales_channels": [{"id": channel}],
            "options": [{"title": "Size", "values": ["S"]}],
            "variants": [{"title": "S", "options": {"Size": "S"}, "prices": []}],
        }
        ids.append((await merchant.post("/admin/products", body))["product"]["id"])
    key = (await merchant.post("/admin/api-keys", {"title": "Web", "type": "publishable"}))["api_key"]
    await merchant.post(f"/admin/api-keys/{key['id']}/sales-channels", {"add": [channel]})
    plain = client.with_(x_publishable_api_key=key["token"])
    german = plain.with_(x_medusa_locale="de-de")
    listed, one = "/store/products?fields=title,*options", f"/store/products/{ids[0]}?fields=title,*options"

    async def seen(store: Client, locale: str = "") -> list[str]:
        """All titles of products and options: three times, the last time on the fast path."""
        found = []
        for _ in range(3):
            rows = [*(await store("GET", listed + locale)).json["products"], (await store("GET", one + locale)).json["product"]]
            found.append([text for row in rows for text in (row["title"], row["options"][0]["title"])])
        assert found[0] == found[1] == found[2]
        return found[0]

    async def counted() -> tuple[int, int]:
        """How many texts of products there may be in German, and how many there are."""
        asked = {"locales": "de-DE", "entity_types": "product"}
        [of_products] = (await merchant.get("/admin/translations/statistics", **asked))["statistics"].values()
        return of_products["expected"], of_products["translated"]

    original = ["Lamp", "Size", "Desk", "Size", "Lamp", "Size"]
    assert await seen(german) == await seen(plain) == original
    expected, _ = await counted()
    translated = {"reference": "product", "reference_id": ids[0], "locale_code": "de-DE", "translations": {"title": "Lampe"}}
    [made] = (await merchant.post("/admin/translations/batch", {"create": [translated]}))["created"]
    assert await seen(german) == await seen(plain, "&locale=de-DE") == ["Lampe", "Size", "Desk", "Size", "Lampe", "Size"]
    assert await seen(plain) == await seen(german, "&locale=fr-FR") == original  # what the address says counts
    texts = {"title": "Leuchte", "handle": "leuchte", "colour": "rot"}  # two of them aren't translated
    [changed] = (await merchant.post("/admin/translations/batch", {"update": [{"id": made["id"], "translations": texts}]}))["updated"]
    assert changed["translations"] == {"title": "Leuchte"}
    parent, child = [
        (await merchant.post("/admin/product-categories", {"name": f"{name} {ulid()}", "is_active": True}))["product_category"]["id"]
        for name in ("Light", "Lamps")
    ]
    await merchant.post(f"/admin/product-categories/{child}", {"parent_category_id": parent})
    await merchant.post(f"/admin/product-categories/{child}/products", {"add": ids})
    below = f"/store/product-categories?id={parent}&fields=name,category_children.name,category_children.products.title"
    [category] = (await german("GET", below)).json["product_categories"]
    assert sorted(each["title"] for each in category["category_children"][0]["products"]) == ["Desk", "Leuchte"]
    assert await seen(german) == ["Leuchte", "Size", "Desk", "Size", "Leuchte", "Size"]

    assert await counted() == (expected, 1)
    settings = (await merchant.get("/admin/translations/settings"))["translation_settings"]["product"]["id"]
    await merchant.post("/admin/translations/settings/batch", {"update": [{"id": settings, "is_active": False}]})
    assert await seen(german) == original
    assert await counted() == (0, 0)
    await merchant.post("/admin/translations/settings/batch", {"update": [{"id": settings, "is_active": True}]})

    async def cost(path: str) -> int:
        """Statements, where nothing else goes on and what hardly ever changes is known."""
        spent = []
        for _ in range(4):
            shop.front._answers.changed(None)
            async with statements_of(shop.host.database("product")) as statements:
                assert (await plain("GET", path)).status == 200
            spent.append(statements.count)
        return min(spent)

    for path in (listed, one):
        assert await cost(f"{path}&locale=de-DE") == await cost(path) + 1

    off = FrontEnd(replace(shop.host.context, settings=shop.host.settings.model_copy(update={"translation": False})), found_routes())
    await off.start()
    elsewhere = Client(client.session, f"http://127.0.0.1:{off.port}", german.headers)
    assert (await elsewhere("GET", one)).json["product"]["title"] == "Lamp"
    assert (await elsewhere("GET", "/store/locales")).status == 404
    assert (await elsewhere("GET", "/admin/feature-flags")).json["feature_flags"]["translation"] is False
    await off.stop()
    await merchant.post(
        "/admin/translations/batch", {"delete": [made["id"]], "create": [{**translated, "translations": {"title": "Licht"}}]}
    )
    assert (await seen(german))[0] == "Licht"
