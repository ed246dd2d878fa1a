"""Events in a Redis stream. An entry has the fields `id`, `name`, `created_at` (ISO 8601) and `data` (JSON)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from ...core.clock import iso
from ...core.errors import Misconfigured
from ...core.flow import Event
from ...core.ids import ulid
from ...core.json import dumps
from ...core.redis import ANSWER_SECONDS, answering, check_redis, redis_client
from .stream import Announced, EventStream

URL = "url in providers.events"
AT_ONCE = 100
LEFT_SECONDS = 30.0
"""Seconds after which what a process has taken and not acknowledged is taken by another one; it takes milliseconds."""
GONE_SECONDS = 3600.0
"""Seconds after which a consumer that takes nothing is forgotten: its process is gone."""


class RedisStream(EventStream):
    """`providers.events = [{use = "redis", options = {url = "redis://…"}}]`"""

    @classmethod
    async def check(cls, *, url: str = "", **_: Any) -> str:
        return await check_redis(url, URL)

    def __init__(
        self, *, url: str, stream: str = "velella:events", group: str = "velella", length: int = 100_000, events: Sequence[str] = ()
    ) -> None:
        """`group`: the consumer group of the shop's own processes. `length`: about how many entries are kept, the newest."""
        if length < 1:
            raise Misconfigured("length in providers.events is less than 1.", hint="About how many events the stream keeps.")
        if isinstance(events, str):
            raise Misconfigured("events in providers.events is no list.", hint='events = ["product.product.updated"]')
        self.events = tuple(events)
        self._redis = redis_client(url, URL)
        self._stream = stream
        self._group = group
        self._length = length
        self._consumer = f"{socket.gethostname()}-{os.getpid()}-{ulid()[-6:]}"
        self._looked_at = 0.0
        """When this process last found nothing that others had left, by `time.monotonic`."""
        self._from: Any = "0-0"
        """Where it looks on."""

    async def stop(self) -> None:
        try:
            with answering():
                kept = await self._redis.xpending_range(self._stream, self._group, "-", "+", 1, consumername=self._consumer)
                if not kept:  # with the consumer it would be forgotten; so another one takes it later
                    await self._redis.xgroup_delconsumer(self._stream, self._group, self._consumer)
        finally:
            await self._redis.aclose()

    async def hand_on(self, events: Sequence[Event]) -> None:
        with answering():
            async with self._redis.pipeline(transaction=True) as together:
                for event in events:
                    entry: Any = {"id": event.id, "name": event.name, "created_at": iso(event.created_at), "data": dumps(event.data)}
                    together.xadd(self._stream, entry, maxlen=self._length, approximate=True)
                await together.execute()

    async def take(self, seconds: float) -> Sequence[Announced]:
        with answering():
            try:
                if time.monotonic() >= self._looked_at + LEFT_SECONDS / 2 and (left := await self._left_by_others()):
                    return left
                milliseconds = max(1, int(min(seconds, ANSWER_SECONDS / 2) * 1000))
                found: Any = await self._redis.xreadgroup(
                    self._group, self._consumer, {self._stream: ">"}, count=AT_ONCE, block=milliseconds
                )
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                await self._make_group()
                return ()
        return [one for _, entries in found for one in _announced(entries)]

    async def acknowledge(self, taken: Sequence[Announced]) -> None:
        with answering():
            await self._redis.xack(self._stream, self._group, *(one.receipt for one in taken))

    # -- inside

    async def _left_by_others(self) -> Sequence[Announced]:
        """Take what others, most likely dead, have left; then forget those that have nothing any more."""
        self._from, entries, *_ = await self._redis.xautoclaim(
            self._stream, self._group, self._consumer, min_idle_time=int(LEFT_SECONDS * 1000), start_id=self._from, count=AT_ONCE
        )
        if entries:
            return _announced(entries)
        self._looked_at = time.monotonic()
        for consumer in await self._redis.xinfo_consumers(self._stream, self._group):
            if consumer["idle"] > GONE_SECONDS * 1000 and not consumer["pending"]:
                await self._redis.xgroup_delconsumer(self._stream, self._group, consumer["name"])
        return ()

    async def _make_group(self) -> None:
        """From the first entry on: what was handed on before is either delivered, and so begins nothing, or it isn't."""
        try:
            await self._redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):  # another process was first
                raise


def _announced(entries: Sequence[tuple[Any, Any]]) -> list[Announced]:
    """Entries as Redis gives them; before version 7 with nothing for one that was trimmed before it was acknowledged. What another system
    writes there has no id of an event, and begins nothing."""
    return [Announced(receipt.decode(), fields.get(b"id", b"").decode(errors="replace")) for receipt, fields in entries if receipt]
