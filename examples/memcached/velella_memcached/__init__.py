"""The cache that a shop's processes share, in Memcached: a provider of one's own."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from velella.core.errors import Misconfigured, Unavailable
from velella.core.service.outside import Missed, OutsideParty
from velella.core.shared_cache import SharedCache

T = TypeVar("T")
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

AWAY_SECONDS = 2.0
"""Seconds for which a server that didn't answer one isn't asked by others."""
BROKEN = (OSError, EOFError, ValueError)
"""No connection, or too late (TimeoutError is an OSError); it broke off; what nobody understands."""


class Memcached(SharedCache):
    """`providers.cache = [{use = "velella_memcached:Memcached", options = {host = "…"}}]`: Memcached's text protocol, of which two
    commands are enough."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 11211, connections: int = 8, timeout: float = 0.25) -> None:
        """`connections`: that a process opens at most. `timeout`: seconds for an answer, from asking for a connection on."""
        if connections < 1 or timeout <= 0:
            raise Misconfigured("Memcached needs a connection, and time to answer.", hint="See connections and timeout in providers.cache.")
        self._server = host, port
        self._timeout = timeout
        self._room = asyncio.Semaphore(connections)
        self._idle: list[Connection] = []
        self._away_until = 0.0
        self._party = OutsideParty("Memcached", timeout=timeout)
        self._party.count_as("cache", "memcached")

    @classmethod
    async def check(cls, **options: Any) -> str:
        cache = cls(**{"timeout": 5.0, **options})
        try:
            return await cache._asked(b"version\r\n", _version)
        finally:
            await cache.stop()

    async def stop(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        return await self._asked(b"get %b\r\n" % " ".join(keys).encode(), _values) if keys else {}

    async def set(self, values: Mapping[str, bytes], seconds: float | None) -> None:
        lives = 0 if seconds is None else math.ceil(seconds)  # 0: for ever
        sent = [b"set %b 0 %d %d\r\n%b\r\n" % (key.encode(), lives, len(value), value) for key, value in values.items()]

        async def stored(reader: asyncio.StreamReader) -> None:
            refused = {line for _ in sent if (line := await _line(reader)) != b"STORED"}
            if refused:
                raise ValueError(f"it doesn't keep a value: {refused.pop()!r}")

        if sent:
            await self._asked(b"".join(sent), stored)

    # -- inside

    async def _asked(self, request: bytes, answer: Callable[[asyncio.StreamReader], Awaitable[T]]) -> T:
        """What `answer` reads after a request. Raises Unavailable, at once where the server has just not answered."""
        if time.monotonic() < self._away_until:
            raise Unavailable("Memcached doesn't answer.", hint="It is asked again in a moment.")
        try:
            with self._party.attempt():
                async with asyncio.timeout(self._timeout), self._room:
                    return await self._exchanged(request, answer)
        except Missed as missed:  # it is silent, and somebody else is just trying
            raise missed.error from missed
        except BROKEN as error:
            self._away_until = time.monotonic() + AWAY_SECONDS * random.uniform(0.5, 1.0)
            raise Unavailable("Memcached doesn't answer.", hint=f"{type(error).__name__}: {error}") from error

    async def _exchanged(self, request: bytes, answer: Callable[[asyncio.StreamReader], Awaitable[T]]) -> T:
        while True:
            is_used = bool(self._idle)
            reader, writer = self._idle.pop() if is_used else await asyncio.open_connection(*self._server)
            try:
                writer.write(request)
                await writer.drain()
                answered = await answer(reader)
            except (ConnectionError, EOFError):
                writer.close()
                if not is_used:
                    raise
                continue  # the server has closed it since: it may be asked again, and others may be closed, too
            except BaseException:  # what is left of the answer must not be taken for that to another request
                writer.close()
                raise
            self._idle.append((reader, writer))
            return answered


async def _line(reader: asyncio.StreamReader) -> bytes:
    line = await reader.readuntil(b"\r\n")
    return line[:-2]


async def _values(reader: asyncio.StreamReader) -> dict[str, bytes]:
    """`VALUE <key> <flags> <bytes>` and as many bytes, for each that there is; then `END`."""
    found: dict[str, bytes] = {}
    while (line := await _line(reader)) != b"END":
        word, key, _, size = line.split(b" ")
        if word != b"VALUE":
            raise ValueError(f"it says {line!r}")
        found[key.decode()] = (await reader.readexactly(int(size) + 2))[:-2]
    return found


async def _version(reader: asyncio.StreamReader) -> str:
    line = await _line(reader)
    if not line.startswith(b"VERSION "):
        raise ValueError(f"it says {line!r}")
    return f"Memcached {line[8:].decode()} answers"
