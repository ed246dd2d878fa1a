"""Third parties with which something is wrong: a proxy on a loopback port before a stand-in, which plays faults when a test says so.

killed     nobody listens, and whoever was connected isn't any more
silent     a connection is taken, and nothing comes back
slow       the answer comes, in many small pieces
failed     500, and nothing was done
limited    429 with Retry-After, and nothing was done
cut        it is done, and the answer breaks off in the middle
endless    an answer that doesn't end
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

Fault = Literal["killed", "silent", "slow", "failed", "limited", "cut", "endless"]
SAID: dict[Fault, bytes] = {
    "failed": b"HTTP/1.1 500 Oh\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html>oh</html>"[:-2],
    "limited": b"HTTP/1.1 429 Slowly\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "endless": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
}


class Faulty:
    """The proxy of one stand-in."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._fault: Fault | None = None
        self._times = 0
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.met = 0
        """Connections that a fault was played on."""

    async def play(self, fault: Fault | None, times: int = 1 << 30) -> None:
        """From now on, for so many connections; those that there are end. None: all is well."""
        self._fault, self._times, self.met = fault, times, 0
        await self.hang_up()
        if fault == "killed" and self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        elif fault != "killed" and self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def hang_up(self) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._connected(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):  # an end has gone; or `hang_up`, for which asyncio's server has no use
            writer.transport.abort()
        finally:
            self._open.discard(task)
            writer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._fault if self.met < self._times else None
        self.met += fault is not None
        if fault == "silent":
            await asyncio.Event().wait()
        elif fault in SAID:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(SAID[fault])
            while fault == "endless":
                writer.write(b" " * 65536)
                await writer.drain()
            await writer.drain()
        else:
            await self._pass_on(reader, writer, fault)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault | None) -> None:
        from_there, to_there = await asyncio.open_connection(*self._there)

        async def there() -> None:
            while data := await reader.read(1 << 16):
                to_there.write(data)
            await asyncio.Event().wait()  # the answer is still to come

        async def back() -> None:
            while data := await from_there.read(1 << 16):
                if fault == "cut":
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    return
                size = max(1, len(data) // 8) if fault == "slow" else len(data)
                for at in range(0, len(data), size):
                    writer.write(data[at : at + size])
                    await writer.drain()
                    await asyncio.sleep(0.005 if fault == "slow" else 0)

        both = [asyncio.create_task(there()), asyncio.create_task(back())]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            to_there.close()


@asynccontextmanager
async def faulty(url: str) -> AsyncIterator[Faulty]:
    """A proxy before `http://127.0.0.1:8000` or `127.0.0.1:8000`."""
    host, _, port = url.rpartition("/")[2].partition(":")
    way = Faulty(host, int(port))
    await way.play(None)
    try:
        yield way
    finally:
        await way.hang_up()
        if way._server is not None:
            way._server.close()
