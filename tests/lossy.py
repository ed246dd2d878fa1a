"""A PostgreSQL whose answers can be lost: connections go through this proxy, which drops one answer when a test asks for it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SOCKET = ".s.PGSQL.5432"


class Lossy:
    """The proxy of a server. What a client sends always arrives."""

    def __init__(self, url: str, folder: str) -> None:
        parts = urlsplit(url)
        [sockets] = parse_qs(parts.query)["host"]
        self._server = f"{sockets}/{SOCKET}"
        self.url = parts._replace(query=f"host={folder}").geturl()
        self.lost = asyncio.Event()
        """Set when the answer would have arrived."""
        self._word: bytes | None = None
        self._hangs = False
        self._hanging: list[asyncio.StreamWriter] = []

    def lose(self, word: str, *, hangs: bool = False) -> None:
        """The answer to the next message with this word in it is lost with its connection; or, if it `hangs`, never comes."""
        self._word, self._hangs = word.encode(), hangs
        self.lost.clear()

    def hang_up(self) -> None:
        """Close the connections whose answer never comes: a client would wait seconds to close them."""
        for writer in self._hanging:
            writer.close()
        self._hanging.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(self._server)
        losing = False

        async def there() -> None:
            nonlocal losing
            while data := await reader.read(1 << 16):
                if self._word is not None and self._word in data:
                    self._word, losing = None, True
                to_server.write(data)
            to_server.close()

        async def back() -> None:
            while data := await from_server.read(1 << 16):
                if losing:
                    self.lost.set()
                    if not self._hangs:
                        break
                    self._hanging.append(writer)
                else:
                    writer.write(data)
            writer.close()

        both = [asyncio.create_task(there()), asyncio.create_task(back())]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for one in both:
            one.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        for end in (writer, to_server):
            end.close()


@asynccontextmanager
async def lossy(url: str) -> AsyncIterator[Lossy]:
    """A proxy of the URL's server that can lose answers."""
    with tempfile.TemporaryDirectory(prefix="vl-") as folder:
        way = Lossy(url, folder)
        server = await asyncio.start_unix_server(way.serve, Path(folder) / SOCKET)
        try:
            yield way
        finally:
            server.close()
