"""What a write does to rows: create, update, upsert, delete, restore, and what it refuses."""

from __future__ import annotations

import asyncio
import gc
from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import Conflict, InvalidData, NotFound
from velella.core.service.module import MOST_ROWS
from velella.core.sql.db.compiled import Compiled
from velella.core.sql.schema.catalog import Catalog
from velella.core.sql.write.writes import WriteStatements

from .kernel_shop import SCHEMA, Changes, ShopService


async def test_rows_come_back_whole_in_the_order_given(shop: ShopService) -> None:
    made = await shop.create("product", [{"title": f"T{n}", "weight": Decimal(n) / 3} for n in range(50)])
    assert [row["title"] for row in made] == [f"T{n}" for n in range(50)]
    assert [row["weight"] for row in made] == [Decimal(n) / 3 for n in range(50)]
    assert all(row["id"].startswith("prod_") for row in made)
    assert made[0]["status"] == "draft"
    assert made[0]["labels"] == ["new"]
    assert made[0]["version"] == 1
    assert "secret" not in made[0]
    assert [row["id"] for row in await shop.list("product", fields=("id",))] == [row["id"] for row in made]


async def test_rows_of_different_columns_are_one_statement(shop: ShopService) -> None:
    made = await shop.create("product", [{"title": "A", "labels": None}, {"title": "B"}, {"title": "C", "labels": ["x"], "giftcard": True}])
    assert [row["labels"] for row in made] == [None, ["new"], ["x"]]
    assert [row["giftcard"] for row in made] == [False, False, True]


async def test_nothing_to_create_is_nothing(shop: ShopService, changes: Changes) -> None:
    assert await shop.create("product", []) == []
    assert await shop.update("product", []) == []
    assert await shop.upsert("product", []) == []
    assert await shop.delete("product", []) == []
    assert changes.seen == []


@pytest.mark.parametrize("amount", ["10.50", 10.5, Decimal("10.5"), {"value": "10.5", "precision": 20}])
async def test_an_amount_may_be_written_in_any_form(shop: ShopService, amount: Any) -> None:
    [row] = await shop.create("product", [{"title": "A", "weight": amount}])
    assert row["weight"] == Decimal("10.5")


async def test_what_was_shown_finds_the_row_again(shop: ShopService) -> None:
    [row] = await shop.create("product", [{"title": "A"}])
    assert await shop.count("product", {"created_at": row["created_at"], "updated_at": {"$lte": row["updated_at"]}}) == 1


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ({"handle": "x"}, InvalidData, "Product needs a value for title"),
        ({"title": "A", "nope": 1}, InvalidData, "Product has no field 'nope'"),
        ({"title": "A", "raw_weight": 1}, InvalidData, "no field 'raw_weight'"),
        ({"title": "A", "shout": "B"}, InvalidData, "no field 'shout'"),
        ({"title": "A", "variants": []}, InvalidData, "relation"),
        ({"title": "A", "rank": "x"}, InvalidData, "'rank'"),
        ({"title": "A", "labels": "x"}, InvalidData, "'labels'"),
        ({"title": "A", "weight": float("nan")}, InvalidData, "'weight'"),
        ({"title": "A\x00"}, InvalidData, "NUL"),
        ({"title": "A", "data": {"a": "\x00"}}, InvalidData, "can't be stored"),
        ({"title": "A", "brand_id": "zz"}, NotFound, "brand_id: zz"),
        ({"title": "A", "handle": "taken"}, InvalidData, r"^Product with handle: taken, already exists\.$"),
        ({"title": "A", "id": "p0"}, InvalidData, r"^Product with id: p0, already exists\.$"),
    ],
    ids=str,
)
async def test_a_row_that_breaks_a_rule_is_refused_with_all_others(
    shop: ShopService, changes: Changes, row: dict[str, Any], error: type[Exception], message: str
) -> None:
    await shop.create("product", [{"id": "p0", "title": "Z", "handle": "taken"}])
    with pytest.raises(error, match=message):
        await shop.create("product", [{"title": "Fine"}, row])
    assert await shop.count("product") == 1
    assert len(changes.seen) == 1


