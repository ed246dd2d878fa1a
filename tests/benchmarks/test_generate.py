"""A generated shop is one like any other: buyers and merchants can't tell its goods from those that came over the admin API."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
from generate import generate
from rich.console import Console
from shop import Shop, opened

from velella.actors.host import local_host
from velella.actors.services import service_names
from velella.cli import instance
from velella.core.settings import Settings

from .conftest import SIZE


@pytest.fixture(scope="module")
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    async with local_host(settings, service_names(settings)) as host:
        front: Any = host.services["http"]
        shop = await opened(f"http://127.0.0.1:{front.port}", instance.DEMO_ADMIN, instance.admin_password(settings))
        yield shop
        await shop.session.close()


def shape(value: Any) -> Any:
    """The keys of an answer at every level; of lists, of what they hold together."""
    if isinstance(value, Mapping):
        return {key: shape(inner) for key, inner in value.items() if key not in ("metadata", "data")}
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return [shape(value[0])]
    return None


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Paths of keys that only one of the shapes has. Where one has nothing (no row, an empty list), nothing can be said."""
    if not one or not other:
        return []
    if isinstance(one, list):
        return differing(one[0], other[0], path)
    found = [f"{path}.{key}" for key in one.keys() ^ other.keys()]
    return found + [deeper for key in one.keys() & other.keys() for deeper in differing(one[key], other[key], f"{path}.{key}")]


def one_of(page: dict[str, Any], name: str, generated: bool, by: str) -> Any:
    """A thing of the page that was generated, or one that was not."""
    return next(row for row in page[name] if ("generated" in row[by] or row[by].endswith("-3")) == generated)


PRICED = "fields=*variants.calculated_price,*categories,*options.values,*images,%2Bvariants.inventory_quantity"


async def test_generated_products_show_buyers_what_others_show(shop: Shop) -> None:
    page = await shop.get(f"/store/products?limit=200&region_id={shop.region}&{PRICED}")
    assert page["count"] == SIZE.products + 8
    generated, made = (one_of(page, "products", kind, "handle") for kind in (True, False))
    assert differing(shape(generated), shape(made)) == []
    assert generated["images"]
    for product in page["products"]:
        for variant in product["variants"]:
            assert variant["calculated_price"]["calculated_amount"] > 0
            assert variant["inventory_quantity"] > 0
            assert {row["option_id"] for row in variant["options"]} == {row["id"] for row in product["options"]}
    alone = (await shop.get(f"/store/products/{generated['id']}?region_id={shop.region}&{PRICED}"))["product"]
    assert alone == generated


async def test_generated_price_lists_lower_prices(shop: Shop) -> None:
    collections = (await shop.get("/store/collections"))["collections"]
    page = await shop.get(f"/store/products?collection_id={collections[0]['id']}&region_id={shop.region}&{PRICED}")
    assert page["count"] == 20
    for product in page["products"]:
        for variant in product["variants"]:
            price = variant["calculated_price"]
            assert price["is_calculated_price_price_list"]
            assert price["calculated_amount"] < price["original_amount"]


async def test_generated_products_can_be_bought(shop: Shop) -> None:
    page = await shop.get(f"/store/products?limit=100&region_id={shop.region}")
    product = one_of(page, "products", True, "handle")
    shop.variants = [variant["id"] for variant in product["variants"]]
    placed = (await shop.post(f"/store/carts/{await shop.ready_cart(random.Random(1))}/complete", {}))["order"]
    assert {item["product_id"] for item in placed["items"]} == {product["id"]}


async def test_merchants_see_generated_orders_as_they_see_others(shop: Shop) -> None:
    placed = (await shop.post(f"/store/carts/{await shop.ready_cart(random.Random(1))}/complete", {}))["order"]
    page = await shop.call("GET", "/admin/orders?limit=50&order=-display_id", headers=shop.admin)
    assert page["count"] >= SIZE.orders + 1
    newest = page["orders"][0]
    assert newest["id"] == placed["id"], "order numbers go on after the generated ones"
    ids = (placed["id"], page["orders"][10]["id"])
    bought, generated = [(await shop.call("GET", f"/admin/orders/{id}", headers=shop.admin))["order"] for id in ids]
    assert differing(shape(bought), shape(generated)) == []
    assert generated["total"] == generated["summary"]["current_order_total"]
    assert (generated["payment_status"], generated["fulfillment_status"]) == (bought["payment_status"], bought["fulfillment_status"])


async def test_rows_that_were_not_checked_agree(settings: Settings) -> None:
    connection = await asyncpg.connect(settings.database_url)
    keys = await connection.fetch(
        """
        SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent, mine.attname AS mine, theirs.attname AS theirs
        FROM pg_constraint
        JOIN pg_attribute AS mine ON mine.attrelid = conrelid AND mine.attnum = conkey[1]
        JOIN pg_attribute AS theirs ON theirs.attrelid = confrelid AND theirs.attnum = confkey[1]
        WHERE contype = 'f'
        """
    )
    assert len(keys) > 50
    for child, parent, mine, theirs in keys:
        orphans = (
            f"SELECT FROM {child} AS c WHERE c.{mine} IS NOT NULL AND NOT EXISTS (SELECT FROM {parent} AS p WHERE p.{theirs} = c.{mine})"
        )
        assert not await connection.fetch(orphans), (child, mine)
    off = await connection.fetchval(
        """
        SELECT count(*) FROM inventory_level AS level WHERE reserved_quantity <> (
            SELECT coalesce(sum(quantity), 0) FROM reservation_item AS held
            WHERE held.inventory_item_id = level.inventory_item_id AND held.location_id = level.location_id AND held.deleted_at IS NULL
        )
        """
    )
    assert off == 0
    await connection.close()


async def test_no_index_is_lost(settings: Settings, migrated_database: str) -> None:
    found = []
    for url in (settings.database_url, migrated_database):
        connection = await asyncpg.connect(url)
        rows = await connection.fetch("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")
        found.append({row["indexdef"] for row in rows})
        await connection.close()
    assert found[0] == found[1]


async def test_the_same_seed_is_refused_the_second_time(settings: Settings) -> None:
    before = await counts(settings)
    with pytest.raises(asyncpg.UniqueViolationError):
        await generate(settings, SIZE, seed=3, console=Console(quiet=True))
    assert await counts(settings) == before


async def counts(settings: Settings) -> list[int]:
    connection = await asyncpg.connect(settings.database_url)
    tables = ("product", "price", "inventory_level", "product_sales_channel")
    found = [await connection.fetchval(f'SELECT count(*) FROM "{table}"') for table in tables]
    indexes = await connection.fetchval("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'")
    await connection.close()
    return [*found, indexes]
