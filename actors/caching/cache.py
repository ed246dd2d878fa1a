"""The cache of a process: answers by the question, kept until something they were made from changes."""

from __future__ import annotations

import asyncio
import functools
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from ...core.errors import DeadlineExceeded
from ...core.kept import weight
from ...core.message import call_context, current_call
from ...core.metrics import Sample
from ...core.settings import Settings

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

Rows = tuple[str, ...]
"""Tags of single rows: `product:prod_1`; or of rows that hold a key: `product_variant.product_id:prod_1`."""

OVERHEAD = 300
"""Bytes that an entry costs besides its key and its value."""
NOTHING: frozenset[str] = frozenset()
ROW_OVERHEAD = 100
"""Bytes that an entry costs for each row that it was made from."""
TAG_SETS = 8192


class _Tags:
    """A set of tags that answers were made from. Its generation rises when any of them changes, so one comparison tells what is fresh."""

    __slots__ = ("generation", "names")

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.generation = 0


class _Entry:
    __slots__ = ("expires", "generation", "rows", "size", "tags", "value")

    def __init__(self, value: Any, size: int, tags: _Tags, rows: Rows, expires: float) -> None:
        self.value = value
        self.size = size
        self.tags = tags
        self.rows = rows
        self.generation = tags.generation
        self.expires = expires


class Watch:
    """Collects what changes while it is open."""

    __slots__ = ("everything", "names")

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.everything = False

    @property
    def nothing(self) -> bool:
        return not self.names and not self.everything

    def of(self, tags: frozenset[str], rows: Rows) -> bool:
        """Whether one of these rows, or any of these entities, has changed."""
        if not self.names:
            return self.everything
        return (
            self.everything
            or any(row in self.names or _entity(row) in self.names for row in rows)
            or not tags.isdisjoint(map(_entity, self.names))
        )


class _Flight:
    """A value that is being fetched."""

    __slots__ = ("heard", "rows", "tags", "task")

    def __init__(self, tags: frozenset[str], rows: Rows | None, heard: Watch) -> None:
        self.tags = tags
        self.rows = rows
        """None where they are known only at the end."""
        self.heard = heard
        """The changes since the fetch began."""
        self.task: asyncio.Task[Any] | None = None

    @property
    def fresh(self) -> bool:
        """Whether the value that comes is one of now."""
        return self.heard.nothing if self.rows is None else not self.heard.of(self.tags, self.rows)


@dataclass(slots=True)
class CacheMetrics:
    """Counts since the start of the process."""

    hits: int = 0
    misses: int = 0
    joined: int = 0
    """Look-ups that joined a fetch of the same key."""
    outdated: int = 0
    """Values that were fetched and not kept, because something changed meanwhile."""
    evicted: int = 0


