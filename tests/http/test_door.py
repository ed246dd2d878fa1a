"""What a browser, a proxy and an operator meet at the door."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import socket
import zlib
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from velella.core.errors import Misconfigured
from velella.http.server import FrontEnd

from .conftest import Client, Shop, served


async def test_health_needs_nothing(client: Client) -> None:
    answer = await client("GET", "/health")
    assert (answer.status, answer.text) == (200, "OK")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("PUT", "/test/list"), ("POST", "/test/list"), ("GET", "/"), ("DELETE", "/health")]
)
async def test_what_is_not_served_is_a_page(client: Client, method: str, path: str) -> None:
    missing = await client(method, path)
    if path == "/health":
        return
    assert missing.status == 404
    assert f"<pre>Cannot {method} {path}</pre>" in missing.text
    assert missing.headers["Content-Type"].startswith("text/html")


async def test_the_page_shows_no_markup_of_the_asker(client: Client) -> None:
    missing = await client("GET", "/%3Cscript%3E")
    assert "<script>" not in missing.text


async def test_head_is_get_without_the_body(client: Client) -> None:
    answer = await client("HEAD", "/test/list")
    assert (answer.status, answer.text) == (200, "")


# -- errors


async def test_a_slip_of_ours_is_told_without_its_inside(client: Client) -> None:
    answer = await client("GET", "/test/broken")
    assert (answer.status, answer.json) == (
        500,
        {"code": "unknown_error", "type": "unknown_error", "message": "An unknown error occurred."},
    )


async def test_a_conflict_tells_how_to_go_on(client: Client) -> None:
    answer = await client("GET", "/test/conflict")
    assert answer.status == 409
    assert answer.json["code"] == "invalid_state_error"
    assert answer.json["type"] == "conflict"
    assert "Idempotency-Key" in answer.json["message"]


async def test_an_unexpected_state_is_told(client: Client) -> None:
    answer = await client("GET", "/test/books")
    assert (answer.status, answer.json) == (500, {"type": "unexpected_state", "message": "The books disagree"})


# -- limits


async def test_too_large_a_body_is_refused(client: Client) -> None:
    big = b'{"a":"' + b"x" * 120_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    refused = await client("POST", "/test/any", data=big, headers=headers)
    assert (refused.status, refused.json["type"]) == (413, "unknown_error")

    async def trickle() -> object:
        for at in range(0, len(big), 10_000):
            yield big[at : at + 10_000]

    refused = await client("POST", "/test/any", data=trickle(), headers=headers)
    assert refused.status == 413
    packed = await client("POST", "/test/any", data=gzip.compress(big), headers={**headers, "Content-Encoding": "gzip"})
    assert packed.status == 413, "what counts is what it unpacks to"
    assert (await client("POST", "/test/1/batch", data=big, headers=headers)).status == 200, "batch routes take 2 MiB"
    huge = b'{"a":"' + b"x" * (2 * 1024 * 1024) + b'"}'
    assert (await client("POST", "/test/1/batch", data=huge, headers=headers)).status == 413


async def test_a_body_that_is_not_what_it_says_is_refused(client: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused = await client("POST", "/test/any", data=b"not gzip at all", headers=headers)
    assert refused.status == 400


async def test_a_slow_answer_and_a_crowd_are_told_to_come_back(migrated_database: str, tmp_path: Path) -> None:
    async with (
        served(migrated_database, tmp_path, message_timeout=0.5, admission=2) as shop,
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, shop.base)
        late = await client("GET", "/test/slow")
        assert (late.status, late.json["type"]) == (504, "deadline_exceeded")
        waiting = [asyncio.create_task(client("GET", "/test/slow")) for _ in range(2)]
        await asyncio.sleep(0.15)
        crowd = await client("GET", "/test/list")
        assert crowd.status == 503
        assert int(crowd.headers["Retry-After"]) >= 1
        assert (await client("GET", "/health")).status == 200
        await asyncio.gather(*waiting)
        assert (await client("GET", "/test/list")).status == 200


async def test_closing_waits_for_those_inside(migrated_database: str, tmp_path: Path) -> None:
    async with served(migrated_database, tmp_path) as shop, aiohttp.ClientSession(shop.base) as session:
        inside = asyncio.create_task(Client(session, shop.base)("GET", "/test/slow", headers={"x-seconds": "0.5"}))
        await asyncio.sleep(0.1)
        await shop.front.stop()
        assert (await inside).json == {"done": True}
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get("/health")


async def test_a_taken_port_is_told(shop: Shop, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = shop.front.settings.model_copy(update={"port": taken.getsockname()[1]})
        second = FrontEnd(replace(shop.host.context, settings=settings), [])
        with pytest.raises(Misconfigured, match="can't be opened"):
            await second.start()


# -- tracing


async def test_a_request_has_an_id_that_comes_back(client: Client) -> None:
    assert (await client("GET", "/health", headers={"x-request-id": "abc-1"})).headers["x-request-id"] == "abc-1"
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await client("GET", "/health", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert answer.headers["x-request-id"] == trace
    for odd in ("a b", "x" * 200, "a;b"):
        assert (await client("GET", "/health", headers={"x-request-id": odd})).headers["x-request-id"] != odd


# -- compression


async def test_large_answers_are_compressed_for_those_who_take_it(shop: Shop) -> None:
    async with aiohttp.ClientSession(shop.base, auto_decompress=False) as session:
        sizes = {}
        for accepted, coding in (
            ("gzip, deflate, br", "gzip"),
            ("deflate", "deflate"),
            ("br", None),
            ("gzip;q=0", None),
            ("gzip;q=0.0, *", "deflate"),
            ("identity", None),
        ):
            async with session.get("/test/large", headers={"Accept-Encoding": accepted}) as answer:
                assert answer.headers.get("Content-Encoding") == coding, accepted
                assert "Accept-Encoding" in answer.headers["Vary"]
                body = await answer.read()
                sizes[accepted] = len(body)
                plain = gzip.decompress(body) if coding == "gzip" else zlib.decompress(body) if coding else body
                assert plain.startswith(b'{"text":"velella ')
        assert sizes["deflate"] < sizes["identity"] / 20
        async with session.get("/health", headers={"Accept-Encoding": "gzip"}) as answer:
            assert "Content-Encoding" not in answer.headers


# -- browsers


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [
        ("/store/people", "https://shop.example", True),
        ("/store/people", "https://a.example.org", True),
        ("/store/people", "https://example.org.evil.com", False),
        ("/store/people", "https://evil.com", False),
        ("/store/people", "null", False),
        ("/admin/people", "http://localhost:5173", True),
        ("/admin/people", "https://shop.example", False),
        ("/auth/session", "http://localhost:8000", True),
        ("/test/list", "https://shop.example", False),
    ],
)
async def test_pages_of_the_settings_may_read_answers(client: Client, path: str, origin: str, allowed: bool) -> None:
    answer = await client("GET", path, headers={"Origin": origin})
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None), "refused answers, too"
    assert ("Access-Control-Allow-Credentials" in answer.headers) is allowed
    if path != "/test/list":
        assert "Origin" in answer.headers["Vary"]


async def test_a_browser_asks_first_and_needs_no_key_for_it(client: Client) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-publishable-api-key",
    }
    answer = await client("OPTIONS", "/store/echo", headers=asked)
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type,x-publishable-api-key"
    assert (await client("OPTIONS", "/store/nowhere", headers=asked)).status == 400
    stranger = await client("OPTIONS", "/store/echo", headers={**asked, "Origin": "https://evil.com"})
    assert "Access-Control-Allow-Origin" not in stranger.headers


# -- odd requests


@pytest.mark.parametrize(
    "request_line",
    [b"GET * HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET http://other/health HTTP/1.1", b"GET /%zz HTTP/1.1", b"GET //health HTTP/1.1"],
)
async def test_odd_request_lines_are_answered(shop: Shop, request_line: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.front.port)
    writer.write(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    status = int(answer.split(b" ", 2)[1])
    assert status < 500
    assert http.client.responses[status]


async def test_a_client_that_asks_before_sending_is_told_to_go_on(shop: Shop) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.front.port)
    writer.write(
        b"POST /test/any HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 100")
    writer.write(b"{}")
    assert b"200 OK" in await asyncio.wait_for(reader.read(), 5)
    writer.close()
