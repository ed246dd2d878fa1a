"""Answers that the front ends of a shop share: what every visitor gets, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core.settings import ProviderSettings

from ..conftest import RedisServer, clone
from ..signing import cheap_hashes
from .conftest import Client, Shop, served


@pytest.fixture
async def database(postgres: EmbeddedPostgres, migrated: str) -> str:
    return await clone(postgres, migrated)


@asynccontextmanager
async def another(database: str, folder: Path, redis: RedisServer, **settings: Any) -> AsyncIterator[tuple[Shop, Client]]:
    """A process of the shop that has just started, and a client of it."""
    providers = {**cheap_hashes(), "cache": [ProviderSettings(use="redis", options={"url": redis.url})]}
    async with (
        served(database, folder, providers=providers, **settings) as shop,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        yield shop, Client(session, shop.base)
        assert shop.host.context.shared is not None


async def new_key(shop: Shop) -> str:
    [key] = await shop.host.modules.api_key.create_keys([{"title": "t", "type": "publishable", "created_by": "test"}])
    return str(key["token"])


async def test_a_process_that_has_just_started_answers_from_what_others_made_and_never_with_what_has_changed(
    database: str, tmp_path: Path, own_redis: RedisServer
) -> None:
    async with another(database, tmp_path, own_redis) as (shop, client):
        key = await new_key(shop)
        visitor = client.with_(x_publishable_api_key=key)
        [person] = await shop.host.modules.user.create("user", [{"email": "a@example.com"}])
        first = await visitor("GET", "/store/counted")
        buyer = visitor.with_(authorization=f"Bearer {await shop.token('customer', 'cus_1')}")
        asked = (await buyer("GET", "/store/counted")).json["asked"]
        assert asked == first.json["asked"] + 1
        while shop.host.context.shared._keeping:
            await asyncio.sleep(0.01)

        async with another(database, tmp_path, own_redis) as (new, to_new):
            newcomer = to_new.with_(x_publishable_api_key=key)
            shared = await newcomer("GET", "/store/counted")
            assert (shared.text, shared.headers["ETag"]) == (first.text, first.headers["ETag"])
            lookups = {labels: value for name, labels, value in new.host.metrics.samples() if name == "velella_cache_lookups_total"}
            assert lookups["shared", "hit"] == 1
            theirs = await newcomer.with_(authorization=buyer.headers["authorization"])("GET", "/store/counted")
            assert theirs.json == {"asked": asked + 1, "customer": "cus_1"}, "what a customer gets is never shared"
            assert (await newcomer("GET", "/store/counted?fields=id")).json["asked"] == asked + 2, "nor what was asked for otherwise"

        await shop.host.modules.user.update("user", [{"id": person["id"], "first_name": "Ada"}])
        async with another(database, tmp_path, own_redis) as (new, to_new):
            changed = await to_new.with_(x_publishable_api_key=key)("GET", "/store/counted")
            assert changed.json["asked"] > asked, "it was made anew"
        async with another(database, tmp_path, own_redis, store_cors="https://other.example") as (new, to_new):
            otherwise = await to_new.with_(x_publishable_api_key=key)("GET", "/store/counted")
            assert otherwise.json["asked"] > changed.json["asked"], "other settings, other answers"

        own_redis.kill()
        await shop.host.modules.user.update("user", [{"id": person["id"], "first_name": "Bob"}])
        assert (await visitor("GET", "/store/counted")).json["asked"] > otherwise.json["asked"], "without it the shop answers as ever"


async def test_how_long_an_answer_was_kept_elsewhere_counts(database: str, tmp_path: Path, own_redis: RedisServer) -> None:
    async with another(database, tmp_path, own_redis, cache_seconds=2.0) as (shop, client):
        key = await new_key(shop)
        visitor = client.with_(x_publishable_api_key=key)
        first = (await visitor("GET", "/store/counted")).json["asked"]
        while shop.host.context.shared._keeping:
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.2)
        async with another(database, tmp_path, own_redis, cache_seconds=2.0) as (_, to_new):
            newcomer = to_new.with_(x_publishable_api_key=key)
            assert (await newcomer("GET", "/store/counted")).json["asked"] == first
            await asyncio.sleep(1.0)
            assert (await newcomer("GET", "/store/counted")).json["asked"] > first
