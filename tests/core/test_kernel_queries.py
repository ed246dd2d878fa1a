"""What a query shows: fields, relations, order, pages, counts, soft delete."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import InvalidData, NotFound, VelellaError
from velella.core.sql.db.compiled import BoundStatement
from velella.core.sql.schema.query import Query

from .kernel_shop import ShopService, product_tag, shop_on


@pytest.fixture
async def stocked(shop: ShopService) -> ShopService:
    await shop.create("brand", [{"id": "acme", "name": "Acme"}, {"id": "bolt", "name": "Bolt"}])
    await shop.create(
        "product",
        [
            {"id": "p1", "title": "Shirt", "handle": "shirt", "brand_id": "bolt", "weight": "10.50", "rank": 2, "secret": "xyzzy"},
            {"id": "p2", "title": "Hat", "brand_id": "acme", "data": {"size": [1, {"b": None}]}, "metadata": {"x": "ü"}},
            {"id": "p3", "title": "Gloves", "rank": 1, "weight": "100"},
        ],
    )
    await shop.create(
        "product_variant",
        [
            {"id": "v1", "product_id": "p1", "sku": "S", "price": "19.9900", "rank": 1},
            {"id": "v2", "product_id": "p1", "sku": "M", "price": "0.1", "rank": 2},
            {"id": "v3", "product_id": "p3", "sku": "G", "price": "12345678901234567890.123456789"},
        ],
    )
    await shop.create("tag", [{"id": "t1", "value": "warm"}, {"id": "t2", "value": "new"}])
    for product_id, tag_id in (("p1", "t1"), ("p1", "t2"), ("p3", "t1")):
        await shop.database.execute(product_tag.insert().values(product_id=product_id, tag_id=tag_id))
    return shop


async def rows(shop: ShopService, entity: str = "product", *fields: str, **page: Any) -> list[dict[str, Any]]:
    return (await shop.query(Query(entity, fields or ("id",), **page))).rows


async def test_named_columns_come_alone_with_the_key(stocked: ShopService) -> None:
    assert await rows(stocked, "product", "title", filters={"id": "p1"}) == [{"id": "p1", "title": "Shirt"}]


async def test_the_star_shows_every_column_that_may_be_seen(stocked: ShopService) -> None:
    [row] = await rows(stocked, "product", "*", filters={"id": "p1"})
    assert "secret" not in row
    assert row["shout"] == "SHIRT"
    assert row["giftcard"] is False
    assert row["labels"] == ["new"]
    assert row["created_at"].endswith("Z")
    assert len(row["created_at"]) == len("2026-01-01T00:00:00.000Z")


async def test_amounts_are_numbers_with_their_exact_digits_and_a_twin(stocked: ShopService) -> None:
    page = await stocked.query(Query("product", ("weight", "raw_weight", "variants.price"), {"id": ["p1", "p3"]}))
    assert b'"weight":10.5,' in page.json
    assert b'"weight":100,' in page.json
    assert page.rows[0]["raw_weight"] == {"value": "10.5", "precision": 20}
    assert page.rows[0]["variants"] == [{"id": "v2", "price": Decimal("0.1")}, {"id": "v1", "price": Decimal("19.99")}]
    assert page.rows[1]["variants"][0]["price"] == Decimal("12345678901234567890.123456789")


async def test_a_twin_comes_with_the_star_or_its_name_only(stocked: ShopService) -> None:
    assert "raw_price" in (await rows(stocked, "product_variant", "*"))[0]
    assert "raw_price" not in (await rows(stocked, "product_variant", "price"))[0]
    assert (await rows(stocked, "product", "*raw_weight", filters={"id": "p2"})) == [{"id": "p2", "raw_weight": None}]


async def test_relations_are_objects_lists_or_null(stocked: ShopService) -> None:
    shirt, hat, _ = await rows(stocked, "product", "brand.name", "variants.sku", "tags.value")
    assert shirt == {
        "id": "p1",
        "brand_id": "bolt",
        "brand": {"id": "bolt", "name": "Bolt"},
        "variants": [{"id": "v2", "sku": "M"}, {"id": "v1", "sku": "S"}],
        "tags": [{"id": "t2", "value": "new"}, {"id": "t1", "value": "warm"}],
    }
    assert hat == {"id": "p2", "brand_id": "acme", "brand": {"id": "acme", "name": "Acme"}, "variants": [], "tags": []}
    [gloves] = await rows(stocked, "product", "brand", filters={"id": "p3"})
    assert gloves == {"id": "p3", "brand_id": None, "brand": None}


async def test_whole_rows_below_the_root_show_that_others_are_there(stocked: ShopService) -> None:
    [brand] = await rows(stocked, "brand", "*products", filters={"id": "bolt"})
    assert "brand" not in brand["products"][0], "what it is shown in already"
    [tag] = await rows(stocked, "tag", "*products", filters={"id": "t1"})
    assert tag["products"][0]["brand"] == {"id": "bolt"}
    [bare] = await rows(stocked, "tag", "products.title", filters={"id": "t1"})
    assert bare["products"][0] == {"id": "p1", "title": "Shirt"}


async def test_what_is_asked_for_comes_in_its_order_then_the_key(stocked: ShopService) -> None:
    [row] = await rows(stocked, "product", "title", "data", filters={"id": "p1"})
    assert list(row) == ["title", "data", "id"]


async def test_a_relation_named_alone_shows_all_its_columns(stocked: ShopService) -> None:
    alone = await rows(stocked, "product", "brand", filters={"id": "p1"})
    assert (
        alone
        == await rows(stocked, "product", "*brand", filters={"id": "p1"})
        == await rows(stocked, "product", "brand.*", filters={"id": "p1"})
    )
    assert alone[0]["brand"]["name"] == "Bolt"


async def test_relations_lead_in_circles_as_far_as_they_are_asked(stocked: ShopService) -> None:
    [row] = await rows(stocked, "product", "variants.product.brand.products.title", filters={"id": "p1"})
    assert row["variants"][0]["product"]["brand"]["products"] == [{"id": "p1", "title": "Shirt"}]


async def test_json_columns_come_as_they_are(stocked: ShopService) -> None:
    [row] = await rows(stocked, "product", "data", "metadata", filters={"id": "p2"})
    assert row == {"id": "p2", "data": {"size": [1, {"b": None}]}, "metadata": {"x": "ü"}}


@pytest.mark.parametrize("field", ["nope", "brand.nope", "variants.nope.deeper", "title.x"])
async def test_an_unknown_field_is_passed_over_for_clients_and_refused_to_code(stocked: ShopService, field: str) -> None:
    known = await rows(stocked, "product", "brand", filters={"id": "p1"})
    [row] = await rows(stocked, "product", "brand", field, filters={"id": "p1"})
    assert [{**row, "variants": []}] == [{**known[0], "variants": []}]
    with pytest.raises(InvalidData, match="no field"):
        await stocked.list("product", fields=(field,))


async def test_an_unknown_entity_is_refused(shop: ShopService) -> None:
    with pytest.raises(InvalidData, match="ghost"):
        await rows(shop, "ghost")


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ((), "p1 p2 p3"),
        (("-id",), "p3 p2 p1"),
        (("title",), "p3 p2 p1"),
        (("-rank",), "p2 p1 p3"),  # nulls first when descending, as PostgreSQL has it
        (("brand.name",), "p2 p1 p3"),
        (("-brand.name", "title"), "p3 p1 p2"),
        (("shout",), "p3 p2 p1"),
        (("-variants.price",), "p2 p3 p1"),
        (("giftcard",), "p1 p2 p3"),
    ],
)
async def test_order(stocked: ShopService, order: tuple[str, ...], ids: str) -> None:
    assert [row["id"] for row in await rows(stocked, order=order)] == ids.split()


@pytest.mark.parametrize("order", ["nope", "brand", "brand.nope", "secret", "metadata", "title.x"])
async def test_an_order_by_what_has_none_is_refused(shop: ShopService, order: str) -> None:
    with pytest.raises(InvalidData, match="ordered"):
        await rows(shop, order=(order,))


async def test_pages_follow_each_other_and_the_count_is_of_all(stocked: ShopService) -> None:
    first = await stocked.query(Query("product", ("id",), {"id": {"$ne": "x"}}, limit=2, count=True))
    second = await stocked.query(Query("product", ("id",), {"id": {"$ne": "x"}}, limit=2, offset=2, count=True))
    assert [row["id"] for row in first.rows + second.rows] == ["p1", "p2", "p3"]
    assert first.count == second.count == 3
    beyond = await stocked.query(Query("product", ("id",), limit=2, offset=9, count=True))
    assert (beyond.json, beyond.count) == (b"[]", 3)
    none = await stocked.query(Query("product", ("id",), limit=0, count=True))
    assert (none.json, none.count) == (b"[]", 3)
    assert (await stocked.query(Query("product", ("id",)))).count is None


@pytest.mark.parametrize("page", [{"limit": -1}, {"offset": -1}])
async def test_a_page_that_is_none_is_refused(shop: ShopService, page: dict[str, int]) -> None:
    with pytest.raises(InvalidData):
        await rows(shop, **page)


async def test_what_is_softly_deleted_is_seen_nowhere_unless_asked_for(stocked: ShopService) -> None:
    await stocked.delete("brand", ["bolt"])
    await stocked.delete("product_variant", ["v1"])
    await stocked.delete("tag", ["t1"])
    await stocked.delete("product", ["p3"])
    fields = ("brand.name", "variants.sku", "tags.value")
    assert await rows(stocked, "product", *fields, filters={"id": ["p1", "p3"]}) == [
        {"id": "p1", "brand_id": "bolt", "brand": None, "variants": [{"id": "v2", "sku": "M"}], "tags": [{"id": "t2", "value": "new"}]}
    ]
    everything = await rows(stocked, "product", *fields, filters={"id": ["p1", "p3"]}, with_deleted=True)
    assert [len(row["variants"]) for row in everything] == [2, 1]
    assert everything[0]["brand"] is not None
    assert [row["id"] for row in await rows(stocked, filters={"variants": {"sku": "S"}})] == []
    assert [row["id"] for row in await rows(stocked, filters={"variants": {"sku": "S"}}, with_deleted=True)] == ["p1"]
    assert [row["id"] for row in await rows(stocked, order=("brand.name",))] == ["p2", "p1"]


async def test_business_code_reads_parsed_rows_with_hidden_columns_it_names(stocked: ShopService) -> None:
    assert await stocked.list("product", {"secret": "xyzzy"}, fields=("secret",)) == [{"id": "p1", "secret": "xyzzy"}]
    [row] = await stocked.list("product", {"id": "p1"})
    assert "secret" not in row
    assert "raw_weight" not in row
    assert row["weight"] == Decimal("10.5")
    with pytest.raises(InvalidData):
        await rows(stocked, filters={"secret": "xyzzy"})


async def test_what_is_not_there_is_named(stocked: ShopService) -> None:
    assert (await stocked.retrieve("product", "p2", fields=("title",))) == {"id": "p2", "title": "Hat"}
    with pytest.raises(NotFound, match=r"^Product with id: p9 was not found$"):
        await stocked.retrieve("product", "p9")
    with pytest.raises(NotFound, match=r"^Currency with code: xxx was not found$"):
        await stocked.retrieve("currency", "xxx")


async def test_count_ignores_what_is_deleted(stocked: ShopService) -> None:
    await stocked.delete("product", ["p2"])
    assert await stocked.count("product") == 2
    assert await stocked.count("product", {"variants": {"sku": ["S", "M", "G"]}}) == 2
    assert await stocked.count("product", {"title": "Hat"}) == 0


async def test_a_shape_of_query_is_compiled_once(stocked: ShopService) -> None:
    first = stocked.statements.page(Query("product", ("id", "*variants"), {"title": "a", "id": ["1"]}, limit=5))
    second = stocked.statements.page(Query("product", ("id", "*variants"), {"title": "b", "id": ["1", "2", "3"]}, limit=9, offset=3))
    assert first[0] is second[0]
    assert second[1] == ["b", ["1", "2", "3"], 9, 3]


async def test_a_page_leaves_room_for_what_its_module_does_not_know(shop: ShopService) -> None:
    text = '"price":"\\u0001p1" and "price":"\x01p1"'
    await shop.create("product", [{"id": "p1", "title": text, "metadata": {"price": "\x01p1"}}, {"id": "p2", "title": "B"}])
    await shop.create("product_variant", [{"id": "v1", "product_id": "p1", "sku": "S"}, {"id": "v2", "product_id": "p1", "sku": "M"}])
    page = await shop.query(Query("product", ("id", "title", "metadata", "variants.id"), slots=("price", "variants.price")))
    assert sorted(page.slots("price")) == ["p1", "p2", "v1", "v2"]
    first, second = page.filled("price", {"p1": b"7", "v2": b'{"a":1}'}).rows
    assert first["title"] == text
    assert first["metadata"] == {"price": "\x01p1"}
    assert (first["price"], second["price"]) == (7, None)
    assert {row["id"]: row["price"] for row in first["variants"]} == {"v1": None, "v2": {"a": 1}}


async def _plans(shop: ShopService) -> tuple[int, int]:
    """How often the statements of the only connection were planned for all values, and for those they were given."""
    [row] = await shop.database.fetch_rows(
        BoundStatement(
            "SELECT sum(generic_plans)::int, sum(custom_plans)::int FROM pg_prepared_statements"
            " WHERE NOT statement LIKE '%prepared%' AND statement LIKE '%json_agg(row%'"
        )
    )
    return row[0], row[1]


async def test_a_search_is_planned_for_its_words(fresh_database: str) -> None:
    async with shop_on(fresh_database, connections=1) as (shop, _):
        await shop.create("product", [{"id": f"p{n}", "title": f"Product {n}"} for n in range(3)])
        before = await _plans(shop)
        await shop.query(Query("product", ("id",), {"title": "Product 1"}))
        assert await _plans(shop) == (before[0] + 1, before[1])
        found = [
            await shop.query(Query("product", ("id",), {"q": "Product 1"})),
            await shop.query(Query("brand", ("id",), {"q": "nobody"})),
        ]
        assert [page.rows for page in found] == [[{"id": "p1"}], []]
        assert await _plans(shop) == (before[0] + 1, before[1] + 2)


async def test_after_a_search_that_fails_others_are_planned_as_before(fresh_database: str) -> None:
    async with shop_on(fresh_database, connections=1) as (shop, _):
        broken = BoundStatement("SELECT row_to_json(p), 1 / (rank - $1) FROM product p", [5], custom_plan=True)
        await shop.create("product", [{"id": "p1", "title": "A", "rank": 5}])
        with pytest.raises(VelellaError):
            await shop.database.fetch_rows(broken)
        assert (await shop.database.fetch_row(BoundStatement("SHOW plan_cache_mode")))[0] == "force_generic_plan"
        unfit = BoundStatement("SELECT $1::int", ["many"], custom_plan=True)
        with pytest.raises(VelellaError):
            await shop.database.fetch_rows(unfit)
        assert (await shop.database.fetch_row(BoundStatement("SHOW plan_cache_mode")))[0] == "force_generic_plan"
        async with shop.database.transaction():
            with pytest.raises(VelellaError):
                await shop.database.fetch_rows(unfit)
        assert (await shop.database.fetch_row(BoundStatement("SHOW plan_cache_mode")))[0] == "force_generic_plan"
        with pytest.raises(VelellaError):
            async with shop.database.transaction():
                await shop.database.fetch_rows(broken)
        assert (await shop.database.fetch_row(BoundStatement("SHOW plan_cache_mode")))[0] == "force_generic_plan"
        async with shop.database.transaction():
            await shop.query(Query("product", ("id",), {"q": "product"}))
            assert (await shop.database.fetch_row(BoundStatement("SHOW plan_cache_mode")))[0] == "force_generic_plan"


async def test_a_search_that_is_counted_looks_for_its_words_once(stocked: ShopService) -> None:
    search = Query("product", ("id",), {"q": "a"}, limit=2)
    longer = replace(search, filters={"q": "hat gloves"})
    for query in (search, longer):
        page = await stocked.query(replace(query, count=True))
        assert page.rows == (await stocked.query(query)).rows
        assert page.count == len((await stocked.query(replace(query, limit=None))).rows)
    alone, counted = (stocked.statements.page(query).sql for query in (longer, replace(longer, count=True)))
    assert counted.count("ILIKE") == alone.count("ILIKE") > 0
