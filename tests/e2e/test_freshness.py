"""What is remembered is never older than what was answered: whoever changes something, by whatever door, sees it through every other.

A second Velella that remembers nothing stands on the same database. After each change both are asked the same, the served one by new
connections, which any of its front ends may take, while others fill its memory.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import local_host
from velella.core.ids import ulid
from velella.core.settings import Settings
from velella.http.server import FrontEnd, found_routes

from .served import Api, Served
from .shop import Shop, sell

CHANGES = 80
READERS = 3
DOORS = 3
"""Times that everything is looked at before a change: there are so many front ends, or fewer."""


@pytest.fixture(scope="module")
async def truth(colony: Served, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Address of a front end on the colony's database that asks it each time. It takes over nothing that the colony has begun: this process
    knows hooks that the colony doesn't."""
    url = EmbeddedPostgres(colony.data_dir / "postgres").url()
    folder: Path = tmp_path_factory.mktemp("truth")
    secret = (colony.data_dir / "secrets" / "jwt_secret").read_text().strip()  # it lets in whom the colony lets in
    settings = Settings(database_url=url, data_dir=folder, port=0, cache=False, jwt_secret=secret).with_secrets()
    async with local_host(settings, visits=True) as host:
        front = FrontEnd(host.context, found_routes())
        await front.start()
        yield f"http://127.0.0.1:{front.port}"
        await front.stop()


