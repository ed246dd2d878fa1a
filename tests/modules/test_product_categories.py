"""Categories: a tree in which everything has its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from velella.core.errors import InvalidData, NotAllowed, NotFound
from velella.core.sql.schema.query import Query
from velella.modules.product.service import ProductService

from .one_module import alone


@pytest.fixture
async def products(fresh_database: str) -> AsyncIterator[ProductService]:
    async with alone(ProductService, fresh_database, connections=6) as service:
        yield service


async def make(service: ProductService, name: str, parent: str | None = None, **more: Any) -> str:
    (row,) = await service.create_categories([{"name": name, "parent_category_id": parent, **more}])
    return str(row["id"])


async def order(service: ProductService, parent: str | None = None) -> list[tuple[str, int]]:
    rows = await service.list("product_category", {"parent_category_id": parent}, order=("rank", "id"))
    return [(row["name"], row["rank"]) for row in rows]


async def test_categories_stand_below_each_other_in_order(products: ProductService) -> None:
    top = await make(products, "Top")
    for name in ("a", "b", "c"):
        await make(products, name, top)
    await make(products, "first", top, rank=0)
    assert await order(products, top) == [("first", 0), ("a", 1), ("b", 2), ("c", 3)]
    row = (await products.list("product_category", {"name": "a"}))[0]
    assert row["mpath"] == f"{top}.{row['id']}"
    await products.update_categories([{"id": row["id"], "rank": 3}])
    assert await order(products, top) == [("first", 0), ("b", 1), ("c", 2), ("a", 3)]
    await products.delete_categories([(await products.list("product_category", {"name": "b"}))[0]["id"]])
    assert await order(products, top) == [("first", 0), ("c", 1), ("a", 2)]


async def test_a_moved_category_takes_its_children_along(products: ProductService) -> None:
    one, two = await make(products, "one"), await make(products, "two")
    child = await make(products, "child", one)
    leaf = await make(products, "leaf", child)
    await products.update_categories([{"id": child, "parent_category_id": two}])
    paths = {row["id"]: row["mpath"] for row in await products.list("product_category")}
    assert paths[leaf] == f"{two}.{child}.{leaf}"
    with pytest.raises(InvalidData, match="below itself"):
        await products.update_categories([{"id": two, "parent_category_id": leaf}])
    with pytest.raises(NotFound):
        await make(products, "lost", "pcat_none")
    await products.update_categories([{"id": child, "parent_category_id": None}])
    assert (await products.retrieve("product_category", leaf))["mpath"] == f"{child}.{leaf}"


async def test_a_category_with_children_is_not_deleted_without_them(products: ProductService) -> None:
    parent = await make(products, "parent")
    child = await make(products, "child", parent)
    with pytest.raises(NotAllowed, match=rf"^Deleting ProductCategory \({parent}\) with category children is not allowed$"):
        await products.delete_categories([parent])
    assert await products.delete_categories([parent, child]) == [parent, child]


async def test_siblings_that_go_together_leave_no_gap_and_come_back_to_their_places(products: ProductService) -> None:
    ids = [await make(products, name) for name in "abcdef"]
    for gone in (["a", "c"], ["f", "b", "c"], ["d"]):
        left = [name for name in "abcdef" if name not in gone]
        chosen = [ids["abcdef".index(name)] for name in gone]
        await products.delete_categories(chosen)
        assert await order(products) == [(name, rank) for rank, name in enumerate(left)]
        assert sorted(await products.restore_categories([*chosen, ids[4]])) == sorted(chosen)
        assert await order(products) == [(name, rank) for rank, name in enumerate("abcdef")]


async def test_ranks_stay_dense_under_parallel_creation(products: ProductService) -> None:
    await asyncio.gather(*(make(products, f"c{number}") for number in range(12)))
    assert [rank for _, rank in await order(products)] == list(range(12))


async def test_trees_are_shown_up_and_down(products: ProductService) -> None:
    top = await make(products, "top", is_active=True)
    middle = await make(products, "middle", top, is_active=True)
    leaf = await make(products, "leaf", middle, is_active=True)
    await make(products, "hidden", middle, is_active=False)
    query = Query("product_category", ("id", "name", "*parent_category", "*category_children"), {"id": middle, "is_active": True})
    (row,) = (await products.category_trees(query, ancestors=True, descendants=True)).rows
    above, [below] = row.pop("parent_category"), row.pop("category_children")
    assert row == {"id": middle, "name": "middle"}
    assert (above["id"], above["mpath"], above["parent_category"]) == (top, top, None)  # what is shown in one is shown whole
    assert (below["id"], below["rank"], below["category_children"]) == (leaf, 0, [])
    unasked = Query("product_category", ("id",), {"id": middle})
    assert (await products.category_trees(unasked, ancestors=True, descendants=True)).rows == [{"id": middle}]
    plain = (await products.category_trees(query)).rows[0]
    assert {child["name"] for child in plain["category_children"]} == {"leaf", "hidden"}
    assert plain["parent_category"]["id"] == top


async def test_products_go_in_and_out(products: ProductService) -> None:
    category = await make(products, "c")
    one, two = (row["id"] for row in await products.create_products([{"title": "one"}, {"title": "two"}]))
    assert await products.set_category_products(category, add=[one, two]) == {"added": [one, two], "removed": []}
    assert await products.set_category_products(category, add=[one], remove=[two]) == {"added": [], "removed": [two]}
    (collection,) = await products.create("product_collection", [{"title": "C", "handle": "c"}])
    assert await products.set_collection_products(collection["id"], add=[one]) == {"added": [one], "removed": []}
    assert await products.set_collection_products(collection["id"], add=[two], remove=[one]) == {"added": [two], "removed": [one]}
    with pytest.raises(NotFound):
        await products.set_collection_products("pcol_none", add=[one])
