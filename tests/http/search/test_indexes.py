"""Search indexes: how they follow what changes, and how they are built."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core.errors import NotAllowed, Unavailable
from velella.core.ids import ulid
from velella.core.json import dumps
from velella.workflows.kit import Flow, on_hook, step
from velella.workflows.search import hearing
from velella.workflows.search.documents import SOURCES, read_documents

from ...conftest import clone
from ...faulty import faulty
from ...meili_desk import MeiliDesk
from .conftest import Desk, Row, found, shop


async def test_indexes_follow_whatever_changes_a_product(desk: Desk) -> None:
    name = f"Follow{ulid()}"
    product = await desk.product(name)
    id, variant = product["id"], product["variants"][0]
    tag = (await desk("POST", "/admin/product-tags", {"value": f"tag{ulid()}"}))["product_tag"]
    category = (await desk("POST", "/admin/product-categories", {"name": f"cat{ulid()}", "is_active": True}))["product_category"]
    price = {"prices": [{"currency_code": "eur", "amount": 3}]}
    changes: list[tuple[str, str, Any, Row]] = [
        ("POST", f"/admin/products/{id}", {"subtitle": "Second"}, {"subtitle": "Second"}),
        ("POST", f"/admin/products/{id}", {"tags": [{"id": tag["id"]}]}, {"tags": [tag["value"]]}),
        ("POST", f"/admin/product-tags/{tag['id']}", {"value": f"{tag['value']}!"}, {"tags": [f"{tag['value']}!"]}),
        ("POST", f"/admin/products/{id}/variants/{variant['id']}", {"sku": f"S{id}"}, {"skus": [f"S{id}"]}),
        ("POST", f"/admin/products/{id}/variants/{variant['id']}", {"options": {"Size": "L"}}, {"options": {"Size": ["L"]}}),
        ("POST", f"/admin/products/{id}/variants/{variant['id']}", price, {"prices": {"eur": 3}}),
        ("POST", f"/admin/product-categories/{category['id']}/products", {"add": [id]}, {"categories": [category["name"]]}),
        ("POST", f"/admin/product-categories/{category['id']}", {"is_internal": True}, {"categories": []}),
        ("DELETE", f"/admin/product-tags/{tag['id']}", None, {"tags": []}),
        ("POST", f"/admin/sales-channels/{desk.channel}/products", {"remove": [id]}, {}),
        ("POST", f"/admin/sales-channels/{desk.channel}/products", {"add": [id]}, {"subtitle": "Second"}),
        ("DELETE", f"/admin/products/{id}/variants/{variant['id']}", None, {"skus": [], "prices": {}}),
        ("POST", f"/admin/products/{id}", {"status": "draft"}, {}),
        ("POST", f"/admin/products/{id}", {"status": "published"}, {"subtitle": "Second"}),
        ("DELETE", f"/admin/products/{id}", None, {}),
    ]
    for method, path, body, expected in changes:
        await desk(method, path, body)

        async def follows(expected: Row = expected) -> bool:
            await desk.host.workflows.run("refresh-search-indexes", {})  # sooner than by itself
            found = (await desk.search(filters={"id": id}))["data"]
            return bool(found) == bool(expected) and all(found[0][field] == value for field, value in expected.items())

        try:
            await desk.until(follows)
        except TimeoutError:
            pytest.fail(f"{method} {path} {body}: {(await desk.search(filters={'id': id}))['data']}")


async def test_an_index_is_built_anew_and_brought_up_to_date_while_products_change(desk: Desk) -> None:
    search = desk.host.modules.search
    before = (await search.standing())[0]["live"]
    word = f"Anew{ulid()}"
    ids = [(await desk.product(f"{word} {number}"))["id"] for number in range(6)]

    async def write() -> None:
        for round in range(4):
            for id in ids[:3]:
                await desk("POST", f"/admin/products/{id}", {"subtitle": f"{word} round {round}"})
        await desk("DELETE", f"/admin/products/{ids[5]}")

    await asyncio.gather(write(), desk.built(strategy="swap"), desk.built())
    live = (await search.standing())[0]["live"]
    assert len(live) == 1
    assert live != before
    await desk.until(lambda: _as_stored(desk))
    assert len(await desk.titles(word)) == 5

    # what the index says wrongly is put right in place, where it is asked for
    index, fields = live[0], {"title": "Wrong", "status": "published", "sales_channel_ids": [desk.channel]}
    async with _database(desk) as connection:
        await connection.execute(
            "UPDATE search_document SET fields = fields || $2, ticket = 0 WHERE version_id = $1", index, json.dumps(fields)
        )
        ghost = "INSERT INTO search_document (version_id, id, ticket, fields, parts) VALUES ($1, 'prod_ghost', 0, $2, '{}')"
        await connection.execute(ghost, index, json.dumps({**fields, "id": "prod_ghost"}))
    await desk.built(filters={"id": ids[0]})
    assert (await desk.search(filters={"id": ids[0]}))["data"][0]["title"] == f"{word} 0"
    assert (await desk.search(filters={"id": ids[1]}))["data"][0]["title"] == "Wrong"
    await desk.built(strategy="in_place", since="2000-01-01T00:00:00Z")
    assert (await desk.search(filters={"id": ids[1]}))["data"][0]["title"] == f"{word} 1"
    assert await desk.titles(filters={"id": "prod_ghost"}) == ["Wrong"]
    await desk.built(strategy="in_place")
    assert await desk.titles(filters={"id": "prod_ghost"}) == []
    assert (await search.standing())[0]["live"] == live

    for wrong in ({"strategy": "swap", "since": "2026-01-01T00:00:00Z"}, {"filters": {"nothing": 1}}, {"since": "soon"}, {"strategy": "x"}):
        await desk("POST", "/admin/search-indexes/product/reindex", wrong, 400)
    await desk("POST", "/admin/search-indexes/order/reindex", {}, 404)


@asynccontextmanager
async def _database(desk: Desk) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(desk.front.settings.database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def _as_stored(desk: Desk) -> bool:
    """Whether the index holds what the shop does."""
    stored = {each["id"]: each["fields"] for each in await read_documents(desk.host.context, SOURCES["product"], {})}
    async with _database(desk) as connection:
        rows = await connection.fetch("SELECT id, fields::text FROM search_document WHERE fields IS NOT NULL")
    return {row["id"]: json.loads(row["fields"]) for row in rows} == json.loads(dumps(stored))


async def test_what_comes_back_is_in_the_documents_again(desk: Desk) -> None:
    modules, word = desk.host.modules, f"Back{ulid()}"
    products = [await desk.product(f"{word} {n}") for n in range(8)]

    async def made(path: str, kind: str, **body: Any) -> str:
        return str((await desk("POST", f"/admin/{path}", body))[kind]["id"])

    async def goes_with(product: Row, **body: Any) -> None:
        await desk("POST", f"/admin/products/{product['id']}", body)

    parts = [
        ("product", "product_tag", "tags", await made("product-tags", "product_tag", value=word)),
        ("product", "product_type", "type", await made("product-types", "product_type", value=word)),
        ("product", "product_collection", "collection", await made("collections", "collection", title=word)),
        ("product", "product_category", "categories", await made("product-categories", "product_category", name=word, is_active=True)),
        ("sales_channel", "sales_channel", "sales_channel_ids", await made("sales-channels", "sales_channel", name=word)),
        ("product", "product_option", "options", products[5]["options"][0]["id"]),
        ("product", "product_option_value", "options", products[6]["variants"][0]["options"][0]["id"]),
        ("pricing", "price_set", "prices", (await _price_sets(desk, products[7]))[0]),
    ]
    given: list[Row] = [
        {"tags": [{"id": parts[0][3]}]}, {"type_id": parts[1][3]}, {"collection_id": parts[2][3]}, {"categories": [{"id": parts[3][3]}]},
        {"sales_channels": [{"id": parts[4][3]}]},
    ]  # fmt: skip
    for product, body in zip(products, given, strict=False):
        await goes_with(product, **body)

    async def named() -> list[bool]:
        found = {row["id"]: row for row in (await desk("GET", f"/admin/search?entity=product&q={word}"))["results"][0]["data"]}
        return [bool(found.get(each["id"], {}).get(field)) for each, (_, _, field, _) in zip(products, parts, strict=True)]

    async def all_are(there: bool) -> bool:
        return await named() == [there] * len(parts)

    await desk.until(lambda: all_are(True))
    for module, entity, _, id in parts:
        await getattr(modules, module).delete(entity, [id])
    await goes_with(products[4], subtitle="Nowhere")  # nothing else asks for a channel that is gone
    await desk.until(lambda: all_are(False))
    for module, entity, _, id in parts:
        await getattr(modules, module).restore(entity, [id])
    try:
        await desk.until(lambda: all_are(True))
    except TimeoutError:
        pytest.fail(f"{[each[1] for each, there in zip(parts, await named(), strict=True) if not there]} didn't come back")


async def _price_sets(desk: Desk, product: Row) -> list[str]:
    rows = await desk.host.context.graph.pairs("product_variant_price_set", "variant_id", [each["id"] for each in product["variants"]])
    return [row["price_set_id"] for row in rows]


async def test_what_changes_while_an_index_is_first_filled_is_in_all_of_its_documents(desk: Desk) -> None:
    search, word = desk.host.modules.search, f"Part{ulid()}"
    tag = (await desk("POST", "/admin/product-tags", {"value": f"{word} old"}))["product_tag"]["id"]
    product = await desk.product(word, tags=[{"id": tag}])
    await desk.until(lambda: _as_stored(desk))
    await desk("DELETE", "/admin/search-indexes/product")
    sync = await search.begin_sync("product", ulid(), "swap", None)
    ticket = await search.ticket()
    read = await read_documents(desk.host.context, SOURCES["product"], {})
    await desk("POST", f"/admin/product-tags/{tag}", {"value": f"{word} new"})
    async with _database(desk) as connection:

        async def looked_for() -> bool:
            return bool(await connection.fetchval("SELECT kept FROM search_pending WHERE key = $1", tag))

        await desk.until(looked_for)  # and nothing is there yet that is made of it
        assert await search.fill(sync, read, ticket, read[-1]["id"])
        await search.finish_sync(sync, everything=False)

        async def follows() -> bool:
            return await desk.titles(filters={"tags": f"{word} new"}) == [product["title"]]

        await desk.until(follows)
        assert await connection.fetchval("SELECT count(*) FROM search_pending WHERE kept") == 0


_failing: set[str] = set()


@on_hook("reindex-search-indexes", "searchIndexesReindexed")
@step(reads=True)
async def refuse(flow: Flow, job_id: str, indexes: list[str]) -> None:
    if _failing & {*indexes}:
        raise NotAllowed("The application says no")


async def test_what_fails_after_an_index_was_built_leaves_it_searched(desk: Desk) -> None:
    word = f"Kept{ulid()}"
    await desk.product(word)
    _failing.add("product")
    try:
        job = (await desk("POST", "/admin/search-indexes/product/reindex", {}, 202))["job_id"]

        async def over() -> bool:
            found = await desk("GET", f"/admin/workflows-executions?transaction_id={job}&fields=state")
            states = {row["state"] for row in found["workflow_executions"]}
            assert states <= {"not_started", "invoking", "compensating", "reverted"}
            return states == {"reverted"}

        await desk.until(over)
    finally:
        _failing.clear()
    assert await desk.titles(word) == [word]
    [index] = (await desk("GET", "/admin/search-indexes"))["search_indexes"]
    assert index["status"] == "ready"
    [sync] = await desk.host.modules.search.list("search_index_sync", {"job_id": job})
    assert (sync["status"], sync["error"]) == ("done", None)


async def test_each_mark_is_worked_off_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    service: Any = desk.host.services["search"]
    await desk.until(lambda: _as_stored(desk))
    delete, batches = service._provider.delete_documents, list[list[str]]()

    async def counted(version: str, ids: list[str], ticket: int) -> None:
        batches.append(ids)
        await delete(version, ids, ticket)

    async def all_settled() -> bool:
        return await service.waiting(1) is None

    monkeypatch.setattr(service._provider, "delete_documents", counted)
    await desk.host.modules.search.mark([f"prod_{n}" for n in range(450)], [])
    done = await asyncio.gather(*(desk.host.workflows.run("refresh-search-indexes", {}) for _ in range(3)))
    await desk.until(all_settled)
    assert sum(done) <= 450  # the shop's own look may have its turn, too
    assert max(map(len, batches)) <= 200
    assert len([id for batch in batches for id in batch]) == len({id for batch in batches for id in batch}) == 450


async def test_a_search_that_meets_a_swap_finds_what_is_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    word = f"Swap{ulid()}"
    product = await desk.product(word)
    await desk.until(lambda: found(desk, {product["id"]}))
    service: Any = desk.host.services["search"]
    search, asked_of = service._provider.search, list[str]()

    async def late(version: str, *rest: Any) -> Any:
        asked_of.append(version)
        if len(asked_of) == 1:
            await desk.built()
        return await search(version, *rest)

    monkeypatch.setattr(service._provider, "search", late)
    assert await desk.titles(word) == [word]
    assert len(set(asked_of)) == 2


KEPT_ELSEWHERE = """
    INSERT INTO search_index_version (id, version, provider, physical_name, definition_hash, status, search_index_id)
    SELECT 'srhver_elsewhere', 1000, 'elsewhere', 'x', 'x', 'ready', id FROM search_index
