"""What every search provider promises, whatever keeps its documents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core.errors import InvalidData, Misconfigured, Unavailable, UnexpectedState
from velella.core.ids import ulid
from velella.core.sql.db.database import Database
from velella.modules.search.asking import asked
from velella.modules.search.indexes import PRODUCT
from velella.modules.search.provider import SearchProvider
from velella.modules.search.providers.meilisearch import MeilisearchSearch
from velella.modules.search.providers.postgres import PostgresSearch

from ..conftest import clone
from ..meili_desk import MeiliDesk

Row = dict[str, Any]
SAILS: dict[str, Row] = {
    "Spinnaker": {"description": "A light sail for running downwind.", "tags": ["Nautical"], "prices": {"eur": 900.5}},
    "Storm jib": {"description": "A small sail: a spinnaker it is not.", "collection": "Linen", "prices": {"eur": 300}},
    "Genoa sail": {"subtitle": "Overlaps <the> mast", "collection": "Linen", "tags": ["Nautical", "Big"], "prices": {"eur": 700}},
    "Fender": {"description": 'Keeps a "hull" from the quay.', "prices": {"eur": 20, "usd": 25}, "options": {"Shoe size": ["M", "L"]}},
}
EMPTY: Row = dict.fromkeys(field.name for field in PRODUCT.fields) | {"tags": [], "prices": {}, "options": {}, "categories": []}


def document(title: str, number: int = 0, **fields: Any) -> Row:
    made = datetime(2026, 1, 1 + number, 12, tzinfo=UTC)
    id = f"prod_{title.split()[0]}"
    return {
        "id": id,
        "fields": {**EMPTY, "id": id, "title": title, "status": "published", "created_at": made, **fields},
        "parts": [id[-3:]],
    }


@dataclass
class Kept:
    """A version of an index at a provider."""

    provider: SearchProvider
    version: str
    drop: Callable[[], Awaitable[None]]
    """Let nobody want the version any more."""

    async def ask(self, q: str | None = None, visible: Row | None = None, **query: Any) -> Row:
        filters = {**query.pop("filters", {}), **({"q": q} if q is not None else {})}
        found = await self.provider.search(self.version, PRODUCT, asked(PRODUCT, {"filters": filters, **query}, visible or {}, store=False))
        assert found is not None
        return found

    async def titles(self, q: str | None = None, **query: Any) -> list[str]:
        return [hit["fields"]["title"] for hit in (await self.ask(q, **query))["hits"]]

    async def write(self, title: str, ticket: int, **fields: Any) -> None:
        await self.provider.upsert_documents(self.version, PRODUCT, [document(title, **fields)], ticket)


@asynccontextmanager
async def _at_postgres(postgres: EmbeddedPostgres, migrated: str) -> AsyncIterator[Kept]:
    database, version = Database(await clone(postgres, migrated)), "srhver_1"
    await database.open()
    provider = PostgresSearch()
    provider.bind(SimpleNamespace(database=database))  # type: ignore[arg-type]
    await database.script(
        "INSERT INTO search_index (id, name) VALUES ('srhidx_1', 'product'); INSERT INTO search_index_version"
        f" (id, version, provider, physical_name, definition_hash, search_index_id) VALUES ('{version}', 1, 'x', 'x', 'x', 'srhidx_1')"
    )

    async def drop() -> None:
        await database.script("UPDATE search_index_version SET deleted_at = now()")

    yield Kept(provider, version, drop)
    await database.close()


@asynccontextmanager
async def _at_meilisearch() -> AsyncIterator[Kept]:
    async with MeiliDesk() as desk:
        provider = MeilisearchSearch(**desk.options)
        yield Kept(provider, f"srhver_{ulid()}", lambda: asyncio.sleep(0))
        await provider.close()


@pytest.fixture(params=["postgres", "meilisearch"], scope="module")
async def kept(request: pytest.FixtureRequest, postgres: EmbeddedPostgres, migrated: str) -> AsyncIterator[Kept]:
    async with _at_postgres(postgres, migrated) if request.param == "postgres" else _at_meilisearch() as made:
        for _ in range(2):  # it may be repeated
            await made.provider.create_index(made.version, PRODUCT)
        documents = [document(title, number, **fields) for number, (title, fields) in enumerate(SAILS.items())]
        await made.provider.upsert_documents(made.version, PRODUCT, documents, 10)
        yield made


class TestProvider:
    @pytest.mark.parametrize(
        ("q", "options", "found"),
        [
            ("spinnaker", {}, ["Spinnaker", "Storm jib"]),  # a title counts more than a description
            ("SPINN", {}, ["Spinnaker", "Storm jib"]),
            ("sail quay", {}, []),
            ("genoa quay", {"match_strategy": "last"}, ["Genoa sail"]),
            ("spinaker", {}, ["Spinnaker", "Storm jib"]),
            ("spinmaker", {}, ["Spinnaker", "Storm jib"]),
            ("genao sail", {}, ["Genoa sail"]),
            ("spinaker", {"typo_tolerance": False}, []),
            ("spinnaker", {"attributes_to_search_on": ["title"]}, ["Spinnaker"]),
            ("linen", {}, ["Genoa sail", "Storm jib"]),
            ("-hull", {}, ["Fender"]),
            ('"hull"', {}, ["Fender"]),
            ('& | ! "', {}, ["Fender", "Genoa sail", "Spinnaker", "Storm jib"]),
            ("'); DROP TABLE product; --", {}, []),
            ("", {}, ["Fender", "Genoa sail", "Spinnaker", "Storm jib"]),
        ],
    )
    async def test_words_find_what_has_them(self, kept: Kept, q: str, options: Row, found: list[str]) -> None:
        titles = await kept.titles(q, search_options=options)
        assert (titles if found[:1] == ["Spinnaker"] else sorted(titles)) == found

    async def test_hits_meet_the_filters(self, kept: Kept) -> None:
        cases: list[tuple[Row, list[str]]] = [
            ({"collection": "Linen"}, ["Genoa sail", "Storm jib"]),
            ({"tags": ["Big", "None"]}, ["Genoa sail"]),
            ({"tags": {"$nin": ["Big"]}}, ["Fender", "Spinnaker", "Storm jib"]),
            ({"tags": {"$contains": ["Big", "Nautical"]}}, ["Genoa sail"]),
            ({"tags": []}, []),
            ({"collection": {"$ne": "Linen"}}, ["Fender", "Spinnaker"]),
            ({"collection": None}, ["Fender", "Spinnaker"]),
            ({"collection": {"$exists": True}, "tags": {"$exists": False}}, ["Storm jib"]),
            ({"prices": {"eur": {"$gte": 300, "$lt": 900.5}}}, ["Genoa sail", "Storm jib"]),
            ({"prices.eur": {"$gt": "700"}}, ["Spinnaker"]),
            ({"prices.usd": {"$gt": 0}}, ["Fender"]),
            ({"title": {"$prefix": "S"}}, ["Spinnaker", "Storm jib"]),
            ({"options.Shoe size": "L"}, ["Fender"]),
            ({"created_at": {"$gt": "2026-01-02T13:00:00+01:00", "$lte": "2026-01-03T12:00:00Z"}}, ["Genoa sail"]),
            ({"created_at": "2026-01-04T12:00:00Z"}, ["Fender"]),
            ({"$or": [{"title": "Fender"}, {"$and": [{"tags": "Nautical"}, {"collection": "Linen"}]}]}, ["Fender", "Genoa sail"]),
            ({"$not": {"tags": {"$overlaps": ["Nautical", "Other"]}}}, ["Fender", "Storm jib"]),
            ({"$or": []}, []),
            ({"title": '" OR title EXISTS OR title = "'}, []),
            ({"title": "' OR 1 = 1"}, []),
        ]
        for filters, expected in cases:
            assert await kept.titles(filters=filters, pagination={"order": {"title": "ASC"}}) == expected, filters
        assert await kept.titles(visible={"title": {"$in": ["Fender"]}}) == ["Fender"]
        assert await kept.titles("spinnaker", visible={"status": "draft"}) == []

    async def test_hits_are_sorted_and_paged_and_facets_counted_among_all(self, kept: Kept) -> None:
        ranges = [{"key": "cheap", "to": 500}, {"key": "dear", "from": 500}, {"from": 5000}]
        facets = [
            "tags", {"field": "tags", "query": "BI"}, {"field": "options.Shoe size", "sort": "alpha"}, {"field": "collection", "limit": 1},
            {"field": "prices.eur", "type": "range", "ranges": ranges}, {"field": "prices.eur", "type": "stats"},
            {"field": "prices.chf", "type": "stats"},
        ]  # fmt: skip
        page = {"order": {"prices.eur": "DESC"}, "skip": 1, "take": 2}
        found = await kept.ask(pagination=page, search_options={"facets": facets})
        assert [hit["id"] for hit in found["hits"]] == ["prod_Genoa", "prod_Storm"]
        assert found["count"] == 4
        assert (await kept.ask("sail", search_options={"count": "none"}))["count"] is None
        assert found["facets"][:5] == [
            [{"value": "Nautical", "count": 2}, {"value": "Big", "count": 1}],
            [{"value": "Big", "count": 1}],
            [{"value": "L", "count": 1}, {"value": "M", "count": 1}],
            [{"value": "Linen", "count": 2}],
            [2, 2, 0],
        ]
        stats = {name: float(value) for name, value in found["facets"][5].items()}
        assert stats == {"min": 20, "max": 900.5, "avg": 480.125, "sum": 1920.5, "count": 4}
        assert found["facets"][6] == {"min": None, "max": None, "avg": None, "sum": None, "count": 0}

    async def test_what_was_found_is_named_as_it_stands_there(self, kept: Kept) -> None:
        found = await kept.ask("downwnid")
        assert "downwind" in found["words"]
        assert 0 < found["hits"][0]["score"] <= 1

    async def test_the_highest_ticket_counts_whenever_it_comes(self, kept: Kept) -> None:
        id, provider = "prod_Tender", kept.provider

        async def subtitles() -> list[str]:
            return [hit["fields"]["subtitle"] for hit in (await kept.ask(filters={"id": id}))["hits"]]

        await kept.write("Tender", 20, subtitle="Second")
        await kept.write("Tender", 19, subtitle="First")
        await kept.write("Tender", 20, subtitle="Second, again")
        await provider.delete_documents(kept.version, [id], 18)
        assert await subtitles() == ["Second"]
        assert await provider.made_of(kept.version, ["x", "der", "ker"]) == ["prod_Fender", "prod_Spinnaker", id]
        await provider.delete_documents(kept.version, [id, "prod/unknown, even"], 22)
        await kept.write("Tender", 21, subtitle="Late")
        assert await subtitles() == []
        assert id not in await provider.made_of(kept.version, ["der"])
        await kept.write("Tender", 23, subtitle="Here again")
        assert await subtitles() == ["Here again"]
        await provider.delete_documents(kept.version, [id], 24)

        await kept.write("Ghost", 5)
        await provider.delete_older(kept.version, 10)  # what was read with the tenth stays
        await kept.write("Ghost", 9)
        assert sorted(await kept.titles()) == sorted(SAILS)

    async def test_a_version_that_is_not_there_is_told_from_one_in_which_nothing_is_found(self, kept: Kept) -> None:
        question = asked(PRODUCT, {}, {}, store=False)
        assert await kept.provider.search("srhver_none", PRODUCT, question) is None
        await kept.provider.delete_index("srhver_none")
        await kept.drop()
        for _ in range(2):
            await kept.provider.delete_index(kept.version)
        assert await kept.provider.search(kept.version, PRODUCT, question) is None


# -- Meilisearch alone


async def test_a_writing_is_over_when_meilisearch_has_carried_it_out() -> None:
    async with MeiliDesk() as desk:
        provider = MeilisearchSearch(**desk.options)
        kept = Kept(provider, "srhver_slow", lambda: asyncio.sleep(0))
        await provider.create_index(kept.version, PRODUCT)
        desk.pause = 0.2
        await kept.write("Later", 1)
        assert await kept.titles(filters={"title": {"$prefix": "l"}}) == ["Later"]
        desk.indexes[kept.version].begins = False
        with pytest.raises(InvalidData, match="contains filter"):
            await kept.titles(filters={"title": {"$prefix": "l"}})

        # a writing of which nobody knew the end comes before what is written next looks at tickets
        provider._task_timeout = 0.05
        with pytest.raises(Unavailable, match="more to do"):
            await kept.write("Later", 9, subtitle="Ninth")
        provider._task_timeout = 5.0
        await kept.write("Later", 8, subtitle="Eighth")
        assert (await kept.ask())["hits"][0]["fields"]["subtitle"] == "Ninth"

        with pytest.raises(UnexpectedState, match="could not do it"):
            await provider._done("POST", f"/indexes/{kept.version}/documents", [{"velella_key": "a b"}])
        await provider.close()


async def test_what_meilisearch_can_not_be_asked_is_refused() -> None:
    provider = MeilisearchSearch("http://127.0.0.1:9", "key", retries=0)
    for query in (
        {"filters": {"q": "a b"}, "search_options": {"match_strategy": "any"}},
        {"filters": {"title": {"$like": "%a%"}}},
        {"filters": {"title": {"$gt": "a"}}},
        {"filters": {"title": "a\\"}},
    ):
        with pytest.raises(InvalidData):
            await provider.search("srhver_1", PRODUCT, asked(PRODUCT, query, {}, store=False))
    with pytest.raises(Unavailable, match="Meilisearch can't be reached"):
        await provider.search("srhver_1", PRODUCT, asked(PRODUCT, {}, {}, store=False))
    await provider.close()


async def test_a_check_says_what_is_wrong() -> None:
    for url in ("", "search.example", "ftp://search.example", "http://search.example?x"):
        with pytest.raises(Misconfigured):
            MeilisearchSearch(url)
    async with MeiliDesk() as desk:
        good, stranger = MeilisearchSearch(**desk.options), MeilisearchSearch(desk.url, "another")
        assert await good.check() == "Meilisearch 1.18.0 lets this shop in"
        desk.version = "1.9.0"
        with pytest.raises(Misconfigured, match="too old"):
            await good.check()
        with pytest.raises(UnexpectedState, match="let this shop in"):
            await stranger.check()
        await good.close()
        await stranger.close()
