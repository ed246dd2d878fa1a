"""Inviting somebody, and a forgotten password: from the email to signing in, over HTTP."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from velella.core.ids import ulid
from velella.core.settings import Settings
from velella.modules.notification.provider import NotificationMessage
from velella.modules.notification.service import NotificationService
from velella.workflows.notification.emails import admin_url, storefront_url

from ..conftest import Answered, Client, Shop
from .conftest import CutOff, Merchant

PASSWORD = "correct horse battery"


@dataclass
class Postman:
    """What the local provider is given."""

    sent: list[NotificationMessage]
    on_strike: set[str] = field(default_factory=set)
    """Addresses that the next email doesn't get to."""

    async def email_to(self, to: str, nth: int = 1) -> NotificationMessage:
        for _ in range(200):
            found = [message for message in self.sent if message.to == to]
            if len(found) >= nth:
                return found[nth - 1]
            await asyncio.sleep(0.05)
        raise AssertionError(f"no email to {to}")


@pytest.fixture
def postman(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Postman:
    service = shop.host.services["notification"]
    assert isinstance(service, NotificationService)
    made = Postman([])

    async def send(message: NotificationMessage) -> None:
        if message.to in made.on_strike:
            made.on_strike.remove(message.to)
            raise ConnectionError("the post is on strike")
        made.sent.append(message)

    monkeypatch.setattr(service.providers.get("local"), "send", send)
    return made


def link(message: NotificationMessage) -> tuple[str, dict[str, str]]:
    """Path and query of the address in a message."""
    assert message.content is not None
    [url] = [line for line in message.content.text.splitlines() if line.startswith("http")]
    split = urlsplit(url)
    return split.path, {name: values[0] for name, values in parse_qs(split.query).items()}


def address() -> str:
    return f"{ulid().lower()}@example.com"


async def registered(client: Client, email: str) -> str:
    answer = await client("POST", "/auth/user/emailpass/register", {"email": email, "password": PASSWORD})
    return str(answer.json["token"])


async def accept(client: Client, token: str, bearer: str, body: Any = None) -> Answered:
    return await client("POST", "/admin/invites/accept", body or {}, params={"token": token}, headers={"authorization": f"Bearer {bearer}"})


async def test_somebody_is_invited_and_runs_the_shop(merchant: Merchant, client: Client, postman: Postman) -> None:
    email = address()
    made = (await merchant.post("/admin/invites", {"email": email, "metadata": {"team": "stock"}}))["invite"]
    assert (made["email"], made["accepted"], made["metadata"]) == (email, False, {"team": "stock"})
    message = await postman.email_to(email)
    path, query = link(message)
    assert (path, query["token"]) == ("/app/invite", made["token"])
    claims = json.loads(base64.urlsafe_b64decode(made["token"].split(".")[1] + "=="))  # as the dashboard reads it
    assert (claims["id"], claims["email"]) == (made["id"], email)
    [shown] = (await merchant.get("/admin/notifications", to=email))["notifications"]
    assert (shown["template"], shown["channel"], shown["resource_type"], shown["resource_id"]) == (
        "user-invited",
        "email",
        "invite",
        made["id"],
    )
    assert made["token"] not in str(shown)

    bearer = await registered(client, email)
    user = (await accept(client, query["token"], bearer, {"first_name": "Lin"})).json["user"]
    assert (user["email"], user["first_name"]) == (email, "Lin")
    token = (await client("POST", "/auth/user/emailpass", {"email": email, "password": PASSWORD})).json["token"]
    me = await client("GET", "/admin/users/me", headers={"authorization": f"Bearer {token}"})
    assert me.json["user"]["id"] == user["id"]
    assert (await merchant.client("GET", f"/admin/invites/{made['id']}")).status == 404
    assert (await accept(client, query["token"], await registered(client, address()))).status == 401


async def test_one_invitation_is_one_user(merchant: Merchant, client: Client, postman: Postman) -> None:
    made = (await merchant.post("/admin/invites", {"email": address()}))["invite"]
    bearers = [await registered(client, address()) for _ in range(3)]
    answers = await asyncio.gather(*(accept(client, made["token"], bearer) for bearer in bearers))
    assert sorted(answer.status for answer in answers) == [200, 401, 401]


async def test_an_invitation_stands_where_accepting_it_fails(merchant: Merchant, client: Client, postman: Postman) -> None:
    email = address()
    made = (await merchant.post("/admin/invites", {"email": email}))["invite"]
    taken = (await merchant.get("/admin/users"))["users"][0]["email"]
    bearer = await registered(client, email)
    assert (await accept(client, made["token"], bearer, {"email": taken})).status == 400
    assert (await merchant.get(f"/admin/invites/{made['id']}"))["invite"]["accepted"] is False
    assert (await accept(client, made["token"], bearer)).status == 200


async def test_accepting_that_was_cut_off_is_finished_by_the_next_attempt(
    merchant: Merchant, client: Client, postman: Postman, cut_off: CutOff
) -> None:
    email = address()
    made = (await merchant.post("/admin/invites", {"email": email}))["invite"]
    bearer = await registered(client, email)
    with cut_off():
        assert (await accept(client, made["token"], bearer)).status == 503
    assert (await accept(client, made["token"], await registered(client, address()))).status == 401, "another one's"
    assert (await accept(client, made["token"], bearer)).status == 200
    token = (await client("POST", "/auth/user/emailpass", {"email": email, "password": PASSWORD})).json["token"]
    me = await client("GET", "/admin/users/me", headers={"authorization": f"Bearer {token}"})
    assert me.json["user"]["email"] == email


async def test_only_the_newest_email_counts(merchant: Merchant, client: Client, postman: Postman) -> None:
    email = address()
    first = (await merchant.post("/admin/invites", {"email": email}))["invite"]
    again = (await merchant.post(f"/admin/invites/{first['id']}/resend"))["invite"]
    assert again["token"] != first["token"]
    _, query = link(await postman.email_to(email, 2))
    bearer = await registered(client, email)
    assert (await accept(client, first["token"], bearer)).status == 401
    assert (await accept(client, query["token"], bearer)).status == 200


async def test_who_may_not_accept(merchant: Merchant, client: Client, shop: Shop, postman: Postman) -> None:
    made = (await merchant.post("/admin/invites", {"email": address()}))["invite"]
    bearer = await registered(client, address())
    for token in ("nonsense", made["token"] + "x", bearer):
        refused = await accept(client, token, bearer)
        assert (refused.status, refused.json) == (401, {"message": "Unauthorized"})
    assert (await client("POST", "/admin/invites/accept", {}, params={"token": made["token"]})).status == 401
    somebody = await merchant.client("POST", "/admin/invites/accept", {}, params={"token": made["token"]})
    assert (somebody.status, somebody.json["type"]) == (400, "invalid_data")
    assert (await client("POST", "/admin/invites/accept", {}, headers={"authorization": f"Bearer {bearer}"})).status == 400
    # the email's token opens nothing else
    assert (await client("GET", "/admin/users/me", headers={"authorization": f"Bearer {made['token']}"})).status == 401
    await merchant.delete(f"/admin/invites/{made['id']}")
    assert (await accept(client, made["token"], bearer)).status == 401


async def test_nobody_is_invited_twice(merchant: Merchant, postman: Postman) -> None:
    email = address()
    answers = await asyncio.gather(*(merchant.client("POST", "/admin/invites", {"email": email}) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400]
    user = (await merchant.get("/admin/users"))["users"][0]["email"]
    assert (await merchant.client("POST", "/admin/invites", {"email": user})).status == 400


async def test_an_email_that_could_not_be_sent_is_sent_later(
    shop: Shop, merchant: Merchant, postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = address()
    postman.on_strike.add(email)
    await merchant.post("/admin/invites", {"email": email})
    for _ in range(200):
        waiting = await shop.host.modules.notification.list("notification", {"to": email}, fields=("status", "failure"))
        if waiting and waiting[0]["failure"]:
            break
        await asyncio.sleep(0.05)
    assert waiting[0]["status"] == "pending"
    # it comes again after a minute; nobody wants to wait for that
    await shop.host.database("workflows").script("UPDATE event_delivery SET due_at = now() WHERE due_at IS NOT NULL")
    await postman.email_to(email)
    for _ in range(100):
        [row] = await shop.host.modules.notification.list("notification", {"to": email}, fields=("status",))
        if row["status"] == "success":
            break
        await asyncio.sleep(0.05)
    assert row["status"] == "success"


# -- forgotten passwords


@pytest.mark.parametrize("actor", ["user", "customer"])
async def test_a_forgotten_password_is_replaced_by_an_email(
    shop: Shop, merchant: Merchant, client: Client, postman: Postman, actor: str
) -> None:
    email = address()
    path = f"/auth/{actor}/emailpass"
    await client("POST", f"{path}/register", {"email": email, "password": PASSWORD})
    asked = await client("POST", f"{path}/reset-password", {"identifier": email})
    assert (asked.status, asked.text) == (201, "Created")
    where, query = link(await postman.email_to(email))
    assert (where, query["email"]) == ("/app/reset-password" if actor == "user" else "/reset-password", email)
    [shown] = (await merchant.get("/admin/notifications", to=email))["notifications"]
    assert query["token"] not in str(shown)
    bearer = {"authorization": f"Bearer {query['token']}"}
    other = "customer" if actor == "user" else "user"
    assert (await client("POST", f"/auth/{other}/emailpass/update", {"password": "new password"}, headers=bearer)).status == 401
    answers = await asyncio.gather(*(client("POST", f"{path}/update", {"password": "new password"}, headers=bearer) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401]
    assert (await client("POST", path, {"email": email, "password": PASSWORD})).status == 401
    assert (await client("POST", path, {"email": email, "password": "new password"})).status == 200


async def test_nobody_is_told_whether_there_is_somebody(client: Client, postman: Postman) -> None:
    email = address()
    asked = await client("POST", "/auth/customer/emailpass/reset-password", {"identifier": email})
    assert (asked.status, asked.text) == (201, "Created")
    await asyncio.sleep(0.3)
    assert [message for message in postman.sent if message.to == email] == []


def test_emails_lead_where_the_settings_say() -> None:
    plain = Settings(port=9000, store_cors=r"/\.example$/,https://shop.example,https://other.example")
    assert (admin_url(plain), storefront_url(plain)) == ("http://127.0.0.1:9000/app", "https://shop.example")
    told = Settings(public_url="https://api.example", storefront_url="https://buy.example/", admin_url="https://run.example/")
    assert (admin_url(told), storefront_url(told)) == ("https://run.example", "https://buy.example")
    assert admin_url(Settings(public_url="https://api.example")) == "https://api.example/app"
