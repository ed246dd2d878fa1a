"""Who is signed in stays so only as long as the account and the secret it was proven with are there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from velella.core.errors import Unauthorized
from velella.core.ids import ulid
from velella.core.sql.db.compiled import BoundStatement

from ..conftest import Answered, Client, Shop
from .conftest import Merchant

OLD, NEW = "the old secret", "the new secret"


def address() -> str:
    return f"{ulid().lower()}@example.com"


async def token(client: Client, email: str, actor: str = "user", *, password: str = OLD, register: bool = False) -> str:
    path = f"/auth/{actor}/emailpass{'/register' if register else ''}"
    answer = await client("POST", path, {"email": email, "password": password})
    assert answer.status == 200, answer.text
    return str(answer.json["token"])


def by(client: Client, bearer: str) -> Client:
    return client.with_(authorization=f"Bearer {bearer}")


async def session_of(client: Client, bearer: str) -> Client:
    """The same by a cookie."""
    begun = await by(client, bearer)("POST", "/auth/session")
    client.session.cookie_jar.clear()
    return client.with_(cookie=begun.headers["Set-Cookie"].partition(";")[0])


async def reset_token(shop: Shop, email: str, actor: str = "user") -> str:
    """The token of an email about a forgotten password."""
    made = await shop.host.modules.auth.begin_reset("emailpass", email, actor, 60.0)
    assert made is not None
    return str(made)


async def choose(client: Client, by_token: str, password: str, actor: str = "user") -> Answered:
    return await by(client, by_token)("POST", f"/auth/{actor}/emailpass/update", {"password": password})


async def invited(merchant: Merchant, client: Client, email: str, bearer: str) -> Answered:
    """Accept an invitation of that address."""
    found = (await merchant.get("/admin/invites", email=email))["invites"]
    invite = found[0] if found else (await merchant.post("/admin/invites", {"email": email}))["invite"]
    return await by(client, bearer)("POST", "/admin/invites/accept", {}, params={"token": invite["token"]})


@pytest.fixture
async def user(merchant: Merchant, client: Client) -> tuple[str, str]:
    """Address and id of a user with the old secret."""
    email = address()
    made = await invited(merchant, client, email, await token(client, email, register=True))
    return email, str(made.json["user"]["id"])


# -- secrets


async def test_who_registered_an_address_first_has_nothing_when_its_owner_comes(shop: Shop, merchant: Merchant, client: Client) -> None:
    email = address()
    thief = await token(client, email, register=True)
    cookie = await session_of(client, thief)
    other = await reset_token(shop, email)
    assert (await by(client, thief)("POST", "/auth/token/refresh")).status == 200

    assert (await choose(client, await reset_token(shop, email), NEW)).json == {"success": True}
    assert (await by(client, thief)("POST", "/auth/token/refresh")).status == 401
    assert (await invited(merchant, client, email, thief)).status == 401, "to become a user takes a token of the new secret"
    assert (await cookie("POST", "/auth/token/refresh")).status == 401
    assert (await cookie("DELETE", "/auth/session")).status == 401
    assert (await by(client, thief)("POST", "/auth/session")).status == 401
    assert (await choose(client, other, OLD)).status == 401, "the token before the last is worth nothing"

    owner = await token(client, email, password=NEW)
    assert (await invited(merchant, client, email, owner)).status == 200
    fresh = (await by(client, owner)("POST", "/auth/token/refresh")).json["token"]
    assert (await by(client, fresh)("GET", "/admin/users/me")).json["user"]["email"] == email
    for thiefs in (by(client, thief), cookie):
        assert (await thiefs("POST", "/auth/token/refresh")).status == 401
        assert (await thiefs("GET", "/admin/users/me")).status == 401


async def test_another_secret_ends_a_users_sessions_and_tokens(shop: Shop, client: Client, user: tuple[str, str]) -> None:
    email, id = user
    signed_in = by(client, await token(client, email))
    cookie = await session_of(client, signed_in.headers["authorization"].partition(" ")[2])
    for _ in range(3):  # as warm as can be: the third is answered by the fast path
        assert (await signed_in("GET", "/admin/users")).status == 200
        assert (await cookie("GET", "/admin/users")).status == 200
    await choose(client, await reset_token(shop, email), NEW)
    assert [(await one("GET", "/admin/users")).status for one in (signed_in, cookie)] == [401, 401]
    [identity] = await shop.host.modules.auth.identities_of("user", id)
    sessions = BoundStatement("SELECT count(*) FROM auth_session WHERE auth_identity_id = $1", [identity["id"]])
    assert (await shop.host.database("auth").fetch_row(sessions))[0] == 0
    again = by(client, await token(client, email, password=NEW))
    assert (await again("GET", "/admin/users")).status == 200


async def test_a_customer_too_is_who_proves_the_secret_of_now(shop: Shop, store: Client) -> None:
    email = address()
    thief = by(store, await token(store, email, "customer", register=True))
    await choose(store, await reset_token(shop, email, "customer"), NEW, "customer")
    assert (await thief("POST", "/store/customers", {"email": email})).status == 401
    owner = by(store, await token(store, email, "customer", password=NEW))
    assert (await owner("POST", "/store/customers", {"email": email})).status == 200


async def test_a_secret_that_changes_while_an_account_is_made_ends_that(shop: Shop, merchant: Merchant, client: Client) -> None:
    email = address()
    identity = await shop.host.modules.auth.create_identity("emailpass", email, {})
    assert identity is not None
    invite = (await merchant.post("/admin/invites", {"email": email}))["invite"]
    late: dict[str, Any] = {"auth_identity_id": identity["id"], "secret_version": identity["secret_version"] - 1}
    run = shop.host.workflows.run
    for name, input in (
        ("accept-invite-workflow", {"invite_token": invite["token"], "user": {}}),
        ("create-user-account", {"user": {"email": email}}),
        ("create-customer-account", {"customer": {"email": email}}),
    ):
        with pytest.raises(Unauthorized):
            await run(name, {**input, **late})
    assert not await shop.host.modules.user.list("user", {"email": email})
    assert not await shop.host.modules.customer.list("customer", {"email": email})
    assert (await merchant.get(f"/admin/invites/{invite['id']}"))["invite"]["accepted"] is False


async def test_a_password_that_is_found_out_late_proves_the_old_secret(
    shop: Shop, client: Client, user: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old password is checked while the new one is chosen."""
    email, _ = user
    auth: Any = shop.host.services["auth"]
    identity = auth.identity

    async def slowly(id: str) -> Any:
        if not chosen:
            chosen.append(True)
            await choose(client, await reset_token(shop, email), NEW)
        return await identity(id)

    chosen: list[bool] = []
    monkeypatch.setattr(auth, "identity", slowly)
    stale = await token(client, email)
    assert (await by(client, stale)("GET", "/admin/users/me")).status == 401


