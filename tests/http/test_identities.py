"""Signing up, signing in, and passwords that were forgotten."""

from __future__ import annotations

import asyncio
import base64

import jwt

from velella.core.ids import ulid
from velella.modules.auth.providers.scrypt import Cost, hash_password, verify_password

from .conftest import Client, Shop

WRONG = {"type": "unauthorized", "message": "Invalid email or password"}


def claims(token: str) -> dict[str, object]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def test_who_signed_up_can_sign_in(client: Client, shop: Shop) -> None:
    email = f"{ulid()}@example.com"
    made = await client("POST", "/auth/customer/emailpass/register", {"email": email, "password": "secret words"})
    assert made.status == 200
    said = claims(made.json["token"])
    assert (said["actor_id"], said["actor_type"], said["auth_provider"], said["app_metadata"]) == ("", "customer", "emailpass", {})
    assert str(said["auth_identity_id"]).startswith("authid_")

    again = await client("POST", "/auth/customer/emailpass/register", {"email": email, "password": "other words"})
    assert (again.status, again.json) == (401, {"type": "unauthorized", "message": "Identity with email already exists"})

    identity = str(said["auth_identity_id"])
    await shop.host.modules.auth.set_actor(identity, "customer", "cus_1")
    token = (await client("POST", "/auth/customer/emailpass", {"email": email, "password": "secret words"})).json["token"]
    assert claims(token)["actor_id"] == "cus_1"
    assert claims(token)["app_metadata"] == {"customer_id": "cus_1"}
    fresh = await client.with_(authorization=f"Bearer {made.json['token']}")("POST", "/auth/token/refresh")
    assert claims(fresh.json["token"])["actor_id"] == "cus_1", "a fresh token knows whom the identity was linked to"


async def test_what_is_wrong_with_a_sign_in_is_not_told(client: Client) -> None:
    email = f"{ulid()}@example.com"
    await client("POST", "/auth/customer/emailpass/register", {"email": email, "password": "secret words"})
    for body in ({"email": email, "password": "no"}, {"email": "nobody@example.com", "password": "secret words"}):
        refused = await client("POST", "/auth/customer/emailpass", body)
        assert (refused.status, refused.json) == (401, WRONG)
    for incomplete, message in (
        ({}, "Password should be a string"),
        ({"password": 1}, "Password should be a string"),
        ({"password": "x"}, "Email should be a string"),
        ({"password": "x", "email": ["a"]}, "Email should be a string"),
    ):
        for path in ("/auth/customer/emailpass", "/auth/customer/emailpass/register"):
            refused = await client("POST", path, incomplete)
            assert (refused.status, refused.json) == (401, {"type": "unauthorized", "message": message})


async def test_providers_are_those_of_the_settings(client: Client) -> None:
    assert (await client("GET", "/auth/user/providers")).json["providers"] == [
        {"id": "emailpass", "display_name": "Email/Password Authentication"}
    ]
    refused = await client("POST", "/auth/user/github", {})
    assert (refused.status, refused.json["type"]) == (400, "not_allowed")
    assert (await client("POST", "/auth/customer/github", {})).status == 404


async def test_of_two_who_sign_up_at_once_one_succeeds(client: Client) -> None:
    body = {"email": f"{ulid()}@example.com", "password": "secret words"}
    both = await asyncio.gather(*(client("POST", "/auth/customer/emailpass/register", body) for _ in range(3)))
    assert sorted(answer.status for answer in both) == [200, 401, 401]


