"""How often somebody may try: passwords and emails, by account and by address, for all front ends together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import local_host
from velella.core.errors import Misconfigured
from velella.core.ids import ulid
from velella.core.message import current_call
from velella.core.settings import Settings
from velella.http.auth import identities
from velella.http.server import FrontEnd
from velella.modules.auth.limits import Limits

from ..conftest import clone
from .conftest import MODULES, Answered, Client, Shop, served

GIVEN = {
    "sign_in_account_limit": "4/hour",
    "sign_in_address_limit": "12/hour",
    "sign_up_address_limit": "30/hour",
    "email_account_limit": "1/hour",
    "email_request_limit": "3/hour",
}


@pytest.fixture(scope="module")
async def limited(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with served(await clone(postgres, migrated), tmp_path_factory.mktemp("limited"), **GIVEN) as made:
        yield made


@pytest.fixture
async def anybody(limited: Shop) -> AsyncIterator[Client]:
    """From an address of its own, behind a proxy."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield from_(Client(session, limited.base), ulid())


def from_(client: Client, whom: str) -> Client:
    number = int.from_bytes(whom.encode()[-6:], "big")
    return client.with_(x_forwarded_for=f"2001:db8:{number >> 32 & 0xFFFF:x}:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}::1")


def is_too_many(answer: Answered) -> bool:
    if answer.status != 429:
        return False
    assert set(answer.json) == {"type", "message"}
    assert answer.json["type"] == "too_many_requests"
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    return True


async def sign_in(client: Client, email: str, password: str, actor: str = "customer") -> Answered:
    return await client("POST", f"/auth/{actor}/emailpass", {"email": email, "password": password})


async def account(client: Client, actor: str = "customer") -> str:
    email = f"{ulid().lower()}@example.com"
    made = await client("POST", f"/auth/{actor}/emailpass/register", {"email": email, "password": "the right one"})
    assert made.status == 200, made.text
    return email


@pytest.mark.parametrize("actor", ["user", "customer"])
async def test_passwords_are_guessed_a_few_times_only(anybody: Client, actor: str) -> None:
    email = await account(anybody, actor)
    answers = [await sign_in(anybody, email, f"guess number {n}", actor) for n in range(6)]
    assert [answer.status for answer in answers] == [401] * 4 + [429] * 2
    assert all(map(is_too_many, answers[4:]))
    assert is_too_many(await sign_in(from_(anybody, ulid()), email.upper(), "the right one", actor)), "from wherever, however it is written"
    assert (await sign_in(anybody, await account(anybody, actor), "the right one", actor)).status == 200, "others sign in"


async def test_guesses_at_once_are_no_more_than_in_a_row(anybody: Client) -> None:
    email = await account(anybody)
    answers = await asyncio.gather(*(sign_in(anybody, email, f"guess number {n}") for n in range(8)))
    assert sorted(answer.status for answer in answers) == [401] * 4 + [429] * 4


async def test_one_address_does_not_try_all_accounts(anybody: Client) -> None:
    answers = [await sign_in(anybody, f"{ulid()}@example.com", "123456789") for _ in range(14)]
    assert [answer.status for answer in answers] == [401] * 12 + [429] * 2
    known = await account(from_(anybody, ulid()))
    assert is_too_many(await sign_in(anybody, known, "the right one"))
    assert (await sign_in(from_(anybody, ulid()), known, "the right one")).status == 200, "who is refused by address uses up no account"


async def test_who_knows_the_password_is_never_too_many(anybody: Client) -> None:
    email = await account(anybody)
    for _ in range(14):
        assert (await sign_in(anybody, email, "the right one")).status == 200


async def test_signing_up_is_limited(anybody: Client) -> None:
    for _ in range(30):
        await account(anybody)
    refused = await anybody("POST", "/auth/user/emailpass/register", {"email": f"{ulid()}@example.com", "password": "the right one"})
    assert is_too_many(refused)


async def forget(client: Client, email: str, actor: str = "customer") -> Answered:
    return await client("POST", f"/auth/{actor}/emailpass/reset-password", {"identifier": email})


async def test_one_email_goes_to_an_address_whether_it_is_known_or_not(limited: Shop, anybody: Client) -> None:
    for email in (await account(anybody), f"{ulid()}@example.com"):
        assert (await forget(anybody, email)).status == 201
        assert is_too_many(await forget(anybody, email))
        assert is_too_many(await forget(from_(anybody, ulid()), email, "user"))
    assert (await forget(anybody, f"{ulid()}@example.com")).status == 201, (
        "refused for its account, an attempt counts for no address either"
    )
    assert is_too_many(await forget(anybody, f"{ulid()}@example.com")), "nor does one address ask for everybody's"


async def test_an_email_that_a_merchant_asks_for_is_one_of_them(limited: Shop, anybody: Client) -> None:
    email = await account(anybody, "user")
    user = (await limited.host.modules.user.create("user", [{"email": email}]))[0]["id"]
    admin = anybody.with_(authorization=f"Bearer {await limited.token('user', 'user_1')}")
    assert (await admin("POST", f"/admin/users/{user}/reset-password")).status == 200
    assert is_too_many(await admin("POST", f"/admin/users/{user}/reset-password"))
    assert is_too_many(await forget(anybody, email, "user"))


async def test_all_front_ends_count_together_and_remember_what_one_counted_that_died(
    limited: Shop, anybody: Client, tmp_path: Path
) -> None:
    """Another process of the same shop: a host of its own, with modules of its own."""
    email = await account(anybody)
    async with local_host(limited.host.settings.model_copy(update={"data_dir": tmp_path}), (*MODULES, "locking", "workflows")) as other:
        door = FrontEnd(other.context, identities.routes)
        await door.start()
        there = Client(anybody.session, f"http://127.0.0.1:{door.port}", anybody.headers)
        statuses = [(await sign_in(one, email, "a wrong guess")).status for one in (there, anybody, there, there, there, anybody)]
        assert statuses == [401] * 4 + [429] * 2
        await door.stop()
    assert is_too_many(await sign_in(anybody, email, "the right one"))


def _counted(real: Any, asked: list[tuple[str, str]]) -> Any:
    def counted(statement: Any, *args: Any, **more: Any) -> Any:
        asked.append((current_call().trace_id, str(getattr(statement, "sql", statement))))
        return real(statement, *args, **more)

    return counted


async def test_reset_password_does_the_same_work_for_anybody(limited: Shop, anybody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements on behalf of the request, by whether the account is known."""
    database: Any = limited.host.database("auth")
    asked: list[tuple[str, str]] = []
    for name in ("fetch", "fetch_one", "fetch_value", "fetch_json", "execute"):
        monkeypatch.setattr(database, name, _counted(getattr(database, name), asked))

    async def of(email: str) -> list[str]:
        trace = ulid()
        assert (await forget(from_(anybody, ulid()).with_(x_request_id=trace), email)).status == 201
        return [sql for whose, sql in asked if whose == trace]

    known = await of(await account(anybody))
    assert known == await of(f"{ulid()}@example.com")
    assert not any("provider_identity" in sql for sql in known), "who that is is looked up later"


def test_what_is_no_limit_is_refused_at_the_start() -> None:
    for wrong in ("many", "10", "10/fortnight"):
        with pytest.raises(Misconfigured, match="email_account_limit"):
            Limits(Settings(email_account_limit=wrong), None)  # type: ignore[arg-type]
    Limits(Settings(email_account_limit="10/minute;100/day"), None)  # type: ignore[arg-type]
