"""The second tier: answers that all processes of a shop share, so that one that has just started isn't cold.

Each entity has a *token* in the shared cache, a random value that is replaced when rows of it change. An answer is kept with the tokens of
all entities that it was made from, as they were read **before** it was made, and is good while they are the same. So:

- what was read before a change, and kept after it, is never good: its tokens are those of before;
- a token that was lost or evicted gets a value that there never was: what was kept under it is gone with it;
- the tokens are replaced after the commit and before the invalidation goes to any process: a process that took an answer in between
  hears of the change afterwards, and drops it.

A process that can't reach the shared cache, or hears that another one couldn't when it had to replace tokens, makes no use of it until it
has replaced the token of everything. That the other one couldn't is told with the invalidation itself, before the writer's reply.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import random
from collections.abc import Awaitable, Callable, Collection, Iterator
from hashlib import blake2b
from pathlib import Path

from ...core.errors import Unavailable
from ...core.infrastructure import Infrastructure
from ...core.logs import logger
from ...core.metrics import Sample
from ...core.settings import Settings
from ...core.shared_cache import SharedCache
from ...core.tasks import Tasks

CACHES = Infrastructure("cache", SharedCache, {"redis": "redis_cache:RedisCache"}, __package__)

EVERYTHING = "*"
DISTRUST = "~shared"
"""Goes along with an invalidation that the shared cache hasn't got."""
PREFIX = "velella:"
MOST_BYTES = 512 * 1024 - 1024
MOST_KEEPING = 32
"""Answers that a process is putting into the shared cache at once; others it keeps for itself."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
NOT_ANSWERED_BY = (
    *Settings.SECRETS, "data_dir", "host", "port", "topology", "processes", "connections", "admission", "ray_address", "message_host",
    "tls_certificate", "tls_key", "tls_ca", "traces", "traces_share", "log_level", "log_format", "log_requests",
)  # fmt: skip
"""Settings that may differ between processes of one shop, and show in no answer."""

log = logger("velella.caching")


class SharedTier:
    """The shared cache, as one process uses it."""

    def __init__(self, cache: SharedCache, seconds: float) -> None:
        """`seconds`: the longest life of an answer."""
        self._cache = cache
        self._seconds = seconds
        self._trusted = True
        self._healing: asyncio.Task[None] | None = None
        self._distrusted = 0
        """How often it was."""
        self._keeping = Tasks("an answer was not kept in the shared cache", expected=Unavailable)
        self._hits = self._misses = 0

    async def stop(self) -> None:
        for task in (*self._keeping, *([self._healing] if self._healing is not None else ())):
            task.cancel()
        await self._cache.stop()

    async def get_or_fill(self, key: bytes, entities: Collection[str], fill: Callable[[], Awaitable[bytes]]) -> bytes:
        """The value of a key, made by `fill` where there is none that is good; then it is kept, behind the caller's back.

        `key` holds everything that the value depends on, besides rows of these entities.
        """
        if not self._trusted:
            return await fill()
        tokens = [_token_key(name) for name in sorted({*entities, EVERYTHING})]
        at = f"{PREFIX}a:{blake2b(key, digest_size=24).hexdigest()}"
        try:
            found = dict(await self._cache.get([at, *tokens]))
            if missing := {token: _new_token() for token in tokens if token not in found}:
                await self._cache.set(missing, None)
                found |= missing
        except Unavailable:
            self._distrust()
            return await fill()
        stamp = blake2b(b"".join(found[token] for token in tokens), digest_size=16).digest()
        kept = found.get(at)
        if kept is not None and kept.startswith(stamp):
            self._hits += 1
            return kept[len(stamp) :]
        self._misses += 1
        value = await fill()
        if len(value) <= MOST_BYTES and len(self._keeping) < MOST_KEEPING:
            self._keeping.begin(self._cache.set({at: stamp + value}, self._seconds))
        return value

    async def invalidate(self, names: Collection[str] | None) -> bool:
        """Rows of these entities have changed, which is committed; None: anything may have. False: the shared cache doesn't know it; then
        the other processes have to hear `DISTRUST`."""
        entities = {EVERYTHING} if names is None else {name.partition(":")[0].partition(".")[0] for name in names}
        try:
            await self._cache.set({_token_key(name): _new_token() for name in entities}, None)
        except Unavailable:
            self._distrust()
            return False
        return True

    def changed(self, names: frozenset[str] | None) -> None:
        """To be called with every invalidation that this process hears."""
        if names is None or DISTRUST in names:  # None may stand for names that had it
            self._distrust()

    def samples(self) -> Iterator[Sample]:
        yield "velella_cache_lookups_total", ("shared", "hit"), self._hits
        yield "velella_cache_lookups_total", ("shared", "miss"), self._misses

    # -- inside

    def _distrust(self) -> None:
        """Make no use of it until the token of everything is replaced, after now."""
        self._trusted = False
        self._distrusted += 1
        if self._healing is None:
            self._healing = asyncio.get_running_loop().create_task(self._heal())

    async def _heal(self) -> None:
        pause, heard = FIRST_PAUSE, -1
        try:
            while heard != self._distrusted:
                heard = self._distrusted
                try:
                    await self._cache.set({_token_key(EVERYTHING): _new_token()}, None)
                except Unavailable:
                    heard = -1
                    await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                    pause = min(LONGEST_PAUSE, pause * 2)
            self._trusted = True
        finally:
            self._healing = None


def _token_key(entity: str) -> str:
    return f"{PREFIX}t:{entity}"


def _new_token() -> bytes:
    return os.urandom(12)


async def clear_shared(settings: Settings) -> None:
    """Forget everything: a shop starts, and its database may be another one than before."""
    tier = tier_of(settings)
    if tier is not None:
        if not await tier.invalidate(None):
            log.warning("the shared cache can't be reached: answers that it holds are used for up to cache_seconds")
        await tier.stop()


def tier_of(settings: Settings) -> SharedTier | None:
    """The shared cache that the settings name; None where they name none."""
    cache: SharedCache | None = CACHES.set_up(settings) if settings.cache else None
    return None if cache is None else SharedTier(cache, settings.longest_cached)


def namespace_of(settings: Settings) -> bytes:
    """What answers follow from besides rows: code and settings, as a digest. Two processes with the same one answer the same.

    Reads all code of Velella and of the shop's plugins: once in a process, and only with a shared cache.
    """
    own = Path(__file__).parents[2]
    folders = [own / name for name in ("actors", "commerce", "core", "http", "modules", "workflows")]
    for package in sorted({name.partition(":")[0].partition(".")[0] for name in (*settings.plugins, *settings.modules.values())}):
        found = importlib.util.find_spec(package)
        folders += [Path(place) for place in (found.submodule_search_locations or [found.origin or ""])] if found is not None else []
    digest = blake2b(digest_size=24)
    for file in (file for folder in folders for file in sorted(folder.rglob("*.py") if folder.is_dir() else [folder])):
        digest.update(str(file.relative_to(file.parents[1])).encode() + b"\0" + file.read_bytes())
    digest.update(settings.model_dump_json(exclude=set(NOT_ANSWERED_BY)).encode())
    return digest.digest()