async def test_an_identity_is_one_actor_of_a_type(shop: Shop, client: Client) -> None:
    made = await client("POST", "/auth/customer/emailpass/register", {"email": f"{ulid()}@example.com", "password": "secret words"})
    identity, auth = str(claims(made.json["token"])["auth_identity_id"]), shop.host.modules.auth
    for _ in range(2):
        assert (await auth.set_actor(identity, "customer", "cus_7"))["app_metadata"] == {"customer_id": "cus_7"}
    with_error = await asyncio.gather(auth.set_actor(identity, "customer", "cus_8"), return_exceptions=True)
    assert "already exists" in str(with_error[0])
    await auth.set_actor(identity, "user", "user_7")
    assert [row["id"] for row in await auth.identities_of("user", "user_7")] == [identity]
    assert (await auth.set_actor(identity, "customer", None))["app_metadata"] == {"user_id": "user_7"}


async def test_a_reset_word_works_once_and_for_its_owner(shop: Shop, client: Client) -> None:
    email, auth = f"{ulid()}@example.com", shop.host.modules.auth
    await client("POST", "/auth/customer/emailpass/register", {"email": email, "password": "old secret"})
    token = await auth.begin_reset("emailpass", email, "customer", 60.0)
    assert token is not None
    assert await auth.begin_reset("emailpass", "nobody@example.com", "customer", 60.0) is None
    said = claims(token)
    path, change = "/auth/customer/emailpass/update", {"password": "new secret", "email": "somebody-else@example.com"}
    for wrong in (
        {**said, "purpose": "other"},
        {**said, "actor_type": "user"},
        {**said, "entity_id": "somebody-else@example.com"},
        {**said, "jti": "x"},
    ):
        token = shop.front.tokens.issue(wrong)
        assert (await client.with_(authorization=f"Bearer {token}")("POST", path, change)).status == 401
    by_token = client.with_(authorization=f"Bearer {shop.front.tokens.issue(said)}")
    assert (await by_token("GET", "/admin/people")).status == 401, "the token opens nothing else"
    assert (await by_token("POST", path, {"password": "short"})).status == 400
    assert (await by_token("POST", path, change)).json == {"success": True}
    assert (await by_token("POST", path, change)).status == 401
    assert (await client("POST", "/auth/customer/emailpass", {"email": email, "password": "old secret"})).status == 401
    assert (await client("POST", "/auth/customer/emailpass", {"email": email, "password": "new secret"})).status == 200


async def test_no_hash_leaves_the_module(shop: Shop, client: Client) -> None:
    made = await client("POST", "/auth/customer/emailpass/register", {"email": f"{ulid()}@example.com", "password": "secret words"})
    identity = await shop.host.modules.auth.identity(str(claims(made.json["token"])["auth_identity_id"]))
    assert "provider_metadata" not in identity["provider_identities"][0]
    outcome = await shop.host.modules.auth.authenticate("emailpass", {"body": {"email": "x@y.z", "password": "x"}})
    assert "password" not in str(outcome["auth_identity"])


def test_hashes_are_those_of_scrypt_kdf() -> None:
    cost = Cost(log_n=10)
    stored = hash_password("pässword", cost)
    assert len(stored) == 96
    assert stored[:16] == b"scrypt\x00\x0a\x00\x00\x00\x08\x00\x00\x00\x01"
    assert verify_password(stored, "pässword")
    assert not verify_password(stored, "password")
    for at in (7, 20, 50, 80):
        assert not verify_password(stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :], "pässword")
    assert not verify_password(b"", "x")
    assert not verify_password(stored[:95], "pässword")


def test_a_hash_made_elsewhere_is_understood() -> None:
    # made with the scrypt-kdf package of npm: kdf("supersecret", {logN: 15, r: 8, p: 1})
    assert verify_password(base64.b64decode(MADE_BY_NPM), "supersecret")
    assert not verify_password(base64.b64decode(MADE_BY_NPM), "Supersecret")


MADE_BY_NPM = (
    "c2NyeXB0AA8AAAAIAAAAAffH66GHCsSUvnRAhF8CME78fcKTio2xFmCnRACuJl+UbFC+9VjhnsOFw9rW+0FwDZ7CiUKjtQckaKEsywWjRD0VhwQkOGZG6F6/37RhXfwt"
)
