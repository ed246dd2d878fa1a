"""What rows can be asked to be: every operator, relations, logic, free text."""

from __future__ import annotations

import re
from typing import Any

import pytest

from velella.core.errors import InvalidData
from velella.core.sql.schema.query import Query

from ..conftest import clone
from .kernel_shop import ShopService, product_tag, shop_on

CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "a b c d"),
    ({"title": "Red shirt"}, "a"),
    ({"title": ["Red shirt", "Blue shirt", "Red shirt"]}, "a b"),
    ({"title": []}, ""),
    ({"handle": None}, "d"),
    ({"handle": ["red-shirt", None]}, "a d"),
    ({"title": {"$eq": "Hat"}}, "c"),
    ({"title": {"$ne": "Hat"}}, "a b d"),
    ({"handle": {"$ne": None}}, "a b c"),
    ({"handle": {"$eq": None}}, "d"),
    ({"title": {"$in": ["Hat", "50% off"]}}, "c d"),
    ({"title": {"$nin": ["Hat", "50% off"]}}, "a b"),
    ({"title": {"$nin": []}}, "a b c d"),
    ({"handle": {"$nin": [None, "hat"]}}, "a b"),
    ({"rank": {"$gt": 1}}, "b c"),
    ({"rank": {"$gte": "1"}}, "a b c"),
    ({"rank": {"$lt": 3, "$gt": 1}}, "b"),
    ({"rank": {"$lte": 2}}, "a b"),
    ({"weight": {"$gte": "10.5"}}, "a c"),
    ({"weight": 10.5}, "a"),
    ({"weight": "10.50"}, "a"),
    ({"title": {"$like": "% shirt"}}, "a b"),
    ({"title": {"$like": "% Shirt"}}, ""),
    ({"title": {"$ilike": "% SHIRT"}}, "a b"),
    ({"title": {"$re": "^(Red|Blue)"}}, "a b"),
    ({"title": {"$fulltext": "shirt red"}}, "a"),
    ({"labels": {"$contains": ["x"]}}, "a b"),
    ({"labels": {"$contains": ["x", "y"]}}, "b"),
    ({"labels": {"$contains": "y"}}, "b"),
    ({"labels": {"$overlap": ["y", "new"]}}, "b c d"),
    ({"labels": {"$contained": ["x", "z"]}}, "a"),
    ({"labels": ["x", "y"]}, "b"),
    ({"data": {"$contains": {"size": "L"}}}, "a"),
    ({"data": {"size": "L"}}, "a"),
    ({"data": {"$exists": True}}, "a b"),
    ({"data": {"$exists": "false"}}, "c d"),
    ({"title": {"$not": {"$like": "%shirt"}}}, "c d"),
    ({"rank": {"$or": [{"$lt": 2}, {"$gt": 2}]}}, "a c"),
    ({"giftcard": True}, "d"),
    ({"giftcard": "true"}, "d"),
    ({"giftcard": "false"}, "a b c"),
    ({"shout": "HAT"}, "c"),
    ({"created_at": {"$gt": "2020-01-01T00:00:00Z", "$lt": "2999-01-01"}}, "a b c d"),
    ({"created_at": {"$lt": "2020-01-01T00:00:00.000+02:00"}}, ""),
    # logic
    ({"$or": [{"title": "Hat"}, {"rank": 1}]}, "a c"),
    ({"$or": []}, "a b c d"),
    ({"$and": [{"rank": {"$gt": 1}}, {"rank": {"$lt": 3}}]}, "b"),
    ({"$and": [{"$or": [{"id": "a"}, {"id": "b"}]}, {"title": {"$like": "Blue%"}}]}, "b"),
    ({"$not": {"title": "Hat"}}, "a b d"),
    ({"$not": {"$or": [{"id": "a"}, {"id": "b"}]}}, "c d"),
    ({"id": ["a", "b", "c"], "title": {"$like": "%shirt"}}, "a b"),
    # relations
    ({"brand": {"name": "Acme"}}, "a c"),
    ({"brand": "acme"}, "a c"),
    ({"brand": ["acme", "bolt"]}, "a b c"),
    ({"brand": None}, "d"),
    ({"brand": {"$ne": None}}, "a b c"),
    ({"brand": {"$exists": False}}, "d"),
    ({"brand": {"$in": ["bolt"]}}, "b"),
    ({"brand": {"id": ["acme"], "name": {"$ilike": "a%"}}}, "a c"),
    ({"brand.name": "Bolt"}, "b"),
    ({"variants": {"sku": "RED-S"}}, "a"),
    ({"variants": {"sku": {"$like": "%-S"}, "price": {"$gt": 15}}}, "b"),
    ({"variants": {}}, "a b c d"),
    ({"variants": {"$exists": True}}, "a b"),
    ({"variants": None}, "c d"),
    ({"variants": {"product": {"brand": {"name": "Bolt"}}}}, "b"),
    ({"$not": {"variants": {"sku": "RED-S"}}}, "b c d"),
    ({"tags": {"value": "warm"}}, "a c"),
    ({"tags": ["t1", "t2"]}, "a b c"),
    ({"tags": {"id": ["t2"]}}, "b"),
    ({"tags": None}, "d"),
    # free text
    ({"q": "shirt"}, "a b"),
    ({"q": "SHIRT red"}, "a"),
    ({"q": "blue-s"}, "b"),
    ({"q": "acme hat"}, "c"),
    ({"q": "shirt nowhere"}, ""),
    ({"q": "50%"}, "d"),
    ({"q": "_"}, ""),
    ({"q": "  "}, "a b c d"),
    ({"q": None}, "a b c d"),
    ({"q": "shirt", "rank": 2}, "b"),
]


