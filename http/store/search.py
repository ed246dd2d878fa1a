"""Store: searching for products by words, with filters, facets and highlights."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from ...core.errors import InvalidData, NotFound
from ...core.rows import Row
from ...modules.search.asking import Budget, asked
from ...modules.search.indexes import INDEXES
from ..kit.bodies import ABSENT, Body, Number, Part, Rank, Whole
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from .views import found_for_sale

routes = Routes()
MOST_QUERIES = 20
AT_ONCE = 4
"""Searches of one request that are carried out at the same time."""
SOLD = ("product",)
"""The indexes that storefronts may search."""


Some = Annotated[Whole, Field(gt=0), WithJsonSchema({"type": "integer", "exclusiveMinimum": 0})]


class Pagination(Body):
    skip: Rank = ABSENT
    take: Annotated[Rank, Field(le=100), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 100})] = ABSENT
    order: dict[str, Literal["ASC", "DESC"]] = ABSENT
    cursor: str = ABSENT


class ValueFacet(Body):
    field: str
    type: Literal["value"] = ABSENT
    limit: Some = ABSENT
    sort: Literal["count", "alpha"] = ABSENT
    query: str = ABSENT


class Range(Body):
    key: str = ABSENT
    from_: Annotated[Number | str, Field(alias="from")] = ABSENT
    to: Number | str = ABSENT


class RangeFacet(Body):
    field: str
    type: Literal["range"]
    ranges: list[Range]


class StatsFacet(Body):
    field: str
    type: Literal["stats"]


class Snippet(Part):
    length: Some


class Highlight(Body):
    fields: list[str]
    pre_tag: str = ABSENT
    post_tag: str = ABSENT
    snippet: bool | Snippet = ABSENT


class Vector(Body):
    field: str = ABSENT
    value: list[Number] = ABSENT
    query: str = ABSENT
    semantic_ratio: Annotated[Number, Field(ge=0, le=1), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})] = ABSENT


class SearchOptions(Body):
    attributes_to_search_on: list[str] = ABSENT
    match_strategy: Literal["all", "any", "last"] = ABSENT
    typo_tolerance: bool = ABSENT
    facets: list[str | ValueFacet | RangeFacet | StatsFacet] = ABSENT
    disjunctive_facets: bool = ABSENT
    highlight: bool | Highlight = ABSENT
    distinct: str = ABSENT
    min_score: Number = ABSENT
    include_score: bool = ABSENT
    locales: list[str] = ABSENT
    vector: Vector = ABSENT
    count: Literal["estimated", "exact", "none"] = ABSENT


class _Query(Body):
    fields: list[str] = ABSENT
    filters: dict[str, Any] = ABSENT
    pagination: Pagination = ABSENT
    search_options: SearchOptions = ABSENT


class SearchQuery(_Query):
    entity: Annotated[str, Field(min_length=1)]


class Search(_Query):
    """One query, or several."""

    entity: Annotated[str, Field(min_length=1)] = ABSENT
    queries: Annotated[list[SearchQuery], Field(min_length=1, max_length=MOST_QUERIES)] = ABSENT


@routes.post("/store/search", body=Search, query=None, envelope="results")
async def search(request: Request) -> Answer:
    """Search the products of the key's sales channels: one query, or up to 20."""
    body = request.body
    if ("queries" in body) == ("entity" in body) or ("queries" in body and len(body) > 1):
        raise InvalidData("A search is one query with its `entity`, or `queries`")
    if not request.settings.search:
        raise NotFound("This shop has no search indexes: its setting `search` is off")
    queries: list[Row] = body.get("queries") or [body]
    for query in queries:
        if query["entity"] not in SOLD:
            raise NotFound(f"There is no search index {query['entity']}")
    visible, budget = found_for_sale(request), Budget()
    for query in queries:
        asked(INDEXES[query["entity"]], query, visible, store=True, budget=budget)
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(query: Row) -> Row:
        async with turns:
            return await request.modules.search.search(query["entity"], query, visible, store=True)

    return {"results": await asyncio.gather(*map(one, queries))}