@dataclass
class Catalogue:
    """What there is to change, and to look at."""

    admin: Api
    shop: Shop
    dice: random.Random
    products: list[dict[str, Any]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)
    spare: list[tuple[str, str]] = field(default_factory=list)
    """Products and values that no variant has yet."""

    async def fill(self) -> None:
        for n in range(5):
            await self.another_product()
            kind = f"{n}-{ulid().lower()}"
            self.tags.append((await self.admin.post("/admin/product-tags", {"value": kind}))["product_tag"]["id"])
            if n < 2:
                named = {"name": kind, "is_active": True}
                self.categories.append((await self.admin.post("/admin/product-categories", named))["product_category"]["id"])
                self.collections.append((await self.admin.post("/admin/collections", {"title": kind}))["collection"]["id"])

    # -- changes

    async def another_product(self) -> None:
        prices = {"eur": self.dice.randint(1, 99), "jpy": 100, "kwd": 1.5}
        self.products.append(await sell(self.admin, self.shop, f"p-{ulid().lower()}", prices, stock=7, variants=2))

    async def a_product_less(self) -> None:
        if len(self.products) > 3:
            gone = self.products.pop(self.dice.randrange(len(self.products)))
            self.spare = [(product, value) for product, value in self.spare if product != gone["id"]]
            status, answer = await self.admin.raw("DELETE", f"/admin/products/{gone['id']}")
            assert status == 200, answer

    async def product(self, **changes: Any) -> None:
        await self.admin.post(f"/admin/products/{self.one()['id']}", changes)

    async def title(self) -> None:
        await self.product(title=f"T {self.word()}")

    async def status(self) -> None:
        await self.product(status=self.dice.choice(["draft", "published", "published"]))

    async def images(self) -> None:
        await self.product(images=[{"url": f"http://img/{self.word()}"} for _ in range(self.dice.randrange(3))])

    async def product_tags(self) -> None:
        await self.product(tags=[{"id": id} for id in self.dice.sample(self.tags, self.dice.randrange(3))])

    async def collection_of(self) -> None:
        await self.product(collection_id=self.dice.choice([None, *self.collections]))

    async def channels(self) -> None:
        await self.product(sales_channels=self.dice.choice([[], [{"id": self.shop.channel}], [{"id": self.shop.channel}]]))

    async def category_products(self) -> None:
        body = {self.dice.choice(["add", "remove"]): [self.one()["id"]]}
        await self.admin.post(f"/admin/product-categories/{self.dice.choice(self.categories)}/products", body)

    async def rename_tag(self) -> None:
        await self.admin.post(f"/admin/product-tags/{self.dice.choice(self.tags)}", {"value": self.word()})

    async def rename_category(self) -> None:
        await self.admin.post(f"/admin/product-categories/{self.dice.choice(self.categories)}", {"name": self.word()})

    async def rename_collection(self) -> None:
        await self.admin.post(f"/admin/collections/{self.dice.choice(self.collections)}", {"title": self.word()})

    async def variant(self) -> None:
        product = self.one()
        variant = self.dice.choice(product["variants"])
        changes = self.dice.choice([{"title": self.word()}, {"prices": [{"currency_code": "eur", "amount": self.dice.randint(1, 999)}]}])
        await self.admin.post(f"/admin/products/{product['id']}/variants/{variant['id']}", changes)

    async def another_value(self) -> None:
        product, value = self.one(), self.word()
        option = (await self.admin.get(f"/admin/products/{product['id']}", fields="*options"))["product"]["options"][0]["id"]
        values = {"product_option_id": option, "add": [{"value": value}]}
        await self.admin.post(f"/admin/products/{product['id']}/options/batch", {"update": [values]})
        self.spare.append((product["id"], value))

    async def another_variant(self) -> None:
        if self.spare:
            product, value = self.spare.pop()
            prices = [{"currency_code": "eur", "amount": 3}]
            body = {"title": value, "options": {"Kind": value}, "prices": prices, "manage_inventory": False}
            await self.admin.post(f"/admin/products/{product}/variants", body)

    async def stock(self) -> None:
        variant = self.dice.choice(self.one()["variants"])
        item = (await self.admin.get("/admin/inventory-items", sku=variant["sku"]))["inventory_items"][0]["id"]
        await self.admin.post(
            f"/admin/inventory-items/{item}/location-levels/{self.shop.location}", {"stocked_quantity": self.dice.randint(0, 50)}
        )

    def one(self) -> dict[str, Any]:
        return self.dice.choice(self.products)

    def word(self) -> str:
        return f"w{self.dice.randrange(10**9)}"

    # -- looks

    def look(self) -> str:
        region = self.shop.regions["dk"]
        priced = f"region_id={region}&fields=*variants.calculated_price"
        whole = "fields=title,*tags,*categories,*collection,*images,*options,*options.values,*variants,*variants.options"
        product = self.one()["id"]
        return self.dice.choice(
            [
                f"/store/products?{priced}&limit=3&offset={self.dice.randrange(3)}",
                f"/store/products?{priced}&order=-title",
                f"/store/products?{whole}&limit=4",
                f"/store/products?tag_id={self.dice.choice(self.tags)}&fields=id,title,*tags",
                f"/store/products/{product}?{priced}",
                f"/store/products/{product}?{priced},%2Bvariants.inventory_quantity",
                f"/store/products/{product}?{whole}",
                f"/store/product-variants?region_id={region}&fields=*calculated_price&limit=5",
                f"/store/product-categories/{self.dice.choice(self.categories)}?fields=name,*products",
                f"/store/collections/{self.dice.choice(self.collections)}",
                f"/admin/products/{product}",
                f"/admin/products/{product}/variants?fields=title,*prices,%2Binventory_quantity",
                "/admin/products?limit=3&order=-created_at",
                "/admin/product-variants?limit=5&fields=title,sku,*options,inventory_quantity,manage_inventory&order=sku",
                f"/admin/product-tags?{self.dice.choice(['limit=4', 'order=-value'])}",
                f"/admin/product-tags/{self.dice.choice(self.tags)}",
                f"/admin/product-categories/{self.dice.choice(self.categories)}?fields=name,products.title",
                f"/admin/collections/{self.dice.choice(self.collections)}?fields=title,products.title",
                "/admin/inventory-items?limit=4&order=sku&fields=sku,stocked_quantity",
            ]
        )

    def changes(self) -> list[Callable[[], Awaitable[None]]]:
        often = [self.title, self.variant, self.images, self.product_tags, self.collection_of, self.stock]
        return [
            *often, *often, self.status, self.channels, self.category_products, self.rename_tag, self.rename_category,
            self.rename_collection, self.another_product, self.a_product_less, self.another_value, self.another_variant,
            self.another_variant,
        ]  # fmt: skip


async def test_any_door_shows_what_any_other_has_written(colony: Served, shop: Shop, truth: str) -> None:
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    print(f"SEED={seed}")
    dice = random.Random(seed)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=0)) as session:
        admin = await colony.admin()
        catalogue = Catalogue(Api(session, colony.base, admin.headers), shop, dice)
        await catalogue.fill()
        headers = {"store": {"x-publishable-api-key": shop.key}, "admin": admin.headers}

        async def shown_at(base: str, look: str) -> tuple[int, Any]:
            return await Api(session, base, headers[look.split("/")[1]]).raw("GET", look)

        seen = 0
        for n in range(CHANGES):
            change = dice.choice(catalogue.changes())
            looks = [catalogue.look() for _ in range(4)]
            await asyncio.gather(*(shown_at(colony.base, look) for look in looks * DOORS))
            reading = [asyncio.create_task(shown_at(colony.base, look)) for look in looks[:READERS]]
            await change()
            for look in looks:
                shown, is_so = await asyncio.gather(shown_at(colony.base, look), shown_at(truth, look))
                assert shown == is_so, f"change {n}, {change.__name__}: {look}"
                seen += shown[0] == 200
            await asyncio.gather(*reading)
        assert seen > CHANGES
