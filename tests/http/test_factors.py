"""Second factors and verified addresses: what a sign-in still waits for, and what goes round none of it."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pyotp
import pytest
from sqlalchemy import text

from velella.cli.accounts import reset_mfa
from velella.core.errors import Misconfigured, NotFound
from velella.core.ids import ulid
from velella.core.settings import Verified
from velella.modules.auth.factors import Seal, matching_step
from velella.modules.auth.verifications import code_hash

from .conftest import Answered, Client, Shop

SIGN_IN = "/auth/customer/emailpass"


@dataclass
class Person:
    client: Client
    login: dict[str, str]
    identity: str
    secret: str = ""
    factor: str = ""

    async def sign_in(self) -> Answered:
        answer = await self.client("POST", SIGN_IN, self.login)
        assert answer.status == 200, answer.text
        return answer

    def with_token(self, token: str) -> Client:
        return self.client.with_(authorization=f"Bearer {token}")

    def code(self, steps: int = 0) -> str:
        """The code of now, or of some steps of 30 s later: each counts once."""
        return str(pyotp.TOTP(self.secret).at(int(time.time()) + 30 * steps))

    async def halfway(self) -> tuple[Client, Any]:
        """Somebody who knows the password, and the challenge."""
        answer = (await self.sign_in()).json
        assert set(answer) == {"mfa_required", "mfa_challenge", "token"}
        return self.with_token(answer["token"]), answer["mfa_challenge"]

    async def through(self) -> Client:
        """Signed in by both."""
        halfway, challenge = await self.halfway()
        done = await halfway("POST", f"/auth/mfa/challenges/{challenge['id']}/verify", {"method": "totp", "code": self.code()})
        assert done.status == 200, done.text
        return self.with_token(done.json["token"])


@pytest.fixture
async def person(client: Client, shop: Shop) -> Person:
    """A customer who signs in by a password."""
    login = {"email": f"{ulid().lower()}@example.com", "password": "secret words"}
    token = (await client("POST", f"{SIGN_IN}/register", login)).json["token"]
    identity = str(jwt.decode(token, options={"verify_signature": False})["auth_identity_id"])
    [customer] = await shop.host.modules.customer.create("customer", [{"email": login["email"]}])
    await shop.host.modules.auth.set_actor(identity, "customer", customer["id"])
    return Person(client, login, identity)


@pytest.fixture
async def careful(person: Person) -> Person:
    """One with a second factor."""
    signed_in = person.with_token((await person.sign_in()).json["token"])
    begun = (await signed_in("POST", "/auth/mfa/factors", {"provider": "totp", "label": person.login["email"]})).json
    person.secret, person.factor = begun["secret"], begun["mfa_factor"]["id"]
    verified = await signed_in("POST", f"/auth/mfa/factors/{person.factor}/verify", {"code": person.code(-1)})
    assert (verified.status, verified.json["mfa_factor"]["status"]) == (200, "enabled")
    return person


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def test_a_second_factor_is_asked_for_from_the_next_time_on(careful: Person) -> None:
    halfway, challenge = await careful.halfway()
    assert (challenge["methods"], challenge["attempts"], challenge["max_attempts"]) == (["totp"], 0, 5)
    done = await halfway("POST", f"/auth/mfa/challenges/{challenge['id']}/verify", {"method": "totp", "code": careful.code()})
    assert done.status == 200, done.text
    said = claims(done.json["token"])
    assert said["actor_id"].startswith("cus_")
    assert (said["mfa_enabled"], said["auth_provider"]) == (True, "emailpass")
    assert abs(said["mfa_challenge_completed_at"] - time.time()) < 60
    fresh = await careful.with_token(done.json["token"])("POST", "/auth/token/refresh")
    assert claims(fresh.json["token"])["mfa_challenge_completed_at"] == said["mfa_challenge_completed_at"]


async def test_who_knows_the_password_alone_is_nobody(careful: Person) -> None:
    """Not by another token, a session, a factor of their own or none."""
    halfway, _ = await careful.halfway()
    refreshed = careful.with_token((await halfway("POST", "/auth/token/refresh")).json["token"])
    for client in (halfway, refreshed):
        for method, path in (
            ("GET", "/auth/mfa/factors"),
            ("DELETE", f"/auth/mfa/factors/{careful.factor}"),
            ("POST", "/auth/mfa/recovery-codes"),
        ):
            assert (await client(method, path, {})).status == 401, (method, path)
        assert claims((await client("POST", "/auth/token/refresh")).json["token"])["actor_id"] == ""
    opened = await halfway("POST", "/auth/session")  # the dashboard keeps what it has got so far in one
    assert (opened.status, opened.json["user"]["actor_id"]) == (200, "")
    browser = careful.client.with_(cookie=opened.headers["Set-Cookie"].partition(";")[0])
    assert (await browser("GET", "/auth/mfa/factors")).status == 401
    challenge = (await careful.halfway())[1]["id"]
    done = await browser("POST", f"/auth/mfa/challenges/{challenge}/verify", {"method": "totp", "code": careful.code()})
    assert claims(done.json["token"])["actor_id"].startswith("cus_")
    assert (await browser("GET", "/auth/mfa/factors")).status == 401, "the session is what it was"
    assert (await browser("DELETE", "/auth/session")).status == 200


async def test_a_code_counts_once(careful: Person) -> None:
    """Also where it comes twice at the same time, and for another challenge."""
    (one, first), (other, second) = await careful.halfway(), await careful.halfway()
    given = {"method": "totp", "code": careful.code()}
    answers = await asyncio.gather(
        one("POST", f"/auth/mfa/challenges/{first['id']}/verify", given),
        other("POST", f"/auth/mfa/challenges/{second['id']}/verify", given),
        one("POST", f"/auth/mfa/challenges/{first['id']}/verify", given),
    )
    assert sorted(answer.status for answer in answers) == [200, 400, 400]


async def test_guessing_ends(careful: Person, shop: Shop) -> None:
    halfway, challenge = await careful.halfway()
    path, wrong = f"/auth/mfa/challenges/{challenge['id']}/verify", {"method": "totp", "code": "000000"}
    tried = [await halfway("POST", path, {**wrong, "code": code}) for code in ("٠٠٠٠٠٠", *["000000"] * 5)]
    assert [answer.json["message"] for answer in tried] == [
        *["Invalid MFA challenge code"] * 4,
        *["MFA challenge has too many failed attempts"] * 2,
    ]
    assert {answer.status for answer in tried} == {400}
    right = await halfway("POST", path, {"method": "totp", "code": careful.code()})
    assert right.json["message"] == "MFA challenge has too many failed attempts"
    await shop.host.database("auth").execute(text("UPDATE auth_mfa_challenge SET attempts = 0, expires_at = now()"))
    assert (await halfway("POST", path, wrong)).json["message"] == "MFA challenge has expired"
    stranger, _ = await careful.halfway()
    assert (await stranger("POST", "/auth/mfa/challenges/nothing/verify", wrong)).status == 404


async def test_recovery_codes_stand_for_the_app_once_each(careful: Person) -> None:
    halfway, challenge = await careful.halfway()
    token = (await halfway("POST", f"/auth/mfa/challenges/{challenge['id']}/verify", {"method": "totp", "code": careful.code()})).json[
        "token"
    ]
    codes = (await careful.with_token(token)("POST", "/auth/mfa/recovery-codes", {"count": 3})).json["recovery_codes"]
    assert len({*codes}) == 3
    for code, status in ((codes[0].upper(), 200), (codes[0], 400), (codes[1], 200)):
        halfway, challenge = await careful.halfway()
        assert challenge["methods"] == ["totp", "recovery_code"]
        answer = await halfway("POST", f"/auth/mfa/challenges/{challenge['id']}/verify", {"method": "recovery_code", "code": code})
        assert answer.status == status, answer.text
    replaced = (await careful.with_token(token)("POST", "/auth/mfa/recovery-codes")).json["recovery_codes"]
    assert len(replaced) == 10
    halfway, challenge = await careful.halfway()
    gone = await halfway("POST", f"/auth/mfa/challenges/{challenge['id']}/verify", {"method": "recovery_code", "code": codes[2]})
    assert gone.status == 400


async def test_a_factor_is_set_up_step_by_step_and_taken_away(person: Person) -> None:
    client = person.with_token((await person.sign_in()).json["token"])
    assert (await client("POST", "/auth/mfa/recovery-codes")).json["message"] == "Recovery codes require an enabled MFA factor"
    assert (await client("POST", "/auth/mfa/factors", {"provider": "pigeon"})).status == 400
    begun = (await client("POST", "/auth/mfa/factors", {"provider": "totp", "label": "ada's", "issuer": "Sails"})).json
    assert pyotp.parse_uri(begun["otpauth_url"]).secret == begun["secret"]
    assert begun["otpauth_url"].startswith("otpauth://totp/Sails:ada%27s?")
    assert (begun["mfa_factor"]["status"], begun["mfa_factor"]["metadata"]) == ("pending", {"label": "ada's"})
    again = await client("POST", "/auth/mfa/factors", {"provider": "totp"})
    assert (again.status, again.json["message"]) == (400, "An active TOTP factor already exists for this auth identity")
    person.secret, path = begun["secret"], f"/auth/mfa/factors/{begun['mfa_factor']['id']}"
    assert (await client("POST", f"{path}/verify", {"code": "12345"})).json["message"] == "Invalid TOTP code"
    assert "token" in (await person.sign_in()).json, "what isn't verified isn't asked for"
    assert (await client("POST", f"{path}/verify", {"code": person.code()})).status == 200
    shown = (await client("GET", "/auth/mfa/factors")).json["mfa_factors"]
    assert [(factor["id"], factor["status"]) for factor in shown] == [(begun["mfa_factor"]["id"], "enabled")]
    assert "provider_metadata" not in shown[0]
    assert begun["secret"] not in str(shown)
    assert (await client("DELETE", path)).json["mfa_factor"]["status"] == "disabled"
    assert set((await person.sign_in()).json) == {"token"}
    assert (await client("POST", f"{path}/verify", {"code": person.code(1)})).json["message"] == "Disabled MFA factors cannot be verified"
    assert (await client("DELETE", "/auth/mfa/factors/nothing")).status == 404


@pytest.fixture
def asking(shop: Shop) -> Iterator[None]:
    shop.front.settings.mfa_disable_needs_code = True
    yield
    shop.front.settings.mfa_disable_needs_code = False


async def test_a_shop_may_ask_for_a_code_before_a_factor_is_taken_away(careful: Person, asking: None) -> None:
    """Also before there are new recovery codes, each of which takes it away."""
    client, factor, codes = await careful.through(), f"/auth/mfa/factors/{careful.factor}", "/auth/mfa/recovery-codes"
    for method, path in (("DELETE", factor), ("POST", codes)):
        bare = await client(method, path, {})
        assert (bare.status, bare.json["message"].partition(" to ")[0]) == (400, "MFA verification code is required")
        for wrong in ({"method": "totp", "code": "000000"}, {"method": "recovery_code", "code": "0"}, {"method": "pigeon", "code": "0"}):
            answer = await client(method, path, wrong)
            assert (answer.status, answer.json["message"]) == (400, "Invalid MFA verification code")
    made = await client("POST", codes, {"count": 2, "method": "totp", "code": careful.code(1)})
    assert made.status == 200, made.text
    gone = await client("DELETE", factor, {"method": "recovery_code", "code": made.json["recovery_codes"][0]})
    assert (gone.status, gone.json["mfa_factor"]["status"]) == (200, "disabled")
    late = await client("POST", codes, {"method": "recovery_code", "code": made.json["recovery_codes"][1]})
    assert late.json["message"] == "Recovery codes require an enabled MFA factor"


async def test_recovery_codes_are_those_of_the_last_time_and_of_a_factor(careful: Person, shop: Shop) -> None:
    """However many ask at once, and while the factor goes."""
    client, database = await careful.through(), shop.host.database("auth")
    kept = text("SELECT count(*) FROM auth_mfa_recovery_code WHERE auth_identity_id = :id")
    made = await asyncio.gather(*(client("POST", "/auth/mfa/recovery-codes") for _ in range(4)))
    assert {answer.status for answer in made} == {200}
    assert await database.fetch_value(kept, {"id": careful.identity}) == 10
    going = client("DELETE", f"/auth/mfa/factors/{careful.factor}")
    answers = await asyncio.gather(*(client("POST", "/auth/mfa/recovery-codes") for _ in range(3)), going)
    assert answers[-1].status == 200
    assert await database.fetch_value(kept, {"id": careful.identity}) == 0


async def test_what_was_set_up_and_left_is_forgotten(person: Person, shop: Shop) -> None:
    client, database = person.with_token((await person.sign_in()).json["token"]), shop.host.database("auth")
    for _ in range(3):
        begun = (await client("POST", "/auth/mfa/factors", {"provider": "totp"})).json
        path = f"/auth/mfa/factors/{begun['mfa_factor']['id']}"
        assert (await client("DELETE", path)).json["mfa_factor"] == {**begun["mfa_factor"], "status": "disabled"}
        assert (await client("DELETE", path)).status == 404
    assert (await client("GET", "/auth/mfa/factors")).json == {"mfa_factors": []}
    for name in ("label", "issuer"):
        assert (await client("POST", "/auth/mfa/factors", {"provider": "totp", name: "x" * 256})).status == 400
    await database.execute(
        text("INSERT INTO auth_mfa_factor (id, auth_identity_id, provider, status) SELECT :id || n, :id, 'totp', 'disabled'"
             " FROM generate_series(1, 20) AS n"),
        {"id": person.identity},
    )  # fmt: skip
    begun = (await client("POST", "/auth/mfa/factors", {"provider": "totp"})).json
    person.secret, path = begun["secret"], f"/auth/mfa/factors/{begun['mfa_factor']['id']}"
    assert (await client("POST", f"{path}/verify", {"code": person.code()})).status == 200
    assert (await client("DELETE", path)).status == 200
    kept = (await client("GET", "/auth/mfa/factors")).json["mfa_factors"]
    assert (len(kept), kept[-1]["id"]) == (10, begun["mfa_factor"]["id"])


async def test_a_code_changes_nothing_about_who_signs_in(careful: Person, shop: Shop) -> None:
    changed = text("SELECT updated_at FROM auth_identity WHERE id = :id")
    before = await shop.host.database("auth").fetch_value(changed, {"id": careful.identity})
    await careful.through()
    assert await shop.host.database("auth").fetch_value(changed, {"id": careful.identity}) == before


async def test_an_operator_helps_who_has_lost_the_factor(careful: Person, shop: Shop) -> None:
    """Also a customer, however the address is spelled, and nobody else who has it."""
    modules, email = shop.host.modules, careful.login["email"].title()
    [user] = await modules.user.create("user", [{"email": email}])
    with pytest.raises(NotFound):
        await reset_mfa(modules, email)
    elsewhere = await modules.auth.create_identity("elsewhere", ulid(), {})
    assert elsewhere is not None
    await modules.auth.set_actor(elsewhere["id"], "user", user["id"])
    assert await reset_mfa(modules, email) is False
    assert "mfa_required" in (await careful.sign_in()).json
    assert await reset_mfa(modules, email, "customer") is True
    assert set((await careful.sign_in()).json) == {"token"}
    assert await reset_mfa(modules, email, "customer") is False


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B: the last six digits of its eight, for SHA-1."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    for now, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert matching_step(secret, code, now) == now // 30
        assert matching_step(secret, code, now + 30) == now // 30, "a clock may be a step behind"
        assert matching_step(secret, code, now + 90) is None
    assert matching_step(secret, "٢٨٧٠٨٢", 59) is None, "digits of another script are no code"


def test_a_secret_opens_for_its_owner_under_its_key_alone() -> None:
    sealed = Seal("a").close("JBSWY3DP", "authid_1")
    assert "JBSWY3DP" not in sealed
    assert Seal("a").open(sealed, "authid_1") == "JBSWY3DP"
    for key, owner in (("b", "authid_1"), ("a", "authid_2")):
        with pytest.raises(Misconfigured):
            Seal(key).open(sealed, owner)


# -- verified addresses


@pytest.fixture
def verifying(shop: Shop) -> Iterator[None]:
    settings = shop.front.settings
    settings.auth_verifications["customer"] = [Verified(auth_provider="emailpass")]
    yield
    del settings.auth_verifications["customer"]


async def test_an_address_is_verified_before_it_signs_in(person: Person, shop: Shop, verifying: None) -> None:
    answer = (await person.sign_in()).json
    assert (answer["verification_required"], answer["verification"], claims(answer["token"])["actor_id"]) == (True, None, "")
    halfway = person.with_token(answer["token"])
    assert (await halfway("GET", "/auth/mfa/factors")).status == 401
    about = {"entity_id": person.login["email"].upper(), "entity_type": "email"}
    asked = await halfway("POST", "/auth/verification/request", about)
    assert asked.status == 201, asked.text
    assert (asked.json["verification"]["entity_id"], asked.json["verification"]["verified_at"]) == (person.login["email"], None)
    assert not {"code", "code_hash", "expires_at"} & asked.json["verification"].keys()
    assert (await person.sign_in()).json["verification"]["id"] == asked.json["verification"]["id"]
    assert claims((await halfway("POST", "/auth/token/refresh")).json["token"])["actor_id"] == ""
    code = await known_code(shop, person)
    assert (await person.client("POST", "/auth/verification/confirm", {"code": "another"})).status == 400
    answers = await asyncio.gather(*(person.client("POST", "/auth/verification/confirm", {"code": code}) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    assert claims((await halfway("POST", "/auth/token/refresh")).json["token"])["actor_id"].startswith("cus_")
    assert set((await person.sign_in()).json) == {"token"}
    again = await halfway("POST", "/auth/verification/request", about)
    assert again.json["verification"]["verified_at"] is not None, "what is verified stays so"


async def test_a_second_factor_stands_for_no_address(careful: Person, shop: Shop, verifying: None) -> None:
    """Neither one that was asked for as another kind of actor, nor one from before the shop wanted addresses proven."""
    halfway = careful.with_token((await careful.sign_in()).json["token"])
    other = (await careful.client("POST", "/auth/other/emailpass", careful.login)).json["mfa_challenge"]["id"]
    given = {"method": "totp", "code": careful.code()}
    assert (await halfway("POST", f"/auth/mfa/challenges/{other}/verify", given)).status == 404
    before = (await shop.host.modules.auth.begin_challenge(careful.identity, "customer", "emailpass"))["id"]
    answered = (await halfway("POST", f"/auth/mfa/challenges/{before}/verify", given)).json["token"]
    refreshed = (await careful.with_token(answered)("POST", "/auth/token/refresh")).json["token"]
    for token in (answered, refreshed):
        assert claims(token)["actor_id"] == ""
        assert (await careful.with_token(token)("GET", "/auth/mfa/factors")).status == 401
    assert (await careful.client("POST", "/auth/verification/confirm", {"code": await known_code(shop, careful)})).status == 200
    done = claims((await careful.with_token(answered)("POST", "/auth/token/refresh")).json["token"])
    assert (done["actor_id"][:4], "mfa_challenge_completed_at" in done) == ("cus_", True)


async def test_all_that_a_shop_wants_proven_is_asked_for(person: Person, shop: Shop, verifying: None) -> None:
    shop.front.settings.auth_verifications["customer"].append(Verified(auth_provider="emailpass", entity_type="letterbox"))
    for kind in ("email", "letterbox"):
        assert (await person.sign_in()).json["verification_required"] is True
        code = await known_code(shop, person, kind)
        assert (await person.client("POST", "/auth/verification/confirm", {"code": code})).json["entity_type"] == kind
    assert set((await person.sign_in()).json) == {"token"}


async def test_what_nobody_proves_is_forgotten_and_bounded(person: Person, shop: Shop, verifying: None) -> None:
    halfway, database = person.with_token((await person.sign_in()).json["token"]), shop.host.database("auth")
    kept = text("SELECT count(*) FROM auth_verification WHERE auth_identity_id = :id")

    async def ask(n: int) -> Answered:
        return await halfway("POST", "/auth/verification/request", {"entity_id": f"{n}.{person.login['email']}", "entity_type": "email"})

    answers = await asyncio.gather(*(ask(n) for n in range(25)))
    assert sorted(answer.status for answer in answers) == [201] * 20 + [400] * 5
    assert {answer.json["message"] for answer in answers if answer.status == 400} == {"An identity verifies 20 addresses at most"}
    again = next(n for n, answer in enumerate(answers) if answer.status == 201)
    assert (await ask(again)).status == 201, "another code for one of them"
    assert await database.fetch_value(kept, {"id": person.identity}) == 20
    await database.execute(text("UPDATE auth_verification SET requested_at = now() - interval '901 s'"))
    assert (await ask(30)).status == 201
    assert await database.fetch_value(kept, {"id": person.identity}) == 1
    for name in ("entity_id", "entity_type"):
        long = {"entity_id": "a@example.com", "entity_type": "email", name: "x" * 256}
        assert (await halfway("POST", "/auth/verification/request", long)).status == 400


async def test_a_code_ends_with_its_time_and_with_the_next_one(person: Person, shop: Shop) -> None:
    former, code = await known_code(shop, person), await known_code(shop, person)
    assert (await person.client("POST", "/auth/verification/confirm", {"code": former})).status == 400
    await shop.host.database("auth").execute(text("UPDATE auth_verification SET requested_at = now() - interval '901 s'"))
    late = await person.client("POST", "/auth/verification/confirm", {"code": code})
    assert (late.status, late.json["message"]) == (400, "Verification code is invalid or already used")


async def known_code(shop: Shop, person: Person, kind: str = "email") -> str:
    """Ask for a code as the route does, and look at it on its way."""
    code = ulid()
    await shop.host.modules.auth.request_verification(person.identity, person.login["email"], kind, "token", code_hash(code), None)
    return code
