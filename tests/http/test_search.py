"""Searching for products: what is found and in which order, what may be asked, and that indexes follow what changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import Host, local_host
from velella.actors.services import service_names
from velella.cli.data import create_admin
from velella.core.ids import ulid
from velella.core.json import dumps
from velella.core.settings import Settings
from velella.http.server import FrontEnd
from velella.modules.search.providers.postgres import one_off
from velella.workflows.defaults import seed_defaults
from velella.workflows.search.documents import SOURCES, read_documents

from ..conftest import clone
from ..signing import UNLIMITED, cheap_hashes, token_of

Row = dict[str, Any]


@dataclass
class Desk:
    """A shop with search indexes, and whom it is asked by."""

    host: Host
    front: FrontEnd
    session: aiohttp.ClientSession
    headers: dict[str, str]
    channel: str

    async def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Row:
        url = f"http://127.0.0.1:{self.front.port}{path}"
        async with self.session.request(method, url, json=body, headers=self.headers) as answer:
            said: Row = await answer.json()
            assert answer.status == status, f"{method} {path} answered {answer.status}: {said}"
            return said

    async def search(self, q: str | None = None, **query: Any) -> Row:
        filters = {**query.pop("filters", {}), **({"q": q} if q is not None else {})}
        found = await self("POST", "/store/search", {"entity": "product", "filters": filters, **query})
        return dict(found["results"][0])

    async def titles(self, q: str | None = None, **query: Any) -> list[str]:
        return [row["title"] for row in (await self.search(q, **query))["data"]]

    async def refused(self, status: int = 400, **query: Any) -> str:
        return str((await self("POST", "/store/search", {"entity": "product", **query}, status))["message"])

    async def product(self, title: str, price: float = 10, **given: Any) -> Row:
        sku = ulid()
        variant = {"title": "One", "sku": sku, "options": {"Size": "M"}, "prices": [{"currency_code": "eur", "amount": price}]}
        row = {
            "title": title, "status": "published", "options": [{"title": "Size", "values": ["M", "L"]}], "variants": [variant],
            "sales_channels": [{"id": self.channel}], **given,
        }  # fmt: skip
        return dict((await self("POST", "/admin/products", row))["product"])

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Indexes follow changes within seconds."""
        async with asyncio.timeout(20):
            while not await holds():
                await asyncio.sleep(0.1)

    async def built(self, **body: Any) -> None:
        job = (await self("POST", "/admin/search-indexes/product/reindex", body, 202))["job_id"]

        async def done() -> bool:
            rows = await self.host.modules.search.list("search_index_sync", {"job_id": job}, fields=("status",))
            statuses = [row["status"] for row in rows]
            assert set(statuses) <= {"processing", "done", "canceled"}  # canceled: a newer one was faster
            return statuses in (["done"], ["canceled"])

        await self.until(done)


