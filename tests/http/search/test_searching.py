"""Searching for products: what is found and in which order, and what may be asked."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from velella.modules.search.providers.postgres import one_off

from .conftest import Desk, Row, found


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
        ("& |", {"attributes_to_search_on": ["title"]}, ["Fender", "Genoa sail", "Spinnaker", "Storm jib"]),
    ],
)
async def test_words_find_what_has_them(desk: Desk, sails: dict[str, Row], q: str, options: Row, found: list[str]) -> None:
    titles = await desk.titles(q, search_options=options)
    if options.get("match_strategy") == "any" or found[:1] != ["Spinnaker"]:
        titles = sorted(titles)
    assert [title for title in titles if title in sails] == found


async def test_hits_are_filtered_sorted_and_paged(desk: Desk, sails: dict[str, Row]) -> None:
    tag, linen = sails["Spinnaker"]["tags"][0]["id"], sails["Storm jib"]["collection_id"]

    def since(hours: int) -> str:
        """A time by a clock that goes 14 hours after UTC: as a text it is later than all of today."""
        return (datetime.now(timezone(timedelta(hours=14))) + timedelta(hours=hours)).isoformat()

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
        ({"created_at": {"$gt": since(hours=-1), "$lte": since(hours=1)}, "title": {"$gte": "S"}}, ["Spinnaker", "Storm jib"]),
        ({"created_at": {"$gt": since(hours=1)}}, []),
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


async def test_what_is_corrected_depends_on_no_page(desk: Desk, sails: dict[str, Row]) -> None:
    first, second = [await desk.search("spinaker", pagination={"skip": skip, "take": 1}) for skip in (0, 1)]
    assert [row["title"] for page in (first, second) for row in page["data"]] == ["Spinnaker", "Storm jib"]
    assert second["metadata"] == {"count": 2, "skip": 1, "take": 1}
    beyond = await desk.search("spinaker", pagination={"skip": 2})
    assert (beyond["data"], beyond["metadata"]["count"]) == ([], 2)
    similar = await desk.product("Stork jib")
    await desk.until(lambda: found(desk, {similar["id"]}))
    for take in (0, 20):
        assert (await desk.search("storm jib", pagination={"take": take}))["metadata"]["count"] == 1
    await desk("DELETE", f"/admin/products/{similar['id']}")


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
    blank = (await desk("POST", "/admin/api-keys", {"title": "Blank", "type": "publishable"}))["api_key"]["token"]
    for method, path, body in (("POST", "/store/search", {"entity": "product"}), ("GET", "/store/products", None)):
        said = await desk(method, path, body, 400, headers={"x-publishable-api-key": blank})
        assert said["message"] == "Publishable key needs to have a sales channel configured"
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
        {"filters": {"$or": [{"title": {"$like": f"{n}%"}} for n in range(9)]}},
        {"filters": {"$and": [{"title": {"$exists": True}}] * 101}},
        {"filters": {"$or": [{}] * 101}},
        {"filters": {"$or": [{"title": []}] * 101}},
        {"filters": {"$or": [{"title": {"$nin": []}, "$not": {}}] * 51}},
        {"filters": {"created_at": {"$gt": "soon"}}},
        {"filters": {"created_at": "0001-01-01T00:00:00+14:00"}},
        {"filters": {"created_at": {"$lt": 5}}},
        {"filters": {"created_at": {"$prefix": "2026"}}},
        {"search_options": {"facets": [{"field": "created_at", "type": "range", "ranges": [{"from": "soon"}]}]}},
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
        {"search_options": {"facets": [{"field": "prices.eur", "type": "range", "ranges": [{}] * 17}] * 3}},
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
    for twice in (
        {"filters": {"title": ["a"] * 51}},
        {"filters": {"$or": [{"title": {"$like": "a%"}}] * 5}},
        {"search_options": {"facets": ["tags"] * 11}},
        {"search_options": {"facets": [{"field": "prices.eur", "type": "range", "ranges": [{}] * 26}]}},
    ):
        assert (await desk("POST", "/store/search", {"entity": "product", **twice}))["results"]
        assert await desk("POST", "/store/search", {"queries": [{"entity": "product", **twice}] * 2}, 400)
    as_much_as_may_be = {
        "filters": {"$or": [{"title": {"$like": "%a" * 8}}] * 8 + [{"title": "a"}] * 42},
        "search_options": {"facets": ["tags"] * 18 + [{"field": "prices.eur", "type": "range", "ranges": [{"to": 1}] * 25}] * 2},
    }
    assert (await desk.search(**as_much_as_may_be))["facets"]["tags"]
    assert await desk("POST", "/store/search", {"queries": [{"entity": "product"}] * 21}, 400)
    assert await desk("POST", "/store/search", {"queries": []}, 400)
    assert await desk("POST", "/store/search", {}, 400)
    found = await desk("POST", "/store/search", {"queries": [{"entity": "product", "pagination": {"take": 0}}] * 20})
    assert [result["data"] for result in found["results"]] == [[]] * 20
    long = {"filters": {"q": "x" * 400 + " " + "y" * 90}}
    assert (await desk.search(**long))["data"] == []


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


@pytest.mark.parametrize(
    ("a", "b", "close"),
    [("sail", "sail", True), ("sail", "sial", True), ("sail", "sai", True), ("sail", "sails", True), ("sail", "soil", True),
     ("sail", "asil", True), ("sail", "liar", False), ("sail", "sa", False), ("", "a", True), ("ab", "ba", True), ("sail", "tails", False)],
)  # fmt: skip
def test_words_are_close_that_are_one_letter_apart(a: str, b: str, close: bool) -> None:
    assert one_off(a, b) is one_off(b, a) is close
