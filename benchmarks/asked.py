"""The requests that `growth.py` sends to shops: the same to each, however large it is.

A request is a function of a shop, a source of random choices and the number of variants; it checks its answer.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from goods import VARIANTS
from scenarios import PRICED
from shop import Refused, Shop

PAGE = 20
NEAR = 200
"""Pages begin within this many rows from the start, as they do in the smallest shop; single products are taken from these, too."""
LINES = (1, 20, 200)
"""Of carts."""


@dataclass
class Asked:
    """A shop under measurement, and what is created in it only for the requests."""

    shop: Shop
    variants: int
    rng: random.Random
    orders: int = 0
    on_sale: str = ""
    """The collection that every price list holds."""
    carts: dict[int, list[str]] = field(default_factory=dict)
    """Number of lines → carts with that many."""

    @property
    def products(self) -> int:
        return self.variants // VARIANTS

    async def prepare(self) -> None:
        found = await self.shop.get("/store/collections?limit=100&fields=id,handle")
        self.on_sale = next((one["id"] for one in found["collections"] if one["handle"].startswith("on-sale-")), "")
        self.orders = (await self.admin("/admin/orders?limit=1"))["count"]
        for lines in LINES:
            self.carts[lines] = [await self._cart(lines) for _ in range(2)]

    async def _cart(self, lines: int) -> str:
        items = [{"variant_id": variant, "quantity": 1} for variant in self.rng.sample(self.shop.variants[: VARIANTS * NEAR], lines)]
        made = (await self.shop.post("/store/carts", {"region_id": self.shop.region, "items": items}))["cart"]
        if len(made["items"]) != lines:
            raise Refused("a cart of another length")
        return str(made["id"])

    async def admin(self, path: str) -> Any:
        return await self.shop.call("GET", path, headers=self.shop.admin)

    async def page(self, path: str, key: str, offset: int, *, most: int = PAGE, least: int = PAGE) -> None:
        """Read a page of a list, which must hold that many rows."""
        mark = "&" if "?" in path else "?"
        headers = self.shop.admin if path.startswith("/admin") else self.shop.store
        answer = await self.shop.call("GET", f"{path}{mark}limit={PAGE}&offset={offset}", headers=headers)
        if not least <= len(answer[key]) <= most or answer["count"] < offset + len(answer[key]):
            raise Refused(f"{path}: {len(answer[key])} rows of {answer['count']}")

    def near(self, rows: int) -> int:
        """An offset near the start, with a page behind it."""
        return self.rng.randrange(min(NEAR, rows - PAGE))

    def far(self, rows: int) -> int:
        """An offset in the last tenth."""
        return self.rng.randrange(rows * 9 // 10 - PAGE, rows - PAGE)

    def number(self) -> str:
        """The number of a product, as titles write it."""
        return f"{self.rng.randrange(self.products):06d}"


Request = Callable[[Asked], Awaitable[None]]
_PRODUCTS = "/store/products?region_id={}&" + PRICED


def _products(asked: Asked) -> str:
    return _PRODUCTS.format(asked.shop.region)


async def products(asked: Asked) -> None:
    """A page of 20 products with prices."""
    await asked.page(_products(asked), "products", asked.near(asked.products))


async def newest(asked: Asked) -> None:
    """The same, newest first."""
    await asked.page(_products(asked) + "&order=-created_at", "products", asked.near(asked.products))


async def by_title(asked: Asked) -> None:
    """The same, by title."""
    await asked.page(_products(asked) + "&order=title", "products", asked.near(asked.products))


async def deep(asked: Asked) -> None:
    """The same, in the last tenth."""
    await asked.page(_products(asked), "products", asked.far(asked.products))


async def search(asked: Asked) -> None:
    """A search for a product."""
    await asked.page(f"{_products(asked)}&q={asked.number()}", "products", 0, least=1)


async def product(asked: Asked) -> None:
    """One product with prices."""
    wanted = asked.rng.choice(asked.shop.products[:NEAR])
    found = (await asked.shop.get(f"/store/products/{wanted}?region_id={asked.shop.region}&{PRICED}"))["product"]
    if found["id"] != wanted:
        raise Refused("another product than asked for")


async def on_sale(asked: Asked) -> None:
    """20 products that are in every price list."""
    few = asked.rng.randrange(10)  # no page twice
    path = f"{_products(asked)}&collection_id={asked.on_sale}&created_at[$gt]=2024-01-{few + 1:02d}"
    await asked.page(path, "products", 0)


async def admin_products(asked: Asked) -> None:
    """Merchant: a page of products."""
    await asked.page("/admin/products", "products", asked.near(asked.products))


async def admin_deep(asked: Asked) -> None:
    """Merchant: products in the last tenth."""
    await asked.page("/admin/products", "products", asked.far(asked.products))


async def admin_search(asked: Asked) -> None:
    """Merchant: a search for products."""
    await asked.page(f"/admin/products?q={asked.number()}", "products", 0, least=1)


async def orders(asked: Asked) -> None:
    """Merchant: a page of orders."""
    await asked.page("/admin/orders", "orders", asked.near(asked.orders))


async def newest_orders(asked: Asked) -> None:
    """Merchant: orders, newest first."""
    await asked.page("/admin/orders?order=-display_id", "orders", asked.near(asked.orders))


async def deep_orders(asked: Asked) -> None:
    """Merchant: orders in the last tenth."""
    await asked.page("/admin/orders?order=-display_id", "orders", asked.far(asked.orders))


async def search_orders(asked: Asked) -> None:
    """Merchant: a search for orders of a customer."""
    await asked.page(f"/admin/orders?q=.{asked.rng.randrange(asked.orders // 4 - 1)}.", "orders", 0, least=1)


async def stock(asked: Asked) -> None:
    """Merchant: a page of stock."""
    await asked.page("/admin/inventory-items", "inventory_items", asked.near(asked.variants))


async def deep_stock(asked: Asked) -> None:
    """Merchant: stock in the last tenth."""
    await asked.page("/admin/inventory-items", "inventory_items", asked.far(asked.variants))


async def search_stock(asked: Asked) -> None:
    """Merchant: a search for stock."""
    await asked.page(f"/admin/inventory-items?q={asked.number()}", "inventory_items", 0, least=1)


def adding(lines: int) -> Request:
    async def add(asked: Asked) -> None:
        body = {"variant_id": asked.rng.choice(asked.shop.variants[: VARIANTS * NEAR]), "quantity": 1}
        filled = (await asked.shop.post(f"/store/carts/{asked.rng.choice(asked.carts[lines])}/line-items", body))["cart"]
        if len(filled["items"]) < lines or not filled["total"] > 0:
            raise Refused("an odd cart")

    add.__doc__ = f"A line into a cart of {lines}."
    return add


def looking(lines: int) -> Request:
    async def look(asked: Asked) -> None:
        cart = (await asked.shop.get(f"/store/carts/{asked.rng.choice(asked.carts[lines])}"))["cart"]
        if len(cart["items"]) < lines:
            raise Refused("an odd cart")

    look.__doc__ = f"A look at a cart of {lines}."
    return look


REQUESTS: dict[str, Request] = {
    request.__name__: request
    for request in (
        products, newest, by_title, deep, search, product, on_sale, admin_products, admin_deep, admin_search, orders, newest_orders,
        deep_orders, search_orders, stock, deep_stock, search_stock,
    )
}  # fmt: skip
REQUESTS |= {f"look_{lines}": looking(lines) for lines in LINES}
REQUESTS |= {f"add_{lines}": adding(lines) for lines in LINES}
"""Requests that change something come last."""