async def test_table_words_in_the_message_of_a_double(shop: ShopService) -> None:
    [product] = await shop.create("product", [{"title": "A"}])
    await shop.create("product_variant", [{"product_id": product["id"], "sku": "a, b"}])
    with pytest.raises(InvalidData, match=r"^Product variant with sku: a, b, already exists\.$"):
        await shop.create("product_variant", [{"product_id": product["id"], "sku": "a, b"}])


async def test_update_changes_the_named_columns_only(shop: ShopService) -> None:
    first, second = await shop.create("product", [{"title": "A", "rank": 1, "metadata": {"a": 1}}, {"title": "B", "rank": 2}])
    changed = await shop.update("product", [{"id": second["id"], "title": "BB"}, {"id": first["id"], "metadata": None, "rank": 5}])
    assert [row["id"] for row in changed] == [second["id"], first["id"]]
    assert (changed[0]["title"], changed[0]["rank"]) == ("BB", 2)
    assert (changed[1]["title"], changed[1]["rank"], changed[1]["metadata"]) == ("A", 5, None)
    assert changed[0]["version"] == 2
    assert changed[0]["updated_at"] >= second["updated_at"]
    assert changed[0]["created_at"] == second["created_at"]


async def test_an_update_of_what_is_not_there_changes_nothing(shop: ShopService) -> None:
    [row] = await shop.create("product", [{"title": "A"}])
    with pytest.raises(NotFound, match=r"^Product with id: p9 was not found$"):
        await shop.update("product", [{"id": row["id"], "title": "B"}, {"id": "p9", "title": "C"}])
    await shop.delete("product", [row["id"]])
    with pytest.raises(NotFound):
        await shop.update("product", [{"id": row["id"], "title": "B"}])
    assert (await shop.list("product", fields=("title",), with_deleted=True))[0]["title"] == "A"


@pytest.mark.parametrize("rows", [[{"title": "A"}], [{"id": "a", "title": "A"}, {"id": "a", "title": "B"}]])
async def test_an_update_needs_each_key_once(shop: ShopService, rows: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidData):
        await shop.update("product", rows)


async def test_a_version_guards_against_whoever_was_faster(shop: ShopService) -> None:
    [row] = await shop.create("product", [{"title": "A"}])
    [row] = await shop.update("product", [{"id": row["id"], "title": "B", "version": 1}])
    assert row["version"] == 2
    with pytest.raises(Conflict):
        await shop.update("product", [{"id": row["id"], "title": "C", "version": 1}])
    assert (await shop.retrieve("product", row["id"]))["title"] == "B"


async def test_upsert_updates_what_is_there_and_creates_the_rest(shop: ShopService) -> None:
    await shop.create("currency", [{"code": "eur", "digits": 2}])
    rows = [{"code": "jpy", "digits": 0}, {"code": "eur", "digits": 3}, {"code": "usd", "digits": 2}]
    assert await shop.upsert("currency", rows) == rows
    assert await shop.count("currency") == 3
    made = await shop.upsert("product", [{"title": "A"}, {"id": "p1", "title": "B"}])
    assert [row["title"] for row in made] == ["A", "B"]
    [again] = await shop.upsert("product", [{"id": "p1", "rank": 7}])
    assert (again["title"], again["rank"]) == ("B", 7)


async def test_upserts_of_one_key_at_once_make_one_row(shop: ShopService) -> None:
    await asyncio.gather(*(shop.upsert("currency", [{"code": "eur", "digits": n}, {"code": "usd", "digits": n}]) for n in range(8)))
    rows = await shop.list("currency")
    assert [row["code"] for row in rows] == ["eur", "usd"]
    assert rows[0]["digits"] == rows[1]["digits"]