@pytest.fixture(scope="module")
async def desk(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    url, folder = await clone(postgres, migrated), tmp_path_factory.mktemp("search")
    settings = Settings(database_url=url, port=0, data_dir=folder, search=True, providers=cheap_hashes(), **UNLIMITED).with_secrets()
    async with local_host(settings, service_names(settings), wire_check=True) as host, aiohttp.ClientSession() as session:
        front = host.services["http"]
        assert isinstance(front, FrontEnd)
        await seed_defaults(host.modules)
        token = await token_of(host.modules, front.tokens, "user", await create_admin(host.modules, "grace@example.com", "correct horse"))
        [key] = await host.modules.api_key.list("api_key", {"type": "publishable"})
        [channel] = await host.modules.sales_channel.list("sales_channel")
        headers = {"authorization": f"Bearer {token}", "x-publishable-api-key": key["token"]}
        made = Desk(host, front, session, headers, channel["id"])
        await made.until(lambda: host.modules.search.is_built("product"))  # it is built by itself
        yield made


@pytest.fixture(scope="module")
async def sails(desk: Desk) -> dict[str, Row]:
    """Some products, by title."""
    tag = (await desk("POST", "/admin/product-tags", {"value": "Nautical"}))["product_tag"]["id"]
    linen = (await desk("POST", "/admin/collections", {"title": "Linen"}))["collection"]["id"]
    made = [
        await desk.product("Spinnaker", 900, description="A light sail for running downwind.", tags=[{"id": tag}]),
        await desk.product("Storm jib", 300, description="A small sail: a spinnaker it is not.", collection_id=linen),
        await desk.product("Genoa sail", 700, subtitle="Overlaps <the> mast", tags=[{"id": tag}], collection_id=linen),
        await desk.product("Fender", 20, description="Keeps a hull from the quay."),
        await desk.product("Hidden sail", 1, status="draft"),
        await desk.product("Sail of elsewhere", 1, sales_channels=[]),
    ]
    await desk.until(lambda: _found(desk, {each["id"] for each in made[:4]}))
    return {each["title"]: each for each in made}


async def _found(desk: Desk, ids: set[str]) -> bool:
    return ids <= {row["id"] for row in (await desk.search(pagination={"take": 100}))["data"]}


@pytest.mark.parametrize(
    ("q", "options", "found"),
    [
        ("spinnaker", {}, ["Spinnaker", "Storm jib"]),  # a title counts more than a description
        ("SPINN", {}, ["Spinnaker", "Storm jib"]),  # the last word may be a beginning
        ("sail spinn", {}, ["Spinnaker", "Storm jib"]),
        ("spinn sail", {}, []),  # and only the last
        ("sail quay", {}, []),
        ("sail quay", {"match_strategy": "any"}, ["Fender", "Genoa sail", "Spinnaker", "Storm jib"]),
        ("genoa quay", {"match_strategy": "last"}, ["Genoa sail"]),
        ("spinaker", {}, ["Spinnaker", "Storm jib"]),  # a letter is missing,
        ("spinnnaker", {}, ["Spinnaker", "Storm jib"]),  # is too many,
        ("spinmaker", {}, ["Spinnaker", "Storm jib"]),  # is wrong,
        ("genao sail", {}, ["Genoa sail"]),  # or has changed places
        ("spinaker", {"typo_tolerance": False}, []),
        ("spinnaker", {"attributes_to_search_on": ["title"]}, ["Spinnaker"]),
        ("spinnaker", {"min_score": 0.9}, []),
        ("linen", {}, ["Genoa sail", "Storm jib"]),
        ("nautical", {}, ["Genoa sail", "Spinnaker"]),
        ("'); DROP TABLE product; --", {}, []),
        ("& | ! :* <-> \\ '", {}, ["Fender", "Genoa sail", "Spinnaker", "Storm jib"]),  # nothing but signs
    ],
)
async def test_words_find_what_has_them(desk: Desk, sails: dict[str, Row], q: str, options: Row, found: list[str]) -> None:
    titles = await desk.titles(q, search_options=options)
    if options.get("match_strategy") == "any" or found[:1] != ["Spinnaker"]:
        titles = sorted(titles)
    assert [title for title in titles if title in sails] == found


async def test_hits_are_filtered_sorted_and_paged(desk: Desk, sails: dict[str, Row]) -> None:
    tag, linen = sails["Spinnaker"]["tags"][0]["id"], sails["Storm jib"]["collection_id"]
    cases: list[tuple[Row, list[str]]] = [
        ({"collection_id": linen}, ["Genoa sail", "Storm jib"]),
        ({"tag_ids": [tag, "ptag_none"]}, ["Genoa sail", "Spinnaker"]),
        ({"tag_ids": {"$nin": [tag]}}, ["Fender", "Storm jib"]),
        ({"collection_id": {"$ne": linen}}, ["Fender", "Spinnaker"]),
        ({"collection_id": None}, ["Fender", "Spinnaker"]),
        ({"collection": {"$exists": True}, "tags": {"$exists": False}}, ["Storm jib"]),
        ({"prices": {"eur": {"$gte": 300, "$lt": 900}}}, ["Genoa sail", "Storm jib"]),
        ({"prices.eur": {"$gt": "700"}}, ["Spinnaker"]),
        ({"prices.usd": {"$gt": 0}}, []),
        ({"title": {"$prefix": "S"}}, ["Spinnaker", "Storm jib"]),
        ({"title": {"$like": "%O_ s%IL"}}, ["Genoa sail"]),
        ({"options.Size": {"$contains": ["M"]}, "$or": [{"title": "Fender"}, {"$and": [{"tags": "Nautical"}]}]},
         ["Fender", "Genoa sail", "Spinnaker"]),
        ({"$not": {"tags": {"$overlaps": ["Nautical", "Other"]}}, "q": "sail"}, ["Storm jib"]),
        ({"title": '"; DROP TABLE product; --" || 1 == 1'}, []),
    ]  # fmt: skip
    for filters, expected in cases:
        only = {"$and": [filters, {"id": [row["id"] for row in sails.values()]}]} if "q" not in filters else filters
        assert await desk.titles(filters=only, pagination={"order": {"title": "ASC"}}) == expected, filters
    mine = {"id": [row["id"] for row in sails.values()]}
    dear = {"order": {"prices.eur": "DESC"}, "skip": 1, "take": 2}
    page = await desk.search(filters=mine, pagination=dear, fields=["title"])
    assert page["data"] == [{"id": sails[title]["id"], "title": title} for title in ("Genoa sail", "Storm jib")]
    assert page["metadata"] == {"count": 4, "skip": 1, "take": 2}
    assert (await desk.search(filters=mine, search_options={"count": "none"}))["metadata"]["count"] is None
    assert [row["_score"] > 0 for row in (await desk.search("genoa", search_options={"include_score": True}))["data"]] == [True]


async def test_facets_are_counted_among_all_hits(desk: Desk, sails: dict[str, Row]) -> None:
    ranges = [{"key": "cheap", "to": 500}, {"key": "dear", "from": 500}, {"from": 5000, "to": 6000}]
    facets = [
        "tags", {"field": "collection", "limit": 1}, {"field": "options.Size", "sort": "alpha"}, {"field": "tags", "query": "x"},
        {"field": "prices.eur", "type": "range", "ranges": ranges}, {"field": "prices.eur", "type": "stats"},
    ]  # fmt: skip
    mine = {"id": [row["id"] for row in sails.values()]}
    found = await desk.search(filters=mine, pagination={"take": 1}, search_options={"facets": facets[:3] + facets[4:]})
    assert len(found["data"]) == 1
    assert found["facets"] == {
        "tags": {"values": [{"value": "Nautical", "count": 2}]},
        "collection": {"values": [{"value": "Linen", "count": 2}]},
        "options.Size": {"values": [{"value": "M", "count": 4}]},
        "prices.eur": {
            "ranges": [{**ranges[0], "count": 2}, {**ranges[1], "count": 2}, {**ranges[2], "count": 0}],
            "stats": {"min": 20, "max": 900, "avg": 480, "sum": 1920, "count": 4},
        },
    }
    none = await desk.search(filters=mine, search_options={"facets": [facets[3]]})
    assert none["facets"] == {"tags": {"values": []}}


async def test_what_was_found_is_marked(desk: Desk, sails: dict[str, Row]) -> None:
    [hit] = (await desk.search("overlaps mast", search_options={"highlight": True}))["data"]
    assert hit["_highlights"] == {"subtitle": "<em>Overlaps</em> &lt;the&gt; <em>mast</em>"}
    tags = {"fields": ["description"], "pre_tag": "[", "post_tag": "]", "snippet": {"length": 12}}
    [hit, *_] = (await desk.search("downwnid", search_options={"highlight": tags}))["data"]  # as it was meant
    assert hit["_highlights"] == {"description": "…[downwind]."}


async def test_a_storefront_sees_what_it_may_sell_and_no_more(desk: Desk, sails: dict[str, Row]) -> None:
    assert not {"Hidden sail", "Sail of elsewhere"} & set(await desk.titles("sail"))
    assert await desk.titles(filters={"$or": [{"title": "Hidden sail"}, {"title": "Sail of elsewhere"}]}) == []
    for field in ("status", "sales_channel_ids", "metadata"):
        assert field in await desk.refused(filters={field: "draft"})
        assert field in await desk.refused(fields=[field])
        assert field in await desk.refused(search_options={"facets": [field]})
    assert "status" not in (await desk.search("genoa"))["data"][0]
    found = (await desk("GET", "/admin/search?q=hidden&entity=product"))["results"]
    assert [(group["entity"], [row["status"] for row in group["data"]], group["count"]) for group in found] == [("product", ["draft"], 1)]
    assert "no search index order" in str(await desk("POST", "/store/search", {"entity": "order"}, 404))


async def test_what_is_too_much_is_refused_before_any_work(desk: Desk) -> None:
    deep: Row = {"title": "a"}
    for _ in range(20):
        deep = {"$and": [deep]}
    too_much: list[Row] = [
        {"filters": {"q": "a" * 501}},
        {"filters": {"q": "a " * 17}},
        {"filters": {"q": "a\0"}},
        {"filters": {"q": {"$eq": "a"}}},
        {"filters": {"title": ["a"] * 101}},
        {"filters": deep},
        {"filters": {"title": {"$like": "%a" * 9}}},
        {"filters": {"title": {"$near": 1}}},
        {"filters": {"title": {"$in": "a"}}},
        {"filters": {"prices.eur": {"$gt": "much"}}},
        {"filters": {"description": "a"}},
        {"pagination": {"take": 101}},
        {"pagination": {"skip": 10_000}},
        {"pagination": {"cursor": "a"}},
        {"pagination": {"order": {"tags": "ASC"}}},
        {"pagination": {"order": dict.fromkeys(("title", "handle", "type", "collection"), "ASC")}},
        {"search_options": {"facets": ["tags"] * 21}},
        {"search_options": {"facets": [{"field": "prices.eur", "type": "range", "ranges": [{"to": 1}] * 51}]}},
        {"search_options": {"facets": [{"field": "tags", "type": "stats"}]}},
        {"search_options": {"facets": ["prices"]}},
        {"search_options": {"highlight": {"fields": ["thumbnail"]}}},
        {"search_options": {"vector": {"query": "a"}}},
        {"search_options": {"locales": ["de-DE"]}},
        {"search_options": {"distinct": "type"}},
        {"search_options": {"disjunctive_facets": True}},
        {"queries": [{"entity": "product"}]},
    ]
    for query in too_much:
        assert await desk.refused(**query), query
    assert await desk("POST", "/store/search", {"queries": [{"entity": "product"}] * 21}, 400)
    assert await desk("POST", "/store/search", {"queries": []}, 400)
    assert await desk("POST", "/store/search", {}, 400)
    found = await desk("POST", "/store/search", {"queries": [{"entity": "product", "pagination": {"take": 0}}] * 20})
    assert [result["data"] for result in found["results"]] == [[]] * 20
    long = {"filters": {"q": "x" * 400 + " " + "y" * 90}}
    assert (await desk.search(**long))["data"] == []


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


async def test_the_dashboard_finds_anything(desk: Desk, sails: dict[str, Row]) -> None:
    await desk("POST", "/admin/customers", {"email": "genoa@example.com"})
    groups = {group["entity"]: group for group in (await desk("GET", "/admin/search?q=genoa&limit=5"))["results"]}
    assert list(groups) == ["product", "order", "customer", "product_variant", "product_collection", "product_category"]
    assert [row["title"] for row in groups["product"]["data"]] == ["Genoa sail"]
    assert [row["email"] for row in groups["customer"]["data"]] == ["genoa@example.com"]
    assert groups["order"] == {"entity": "order", "data": [], "count": 0, "offset": 0, "limit": 5}
    for wrong in ("limit=0", "limit=101", "offset=-1", "offset=10000", "limit=1.5", "order=id"):
        await desk("GET", f"/admin/search?{wrong}", None, 400)
    await desk("GET", "/admin/search?entity=nothing", None, 404)


async def test_a_shop_without_indexes_says_so(postgres: EmbeddedPostgres, migrated: str, tmp_path: Path) -> None:
    settings = Settings(database_url=await clone(postgres, migrated), port=0, data_dir=tmp_path, providers=cheap_hashes()).with_secrets()
    async with local_host(settings, service_names(settings)) as host, aiohttp.ClientSession() as session:
        front = host.services["http"]
        assert isinstance(front, FrontEnd)
        await seed_defaults(host.modules)
        token = await token_of(host.modules, front.tokens, "user", await create_admin(host.modules, "grace@example.com", "correct horse"))
        [key] = await host.modules.api_key.list("api_key", {"type": "publishable"})
        desk = Desk(host, front, session, {"authorization": f"Bearer {token}", "x-publishable-api-key": key["token"]}, "")
        assert await desk("GET", "/admin/search-indexes") == {"search_indexes": [], "enabled": False}
        assert await desk("GET", "/admin/search?q=a") == {"results": []}
        await desk("POST", "/admin/search-indexes/product/reindex", {}, 404)
        assert "off" in await desk.refused(404)
        assert await host.modules.search.standing() == [
            {"name": "product", "made": 0, "current": False, "status": "pending", "live": []}
        ]  # nobody builds one


@pytest.mark.parametrize(
    ("a", "b", "close"),
    [("sail", "sail", True), ("sail", "sial", True), ("sail", "sai", True), ("sail", "sails", True), ("sail", "soil", True),
     ("sail", "asil", True), ("sail", "liar", False), ("sail", "sa", False), ("", "a", True), ("ab", "ba", True), ("sail", "tails", False)],
)  # fmt: skip
def test_words_are_close_that_are_one_letter_apart(a: str, b: str, close: bool) -> None:
    assert one_off(a, b) is one_off(b, a) is close
