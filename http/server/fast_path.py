"""The fast path for repeated reads: from the text of the request to the cached answer.

What a storefront without a customer may see follows from the path, the query string and its key; what a merchant may see, from these and
the token. For a request that was seen before none of this is worked out again; only the validity of the answer, the key and the token
is checked.
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
from .incoming import LOCALE_HEADER

if TYPE_CHECKING:
    from ..kit.access import Actor
    from ..kit.route import Route


@dataclass(frozen=True, slots=True)
class _CachedTarget:
    """What a request leads to: the key under which the front end caches its answer."""

    route: Route
    key: Any
    until: float = math.inf
    """When the token expires, in seconds since 1970; 0 if its actor isn't valid any more."""


class FastPath:
    """One for each front end."""

    def __init__(self, answers: Cache, credentials: Credentials, settings: Settings) -> None:
        self._answers = answers
        self._credentials = credentials
        self._targets = Cache(KEPT, min(SECONDS, settings.longest_cached), enabled=settings.cache)
        self.changed = self._targets.changed
        """To be called with every invalidation: keys may have been revoked, or linked to other channels."""
        self.samples = partial(self._targets.samples, "requests")

    def answer(self, http: web.BaseRequest) -> Reply | None:
        """The answer, if the same request was seen before and everything is still valid."""
        asked = _asked(http)
        target: _CachedTarget | None = self._targets.get(asked) if asked is not None else None
        if target is None or target.until <= time.time():
            return None
        kept: Remembered | None = self._answers.get(target.key)
        return Reply(kept.body, tag=kept.tag, kept=True, route=target.route) if kept is not None else None

    async def keep(self, http: web.BaseRequest, actor: Actor | None, route: Route, cache_key: tuple[Hashable, ...]) -> None:
        """Remember where the answer to a request is cached: `cache_key` without the sales channels and the customer."""
        asked = _asked(http)
        if asked is None:
            return

        async def fill() -> _CachedTarget:
            # the actor or the key is checked again, so that a change in between isn't missed
            if actor is not None:
                return _CachedTarget(route, (*cache_key, (), None), actor.claims["exp"] if await self._credentials.stands(actor) else 0.0)
            key = await self._credentials.publishable_key(http)
            return _CachedTarget(route, (*cache_key, key.sales_channel_ids, None))

        tags, rows = (OF_KEYS, ()) if actor is None else (NOTHING, rows_of(actor))
        await self._targets.get_or_fill(asked, tags, fill, rows=rows, size=lambda _: len(asked[0]) + len(asked[1]) + 400)


def _asked(http: web.BaseRequest) -> tuple[str, str] | None:
    """The key of a request; None where its answer may depend on more: on a session, or on a logged-in customer. No path has a blank."""
    headers = http.headers
    if http.method != "GET" or "Cookie" in headers:
        return None
    path, token = http.rel_url.raw_path_qs, headers.get("Authorization")
    if token is None:
        key, locale = headers.get(KEY_HEADER), headers.get(LOCALE_HEADER)
        return (path if locale is None else f"{path} {locale}", key) if key else None
    return (path, token) if path.startswith("/admin/") and token.startswith("Bearer ") else None
