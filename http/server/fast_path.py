"""The short way for reads that are asked for again and again: from the text of the request to the remembered answer.

What a storefront without a customer may see follows from the path, the query string and its key; what a merchant may see, from these and
the token. Where all of it was here before, nothing of it is worked out again; only whether the answer, the key and the token still hold
is looked at.
"""

from __future__ import annotations

import math
import time
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ...actors.caching import NOTHING, Cache
from ...core.settings import Settings
from ..kit.cached import Remembered
from ..kit.reply import Reply
from .credentials import KEPT, KEY_HEADER, OF_KEYS, SECONDS, Credentials, rows_of

if TYPE_CHECKING:
    from ..kit.access import Actor
    from ..kit.route import Route


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the front end keeps an answer."""

    route: Route
    key: Any
    until: float = math.inf
    """When the token ends, in seconds since 1970; 0 where its actor is gone already."""


class FastPath:
    """One a front end."""

    def __init__(self, answers: Cache, credentials: Credentials, settings: Settings) -> None:
        self._answers = answers
        self._credentials = credentials
        self._places = Cache(KEPT, min(SECONDS, settings.longest_cached), enabled=settings.cache)
        self.changed = self._places.changed
        """To be called with what has changed: keys may have been revoked, or speak for other channels."""
        self.samples = partial(self._places.samples, "requests")

    def answer(self, http: web.BaseRequest) -> Reply | None:
        """The answer, where the same was asked before and everything still holds."""
        asked = _asked(http)
        place: _Place | None = self._places.get(asked) if asked is not None else None
        if place is None or place.until <= time.time():
            return None
        kept: Remembered | None = self._answers.get(place.key)
        return Reply(kept.body, tag=kept.tag, kept=True, route=place.route) if kept is not None else None

    async def keep(self, http: web.BaseRequest, actor: Actor | None, route: Route, place: tuple[Hashable, ...]) -> None:
        """Remember where the answer to a request is kept: `place` less the sales channels and the customer."""
        asked = _asked(http)
        if asked is None:
            return

        async def fill() -> _Place:
            # asked of the actor or the key anew, so that a change that comes in between is heard of
            if actor is not None:
                return _Place(route, (*place, (), None), actor.claims["exp"] if await self._credentials.stands(actor) else 0.0)
            key = await self._credentials.publishable_key(http)
            return _Place(route, (*place, key.sales_channel_ids, None))

        tags, rows = (OF_KEYS, ()) if actor is None else (NOTHING, rows_of(actor))
        await self._places.get_or_fill(asked, tags, fill, rows=rows, size=lambda _: len(asked[0]) + len(asked[1]) + 400)


def _asked(http: web.BaseRequest) -> tuple[str, str] | None:
    """What names a request; None where it may depend on more: on a session, on the customer who is signed in."""
    headers = http.headers
    if http.method != "GET" or "Cookie" in headers:
        return None
    path, token = http.rel_url.raw_path_qs, headers.get("Authorization")
    if token is None:
        key = headers.get(KEY_HEADER)
        return (path, key) if key else None
    return (path, token) if path.startswith("/admin/") and token.startswith("Bearer ") else None
