"""The buyers' operations. Each scenario is one operation; every answer is checked, not only its status."""

from __future__ import annotations

import random
import uuid
from collections.abc import Awaitable, Callable

from shop import Refused, Shop

Scenario = Callable[[Shop, random.Random], Awaitable[None]]

PRICED = "fields=*variants.calculated_price"


async def products(shop: Shop, rng: random.Random) -> None:
    """A page of 20 products with their prices."""
    offset = rng.randrange(max(1, len(shop.products) - 19))
    page = await shop.get(f"/store/products?limit=20&offset={offset}&region_id={shop.region}&{PRICED}")
    for product in page["products"]:
        if any(variant["calculated_price"]["calculated_amount"] is None for variant in product["variants"]):
            raise Refused("a variant without a price")


async def again(shop: Shop, rng: random.Random) -> None:
    """The first page of 20 products with their prices, again and again."""
    page = await shop.get(f"/store/products?limit=20&region_id={shop.region}&{PRICED}")
    if not page["products"]:
        raise Refused("an empty page")


async def product(shop: Shop, rng: random.Random) -> None:
    """One product with its prices."""
    wanted = rng.choice(shop.products)
    found = (await shop.get(f"/store/products/{wanted}?region_id={shop.region}&{PRICED}"))["product"]
    if found["id"] != wanted or not found["variants"]:
        raise Refused("another product than asked for")


async def product_again(shop: Shop, rng: random.Random) -> None:
    """One product with its prices, again and again."""
    wanted = shop.products[0]
    if (await shop.get(f"/store/products/{wanted}?region_id={shop.region}&{PRICED}"))["product"]["id"] != wanted:
        raise Refused("another product than asked for")


async def changed(shop: Shop, rng: random.Random) -> None:
    """A product's subtitle is changed, and the page of 20 products asked for that shows it."""
    offset = rng.randrange(max(1, len(shop.products) - 19))
    path, subtitle = f"/store/products?limit=20&offset={offset}&region_id={shop.region}&{PRICED}", uuid.uuid4().hex
    before = rng.choice((await shop.get(path))["products"])
    await shop.call("POST", f"/admin/products/{before['id']}", {"subtitle": subtitle}, shop.admin)
    after = next((product for product in (await shop.get(path))["products"] if product["id"] == before["id"]), None)
    if after is None or after["subtitle"] == before["subtitle"]:  # another subtitle than ours is a concurrent buyer's
        raise Refused("a page of before the change")


async def open_cart(shop: Shop, rng: random.Random) -> None:
    """A new cart."""
    if (await shop.post("/store/carts", {"region_id": shop.region}))["cart"]["items"]:
        raise Refused("an odd cart")


async def cart(shop: Shop, rng: random.Random) -> None:
    """A new cart with one line."""
    made = (await shop.post("/store/carts", {"region_id": shop.region}))["cart"]
    body = {"variant_id": rng.choice(shop.variants), "quantity": 1}
    filled = (await shop.post(f"/store/carts/{made['id']}/line-items", body))["cart"]
    if len(filled["items"]) != 1 or not filled["total"] > 0:
        raise Refused("an odd cart")


async def checkout(shop: Shop, rng: random.Random) -> None:
    """A whole purchase: cart, two lines, shipping, payment, complete (8 requests)."""
    ready = await shop.ready_cart(rng)
    done = await shop.post(f"/store/carts/{ready}/complete", {})
    if done["type"] != "order":
        raise Refused(f"no order: {done.get('error')}")


async def admin_products(shop: Shop, rng: random.Random) -> None:
    """A merchant's page of 20 products."""
    page = await shop.call("GET", f"/admin/products?limit=20&offset={rng.randrange(10)}", headers=shop.admin)
    if len(page["products"]) != min(20, page["count"] - page["offset"]):
        raise Refused("a page of another length")


async def admin_orders(shop: Shop, rng: random.Random) -> None:
    """A merchant's page of 20 orders."""
    page = await shop.call("GET", f"/admin/orders?limit=20&offset={rng.randrange(10)}", headers=shop.admin)
    if page["count"] < len(page["orders"]):
        raise Refused("more orders than there are")


async def new_product(shop: Shop, rng: random.Random) -> None:
    """A product of three variants with prices in two currencies is made."""
    title = f"Load {uuid.uuid4().hex}"  # unique: no two products may have one handle
    prices = [{"currency_code": code, "amount": 10} for code in ("eur", "usd")]
    variants = [{"title": size, "options": {"Size": size}, "prices": prices, "manage_inventory": False} for size in "SML"]
    body = {"title": title, "status": "draft", "options": [{"title": "Size", "values": list("SML")}], "variants": variants}
    made = (await shop.call("POST", "/admin/products", body, shop.admin))["product"]
    if len(made["variants"]) != 3:
        raise Refused("an odd product")


async def mixed(shop: Shop, rng: random.Random) -> None:
    """What a shop sees: of a hundred operations 60 look at a page, 30 at a product, 8 fill a cart, 2 buy."""
    roll = rng.random()
    await (products if roll < 0.6 else product if roll < 0.9 else cart if roll < 0.98 else checkout)(shop, rng)


SCENARIOS: dict[str, Scenario] = {f.__name__: f for f in (products, product, cart, checkout, mixed)}
"""The default scenarios of `load.py`."""
FURTHER: dict[str, Scenario] = {
    f.__name__: f for f in (again, product_again, changed, open_cart, admin_products, admin_orders, new_product)
}
