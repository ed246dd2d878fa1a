"""Who may come in, and what those hear who may not."""

from __future__ import annotations

import base64
import time
from typing import Any

import jwt
import pytest

from velella.core.ids import ulid
from velella.core.sql.db.compiled import BoundStatement

from .conftest import Client, Shop

UNAUTHORIZED = {"message": "Unauthorized"}
KEY_MISSING = (
    "Publishable API key required in the request header: x-publishable-api-key. You can manage your keys in settings in the dashboard."
)
KEY_INVALID = "A valid publishable key is required to proceed with the request"


def read(token: str) -> dict[str, Any]:
    """What a token says."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def new_key(shop: Shop, kind: str = "publishable") -> Any:
    return (await shop.host.modules.api_key.create_keys([{"title": "t", "type": kind, "created_by": "test"}]))[0]


# -- storefronts


@pytest.mark.parametrize("path", ["/store/people", "/store/nowhere", "/store/customers/me/echo", "/store"])
async def test_the_store_asks_for_a_key_before_anything_else(client: Client, path: str) -> None:
    refused = await client("GET", path)
    assert (refused.status, refused.json) == (400, {"type": "not_allowed", "message": KEY_MISSING})
    refused = await client.with_(x_publishable_api_key="pk_nobody")("GET", path)
    assert (refused.status, refused.json) == (400, {"type": "not_allowed", "message": KEY_INVALID})


async def test_a_key_names_its_sales_channels(store: Client, shop: Shop) -> None:
    answer = await store("POST", "/store/echo", {"name": "x"})
    assert len(answer.json["channels"]) == 1
    assert answer.json["channels"][0].startswith("sc_")


async def test_a_key_follows_what_it_is_linked_to(store: Client, shop: Shop) -> None:
    token = store.headers["x-publishable-api-key"]
    (channel,) = (await store("POST", "/store/echo", {"name": "x"})).json["channels"]
    (key,) = await shop.host.modules.api_key.list("api_key", {"token": token})
    pair = {"publishable_key_id": key["id"], "sales_channel_id": channel}
    await shop.host.modules.link.detach("publishable_api_key_sales_channel", [pair])
    assert (await store("POST", "/store/echo", {"name": "x"})).json["channels"] == []
    await shop.host.modules.link.attach("publishable_api_key_sales_channel", [pair])
    await shop.host.modules.sales_channel.delete("sales_channel", [channel])
    assert (await store("POST", "/store/echo", {"name": "x"})).json["channels"] == []


async def test_a_revoked_key_opens_nothing_from_that_moment(store: Client, shop: Shop) -> None:
    assert (await store("GET", "/store/people")).status == 200
    (key,) = await shop.host.modules.api_key.list("api_key", {"token": store.headers["x-publishable-api-key"]})
    await shop.host.modules.api_key.revoke(key["id"], "test")
    refused = await store("GET", "/store/people")
    assert (refused.status, refused.json["message"]) == (400, KEY_INVALID)


async def test_a_secret_key_is_no_publishable_one(client: Client, shop: Shop) -> None:
    await revoke_secrets(shop)
    key = await new_key(shop, "secret")
    assert (await client.with_(x_publishable_api_key=key["token"])("GET", "/store/people")).status == 400


# -- actors


@pytest.mark.parametrize(
    ("path", "caller", "status"),
    [
        ("/admin/people", None, 401),
        ("/admin/nowhere", None, 401),
        ("/admin/people", "user", 200),
        ("/admin/nowhere", "user", 404),
        ("/admin/people", "customer", 401),
        ("/admin/people", "nobody yet", 401),
        ("/admin/people", "expired", 401),
        ("/admin/people", "forged", 401),
        ("/admin/people", "unsigned", 401),
        ("/store/people", None, 200),
        ("/store/people", "customer", 200),
        ("/store/people", "user", 200),
        ("/store/people", "expired", 200),
        ("/store/people", "forged", 200),
        ("/store/customers/me/echo", None, 401),
        ("/store/customers/me/echo", "customer", 200),
        ("/store/customers/me/echo", "user", 401),
        ("/store/customers/me/echo", "nobody yet", 401),
        ("/test/list", "forged", 200),
        ("//admin/people", None, 404),
        ("/admin//people", "user", 404),
        ("/admin/people/", None, 401),
        ("/Admin/people", None, 404),
    ],
)
async def test_routes_let_in_whom_they_should(shop: Shop, store: Client, path: str, caller: str | None, status: int) -> None:
    claims = {"actor_id": "cus_1", "actor_type": "customer", "auth_identity_id": "authid_1"}
    tokens = {
        "user": await shop.token("user", "user_1"),
        "customer": await shop.token("customer", "cus_1"),
        "nobody yet": await shop.token("customer", ""),
        "expired": shop.front.tokens.issue(claims, expires=-5),
        "forged": jwt.encode({**claims, "exp": 4_000_000_000}, "x" * 64, algorithm="HS256"),
        "unsigned": jwt.encode({**claims, "exp": 4_000_000_000}, None, algorithm="none"),
    }
    caller_is = store if caller is None else store.with_(authorization=f"Bearer {tokens[caller]}")
    answer = await caller_is("GET", path)
    assert answer.status == status
    if status == 401:
        assert answer.json == UNAUTHORIZED


async def test_the_customer_of_a_token_is_known(shop: Shop, store: Client) -> None:
    signed_in = store.with_(authorization=f"bearer {await shop.token('customer', 'cus_1')}")
    assert (await signed_in("GET", "/store/customers/me/echo")).json == {"customer": "cus_1"}
    user = store.with_(authorization=f"Bearer {await shop.token('user', 'user_1')}")
    assert (await user("POST", "/store/echo", {"name": "x"})).json["customer"] is None


# -- secret keys


async def revoke_secrets(shop: Shop) -> None:
    for key in await shop.host.modules.api_key.list("api_key", {"type": "secret", "revoked_at": None}):
        await shop.host.modules.api_key.revoke(key["id"], "test")


async def test_a_secret_key_acts_as_an_admin(client: Client, shop: Shop) -> None:
    await revoke_secrets(shop)
    key = await new_key(shop, "secret")
    token = key["token"]
    for header in (token, base64.b64encode(f"{token}:".encode()).decode(), base64.b64encode(token.encode()).decode()):
        assert (await client.with_(authorization=f"Basic {header}")("GET", "/admin/people")).status == 200
    for header in (f"{token}x", "sk_", "!!!", base64.b64encode(b"\xff\xfe").decode(), token[:-1] + "g"):
        assert (await client.with_(authorization=f"Basic {header}")("GET", "/admin/people")).json == UNAUTHORIZED
    as_bearer = await client.with_(authorization=f"Bearer {token}")("GET", "/admin/people")
    assert as_bearer.status == 401
    assert "HTTP Basic" in as_bearer.json["message"]
    await shop.host.modules.api_key.revoke(key["id"], "test")
    assert (await client.with_(authorization=f"Basic {token}")("GET", "/admin/people")).status == 401


# -- sessions


async def test_a_session_is_as_good_as_its_token_until_it_ends(client: Client, shop: Shop) -> None:
    user = (await shop.host.modules.user.create("user", [{"email": f"{ulid()}@example.com"}]))[0]
    begun = await client.with_(authorization=f"Bearer {await shop.token('user', user['id'])}")("POST", "/auth/session")
    assert begun.status == 200
    assert begun.json["user"]["actor_id"] == user["id"]
    cookie = begun.headers["Set-Cookie"]
    assert cookie.startswith("connect.sid=s%3A")
    assert "HttpOnly" in cookie
    assert (await client("GET", "/admin/users/me")).json["user"]["id"] == user["id"]
    value = cookie.partition(";")[0]
    assert (await client("DELETE", "/auth/session")).json == {"success": True}
    assert (await client("GET", "/admin/users/me")).status == 401
    assert (await client.with_(cookie=value)("GET", "/admin/users/me")).status == 401, "the cookie is worth nothing any more"


async def test_a_session_cookie_cannot_be_made_up(client: Client, shop: Shop) -> None:
    begun = await client.with_(authorization=f"Bearer {await shop.token('user', 'user_1')}")("POST", "/auth/session")
    value = begun.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    client.session.cookie_jar.clear()
    assert (await client.with_(cookie=f"a=b; connect.sid={value}")("GET", "/admin/people")).status == 200
    for wrong in (value[:-2], value.replace("s%3A", "s%3AA"), "s%3A.", "x", "", value.partition(".")[0]):
        assert (await client.with_(cookie=f"connect.sid={wrong}")("GET", "/admin/people")).status == 401


async def test_a_session_runs_out(client: Client, shop: Shop) -> None:
    auth = shop.host.modules.auth
    session_id = await auth.open_session(read(await shop.token("user", "user_1")), 0.05, 60.0)
    cookie = f"connect.sid={shop.front.tokens.sign_cookie(session_id)}"
    await shop.host.database("auth").script("UPDATE auth_session SET expires_at = now() - interval '1 second'")
    assert (await client.with_(cookie=cookie)("GET", "/admin/people")).status == 401


async def test_using_a_session_lets_it_live_on(shop: Shop) -> None:
    auth, database = shop.host.modules.auth, shop.host.database("auth")
    remembered = read(await shop.token("user", "user_1"))
    session_id = await auth.open_session(remembered, 60.0, 86_400.0)
    assert await auth.session(session_id) == remembered
    rows = await database.fetch_row(BoundStatement("SELECT max(expires_at) > now() + interval '9 hours' FROM auth_session"))
    assert rows[0] is True


async def test_no_session_lives_for_ever(client: Client, shop: Shop) -> None:
    auth, database = shop.host.modules.auth, shop.host.database("auth")
    session_id = await auth.open_session(read(await shop.token("user", "user_1")), 60.0, 120.0)
    assert await auth.session(session_id) is not None
    rows = await database.fetch_row(
        BoundStatement("SELECT max(expires_at) <= max(ends_at) FROM auth_session WHERE ends_at < now() + interval '1 hour'")
    )
    assert rows[0] is True, "using it doesn't take it past its end"
    ended = int(time.time()) - shop.host.settings.session_lifetime
    late = client.with_(authorization=f"Bearer {await shop.token('user', 'user_1', auth_time=ended)}")
    assert (await late("GET", "/admin/people")).status == 200, "the token itself holds until it ends"
    assert (await late("POST", "/auth/session")).json == UNAUTHORIZED
    assert (await late("POST", "/auth/token/refresh")).json == UNAUTHORIZED
    later = client.with_(authorization=f"Bearer {await shop.token('user', 'user_1', auth_time=ended + 100)}")
    fresh = read((await later("POST", "/auth/token/refresh")).json["token"])
    assert fresh["auth_time"] == ended + 100, "refreshing proves nothing"
    assert fresh["exp"] <= time.time() + 100


async def test_nobody_ends_a_session_without_one(client: Client) -> None:
    assert (await client("DELETE", "/auth/session")).json == UNAUTHORIZED
    assert (await client("POST", "/auth/session")).json == UNAUTHORIZED
    assert (await client("POST", "/auth/token/refresh")).json == UNAUTHORIZED
