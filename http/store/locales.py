"""Store: the locales that it is translated into."""

from __future__ import annotations

from ...core.sql.schema.query import Query
from ..kit.cached import Cached
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes

routes = Routes()


@routes.get("/store/locales", query=None, envelope="locales", cached=Cached("store translation"), flag="translation")
async def list_locales(request: Request) -> Answer:
    """List the locales that the store supports."""
    stores = await request.graph.rows(Query("store", ("supported_locales.locale_code", "supported_locales.locale.name"), limit=1))
    supported = stores[0]["supported_locales"] if stores else []
    return {
        "locales": [{"code": each["locale_code"], "name": (each["locale"] or {}).get("name", each["locale_code"])} for each in supported]
    }
