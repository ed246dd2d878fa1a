"""A Memcached of the tests' own, as far as its protocol.txt says what `get`, `set` and `version` do; and real ones, in the same clothes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import Self

MOST_BYTES = 1024 * 1024
"""Of a value, as Memcached itself has it."""


class MemcachedStandIn:
    """Up between `start` and `kill`; `freeze` makes it silent until `thaw`."""

    def __init__(self) -> None:
        self.port = 0
        self.kept: dict[bytes, tuple[bytes, float | None]] = {}
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._well = asyncio.Event()

    async def start(self) -> Self:
        self._well.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1024 * 1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def kill(self) -> None:
        if self._server is not None:
            self._server.close()
            self.hang_up()
            self._server = None
        self.kept.clear()

    def hang_up(self) -> None:
        """Close the connections that there are, as a server does that is short of them."""
        for writer in self._clients:
            writer.close()

    def freeze(self) -> None:
        self._well.clear()

    def thaw(self) -> None:
        self._well.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                words = (await reader.readuntil(b"\r\n")).split()
                await self._well.wait()
                match words:
                    case [b"get", *keys]:
                        for key in keys:
                            value, until = self.kept.get(key, (b"", 0.0))
                            if until is None or until > time.monotonic():
                                writer.write(b"VALUE %b 0 %d\r\n%b\r\n" % (key, len(value), value))
                        writer.write(b"END\r\n")
                    case [b"set", key, _, lives, size]:
                        value = (await reader.readexactly(int(size) + 2))[:-2]
                        if len(value) > MOST_BYTES:
                            writer.write(b"SERVER_ERROR object too large for cache\r\n")
                        else:
                            self.kept[key] = value, time.monotonic() + int(lives) if int(lives) else None
                            writer.write(b"STORED\r\n")
                    case [b"version"]:
                        writer.write(b"VERSION 1.6.0\r\n")
                    case _:
                        writer.write(b"ERROR\r\n")
                await writer.drain()
        self._clients.discard(writer)
        writer.close()


class RealMemcached(MemcachedStandIn):
    """The `memcached` that is installed."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> Self:
        user = ("-u", "root")  # which it asks for where root starts it
        self._process = await asyncio.create_subprocess_exec("memcached", "-l", "127.0.0.1", "-p", str(self.port), *user)
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return self
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    def hang_up(self) -> None:
        """It closes none by itself."""

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