"""


async def test_what_a_former_provider_keeps_is_dropped_when_it_misses_a_change(desk: Desk) -> None:
    async with _database(desk) as connection:
        await connection.execute(KEPT_ELSEWHERE)
        await desk.product(f"Missed{ulid()}")

        async def dropped() -> bool:
            return await connection.fetchval("SELECT deleted_at FROM search_index_version WHERE id = 'srhver_elsewhere'") is not None

        await desk.until(dropped)
    assert (await desk.host.modules.search.standing())[0]["status"] == "ready"


async def test_a_leftover_that_can_not_be_deleted_holds_up_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def away(version: str) -> None:
        asked.append(version)
        raise Unavailable("The search engine is away.")

    async def swept() -> bool:
        return not (await desk.host.modules.search.standing())[0]["leftover"]

    monkeypatch.setattr(desk.host.services["search"]._provider, "delete_index", away)  # type: ignore[attr-defined]
    async with _database(desk) as connection:
        await connection.execute(
            KEPT_ELSEWHERE.replace("1000, 'elsewhere'", "1001, 'postgres'").replace("_elsewhere", "_left").replace("ready", "error")
        )
    word = f"Unhindered{ulid()}"

    async def found() -> bool:
        return await desk.titles(word) == [word]

    async def tried() -> bool:
        return bool(asked)

    await desk.until(tried)
    product = await desk.product(word)
    await desk.until(found)
    assert not await swept()
    monkeypatch.undo()
    await desk.until(swept)
    await desk("DELETE", f"/admin/products/{product['id']}")


async def test_a_late_reader_changes_nothing_that_was_read_after_it(desk: Desk) -> None:
    search, id = desk.host.modules.search, f"prod_{ulid()}"

    def read(title: str, ticket: int) -> tuple[Any, list[Row]]:
        fields = {"id": id, "title": title, "status": "published", "sales_channel_ids": [desk.channel]}
        waiting: Any = {"ticket": ticket, "documents": [id], "parts": [], "positions": []}
        return waiting, [{"id": id, "fields": fields, "parts": []}]

    first, second, third, fourth = [await search.ticket() for _ in range(4)]
    await search.refresh("product", *read("Second", second))
    await search.refresh("product", *read("First", first))
    assert await desk.titles(filters={"id": id}) == ["Second"]
    await search.refresh("product", read("", fourth)[0], [])  # it is gone
    await search.refresh("product", *read("Third", third))
    assert await desk.titles(filters={"id": id}) == []


async def test_a_deleted_index_is_there_again_once_it_is_built(desk: Desk, sails: dict[str, Row]) -> None:
    listed = await desk("GET", "/admin/search-indexes")
    assert listed["enabled"] is True
    [index] = listed["search_indexes"]
    assert (index["name"], index["entity"], index["provider"], index["status"]) == ("product", "product", "postgres", "ready")
    title = {"name": "title", "type": "string", "searchable": True, "filterable": True, "sortable": True, "facetable": False}
    assert title in index["fields"]
    gone = await desk("DELETE", "/admin/search-indexes/product")
    assert gone == {"id": "product", "object": "search_index", "deleted": True, "deleted_versions": 1}
    assert "isn't built" in await desk.refused(404)
    assert (await desk("GET", "/admin/search-indexes"))["search_indexes"][0]["status"] == "pending"
    await desk("DELETE", "/admin/search-indexes/product", None, 404)
    await desk("POST", "/admin/search-indexes/product/reindex", {"strategy": "in_place"}, 404)
    await desk.built()
    assert "Spinnaker" in await desk.titles("spinnaker")


async def test_an_index_is_not_built_before_changes_are_heard_of(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "HEARD", hearing.HEARD | {"product.product.renamed"})
    job = (await desk("POST", "/admin/search-indexes/product/reindex", {}, 202))["job_id"]

    async def tried() -> bool:
        rows = (await desk("GET", f"/admin/workflows-executions?transaction_id={job}"))["workflow_executions"]
        return bool(rows) and "hear-changes" in str(rows[0]["execution"])

    await desk.until(tried)
    await asyncio.sleep(0.5)
    assert await desk.host.modules.search.list("search_index_sync", {"job_id": job}) == []
    monkeypatch.undo()

    async def begun() -> bool:
        return await desk.host.modules.search.list("search_index_sync", {"job_id": job, "status": "done"}) != []

    await desk.until(begun)


async def test_a_shop_without_indexes_says_so_and_keeps_none_that_it_had(postgres: EmbeddedPostgres, migrated: str, tmp_path: Path) -> None:
    async with shop(await clone(postgres, migrated), tmp_path) as desk:
        assert await desk("GET", "/admin/search-indexes") == {"search_indexes": [], "enabled": False}
        assert await desk("GET", "/admin/search?q=a") == {"results": []}
        await desk("POST", "/admin/search-indexes/product/reindex", {}, 404)
        assert "off" in await desk.refused(404)
        search = desk.host.modules.search
        assert await search.standing() == [
            {"name": "product", "made": 0, "current": False, "status": "pending", "live": [], "leftover": [], "elsewhere": False}
        ]

        # what was built before, and isn't told any more what changes
        sync = await search.begin_sync("product", ulid(), "swap", None)
        await search.fill(sync, [{"id": "prod_ghost", "fields": {"id": "prod_ghost"}, "parts": []}], sync["ticket"], "prod_ghost")
        await search.finish_sync(sync, everything=False)
        assert await search.is_built("product")
        async with _database(desk) as connection:
            await connection.execute(KEPT_ELSEWHERE)
        withdrawn = [{"name": "product", "made": 2, "current": False, "status": "pending", "live": [], "leftover": [], "elsewhere": False}]

        async def is_withdrawn() -> bool:
            return await search.standing() == withdrawn

        await desk.until(is_withdrawn)
        async with _database(desk) as connection:
            assert await connection.fetchval("SELECT count(*) FROM search_document") == 0  # nothing of it is left


async def test_a_shop_goes_on_without_its_search_engine_and_its_index_follows_later(
    postgres: EmbeddedPostgres, migrated: str, tmp_path: Path
) -> None:
    url = await clone(postgres, migrated)
    async with MeiliDesk() as engine, faulty(engine.url) as way:
        options = {**engine.options, "url": f"http://127.0.0.1:{way.port}", "timeout": 1.0, "retries": 1}
        await way.play("killed")
        async with shop(url, tmp_path, {"search": [{"use": "meilisearch", "options": options}]}, search=True) as desk:

            async def begun() -> bool:
                return bool(await desk.host.modules.search.list("search_index_sync", {"status": "processing"}))

            product = await desk.product("Spinnaker", tags=[])
            await desk.until(begun)
            assert "isn't built" in await desk.refused(404)
            await way.play(None)
            await desk.until(lambda: desk.host.modules.search.is_built("product"))
            assert await desk.titles("spinaker", search_options={"highlight": True}) == ["Spinnaker"]
            [index] = (await desk("GET", "/admin/search-indexes"))["search_indexes"]
            assert (index["provider"], index["status"]) == ("meilisearch", "ready")

            await way.play("killed")
            assert "Meilisearch can't be reached" in await desk.refused(503)
            assert [row["title"] for row in (await desk("GET", "/store/products"))["products"]] == ["Spinnaker"]
            await desk("POST", f"/admin/products/{product['id']}", {"subtitle": "Meanwhile"})
            groups = (await desk("GET", "/admin/search?q=spinnaker&entity=product"))["results"]
            assert [row["title"] for group in groups for row in group["data"]] == ["Spinnaker"]

            async def left_alone() -> bool:
                async with _database(desk) as connection:
                    marked = await connection.fetchval("SELECT count(*) FROM search_pending WHERE key = $1", product["id"])
                return bool(marked) and await desk.host.modules.search.waiting(1) is None

            await desk.until(left_alone)  # nothing is read for an engine that isn't there, but now and then
            await way.play(None)

            async def follows() -> bool:
                return [row["subtitle"] for row in (await desk.search("spinnaker"))["data"]] == ["Meanwhile"]

            await desk.until(follows)

            engine.indexes.clear()  # it has lost what it had
            assert "isn't built" in await desk.refused(404)
            await desk("POST", f"/admin/products/{product['id']}", {"subtitle": "Lost"})

            async def found_again() -> bool:
                return bool(engine.indexes) and await desk.host.modules.search.is_built("product") and await desk.titles() == ["Spinnaker"]

            await desk.until(found_again)
            [kept] = engine.indexes
            await desk.built()

            async def swept() -> bool:
                return kept not in engine.indexes and len(engine.indexes) == 1

            await desk.until(swept)
            assert await desk.titles("spinnaker") == ["Spinnaker"]

        # another provider begins anew
        async with shop(url, tmp_path, search=True) as desk:
            await desk.until(lambda: desk.host.modules.search.is_built("product"))
            assert await desk.titles("spinnaker") == ["Spinnaker"]
