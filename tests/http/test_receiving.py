"""Bodies as clients send them: packed, too large, too slow, broken off, and never longer in anybody's way than they have to be."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
import zlib
from pathlib import Path

import aiohttp
import pytest
import structlog

from .conftest import Client, Shop, served

JSON = {"Content-Type": "application/json"}
PLAIN = b'{"a":"' + b"x" * 5_000 + b'"}'
PACKED = gzip.compress(PLAIN, mtime=0)
BOMB = gzip.compress(b"\x00" * 50_000_000)


class Raw:
    """A client that writes what it likes."""

    def __init__(self, shop: Shop) -> None:
        self.port = shop.front.port

    async def __aenter__(self) -> Raw:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self.writer.close()

    def send(self, text: bytes) -> None:
        self.writer.write(text)

    def head(self, path: str, *lines: str, method: str = "POST") -> None:
        self.send("\r\n".join([f"{method} {path} HTTP/1.1", "Host: shop", *lines, "", ""]).encode("latin-1"))

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        first, *lines = head.decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(first.split()[1]), headers, body

    async def is_closed(self, seconds: float = 5.0) -> bool:
        """Whether the other side closes within a while."""
        try:
            return await asyncio.wait_for(self.reader.read(), seconds) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True


# -- packed


@pytest.mark.parametrize(("coding", "packed"), [("gzip", PACKED), ("deflate", zlib.compress(PLAIN)), ("identity", PLAIN)])
@pytest.mark.parametrize("path", ["/test/any", "/test/hook"])
async def test_a_packed_body_is_what_it_unpacks_to(client: Client, path: str, coding: str, packed: bytes) -> None:
    for data in (packed, _in_pieces(packed)):
        answer = await client("POST", path, data=data, headers={**JSON, "Content-Encoding": coding}, compress=None)
        assert answer.status == 200
        assert answer.json == ({"raw": PLAIN.decode()} if path == "/test/hook" else {"body": json.loads(PLAIN), "raw": 0})


async def _in_pieces(data: bytes, size: int = 1000) -> object:
    """Sent in chunks, without a length."""
    for at in range(0, len(data), size):
        yield data[at : at + size]
        await asyncio.sleep(0)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "identity, gzip", "deflate,gzip", "compress", "nonsense"])
async def test_other_codings_are_not_taken(shop: Shop, coding: str) -> None:
    async with Raw(shop) as raw:
        raw.head("/test/any", f"Content-Encoding: {coding}", "Content-Type: application/json", "Content-Length: 50000000")
        status, headers, body = await raw.answer()
        assert (status, headers["connection"]) == (415, "close")
        assert json.loads(body)["message"].startswith("unsupported content encoding")
        assert await raw.is_closed()


async def test_two_headers_of_codings_are_two_codings(shop: Shop) -> None:
    async with Raw(shop) as raw:
        raw.head("/test/any", "Content-Encoding: gzip", "Content-Encoding: gzip", "Content-Length: 10")
        assert (await raw.answer())[0] in (400, 415)


@pytest.mark.parametrize(
    "packed",
    [
        PACKED[:-9],
        PACKED + b"more",
        PACKED + PACKED,
        b"\x1f\x8b" + b"x" * 50,
        b"no",
    ],
)
async def test_what_is_not_gzip_is_refused(client: Client, packed: bytes) -> None:
    refused = await client("POST", "/test/any", data=packed, headers={**JSON, "Content-Encoding": "gzip"}, compress=None)
    assert (refused.status, refused.json["type"]) == (400, "invalid_data")


@pytest.mark.parametrize("path", ["/test/any", "/test/1/batch", "/test/hook", "/admin/people", "/store/echo", "/nowhere"])
async def test_a_bomb_is_not_inflated(shop: Shop, path: str) -> None:
    """Nor what comes after a refusal: the process has no more to do than with any other body."""
    before = time.process_time()
    for lines in (["Content-Length: 40000000"], ["Transfer-Encoding: chunked"]):
        async with Raw(shop) as raw:
            raw.head(path, "Content-Encoding: gzip", "Content-Type: application/json", *lines)
            chunk = BOMB if "Length" in lines[0] else f"{len(BOMB):x}\r\n".encode() + BOMB + b"\r\n"
            try:
                for _ in range(600):
                    raw.send(chunk)
                    await asyncio.wait_for(raw.writer.drain(), 5)
                pytest.fail("all of it was taken")
            except (ConnectionError, TimeoutError):
                pass
    assert time.process_time() - before < 2.0, "what the client of this test takes included"


async def test_the_answer_is_seen_although_the_body_is_not_read(client: Client) -> None:
    for size in (200_000, 5_000_000):
        refused = await client("POST", "/test/any", data=b"x" * size, headers=JSON)
        assert refused.status == 413


@pytest.mark.parametrize(("path", "status"), [("/admin/people", 401), ("/store/echo", 400), ("/nowhere", 404), ("/test/list", 404)])
async def test_a_refusal_before_the_body_has_come_ends_the_connection(shop: Shop, path: str, status: int) -> None:
    async with Raw(shop) as raw:
        raw.head(path, "Content-Type: application/json", "Content-Length: 1000")
        answered, headers, _ = await raw.answer()
        assert (answered, headers["connection"]) == (status, "close")
        raw.send(b"x" * 1000 + b"GET /health HTTP/1.1\r\nHost: shop\r\n\r\n")
        assert await raw.is_closed()


async def test_a_refusal_of_a_body_that_is_there_keeps_the_connection(shop: Shop) -> None:
    async with Raw(shop) as raw:
        for _ in range(3):
            raw.send(b"POST /admin/people HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\n{}")
            status, headers, _ = await raw.answer()
            assert status == 401
            assert "connection" not in headers


# -- slow


async def test_who_sends_a_body_byte_by_byte_takes_nobodys_place(migrated_database: str, tmp_path: Path) -> None:
    async with served(migrated_database, tmp_path, admission=4, receive_timeout=2.0) as shop, aiohttp.ClientSession() as session:
        client = Client(session, shop.base)
        slow = [Raw(shop) for _ in range(40)]
        for each in slow:
            await each.__aenter__()
            each.head("/test/any", "Content-Type: application/json", "Content-Length: 1000")
            each.send(b"{")
        await asyncio.sleep(0.1)
        for _ in range(20):
            assert (await client("GET", "/test/list")).status == 200
            assert (await client("POST", "/test/any", {"a": 1})).status == 200
        for each in slow:
            status, headers, body = await each.answer()
            assert (status, headers["connection"]) == (408, "close")
            assert json.loads(body)["type"] == "invalid_data"
            await each.__aexit__()


async def test_a_body_that_comes_on_has_longer(migrated_database: str, tmp_path: Path) -> None:
    async with served(migrated_database, tmp_path, receive_timeout=1.0, receive_rate=100) as shop, Raw(shop) as raw:
        raw.head("/test/any", "Content-Type: application/json", "Content-Length: 2000")
        for _ in range(20):
            raw.send(b"[" + b" " * 98 + b"]" if _ == 19 else b" " * 100)
            await asyncio.sleep(0.15)
        assert (await raw.answer())[0] == 200


async def test_the_time_for_an_answer_begins_when_the_body_is_there(migrated_database: str, tmp_path: Path) -> None:
    async with served(migrated_database, tmp_path, receive_timeout=5.0, message_timeout=1.0) as shop, Raw(shop) as raw, Raw(shop) as other:
        for each, path in ((raw, "/test/late"), (other, "/test/any")):
            each.head(path, "Content-Type: application/json", "Content-Length: 10")
            each.send(b'{"a":')
        await asyncio.sleep(1.3)
        raw.send(b'"xy"}')
        other.send(b'"xy"}')
        assert (await other.answer())[0] == 200, "a body has the time that receive_timeout and receive_rate give it"
        began = time.monotonic()
        status, _, body = await raw.answer()
        assert (status, json.loads(body)["type"]) == (504, "deadline_exceeded"), "and no more time than others for what comes then"
        assert 0.5 < time.monotonic() - began < 3.0


async def test_who_breaks_off_is_no_trouble(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with structlog.testing.capture_logs() as lines:
        async with Raw(shop) as raw:
            raw.head("/test/any", "Content-Type: application/json", "Content-Length: 1000")
            raw.send(b"{")
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
    chore = "a chore failed"  # this shop has no payments to settle, and says so now and then
    assert not [line for line in lines if line["log_level"] in ("error", "warning") and line["event"] != chore]


# -- heads


async def test_a_head_that_does_not_come_is_not_waited_for(migrated_database: str, tmp_path: Path) -> None:
    async with served(migrated_database, tmp_path, receive_timeout=1.0) as shop, Raw(shop) as silent, Raw(shop) as slow, Raw(shop) as later:
        slow.send(b"GET /health HTTP/1.1\r\nX: ")
        later.head("/health", method="GET")
        assert (await later.answer())[0] == 200
        await asyncio.sleep(1.5)
        later.head("/health", method="GET")
        assert (await later.answer())[0] == 200, "between two requests a connection may rest"
        later.send(b"GET /hea")
        for raw in (silent, slow, later):
            status, headers, _ = await raw.answer()
            assert (status, headers["connection"]) == (408, "close")
            assert await raw.is_closed()


async def test_a_long_answer_is_not_taken_for_a_late_head(migrated_database: str, tmp_path: Path) -> None:
    async with served(migrated_database, tmp_path, receive_timeout=0.5) as shop, Raw(shop) as raw:
        raw.head("/test/slow", "x-seconds: 3", method="GET")
        raw.send(b"GET /health HTTP/1.1\r\nHo")
        assert (await raw.answer())[0] == 200


async def test_an_answer_that_nobody_takes_is_let_go(migrated_database: str, tmp_path: Path) -> None:
    async with served(migrated_database, tmp_path, receive_timeout=1.0) as shop:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listening.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(listening, ("127.0.0.1", shop.front.port))
        await loop.sock_sendall(listening, b"GET /test/large HTTP/1.1\r\nHost: x\r\n\r\n" * 30)
        server = shop.front._runner.server  # type: ignore[union-attr]
        await asyncio.sleep(0.3)
        assert len(server.connections) == 1
        for _ in range(100):
            if not server.connections:
                break
            await asyncio.sleep(0.1)
        assert server.connections == []
        listening.close()


# -- many


async def test_one_address_has_so_many_connections(migrated_database: str, tmp_path: Path) -> None:
    async with served(migrated_database, tmp_path, connections_per_address=3, trusted_proxies=[]) as shop:
        held = [Raw(shop) for _ in range(3)]
        for each in held:
            await each.__aenter__()
            each.head("/health", method="GET")
            assert (await each.answer())[0] == 200
        async with Raw(shop) as more:
            status, headers, _ = await more.answer()
            assert (status, headers["connection"]) == (503, "close")
            assert int(headers["retry-after"]) > 0
            assert await more.is_closed()
        await held[0].__aexit__()
        await asyncio.sleep(0.1)
        async with Raw(shop) as again:
            again.head("/health", method="GET")
            assert (await again.answer())[0] == 200, "one that has closed makes room"
        for each in held[1:]:
            await each.__aexit__()


async def test_a_trusted_proxy_has_as_many_as_it_likes(migrated_database: str, tmp_path: Path) -> None:
    async with served(migrated_database, tmp_path, connections_per_address=2, trusted_proxies=["127.0.0.1/32"]) as shop:
        held = [Raw(shop) for _ in range(6)]
        for each in held:
            await each.__aenter__()
        for each in held:
            each.head("/health", method="GET")
            assert (await each.answer())[0] == 200
            await each.__aexit__()


# -- malformed


MALFORMED = [
    b"nonsense\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x07b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 300 + b"\r\n",
    b"POST /test/any HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    b"POST /test/any HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /test/any HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
async def test_malformed_requests_are_told_in_our_words(shop: Shop, text: bytes) -> None:
    with structlog.testing.capture_logs() as lines:
        async with Raw(shop) as raw:
            raw.send(text)
            status, headers, body = await raw.answer()
            assert await raw.is_closed()
    assert status == 400
    assert json.loads(body)["type"] == "invalid_data"
    assert headers["server"] == "velella"
    assert headers["x-content-type-options"] == "nosniff"
    for library in (b"aiohttp", b"python", b"llhttp", b"message:"):
        assert library not in body.lower()
    assert [line["log_level"] for line in lines if line["event"] != "request"] in ([], ["info"])
    assert not any("exc_info" in line for line in lines)


# -- letters that no text column takes


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/test/list?q=%00", {}),
        ("GET", "/health?q=%00", {}),
        ("GET", "/store/folk/a%00b", {}),
        ("GET", "/static/a%00b", {}),
        ("GET", "/app/assets/a%00b", {}),
        ("GET", "/nowhere/%00", {}),
        ("GET", "/auth/customer/emailpass?email=%00", {}),
        ("GET", "/store/people", {"x-publishable-api-key": b"pk_\xff\xfe"}),
        ("GET", "/admin/people", {"Authorization": b"Bearer \xff"}),
        ("GET", "/admin/people", {"Authorization": b"Basic \xff"}),
        ("GET", "/admin/people", {"Cookie": b"connect.sid=\xff"}),
        ("GET", "/store/people", {"Origin": b"\xff"}),
        ("GET", "/store/people", {"If-None-Match": b"\xff"}),
        ("GET", "/health", {"x-request-id": b"\xff"}),
    ],
)
async def test_addresses_and_headers_hold_text(shop: Shop, method: str, path: str, headers: dict[str, bytes]) -> None:
    async with Raw(shop) as raw:
        lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in headers.items())
        raw.send(f"{method} {path} HTTP/1.1\r\nHost: x\r\n".encode() + lines + b"\r\n")
        status, _, body = await raw.answer()
    assert (status, json.loads(body)["type"]) == (400, "invalid_data")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/store/folk/%ED%A0%80", {}),
        ("/store/folk/%FF", {}),
        ("/store/folk?q=%FF%FE", {}),
        ("/admin/people", {"Authorization": "Basic c2tfAA=="}),
        ("/admin/people", {"Authorization": "Basic c2tf//8="}),
    ],
)
async def test_bytes_that_are_no_text_are_nobodys_fault(store: Client, path: str, headers: dict[str, str]) -> None:
    assert (await store("GET", path, headers=headers)).status in (200, 401, 404)


# -- every answer


@pytest.mark.parametrize(
    "path", ["/health", "/test/list", "/test/broken", "/nowhere", "/static/nothing", "/app", "/metrics", "/openapi.json", "/store/people"]
)
async def test_every_answer_says_who_we_are_and_forbids_guessing(client: Client, path: str) -> None:
    answer = await client("GET", path)
    assert answer.headers.getall("Server") == ["velella"]
    assert answer.headers.getall("X-Content-Type-Options") == ["nosniff"]


async def test_so_does_one_without_a_body(store: Client) -> None:
    first = await store("GET", "/store/people")
    again = await store("GET", "/store/people", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    preflight = await store("OPTIONS", "/store/echo", headers={"Origin": "https://shop.example"})
    for answer in (again, preflight):
        assert answer.headers["Server"] == "velella"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
