"""What every cache that processes share does, and a shop with this one: no answer is older than the last change."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest
from stand_in import MemcachedStandIn
from velella_memcached import AWAY_SECONDS, Memcached

from velella.core.errors import Misconfigured, Unavailable
from velella.testing import Shop


@pytest.fixture
async def cache(server: MemcachedStandIn) -> AsyncIterator[Memcached]:
    made = Memcached(port=server.port, connections=3)
    yield made
    await made.stop()


async def test_it_keeps_bytes_of_any_kind_and_size_by_many_keys_at_once(cache: Memcached) -> None:
    values = {f"velella:t:{number}": os.urandom(12) for number in range(200)}
    values |= {"empty": b"", "lines": b"END\r\nVALUE a 0 1\r\n", "large": os.urandom(512 * 1024)}
    await cache.set(values, None)
    assert await cache.get([*values, "nowhere"]) == values
    await cache.set({"lines": b"new"}, 60)
    assert await cache.get(["lines"]) == {"lines": b"new"}
    assert await cache.get([]) == {}
    await cache.set({}, None)


async def test_it_forgets_when_the_time_is_over(cache: Memcached) -> None:
    await cache.set({"short": b"1"}, 0.4)
    await cache.set({"long": b"2"}, 60)
    async with asyncio.timeout(5):
        while await cache.get(["short", "long"]) != {"long": b"2"}:
            await asyncio.sleep(0.1)


async def test_many_ask_at_once_by_few_connections_and_each_gets_its_own_answer(cache: Memcached) -> None:
    async def ask(number: int) -> None:
        await cache.set({f"k{number}": str(number).encode()}, 60)
        assert await cache.get([f"k{number}"]) == {f"k{number}": str(number).encode()}

    asked = [asyncio.create_task(ask(number)) for number in range(60)]
    asked[7].cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert [task.exception() for task in asked if not task.cancelled()] == [None] * 59
    assert len(cache._idle) <= 3


async def test_what_it_does_not_keep_is_said_and_disturbs_no_other_answer(cache: Memcached) -> None:
    with pytest.raises(Unavailable, match=r"Memcached doesn't answer\."):
        await cache.set({"huge": bytes(2 * 1024 * 1024), "small": b"1"}, 60)
    await asyncio.sleep(AWAY_SECONDS)
    await cache.set({"small": b"2"}, 60)
    assert await cache.get(["huge", "small"]) == {"small": b"2"}


async def test_connections_that_the_server_has_closed_are_replaced(cache: Memcached, server: MemcachedStandIn) -> None:
    await asyncio.gather(*(cache.get(["a"]) for _ in range(3)))
    server.hang_up()
    await asyncio.sleep(0.05)
    await cache.set({"a": b"1"}, 60)
    assert await cache.get(["a"]) == {"a": b"1"}


@pytest.mark.parametrize("trouble", ["dead", "silent"])
async def test_a_server_that_is_away_costs_a_moment_once_and_comes_back(cache: Memcached, server: MemcachedStandIn, trouble: str) -> None:
    await cache.set({"a": b"1"}, 60)
    if trouble == "dead":
        await server.kill()
    else:
        server.freeze()
    began = time.monotonic()
    for _ in range(5):
        with pytest.raises(Unavailable):
            await cache.get(["a"])
    assert time.monotonic() - began < 1
    if trouble == "dead":
        await server.start()
    else:
        server.thaw()
    await asyncio.sleep(AWAY_SECONDS)
    await cache.set({"a": b"2"}, 60)
    assert await cache.get(["a"]) == {"a": b"2"}


async def test_its_check_says_whether_it_answers(server: MemcachedStandIn) -> None:
    said = await Memcached.check(port=server.port)
    assert said.startswith("Memcached 1.")
    await server.kill()
    with pytest.raises(Unavailable):
        await Memcached.check(port=server.port)
    with pytest.raises(Misconfigured):
        Memcached(connections=0)


async def test_a_shop_keeps_what_visitors_get_there_and_shows_nothing_that_has_changed(shop: Shop, of_shop: MemcachedStandIn) -> None:
    lamp = await shop.product("Lamp")

    async def title() -> str:
        return str((await shop.store.get(f"/store/products/{lamp['id']}"))["product"]["title"])

    assert await title() == "Lamp"
    async with asyncio.timeout(5):
        while not any(b"Lamp" in value for key, (value, _) in of_shop.kept.items() if key.startswith(b"velella:a:")):
            await asyncio.sleep(0.02)
            await title()  # an answer isn't kept that was made while a change came to be known
    tokens = {key: value for key, (value, _) in of_shop.kept.items() if key == b"velella:t:product"}
    await shop.admin.post(f"/admin/products/{lamp['id']}", {"title": "Lantern"})
    assert await title() == "Lantern"
    assert tokens
    assert of_shop.kept[b"velella:t:product"][0] not in tokens.values()
    await of_shop.kill()
    await shop.admin.post(f"/admin/products/{lamp['id']}", {"title": "Light"})
    assert await title() == "Light"
    order = await shop.order(lamp)
    assert order["items"][0]["product_title"] == "Light", "the shop goes on selling"
    await of_shop.start()
    await asyncio.sleep(AWAY_SECONDS)
    await shop.admin.post(f"/admin/products/{lamp['id']}", {"title": "Lamp again"})
    assert await title() == "Lamp again"
