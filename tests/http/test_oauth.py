"""Signing in by Google and GitHub, beside stand-ins that behave as they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from sqlalchemy import text

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core.errors import UnexpectedState
from velella.core.ids import ulid
from velella.core.settings import ProviderSettings, Verified
from velella.modules.auth import KINDS

from ..conftest import clone
from ..oauth_desk import OTHER, Desk, opened
from ..signing import cheap_hashes
from .conftest import Client, Shop, served

GOOGLE = {
    "ada": {
        "sub": "117",
        "email": "ada@example.com",
        "email_verified": True,
        "given_name": "Ada",
        "name": "Ada L",
        "picture": "https://x/a",
    },
    "eve": {"sub": "666", "email": "ada@example.com", "email_verified": False, "name": "Eve"},
}
GITHUB = {
    "ada": {
        "id": 117,
        "login": "ada",
        "name": None,
        "avatar_url": "https://x/a",
        "emails": [
            {"email": "old@example.com", "primary": False, "verified": True},
            {"email": "ada@example.com", "primary": True, "verified": True},
        ],
    },
    "eve": {"id": 666, "login": "eve", "emails": [{"email": "ada@example.com", "primary": True, "verified": False}]},
}


@pytest.fixture(scope="module")
async def desks() -> AsyncIterator[dict[str, Desk]]:
    async with opened(Desk("google", GOOGLE)) as google, opened(Desk("github", GITHUB)) as github:
        yield {"google": google, "github": github}


@pytest.fixture(scope="module")
async def elsewhere(
    desks: dict[str, Desk], postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("oauth")
    ways = [ProviderSettings(use=name, id=name, options=desk.options) for name, desk in desks.items()]
    bound = ProviderSettings(use="google", id="bound", options={**desks["google"].options, "binds_browser": True})
    providers = {**cheap_hashes(), "auth": [*cheap_hashes()["auth"], *ways, bound]}
    methods = {"user": ["emailpass", "google", "github"]}
    async with served(await clone(postgres, migrated), folder, providers=providers, auth_methods=methods) as shop:
        yield shop


@pytest.fixture
async def person(elsewhere: Shop) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, elsewhere.base)


@pytest.fixture(params=["google", "github"])
def desk(request: pytest.FixtureRequest, desks: dict[str, Desk]) -> Desk:
    return desks[request.param]


async def begin(person: Client, desk: Desk, who: str = "ada", actor: str = "customer", body: Any = None) -> dict[str, str]:
    begun = await person("POST", f"/auth/{actor}/{desk.kind}", body or {})
    assert begun.status == 200, begun.text
    assert set(begun.json) == {"location"}
    return desk.consent(begun.json["location"], who)


async def come_back(person: Client, desk: Desk, brought: dict[str, str], actor: str = "customer") -> Any:
    return await person("GET", f"/auth/{actor}/{desk.kind}/callback", params=brought)


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def test_who_agrees_elsewhere_is_signed_in_as_the_same_identity_each_time(person: Client, desk: Desk) -> None:
    answers = [await come_back(person, desk, await begin(person, desk)) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200], answers[0].text
    first, second = (claims(answer.json["token"]) for answer in answers)
    assert first["auth_identity_id"] == second["auth_identity_id"]
    assert (first["auth_provider"], first["actor_id"]) == (desk.kind, "")
    assert first["user_metadata"]["email"] == "ada@example.com"
    other = claims((await come_back(person, desk, await begin(person, desk, "eve"))).json["token"])
    assert other["auth_identity_id"] != first["auth_identity_id"]
    assert "email" not in other["user_metadata"], "an address that isn't verified there is nobody's"


async def test_an_address_that_was_proven_there_is_not_asked_for_again(elsewhere: Shop, person: Client, desk: Desk) -> None:
    settings = elsewhere.front.settings
    settings.auth_verifications["customer"] = [Verified(auth_provider=desk.kind)]
    try:
        assert set((await come_back(person, desk, await begin(person, desk))).json) == {"token"}
        left = (await come_back(person, desk, await begin(person, desk, "eve"))).json
    finally:
        del settings.auth_verifications["customer"]
    assert left["verification_required"] is True


async def test_two_at_once_are_one_identity(person: Client, desk: Desk, desks: dict[str, Desk]) -> None:
    desk.people["bo"] = {**desk.people["ada"], "sub": ulid(), "id": int(ulid()[-4:], 36)}
    brought = [await begin(person, desk, "bo") for _ in range(4)]
    answers = await asyncio.gather(*(come_back(person, desk, each) for each in brought))
    assert {answer.status for answer in answers} == {200}
    assert len({claims(answer.json["token"])["auth_identity_id"] for answer in answers}) == 1


async def test_what_comes_back_counts_once_and_in_time(person: Client, desk: Desk, elsewhere: Shop) -> None:
    brought = await begin(person, desk)
    answers = await asyncio.gather(*(come_back(person, desk, brought) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401]
    late = await begin(person, desk)
    await elsewhere.host.database("auth").execute(text("UPDATE auth_state SET expires_at = now() - interval '1 second'"))
    refused = await come_back(person, desk, late)
    assert (refused.status, refused.json["message"]) == (401, "No state provided, or session expired")


async def test_what_was_not_asked_for_here_signs_nobody_in(person: Client, desk: Desk, desks: dict[str, Desk]) -> None:
    """A code with another attempt's state, another service's, none, or one that nobody gave."""
    other = next(each for each in desks.values() if each is not desk)
    one, two = await begin(person, desk, "eve"), await begin(person, desk)
    mixed = {"code": one["code"], "state": two["state"]}  # its challenge is of another verifier
    theirs = await begin(person, other)
    wrong = (
        mixed, {**one, "state": theirs["state"]}, {"code": one["code"]}, {"state": one["state"]}, {**one, "code": "guessed"}, {},
        {**one, "state": "x" * 5000},
    )  # fmt: skip
    for brought in wrong:
        assert (await come_back(person, desk, brought)).status == 401, brought
    assert (await come_back(person, desk, {"error": "access_denied", "error_description": "No"})).json["message"] == "access_denied: No"


async def test_a_client_names_a_page_to_come_back_to_of_those_that_the_shop_has(person: Client, desk: Desk) -> None:
    """Another one would get a code with which it signs in as whoever came, also one below the page that the service knows."""
    for page in (f"{OTHER}/../eve", f"{OTHER}/", "https://eve.example", "", None, [OTHER], {}):
        refused = await person("POST", f"/auth/customer/{desk.kind}", {"callback_url": page})
        assert (refused.status, "location" in refused.json) == (401, False), page
    begun = await person("POST", f"/auth/customer/{desk.kind}", {"callback_url": OTHER})
    assert "redirect_uri=https%3A%2F%2Fshop.example%2Fapp%2Flogin&" in begun.json["location"]
    assert "Set-Cookie" not in begun.headers
    assert (await come_back(person, desk, desk.consent(begun.json["location"], "ada"))).status == 200
    assert (await person("POST", f"/auth/customer/{desk.kind}/register", {})).status == 401


async def test_an_answer_without_end_is_not_read(person: Client, desk: Desk) -> None:
    desk.people["endless"] = {**desk.people["ada"], "name": "x" * 300_000}
    refused = await come_back(person, desk, await begin(person, desk, "endless"))
    assert refused.status == 503, refused.text


async def test_who_did_not_begin_it_does_not_finish_it(person: Client, desks: dict[str, Desk]) -> None:
    """Where a shop binds attempts to browsers: whoever is led to another's page isn't signed in as them."""
    desk, path = desks["google"], "/auth/customer/bound"

    async def begun(browser: Client, who: str) -> tuple[dict[str, str], Client]:
        answer = await browser("POST", path, {})
        cookie = answer.headers["Set-Cookie"]
        assert {"Path=/auth", "HttpOnly", "SameSite=Lax"} <= {*cookie.split("; ")}
        return desk.consent(answer.json["location"], who), browser.with_(cookie=cookie.partition(";")[0])

    (theirs, eve), (own, ada) = await begun(person, "eve"), await begun(person, "ada")
    (second, same) = await begun(ada, "ada")
    assert same.headers["cookie"] == ada.headers["cookie"], "two attempts beside each other"
    for stranger in (person, ada, person.with_(cookie="velella.browser=")):
        refused = await stranger("GET", f"{path}/callback", params=theirs)
        assert (refused.status, "token" in refused.json) == (401, False)
        theirs, eve = await begun(person, "eve")
    for browser, brought in ((eve, theirs), (ada, own), (ada, second)):
        assert (await browser("GET", f"{path}/callback", params=brought)).status == 200


@pytest.mark.parametrize(("status", "times"), [(500, 1), (503, 1), (429, 2)])
async def test_a_service_that_is_down_is_said_and_no_code_is_used_twice(person: Client, desk: Desk, status: int, times: int) -> None:
    brought, before = await begin(person, desk), desk.asked
    desk.status = status
    try:
        refused = await come_back(person, desk, brought)
    finally:
        desk.status = 200
    assert (refused.status, desk.asked - before) == (503, times)
    assert (await come_back(person, desk, await begin(person, desk))).status == 200


async def test_the_doctor_sees_whether_the_other_side_knows_the_shop(desk: Desk) -> None:
    kind = KINDS[desk.kind]
    right, wrong = kind(**desk.options), kind(**{**desk.options, "client_secret": "other"})
    try:
        assert (await right.check()).endswith("knows this shop")
        with pytest.raises(UnexpectedState, match="client"):
            await wrong.check()
    finally:
        await right.close()
        await wrong.close()


async def test_a_user_of_the_shop_is_who_has_the_verified_address(person: Client, desk: Desk, elsewhere: Shop) -> None:
    """Or who was invited by it; nobody by an address that isn't verified, and by a token of that service alone."""
    users, path = elsewhere.host.modules.user, f"/auth/{desk.kind}/user"
    there = await users.list("user", {"email": "ada@example.com"}) or await users.create("user", [{"email": "ada@example.com"}])
    invited = f"{ulid().lower()}@example.com"
    await users.invite([{"email": invited}])
    for name, email in (("guest", invited.title()), ("stranger", f"{ulid().lower()}@example.com")):
        desk.people[name] = {"sub": ulid(), "id": int(ulid()[-6:], 36), "email": email, "email_verified": True, "given_name": "Gus"}
        desk.people[name]["emails"] = [{"email": email, "primary": True, "verified": True}]
    for who, status in (("ada", 200), ("guest", 200), ("stranger", 401), ("eve", 400)):
        token = (await come_back(person, desk, await begin(person, desk, who, "user"), "user")).json["token"]
        known = person.with_(authorization=f"Bearer {token}")
        joined = await known("POST", path)
        assert joined.status == status, joined.text
        if status == 200:
            assert claims((await known("POST", "/auth/token/refresh")).json["token"])["actor_id"] == joined.json["user"]["id"]
            assert joined.json["user"]["email"] == {"ada": "ada@example.com", "guest": invited}[who]
            assert (await known("POST", path)).json["user"]["id"] == joined.json["user"]["id"], "again"
    assert (await users.list("invite", {"email": invited})) == []
    assert [row["id"] for row in await users.list("user", {"email": "ada@example.com"})] == [there[0]["id"]]
    token = (await come_back(person, desk, await begin(person, desk, "ada", "user"), "user")).json["token"]
    assert claims(token)["actor_id"] == there[0]["id"], "from the next time on at once"
    login = {"email": f"{ulid().lower()}@example.com", "password": "secret words"}
    token = (await person("POST", "/auth/user/emailpass/register", login)).json["token"]
    vouched = {"entity_id": ulid(), "user_metadata": {"email": "ada@example.com"}, "verified_email": "ada@example.com"}
    await elsewhere.host.modules.auth.create(
        "provider_identity", [{"auth_identity_id": claims(token)["auth_identity_id"], "provider": desk.kind, **vouched}]
    )
    refused = await person.with_(authorization=f"Bearer {token}")("POST", path)
    assert (refused.status, refused.json["message"]) == (401, f"This token is of no sign-in by {desk.kind}")