NO_TEXTS = ("rank", "weight", "labels", "data", "created_at", "giftcard")


@pytest.fixture(scope="module")
async def stocked(postgres: Any) -> Any:
    async with shop_on(await clone(postgres)) as (shop, _):
        await shop.create("brand", [{"id": "acme", "name": "Acme"}, {"id": "bolt", "name": "Bolt"}])
        await shop.create(
            "product",
            [
                {
                    "id": "a", "title": "Red shirt", "handle": "red-shirt", "brand_id": "acme", "rank": 1, "weight": "10.5",
                    "labels": ["x"], "data": {"size": "L", "fit": "slim"},
                },
                {
                    "id": "b", "title": "Blue shirt", "handle": "blue-shirt", "brand_id": "bolt", "rank": 2, "weight": "2",
                    "labels": ["x", "y"], "data": {"size": "M"},
                },
                {"id": "c", "title": "Hat", "handle": "hat", "brand_id": "acme", "rank": 3, "weight": "99"},
                {"id": "d", "title": "50% off", "giftcard": True},
            ],
        )  # fmt: skip
        await shop.create(
            "product_variant",
            [
                {"id": "v1", "product_id": "a", "sku": "RED-S", "price": 10},
                {"id": "v2", "product_id": "a", "sku": "RED-M", "price": 20},
                {"id": "v3", "product_id": "b", "sku": "BLUE-S", "price": 20},
            ],
        )
        await shop.create("tag", [{"id": "t1", "value": "warm"}, {"id": "t2", "value": "new"}])
        for product_id, tag_id in (("a", "t1"), ("b", "t2"), ("c", "t1")):
            await shop.database.execute(product_tag.insert().values(product_id=product_id, tag_id=tag_id))
        yield shop


@pytest.mark.parametrize(("filters", "ids"), CASES, ids=[str(filters) for filters, _ in CASES])
async def test_filter(stocked: ShopService, filters: dict[str, Any], ids: str) -> None:
    page = await stocked.query(Query("product", ("id",), filters, count=True))
    assert [row["id"] for row in page.rows] == ids.split()
    assert page.count == len(ids.split())
    assert await stocked.count("product", filters) == len(ids.split())