class Cache:
    """Values by key: the least recently used ones are evicted when `capacity` bytes are full, all expire after `seconds`.

    While a value is fetched the cache collects what changes, and a writer calls `changed` after the commit; so what was read before the
    commit is never kept as fresh, however late it arrives. A look-up after a change never gets a value fetched before it, nor joins a
    fetch that began before it. Values are fetched one (`get_or_fill`), several (`get_or_fill_many`), or those that a page turns out to
    have (`fill`).

    A tag is an entity, and any change of its rows counts. A value made of known rows of an entity names these as `rows` instead; it is
    dropped when one of them changes, or when a change doesn't name its rows.

    Values are shared between all callers: bytes, or objects that no caller changes.
    """

    def __init__(self, capacity: int, seconds: float, *, enabled: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self.metrics = CacheMetrics()
        self.bytes = 0
        self._capacity = capacity
        self._seconds = seconds
        self._enabled = enabled and capacity > 0
        self._clock = clock
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._flights: dict[Hashable, _Flight] = {}
        self._tags: dict[frozenset[str], _Tags] = {}
        self._by_name: dict[str, list[_Tags]] = {}
        self._listeners: set[Watch] = set()
        self._by_row: dict[str, dict[str, set[Hashable]]] = {}
        """Entity → row → keys of the values made of it."""

    @classmethod
    def of(cls, settings: Settings) -> Cache:
        return cls(settings.cache_bytes, settings.longest_cached, enabled=settings.cache)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def enabled(self) -> bool:
        return self._enabled

    async def get_or_fill(
        self,
        key: Hashable,
        tags: frozenset[str],
        fill: Callable[[], Awaitable[T]],
        *,
        rows: Rows | Callable[[T], Rows] = (),
        size: Callable[[T], int] | None = None,
        made_at: Callable[[T], float] | None = None,
    ) -> T:
        """The value of a key, fetched by `fill` if it isn't cached; of several concurrent callers, one fetches.

        `key` must hold everything the value depends on, `tags` and `rows` everything it was made from; `rows` may be computed from the
        value. `size` gives the bytes of a value that isn't bytes itself; `made_at` when it was made, in seconds since 1970, where `fill`
        may have it from elsewhere. An error of `fill` is raised in all callers that waited for it,
        and isn't kept. Each caller has its own deadline: if the fetching one's passes, a caller that joined it fetches again, and waits no
        longer than its own.
        """
        if not self._enabled:
            return await fill()
        while True:
            entry = self._fresh(key)
            if entry is not None:
                known: T = entry.value
                return known
            flight = self._flights.get(key)
            if flight is None or flight.task is None or flight.tags != tags or not flight.fresh:
                break
            self.metrics.joined += 1
            try:
                return cast(T, await _in_time(flight.task))
            except DeadlineExceeded:  # the fetching caller's time was up, which needn't be ours
                if current_call().left() <= 0:
                    raise
        self.metrics.misses += 1
        flight = self._flights[key] = _Flight(tags, None if callable(rows) else rows, Watch())
        # in a task of its own: the first caller may be cancelled while others still wait
        flight.task = asyncio.create_task(self._fly(key, flight, fill, rows, size, made_at))
        flight.task.add_done_callback(_seen)
        return cast(T, await asyncio.shield(flight.task))

    def get(self, key: Hashable) -> Any:
        """The value of a key as `get_or_fill` keeps it; None if it isn't cached, or is outdated."""
        entry = self._fresh(key)
        return entry.value if entry is not None else None

    def keep(self, key: Hashable, value: bytes) -> None:
        """Keep a value that follows from its key alone, so no change makes it stale."""
        if self._enabled:
            self._put(key, value, len(value) + OVERHEAD, NOTHING, ())

    async def get_or_fill_many(
        self,
        cache_key: Callable[[K], Hashable | None],
        keys: Iterable[K],
        fill: Callable[[list[K]], Awaitable[Iterable[tuple[K, bytes]]]],
        *,
        tags: Callable[[K], frozenset[str]] = lambda key: NOTHING,
        rows: Callable[[bytes], Rows] = lambda value: (),
    ) -> dict[K, bytes]:
        """The values of several keys in their order; missing ones are fetched in one call, and what `fill` leaves out is left out.

        `cache_key`, `tags` and `rows` are those of `fill`.
        """
        values = {key: self.get(at) if (at := cache_key(key)) is not None else None for key in keys}
        missing = [key for key, value in values.items() if value is None]
        if missing:
            self.metrics.misses += len(missing)
            values |= await self.fill(cache_key, lambda: fill(missing), tags=tags, rows=rows)
        return {key: value for key, value in values.items() if value is not None}

    async def fill(
        self,
        cache_key: Callable[[K], Hashable | None],
        fetch: Callable[[], Awaitable[Iterable[tuple[K, bytes]]]],
        *,
        tags: Callable[[K], frozenset[str]] = lambda key: NOTHING,
        rows: Callable[[bytes], Rows] = lambda value: (),
    ) -> dict[K, bytes]:
        """Fetch values and keep each that nothing has changed of meanwhile.

        `cache_key` makes the cache key of a value; None for one that isn't to be cached. `tags` and `rows` return what it was made of.
        """
        with self._listening(Watch()) as heard:
            values = dict(await fetch())
        for key, value in values.items():
            at = cache_key(key)
            if at is not None:
                self._keep(at, value, len(value), heard, tags(key), rows(value))
        return values

    def holds(self, key: Hashable) -> bool:
        """Whether `get` would find the key. Doesn't count as a look-up."""
        entry = self._entries.get(key)
        return entry is not None and entry.generation == entry.tags.generation and entry.expires > self._clock()

    def changed(self, names: frozenset[str] | None) -> None:
        """Rows (`product:prod_1`) or any rows of entities (`product`) have changed, and that is committed; None: anything may have."""
        if names is None:
            self.clear()
            return
        for heard in self._listeners:
            heard.names |= names
        for name in names:
            entity = _entity(name)
            for tags in self._by_name.get(entity, ()):
                tags.generation += 1
            watched = self._by_row.get(entity)
            if watched:
                for keys in list(watched.values()) if name == entity else [watched.get(name, ())]:
                    for key in tuple(keys):
                        self._drop(key, self._entries[key])

    def clear(self) -> None:
        """Drop everything, also what is being fetched."""
        for heard in self._listeners:
            heard.everything = True
        for tags in self._tags.values():
            tags.generation += 1
        self._tags.clear()
        self._by_name.clear()
        self._by_row.clear()
        self._entries.clear()
        self.bytes = 0

    def samples(self, name: str) -> Iterator[Sample]:
        """The metrics of this cache, under its name."""
        metrics = self.metrics
        for result, times in (("hit", metrics.hits), ("miss", metrics.misses), ("joined", metrics.joined)):
            yield "velella_cache_lookups_total", (name, result), times
        for reason, times in (("evicted", metrics.evicted), ("outdated", metrics.outdated)):
            yield "velella_cache_dropped_total", (name, reason), times
        yield "velella_cache_entries", (name,), len(self)
        yield "velella_cache_bytes", (name,), self.bytes
        yield "velella_cache_capacity_bytes", (name,), self._capacity

    # -- inside

    def _fresh(self, key: Hashable) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.generation != entry.tags.generation or entry.expires <= self._clock():
            self._drop(key, entry)
            return None
        self._entries.move_to_end(key)
        self.metrics.hits += 1
        return entry

    async def _fly(
        self,
        key: Hashable,
        flight: _Flight,
        fill: Callable[[], Awaitable[T]],
        rows: Rows | Callable[[T], Rows],
        size: Callable[[T], int] | None,
        made_at: Callable[[T], float] | None,
    ) -> T:
        try:
            with self._listening(flight.heard):
                value = await fill()
            # no await from here: what has changed by now is heard, and what changes next finds the entry
            made_of = rows(value) if callable(rows) else rows
            age = max(0.0, time.time() - made_at(value)) if made_at is not None else 0.0
            self._keep(key, value, len(value) if size is None else size(value), flight.heard, flight.tags, made_of, age)  # type: ignore[arg-type]
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]
        return value

    @contextmanager
    def _listening(self, heard: Watch) -> Iterator[Watch]:
        self._listeners.add(heard)
        try:
            yield heard
        finally:
            self._listeners.discard(heard)

    def _keep(self, key: Hashable, value: Any, size: int, heard: Watch, tags: frozenset[str], rows: Rows, age: float = 0.0) -> None:
        """Keep a value that was made of these and read while `heard` was open, unless one of them has changed meanwhile."""
        if not self._enabled:
            return
        if heard.of(tags, rows):
            self.metrics.outdated += 1
        else:
            self._put(key, value, size + OVERHEAD, tags, rows, age)

    def _put(self, key: Hashable, value: Any, size: int, names: frozenset[str], rows: Rows, age: float = 0.0) -> None:
        size += weight(key) + ROW_OVERHEAD * len(rows)
        if size > self._capacity // 4:  # one giant value must not evict everything else
            return
        before = self._entries.get(key)
        if before is not None:
            self._drop(key, before)
        tags = self._tags.get(names) or self._new_tags(names)
        self._entries[key] = _Entry(value, size, tags, rows, self._clock() + self._seconds - age)
        for row in rows:
            self._by_row.setdefault(_entity(row), {}).setdefault(row, set()).add(key)
        self.bytes += size
        while self.bytes > self._capacity:
            self._drop(*next(iter(self._entries.items())))
            self.metrics.evicted += 1

    def _drop(self, key: Hashable, entry: _Entry) -> None:
        del self._entries[key]
        self.bytes -= entry.size
        for row in set(entry.rows):
            of_entity = self._by_row[_entity(row)]
            of_entity[row].discard(key)
            if not of_entity[row]:
                del of_entity[row]

    def _new_tags(self, names: frozenset[str]) -> _Tags:
        if len(self._tags) >= TAG_SETS:  # there are as many as shapes of answers: more than this means that a client plays with `fields`
            self.clear()
        tags = self._tags[names] = _Tags(names)
        for name in names:
            self._by_name.setdefault(name, []).append(tags)
        return tags


@functools.lru_cache(4096)  # every cache of a process receives each change
def _entity(name: str) -> str:
    return name.partition(":")[0].partition(".")[0]


async def _in_time(task: asyncio.Task[Any]) -> Any:
    """Wait for another caller's fetch. Raises DeadlineExceeded if that takes longer than the running call may."""
    call = call_context.get()
    try:
        async with asyncio.timeout(call.left() if call is not None else None):
            return await asyncio.shield(task)
    except TimeoutError as error:
        raise DeadlineExceeded("The answer did not come in time.") from error


def _seen(task: asyncio.Task[Any]) -> None:
    """Retrieve the error of a fetch that no caller waits for any more."""
    if not task.cancelled():
        task.exception()
