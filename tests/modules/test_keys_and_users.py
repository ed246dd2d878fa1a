"""API keys, invitations and sessions: what holds when two come at once."""

from __future__ import annotations

import asyncio

import pytest

from velella.core.errors import InvalidData, NotAllowed, NotFound, Unauthorized, VelellaError
from velella.core.service.providers import Providers
from velella.core.settings import ProviderSettings
from velella.core.sql.db.compiled import BoundStatement
from velella.modules.api_key.service import ApiKeyService
from velella.modules.auth import MODULE
from velella.modules.auth.service import AuthService
from velella.modules.user.service import UserService

from .one_module import alone

SECRET = {"title": "Robot", "type": "secret", "created_by": "user_1"}


async def test_each_secret_key_opens_until_it_is_revoked_whatever_others_do(fresh_database: str) -> None:
    async with alone(ApiKeyService, fresh_database) as keys:
        key, other = await keys.create_keys([SECRET, SECRET])
        await keys.revoke(other["id"], "user_1")
        assert await keys.authenticate(other["token"]) is None
        assert await keys.authenticate(key["token"]) == key["id"]
        await keys.revoke(key["id"], "user_1", 3600)
        assert await keys.authenticate(key["token"]) == key["id"], "revoked in an hour, not now"
        with pytest.raises(InvalidData, match="already revoked"):
            await keys.revoke(key["id"], "user_1")
        with pytest.raises(NotAllowed, match=key["id"]):
            await keys.delete_keys([key["id"]])


async def test_the_token_of_a_secret_key_is_not_kept(fresh_database: str) -> None:
    async with alone(ApiKeyService, fresh_database) as keys:
        (key,) = await keys.create_keys([SECRET])
        row = await keys.database.fetch_row(BoundStatement("SELECT to_jsonb(k)::text FROM api_key k"))
        assert key["token"] not in row[0]
        assert key["token"][3:] not in row[0]
        (listed,) = await keys.list("api_key")
        assert listed["token"] == ""
        assert "digest" not in listed


async def test_a_publishable_key_is_found_until_it_is_revoked_or_deleted(fresh_database: str) -> None:
    async with alone(ApiKeyService, fresh_database) as keys:
        (key,) = await keys.create_keys([{**SECRET, "type": "publishable"}])
        found = await keys.publishable(key["token"])
        assert found == {"id": key["id"], "title": "Robot"}
        assert await keys.authenticate(key["token"]) is None
        await keys.revoke(key["id"], "user_1")
        assert await keys.publishable(key["token"]) is None
        assert await keys.delete_keys([key["id"]]) == [key["id"]]


async def test_an_invitation_is_accepted_once(fresh_database: str) -> None:
    async with alone(UserService, fresh_database) as users:
        (invite,) = await users.invite([{"email": "a@example.com"}])
        with pytest.raises(InvalidData, match="already exists"):
            await users.invite([{"email": "a@example.com"}])
        asked = [users.accept(invite["token"], f"authid_{n}") for n in range(3)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        [first] = [n for n, answer in enumerate(answers) if isinstance(answer, dict)]
        assert sum(isinstance(one, NotAllowed) for one in answers) == 2
        assert (await users.accept(invite["token"], f"authid_{first}"))["accepted"] is True, "the same identity asks again"
        (renewed,) = await users.renew_invites([invite["id"]])
        with pytest.raises(NotFound):
            await users.accept(invite["token"], "authid_1")
        await users.update("invite", [{"id": invite["id"], "expires_at": "2020-01-01T00:00:00Z"}])
        with pytest.raises(NotAllowed, match="expired"):
            await users.accept(renewed["token"], "authid_1")
        await users.create("user", [{"email": "b@example.com"}])
        with pytest.raises(InvalidData, match=r"b@example\.com"):
            await users.invite([{"email": "b@example.com"}])


async def test_an_identity_is_made_once_and_whole(fresh_database: str) -> None:
    async with alone(AuthService, fresh_database) as auth:
        made = await asyncio.gather(*(auth.create_identity("emailpass", "a@example.com", {"password": "x"}) for _ in range(4)))
        assert sum(one is not None for one in made) == 1
        assert await auth.count("auth_identity") == 1, "those who lost leave nothing behind"
        (identity,) = await auth.list("auth_identity")
        assert await auth.delete("auth_identity", [identity["id"]]) == [identity["id"]]
        assert await auth.count("provider_identity") == 0
        assert await auth.create_identity("emailpass", "a@example.com", {"password": "y"}) is not None


async def test_sessions_that_ran_out_are_swept_away(fresh_database: str) -> None:
    async with alone(AuthService, fresh_database) as auth:
        old = await auth.open_session({"auth_identity_id": "authid_1"}, -60.0, 60.0)
        assert await auth.session(old) is None
        new = await auth.open_session({"auth_identity_id": "authid_2"}, 60.0, 60.0)
        assert (await auth.database.fetch_row(BoundStatement("SELECT count(*) FROM auth_session")))[0] == 1
        kept = await auth.database.fetch_row(BoundStatement("SELECT id FROM auth_session"))
        assert kept[0] != new, "who reads the table can't be anybody"
        assert await auth.close_session(new)
        assert not await auth.close_session(new)


async def test_an_email_about_a_secret_is_used_by_one(fresh_database: str) -> None:
    by_password = Providers("auth", MODULE.provider_kinds, [ProviderSettings(use="emailpass", id="emailpass")])
    async with alone(AuthService, fresh_database, providers=by_password) as auth:
        given = {"body": {"email": "a@example.com", "password": "old secret"}}
        assert (await auth.register("emailpass", given))["success"]
        token, other = [await auth.begin_reset("emailpass", "a@example.com", "user", 60.0) for _ in range(2)]
        assert token is not None
        assert other is not None
        for wrong in ((token, "emailpass", "customer"), (token, "github", "user"), (f"{token}x", "emailpass", "user")):
            with pytest.raises(Unauthorized):
                await auth.update_by_reset(*wrong, {"password": "new secret"})
        answers = await asyncio.gather(
            *(auth.update_by_reset(token, "emailpass", "user", {"password": f"new secret {n}"}) for n in range(3)), return_exceptions=True
        )
        assert sum(isinstance(one, dict) and one["success"] for one in answers) == 1
        with pytest.raises(Unauthorized):
            await auth.update_by_reset(other, "emailpass", "user", {"password": "another secret"})
        late = await auth.begin_reset("emailpass", "a@example.com", "user", -1.0)
        assert late is not None
        with pytest.raises(Unauthorized):
            await auth.update_by_reset(late, "emailpass", "user", {"password": "another secret"})


async def test_unknown_providers_are_told(fresh_database: str) -> None:
    async with alone(AuthService, fresh_database) as auth:
        with pytest.raises(VelellaError, match="nowhere"):
            await auth.authenticate("nowhere", {})