# -- accounts


@pytest.mark.parametrize("way", ["route", "module", "link"])
async def test_a_user_who_was_deleted_is_out_at_once(
    shop: Shop, merchant: Merchant, client: Client, user: tuple[str, str], way: str
) -> None:
    email, id = user
    signed_in = by(client, await token(client, email))
    cookie = await session_of(client, signed_in.headers["authorization"].partition(" ")[2])
    for _ in range(3):
        assert (await signed_in("GET", "/admin/users")).status == 200
        assert (await cookie("GET", "/admin/users")).status == 200
    if way == "route":
        await merchant.delete(f"/admin/users/{id}")
    elif way == "module":
        await shop.host.modules.user.delete("user", [id])
    else:
        [identity] = await shop.host.modules.auth.identities_of("user", id)
        await shop.host.modules.auth.set_actor(identity["id"], "user", None)
    for one in (signed_in, cookie):
        for method, path, body in (
            ("GET", "/admin/users", None),
            ("GET", "/admin/users/me", None),
            ("POST", "/admin/invites", {"email": address()}),
        ):
            assert (await one(method, path, body)).status == 401, path
        refreshed = await one("POST", "/auth/token/refresh")
        if refreshed.status == 200:
            assert (await by(client, refreshed.json["token"])("GET", "/admin/users/me")).status == 401


async def test_a_customer_who_was_deleted_is_nobody_in_particular(shop: Shop, merchant: Merchant, store: Client) -> None:
    email = address()
    first = by(store, await token(store, email, "customer", register=True))
    id = (await first("POST", "/store/customers", {"email": email})).json["customer"]["id"]
    me = by(store, await token(store, email, "customer"))
    assert (await me("GET", "/store/customers/me")).json["customer"]["id"] == id
    await merchant.delete(f"/admin/customers/{id}")
    assert (await me("GET", "/store/customers/me")).status == 401
    assert (await me("POST", "/store/customers/me", {"first_name": "Still"})).status == 401
    assert (await me("POST", "/auth/token/refresh")).status == 401


async def test_who_is_deleted_follows_nothing_any_more(shop: Shop, merchant: Merchant, client: Client, user: tuple[str, str]) -> None:
    email, id = user
    follower = by(client, await token(client, email))
    path = f"{client.base}/admin/workflows-executions/complete-cart/subscribe"
    async with client.session.get(path, headers=follower.headers) as stream:
        assert await stream.content.readuntil(b"\n\n") == b": following\n\n"
        await merchant.delete(f"/admin/users/{id}")
        assert await asyncio.wait_for(stream.content.read(), 20) == b"", "it ends, and says nothing more"


async def test_who_is_signed_in_is_looked_up_once(
    shop: Shop, client: Client, user: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = by(client, await token(client, user[0]))
    known = shop.front._credentials._known
    monkeypatch.setattr(known, "_seconds", 600.0)
    before = known.metrics.misses
    for path in ("/admin/users", "/admin/users", "/admin/users", "/admin/users/me", "/admin/invites"):
        assert (await signed_in("GET", path)).status == 200
    assert known.metrics.misses == before + 1
