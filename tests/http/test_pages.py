"""Browsers' pages: which may read answers, and which may act in the name of who is signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres

from ..conftest import clone
from .conftest import Client, Shop, served


@pytest.fixture(scope="module")
async def open_shop(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """A shop that any page may read of, and that says where it is."""
    settings = {"store_cors": "*", "admin_cors": "*,https://desk.example", "auth_cors": "*", "public_url": "https://shop.example"}
    async with served(await clone(postgres, migrated), tmp_path_factory.mktemp("open"), **settings) as made:
        yield made


async def signed_in(shop: Shop, session: aiohttp.ClientSession) -> Client:
    """A merchant's browser: a session's cookie and nothing else."""
    client = Client(session, shop.base)
    begun = await client.with_(authorization=f"Bearer {await shop.token('user', 'user_1')}")("POST", "/auth/session")
    session.cookie_jar.clear()
    return client.with_(cookie=begun.headers["Set-Cookie"].partition(";")[0])


# -- reading


@pytest.mark.parametrize(
    ("path", "origin", "named"),
    [
        ("/store/people", "https://evil.com", False),
        ("/admin/people", "https://evil.com", False),
        ("/auth/session", "https://evil.com", False),
        ("/admin/people", "null", False),
        ("/admin/people", "https://desk.example", True),
    ],
)
async def test_any_page_may_read_what_anybody_may_see_but_not_by_a_cookie(open_shop: Shop, path: str, origin: str, named: bool) -> None:
    async with aiohttp.ClientSession() as session:
        client = Client(session, open_shop.base)
        for method in ("GET", "OPTIONS"):
            answer = await client(method, path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
            assert answer.headers.get("Access-Control-Allow-Origin") == (origin if named else "*")
            assert answer.headers.get("Access-Control-Allow-Credentials") == ("true" if named else None)


# -- writing


FOREIGN = [
    {"Origin": "https://evil.com"},
    {"Origin": "null"},
    {"Origin": "https://shop.example.evil.com"},
    {"Origin": "http://shop.example"},
    {"Origin": "https://evil.com", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://blog.shop.example", "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
OURS: list[dict[str, str]] = [
    {},
    {"Origin": "https://shop.example"},
    {"Origin": "https://SHOP.example"},
    {"Origin": "https://desk.example"},
    {"Origin": "https://desk.example", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://behind.a.proxy", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(("method", "path"), [("POST", "/admin/people"), ("DELETE", "/admin/people/user_1"), ("DELETE", "/auth/session")])
async def test_a_cookie_does_not_write_for_somebody_elses_page(open_shop: Shop, method: str, path: str, headers: dict[str, str]) -> None:
    async with aiohttp.ClientSession() as session:
        merchant = await signed_in(open_shop, session)
        refused = await merchant(method, path, {"email": "made@evil.com"}, headers=headers)
        assert (refused.status, refused.json["type"]) == (403, "forbidden")
        assert (await merchant("GET", "/admin/people?email=made@evil.com", headers=headers)).json["count"] == 0, "reading goes on"


@pytest.mark.parametrize("headers", OURS)
async def test_it_does_for_ours(open_shop: Shop, headers: dict[str, str]) -> None:
    async with aiohttp.ClientSession() as session:
        merchant = await signed_in(open_shop, session)
        taken = await merchant("DELETE", "/admin/people/user_that_is_not_there", headers=headers)
        assert taken.status != 403
        own = {**headers, "Origin": open_shop.base} if "Origin" not in headers else headers
        assert (await merchant("DELETE", "/auth/session", headers=own)).status == (403 if "desk" in own["Origin"] else 200)


async def test_a_token_is_no_cookie(open_shop: Shop) -> None:
    """A page that knows the token has been given it."""
    async with aiohttp.ClientSession() as session:
        client = Client(session, open_shop.base).with_(authorization=f"Bearer {await open_shop.token('user', 'user_1')}")
        assert (await client("DELETE", "/admin/people/user_x", headers={"Origin": "https://evil.com"})).status != 403


# -- the dashboard


async def test_the_dashboard_runs_only_what_it_brought(open_shop: Shop, client: Client) -> None:
    for base in (open_shop.base, client.base):
        async with client.session.get(f"{base}/app") as answer:
            policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["script-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"


async def test_browsers_that_came_by_tls_stay_with_it(
    open_shop: Shop, shop: Shop, client: Client, migrated_database: str, tmp_path: Path
) -> None:
    async def said(base: str, **headers: str) -> str | None:
        async with client.session.get(f"{base}/app", headers=headers) as answer:
            return answer.headers.get("Strict-Transport-Security")

    assert await said(open_shop.base) == "max-age=31536000", "public_url says so"
    assert await said(shop.base) is None
    assert await said(shop.base, **{"X-Forwarded-Proto": "https"}) == "max-age=31536000", "a proxy of this machine is trusted"
    assert await said(shop.base, **{"X-Forwarded-Proto": "https, http"}) is None
    async with served(migrated_database, tmp_path, trusted_proxies=[]) as alone:
        assert await said(alone.base, **{"X-Forwarded-Proto": "https"}) is None
