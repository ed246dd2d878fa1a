"""Sessions of browsers, wherever they are kept."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core.errors import Misconfigured, Unavailable
from velella.core.settings import ProviderSettings, Settings
from velella.modules.auth.redis_sessions import RedisSessions
from velella.modules.auth.sessions import SESSIONS

from ..conftest import RedisServer, clone
from ..signing import cheap_hashes
from .conftest import Client, Shop, served


def by(store: str, url: str) -> dict[str, Any]:
    return {**cheap_hashes(), "session": [ProviderSettings(use=store, options={"url": url} if store == "redis" else {})]}


async def cookie_of(client: Client, token: str) -> Client:
    """A browser whose session was begun with that token."""
    begun = await client.with_(authorization=f"Bearer {token}")("POST", "/auth/session")
    assert begun.status == 200, begun.text
    return client.with_(cookie=begun.headers["Set-Cookie"].partition(";")[0])


@pytest.fixture(scope="module", params=["postgres", "redis"])
async def kept(
    request: pytest.FixtureRequest, postgres: EmbeddedPostgres, migrated: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    """A shop that keeps its sessions there."""
    folder = tmp_path_factory.mktemp("sessions")
    async with served(await clone(postgres, migrated), folder, providers=by(request.param, redis_url)) as made:
        yield made


class TestEveryStore:
    """The contract: `SessionStore`."""

    @pytest.fixture
    def shop(self, kept: Shop) -> Shop:
        return kept

    @pytest.fixture
    async def client(self, shop: Shop) -> AsyncIterator[Client]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield Client(session, shop.base)

    async def test_it_is_there_until_its_browser_logs_out_however_warm(self, shop: Shop, client: Client) -> None:
        browser = await cookie_of(client, await shop.token("user", "user_1"))
        for _ in range(3):
            assert (await browser("GET", "/admin/people")).status == 200
        assert (await browser("DELETE", "/auth/session")).status == 200
        assert (await browser("GET", "/admin/people")).status == 401
        assert (await browser("DELETE", "/auth/session")).status == 401

    async def test_it_ends_with_the_secret_that_began_it(self, shop: Shop, client: Client) -> None:
        auth = shop.host.modules.auth
        identity = await auth.create_identity("emailpass", "secret@example.com", {})
        await shop.host.modules.user.create("user", [{"id": "user_secret", "email": "secret@example.com"}])
        await auth.set_actor(identity["id"], "user", "user_secret")
        browser = await cookie_of(client, await shop.token("user", "user_secret"))
        assert (await browser("GET", "/admin/people")).status == 200
        word = await auth.begin_reset("emailpass", "secret@example.com", "user", 60.0)
        await auth.update_by_reset(word, "emailpass", "user", {"password": "another-secret"})
        assert (await browser("GET", "/admin/people")).status == 401

    async def test_it_runs_out_and_using_it_lets_it_live_on_but_not_for_ever(self, shop: Shop) -> None:
        auth = shop.host.modules.auth
        data = {"auth_identity_id": "authid_1", "auth_time": 1, "app_metadata": {"é": None}}
        unused, used, ending = await asyncio.gather(
            auth.open_session(data, 0.5, 3600.0), auth.open_session(data, 0.5, 3600.0), auth.open_session(data, 0.5, 0.5)
        )
        assert len({unused, used, ending}) == 3
        assert await auth.session(used) == await auth.session(ending) == data
        await asyncio.sleep(0.6)
        assert [await auth.session(one) for one in (unused, used, ending)] == [None, data, None]
        assert [await auth.close_session(one) for one in (unused, used, used)][1:] == [True, False]
        assert await auth.session(used) is None
        assert await auth.session("made up") is None

    async def test_who_reads_the_store_cannot_be_anybody(self, shop: Shop, redis_url: str) -> None:
        opened = await shop.host.modules.auth.open_session({"auth_identity_id": "authid_1"}, 60.0, 60.0)
        if isinstance(shop.host.services["auth"]._sessions, RedisSessions):
            async with Redis.from_url(redis_url) as redis:
                kept = [key async for key in redis.scan_iter("velella:session:*")]
        else:
            rows = await shop.host.database("auth").fetch_rows(_statement("SELECT id FROM auth_session"))
            kept = [row[0].encode() for row in rows]
        assert kept
        assert not any(opened.encode() in key for key in kept)


def _statement(sql: str) -> Any:
    from velella.core.sql.db.compiled import BoundStatement

    return BoundStatement(sql)


async def test_while_redis_is_dead_or_slow_buyers_go_on_as_guests_and_others_hear_so_at_once(
    postgres: EmbeddedPostgres, migrated: str, own_redis: RedisServer, tmp_path: Path
) -> None:
    async with (
        served(await clone(postgres, migrated), tmp_path, providers=by("redis", own_redis.url)) as shop,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        client = Client(session, shop.base)
        [key] = await shop.host.modules.api_key.create_keys([{"title": "t", "type": "publishable", "created_by": "test"}])
        customer, user = await shop.token("customer", "cus_1"), await shop.token("user", "user_1")
        buyer = (await cookie_of(client, customer)).with_(x_publishable_api_key=key["token"])
        merchant = await cookie_of(client, user)

        async def answers() -> tuple[Any, int, int, int, int]:
            shop.front._credentials._known.clear()
            began = time.monotonic()
            asked = [
                await buyer("POST", "/store/echo", {"name": "x"}),
                await buyer("GET", "/store/customers/me/echo"),
                await merchant("GET", "/admin/people"),
                await client.with_(authorization=f"Bearer {user}")("GET", "/admin/people"),
                await merchant.with_(authorization=f"Bearer {user}")("GET", "/admin/people"),
            ]
            assert time.monotonic() - began < 4
            assert all("Retry-After" in one.headers for one in asked if one.status == 503)
            return asked[0].json["customer"], *(one.status for one in asked[1:])  # type: ignore[return-value]

        assert await answers() == ("cus_1", 200, 200, 200, 200)
        own_redis.process.send_signal(signal.SIGSTOP)
        assert await answers() == (None, 503, 503, 200, 200)
        own_redis.process.send_signal(signal.SIGCONT)
        await asyncio.sleep(2.1)
        assert await answers() == ("cus_1", 200, 200, 200, 200)
        own_redis.kill()
        assert await answers() == (None, 503, 503, 200, 200)
        asked = {
            labels: value for name, labels, value in shop.host.context.metrics.samples() if name == "velella_provider_duration_seconds"
        }
        assert {outcome for module, _, outcome in asked if module == "session"} == {"ok", "timeout", "unreachable"}
        own_redis.start()  # it has lost everything: everybody signs in again
        await asyncio.sleep(2.1)
        assert await answers() == (None, 401, 401, 200, 200)
        again = await cookie_of(client, user)
        assert (await again("GET", "/admin/people")).status == 200


@pytest.mark.parametrize(
    ("use", "options", "said"),
    [
        ("postgress", {}, "providers.session has no `postgress`. Did you mean `postgres`?"),
        ("redis", {}, "providers.session: `redis` needs the option `url`."),
        ("redis", {"url": "redis://a", "prefx": "a"}, "providers.session: `redis` takes no option `prefx`. Did you mean `prefix`?"),
        ("postgres", {"url": "redis://a"}, "providers.session: `postgres` takes no option `url`."),
    ],
)
def test_a_mistake_stops_the_start(use: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        SESSIONS.set_up(Settings(_env_file=None, providers={"session": [ProviderSettings(use=use, options=options)]}), object())
    assert refused.value.message.startswith(said)


async def test_its_check_says_whether_redis_answers(redis_url: str) -> None:
    assert await RedisSessions.check(url=redis_url) == "Redis answers"
    with pytest.raises(Unavailable) as refused:
        await RedisSessions.check(url="unix:///nowhere.sock")
    assert "url in providers.session" in str(refused.value.hint)
