"""`/metrics`: the metrics of the whole cluster, from any front end, for authorised clients."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING

from aiohttp import web

from ...actors.observe.scrape import Gathered, gather
from ...core.errors import VelellaError
from ...core.logs import logger
from ...core.metrics import Sample
from ...core.settings import Settings
from ..kit.reply import Reply, unauthorized

if TYPE_CHECKING:
    from ...actors.context import HostContext

log = logger("velella.http")


async def answer(context: HostContext, settings: Settings, http: web.BaseRequest) -> Reply:
    """The metrics of every replica; one that doesn't answer in time is shown as down. Raises Refused: 401."""
    if settings.metrics == "private" and not _has_token(http, settings.metrics_token):
        raise unauthorized("The metrics are for who brings the metrics_token as a bearer token.")
    gathered, shop = await asyncio.gather(gather(context.router), _backlog(context))
    # in a thread: writing thousands of lines would delay requests
    text, content_type = await asyncio.to_thread(_written, gathered, shop, http.headers.get("Accept", ""))
    return Reply(text, headers={"Content-Type": content_type, "Cache-Control": "no-store"})


def _written(gathered: Gathered, shop: list[Sample], accept: str) -> tuple[bytes, str]:
    from .exposition import exposition  # slow to import, and most front ends are never scraped

    return exposition(gathered, shop, accept)


async def _backlog(context: HostContext) -> list[Sample]:
    """The backlog of the whole shop, from any coordinator; empty if none answers."""
    if not context.router.replicas("workflows"):
        return []
    try:
        return [(name, tuple(labels), value) for name, labels, value in await context.workflows.backlog()]
    except VelellaError as error:
        log.warning("the coordinators did not return their backlog", error=str(error))
        return []


def _has_token(http: web.BaseRequest, token: str | None) -> bool:
    scheme, _, given = http.headers.get("Authorization", "").partition(" ")
    return token is not None and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