@pytest.mark.parametrize(
    "filters",
    [
        {"nope": 1},
        {"brand": {"nope": 1}},
        {"brand.nope": 1},
        {"title.x": 1},
        {"title": {"$nope": 1}},
        {"title": {"x": 1}},
        {"title": {"$like": 1}},
        {"title": {"$like": "%" * 257}},
        {"title": {"$re": r"(a*)*\1"}},
        {"title": {"$re": "(a{1,200}){1,200}"}},
        *({name: {operator: "x"}} for operator in ("$like", "$ilike", "$re", "$fulltext") for name in NO_TEXTS),
        *({name: {operator: ["x"]}} for operator in ("$contains", "$overlap") for name in ("rank", "weight", "created_at", "giftcard")),
        {"title": {"$contains": "x"}},
        {"title": "\x00"},
        {"title": True},
        {"rank": "many"},
        {"rank": 1.5},
        {"rank": 2**40},
        {"weight": {"$gt": "NaN"}},
        {"weight": "1e99999"},
        {"weight": {"$gt": None}},
        {"created_at": "yesterday"},
        {"created_at": 12},
        {"giftcard": "perhaps"},
        {"$or": "x"},
        {"$and": [1]},
        {"$not": []},
        {"data": {"$exists": "perhaps"}},
        {"title": {"$in": [{"a": 1}]}},
        {"secret": "x"},
        {"$nor": []},
    ],
    ids=str,
)
async def test_nonsense_is_refused_and_never_reaches_the_database(stocked: ShopService, filters: dict[str, Any]) -> None:
    with pytest.raises(InvalidData):
        await stocked.query(Query("product", ("id",), filters))


async def test_filters_nested_without_end_are_refused(stocked: ShopService) -> None:
    filters: dict[str, Any] = {"id": "a"}
    for _ in range(50):
        filters = {"$not": filters}
    with pytest.raises(InvalidData, match="deeply"):
        await stocked.query(Query("product", ("id",), filters))


async def test_a_list_of_thousands_is_one_parameter(stocked: ShopService) -> None:
    page = await stocked.query(Query("product", ("id",), {"id": [f"x{n}" for n in range(5000)] + ["c"]}))
    assert [row["id"] for row in page.rows] == ["c"]


async def test_a_broken_pattern_is_the_clients_mistake(stocked: ShopService) -> None:
    for pattern in ({"$re": "("}, {"$like": "\\"}):
        with pytest.raises(InvalidData) as refused:
            await stocked.query(Query("product", ("id",), {"title": pattern}))
        assert not re.search("asyncpg|parenthes|LIKE|argument", refused.value.message), "in our own words"


BEYOND: list[dict[str, Any]] = [
    {"$or": [{"title": "x"}] * 60},
    {"$and": [{}] * 200},
    {"title": {"$or": [{"$like": "x"}] * 200}},
    {"$or": [{"variants": {"sku": "x"}}] * 13},
    {"$or": [{"brand.name": "x"}] * 13},
    {"$or": [{"q": "a b c d e f"}] * 3},
    {"brand": {"name": "x"}, "variants": {"$not": {"$or": [{"product": {"q": "a b c d e f g h i"}}] * 2}}},
]


@pytest.mark.parametrize("filters", BEYOND, ids=range(len(BEYOND)))
async def test_what_is_beyond_the_budget_is_refused_before_a_statement_is_made(
    stocked: ShopService, filters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("velella.core.sql.read.pages.compiled", None)
    for ask in (stocked.query(Query("product", ("id",), filters)), stocked.count("product", filters)):
        with pytest.raises(InvalidData, match=r"in all|deeply"):
            await ask


async def test_whoever_names_deleted_at_decides_about_it(stocked: ShopService) -> None:
    async with stocked.database.transaction():
        await stocked.delete("product", ["d"])
        page = await stocked.query(Query("product", ("id",), {"deleted_at": {"$ne": None}}))
        assert [row["id"] for row in page.rows] == ["d"]
        assert await stocked.restore("product", ["d"]) == ["d"]
