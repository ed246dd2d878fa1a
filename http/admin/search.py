"""Admin: searching for anything by its words, and the search indexes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema

from ...core.errors import InvalidData, NotFound, Unavailable
from ...core.ids import new_id
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...modules.search.indexes import INDEXES
from ...workflows.search.reindexing import delete_search_index, reindex_search_indexes
from ..kit.bodies import ABSENT, Body
from ..kit.filters import MANY, NUMBER, TEXT, Filters
from ..kit.reply import Answer, Reply
from ..kit.request import Request
from ..kit.routes import Routes

routes = Routes()
FURTHEST = 10_000


@dataclass(frozen=True)
class Searched:
    """What is searched by `q`, as its list is: what has no index, or not yet."""

    fields: Sequence[str]
    filters: Row = field(default_factory=dict)


SEARCHED = {
    "product": Searched(("id", "title", "subtitle", "handle", "status", "thumbnail", "created_at")),
    "order": Searched(("id", "display_id", "status", "email", "currency_code", "created_at"), {"is_draft_order": False}),
    "customer": Searched(("id", "email", "first_name", "last_name", "company_name", "phone", "has_account", "created_at")),
    "product_variant": Searched(("id", "title", "sku", "barcode", "thumbnail", "product_id", "created_at")),
    "product_collection": Searched(("id", "title", "handle", "created_at")),
    "product_category": Searched(("id", "name", "handle", "is_active", "is_internal", "created_at")),
}


@routes.get("/admin/search", query=Filters(q=TEXT, entity=MANY, limit=NUMBER, offset=NUMBER), limit=20, envelope="results")
async def search(request: Request) -> Answer:
    """Search for products, orders, customers, … by words: a group for each kind of thing, or for those that are named."""
    asked = request.filters
    limit, offset = asked.get("limit", request.page.limit), asked.get("offset", 0)
    if not isinstance(limit, int) or not 0 < limit <= 100:
        raise InvalidData("limit has to be a whole number from 1 to 100")
    if not isinstance(offset, int) or not 0 <= offset <= FURTHEST - limit:
        raise InvalidData(f"offset has to be a whole number; pages reach no further than {FURTHEST}")
    if not request.settings.search:
        return {"results": []}
    named = asked.get("entity", list(SEARCHED))
    names = list(dict.fromkeys([named] if isinstance(named, str) else named))
    unknown = [name for name in names if name not in SEARCHED]
    if unknown:
        raise NotFound(f"{unknown[0]} can't be searched: {', '.join(SEARCHED)} can")
    found = await asyncio.gather(*(_group(request, name, asked.get("q"), limit, offset) for name in names))
    groups = zip(names, found, strict=True)
    return {"results": [{"entity": name, "data": data, "count": n, "offset": offset, "limit": limit} for name, (data, n) in groups]}


async def _group(request: Request, name: str, q: str | None, limit: int, offset: int) -> tuple[Any, int]:
    if name in INDEXES:
        query = {"filters": {"q": q} if q else {}, "pagination": {"skip": offset, "take": limit}}
        with suppress(NotFound, Unavailable):  # not built yet, or out of reach: there is another way
            answer = await request.modules.search.search(name, query, {}, store=False)
            return answer["data"], answer["metadata"]["count"]
    searched = SEARCHED[name]
    filters = {**searched.filters, **({"q": q} if q else {})}
    page = await request.graph.query(Query(name, tuple(searched.fields), filters, limit=limit, offset=offset, count=True))
    return page.own_rows(), page.count or 0


# -- indexes


class Reindex(Body):
    since: Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})] = ABSENT
    filters: dict[str, Any] = ABSENT
    strategy: Literal["swap", "in_place"] = ABSENT


@routes.get("/admin/search-indexes", query=None, envelope="search_indexes enabled")
async def list_indexes(request: Request) -> Answer:
    """List the search indexes, with their fields and how they stand."""
    enabled = request.settings.search
    return {"search_indexes": await request.modules.search.indexes() if enabled else [], "enabled": enabled}


@routes.delete("/admin/search-indexes/{id}", query=None, envelope="id object deleted deleted_versions")
async def delete_index(request: Request) -> Answer:
    """Delete a search index: it can't be searched until it is built again."""
    name = _index(request)
    dropped = await request.run(delete_search_index, index=name)
    return {"id": name, "object": "search_index", "deleted": True, "deleted_versions": dropped}


@routes.post("/admin/search-indexes/{id}/reindex", body=Reindex, query=None, status=202, envelope="job_id indexes")
async def reindex(request: Request) -> Answer:
    """Build a search index anew, in the background; or bring what is searched up to date where it is."""
    name, body = _index(request), request.body
    some = body.get("filters") or body.get("since")
    strategy = body.get("strategy", "in_place" if some else "swap")
    if some and strategy == "swap":
        raise InvalidData("An index that is built anew is built of everything: filters and since go with the strategy in_place")
    if some:  # a filter that means nothing is refused now
        await request.graph.query(Query(INDEXES[name].entity, ("id",), _conditions(body), limit=1))
    if strategy == "in_place" and not await request.modules.search.is_built(name):
        raise NotFound(f"The search index {name} isn't built: there is nothing to bring up to date in place")
    job = new_id("srhjob")
    input = {"strategy": strategy, "filters": body.get("filters"), "since": body.get("since")}
    await request.start(reindex_search_indexes, job_id=job, index=[name], **input)
    return Reply({"job_id": job, "indexes": [name]}, 202)


def _conditions(body: Row) -> Row:
    since = {"updated_at": {"$gte": body["since"]}} if body.get("since") else {}
    return {"$and": [body.get("filters") or {}, since]}


def _index(request: Request) -> str:
    name = request.params["id"]
    if not request.settings.search or name not in INDEXES:
        raise NotFound(f"SearchIndex with id: {name} was not found")
    return name
