"""Clients that mean harm at a served shop's door: they cost it next to nothing, and nobody waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import psutil
import pytest

from .served import Api, Served
from .shop import Shop

SLOW = 700
"""Connections; each process has room for 512 messages."""
BOMB = gzip.compress(b"\x00" * 30_000_000)


async def processes(colony: Served) -> list[psutil.Process]:
    return [psutil.Process(int(pid)) for pid in (await colony.command("status", "--pids")).split()]


def spent(of: list[psutil.Process]) -> tuple[float, int]:
    """CPU seconds and bytes of memory."""
    times = [process.cpu_times() for process in of]
    return sum(time.user + time.system for time in times), sum(process.memory_info().rss for process in of)


@contextlib.asynccontextmanager
async def connected(colony: Served) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    split = urlsplit(colony.base)
    reader, writer = await asyncio.open_connection(split.hostname, split.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_bodies_of_one_byte_are_in_nobodys_way(colony: Served, shop: Shop) -> None:
    store = await colony.store(shop.key)
    head = f"POST /store/carts HTTP/1.1\r\nHost: x\r\nx-publishable-api-key: {shop.key}\r\nContent-Length: 900\r\n\r\n{{"
    async with contextlib.AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(connected(colony)) for _ in range(SLOW)]
        for _, writer in slow:
            writer.write(head.encode())
        for _ in range(20):
            await store.get("/store/regions")
            await store.post("/store/carts", {})
        answers = await asyncio.gather(*(asyncio.wait_for(reader.readline(), 60) for reader, _ in slow))
    assert {answer.split()[1] for answer in answers} == {b"408"}


@pytest.mark.parametrize(
    "path", ["/store/carts", "/hooks/payment/system_default", "/admin/products/batch", "/admin/uploads", "/auth/user/emailpass"]
)
async def test_a_bomb_is_not_inflated_whoever_it_is_sent_to(colony: Served, shop: Shop, path: str) -> None:
    admin: Api = await colony.admin()
    there = await processes(colony)
    cpu, memory = spent(there)
    for authorization in (admin.headers["authorization"], "nobody"):
        async with connected(colony) as (reader, writer):
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nx-publishable-api-key: {shop.key}\r\n"
                "Content-Type: application/json\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
            )
            with contextlib.suppress(ConnectionError, TimeoutError):
                for _ in range(300):
                    writer.write(f"{len(BOMB):x}\r\n".encode() + BOMB + b"\r\n")
                    await asyncio.wait_for(writer.drain(), 3)
            with contextlib.suppress(ConnectionError):
                assert (await asyncio.wait_for(reader.readline(), 5)).split()[1:2] in ([], [b"400"], [b"401"], [b"413"], [b"415"])
    await asyncio.sleep(1.0)
    after, more = spent(there)
    assert after - cpu < 3.0, "a second and a half each, with all that a shop does by itself"
    assert more - memory < 50 * 1024 * 1024
    assert all(process.is_running() for process in there), "nobody was killed for it"


async def test_numbers_do_not_grow_behind_the_door(colony: Served, shop: Shop) -> None:
    store, admin = await colony.store(shop.key), await colony.admin()
    numbers = ",".join(["1e99999"] * 4000)

    for api, path in ((store, "/store/carts"), (admin, "/admin/customers"), (admin, "/admin/products")):
        body = f'{{"email":"a@example.com","title":"a","metadata":{{"a":[{numbers}]}}}}'
        headers = {**api.headers, "Content-Type": "application/json"}
        async with api.session.post(api.base + path, data=body, headers=headers) as answer:
            assert answer.status == 400
            assert "64 digits" in await answer.text()
