"""Admin: Medusa's index engine, a copy of the data that lists are filtered by. Here lists ask the database itself, so there is none."""

from __future__ import annotations

from typing import Literal

from ..kit.bodies import ABSENT, Body
from ..kit.reply import Answer, Reply
from ..kit.request import Request
from ..kit.routes import Routes

routes = Routes()


class Sync(Body):
    strategy: Literal["full", "reset"] = ABSENT


@routes.get("/admin/index/details", query=None, envelope="metadata")
async def details(request: Request) -> Answer:
    """List what is copied into an index, and how far: nothing is."""
    return {"metadata": []}


@routes.post("/admin/index/sync", body=Sync, query=None, answers="text/plain")
async def sync(request: Request) -> Answer:
    """Bring the index up to date: there is none, so nothing is behind."""
    return Reply("OK", content_type="text/plain")