async def test_deleting_takes_along_what_belongs_to_it_and_restoring_brings_that_back(shop: ShopService, changes: Changes) -> None:
    await shop.create("product", [{"id": "p1", "title": "A"}, {"id": "p2", "title": "B"}])
    await shop.create("product_variant", [{"id": f"v{n}", "product_id": "p1", "sku": str(n)} for n in range(3)])
    await shop.delete("product_variant", ["v0"])
    assert await shop.delete("product", ["p9", "p1", "p1"]) == ["p1"]
    assert changes.seen[-1] == {"product:p1", "product_variant:v1", "product_variant:v2"}
    assert await shop.count("product_variant") == 0
    assert await shop.delete("product", ["p1"]) == []
    assert await shop.restore("product", ["p1", "p2", "p9"]) == ["p1"]
    assert changes.seen[-1] == {"product", "product_variant"}  # whatever they belong to has them again, which no row of theirs tells
    # v0 was deleted by itself before: that stays as it was
    assert [row["id"] for row in await shop.list("product_variant", fields=("id",))] == ["v1", "v2"]


async def test_rows_without_deleted_at_are_gone(shop: ShopService) -> None:
    await shop.create("product", [{"id": "p1", "title": "A"}])
    await shop.create("product_variant", [{"id": "v1", "product_id": "p1"}])
    await shop.create("note", [{"id": "n1", "variant_id": "v1", "body": "x"}, {"id": "n2", "body": "y"}])
    assert await shop.delete("product", ["p1"]) == ["p1"]
    assert [row["id"] for row in await shop.list("note", with_deleted=True)] == ["n2"]
    assert await shop.delete("note", ["n2", "n3"]) == ["n2"]
    with pytest.raises(InvalidData):
        await shop.restore("note", ["n2"])


async def test_a_freed_handle_can_be_taken_again(shop: ShopService) -> None:
    [first] = await shop.create("product", [{"title": "A", "handle": "a"}])
    await shop.delete("product", [first["id"]])
    await shop.create("product", [{"title": "A", "handle": "a"}])
    with pytest.raises(InvalidData, match="handle: a"):
        await shop.restore("product", [first["id"]])


async def test_caches_hear_of_what_changed_once_it_is_committed(shop: ShopService, changes: Changes) -> None:
    async def both() -> None:
        await shop.create("brand", [{"id": "brand_1", "name": "A"}])
        await shop.create("currency", [{"code": "eur", "digits": 2}])
        shop.touch("note")
        assert changes.seen == []

    await shop.run_write(both)
    assert changes.seen == [{"brand:brand_1", "currency:eur", "note"}]
    with pytest.raises(TypeError):
        shop.touch("note")


async def test_a_write_of_many_rows_is_heard_of_as_a_change_of_the_entity(shop: ShopService, changes: Changes) -> None:
    await shop.create("brand", [{"name": str(number)} for number in range(MOST_ROWS + 1)])
    assert changes.seen == [{"brand"}]


def test_statements_for_what_clients_name_are_kept_up_to_a_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each names the columns that he changes: there are 500 sets of nine, and 16,000 of those of an address."""

    def there() -> int:
        return sum(isinstance(each, Compiled) for each in gc.get_objects())

    monkeypatch.setattr("velella.core.sql.write.writes.UPDATE_BYTES", 64 * 1024, raising=False)
    entity, writes = SCHEMA["product"], WriteStatements(Catalog(SCHEMA))
    columns = [str(column.name) for column in entity.table.columns if column.name != "id"][:9]
    before = there()
    for number in range(1, 2 ** len(columns)):
        writes.update(entity, ("id", *(name for at, name in enumerate(columns) if number >> at & 1)), [])
    assert there() - before < 100
    first, last = (writes.update(entity, ("id", columns[0]), [])[0] for _ in range(2))
    assert first is last
