"""Emails: one for each key, tried again where they could not be sent, and none where they never will be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, get_args

import pytest

from velella.core.errors import InvalidData, Misconfigured, NotFound
from velella.core.service.providers import Providers
from velella.core.settings import BuyerEmail, ProviderSettings, Settings
from velella.modules.notification import MODULE
from velella.modules.notification.emails import from_template
from velella.modules.notification.provider import NotificationMessage, NotificationProvider
from velella.modules.notification.service import NotificationService
from velella.workflows.notification.buyer_emails import sent

from ..mail_desk import KEY, Postbox, SendGridDesk, mail_server
from .one_module import alone

SMTP = {"host": "127.0.0.1", "tls": "none", "from": "Shop <shop@example.com>"}
EMAIL = {"to": "ada@example.com", "channel": "email", "content": {"subject": "Hello", "text": "You there", "html": "<p>You there</p>"}}


class Pigeon(NotificationProvider):
    """Carries what it is given, unless it is told otherwise."""

    identifier: ClassVar[str] = "pigeon"
    name: ClassVar[str] = "Pigeon"
    channels = ("email", "sms")

    def __init__(self) -> None:
        self.sent: list[NotificationMessage] = []
        self.fails: list[Exception] = []

    async def send(self, message: NotificationMessage) -> str | None:
        await asyncio.sleep(0.01)
        if self.fails:
            raise self.fails.pop(0)
        self.sent.append(message)
        return f"ext-{len(self.sent)}"


KINDS = {**MODULE.provider_kinds, "pigeon": Pigeon}


def providers(*configured: tuple[str, dict[str, Any]]) -> Providers:
    return Providers("notification", KINDS, [ProviderSettings(use=use, options=options) for use, options in configured])


@pytest.fixture
async def notifications(fresh_database: str) -> AsyncIterator[NotificationService]:
    async with alone(NotificationService, fresh_database, connections=8, providers=providers(("pigeon", {}), ("local", {}))) as made:
        yield made
        await made.stop()


@pytest.fixture
def pigeon(notifications: NotificationService) -> Pigeon:
    found: Pigeon = notifications.providers.get("pigeon")
    return found


async def send(notifications: NotificationService, **more: Any) -> dict[str, Any]:
    [row] = await notifications.create_notifications([{**EMAIL, **more}])
    return row


async def test_a_notification_is_sent_and_kept(notifications: NotificationService, pigeon: Pigeon) -> None:
    row = await send(
        notifications, data={"a": 1}, secrets={"token": "s3cret"}, trigger_type="x.happened", resource_id="x_1", resource_type="x"
    )
    assert (row["status"], row["external_id"], row["provider_id"], row["data"]) == ("success", "ext-1", "pigeon", {"a": 1})
    assert (row["trigger_type"], row["resource_id"], row["resource_type"]) == ("x.happened", "x_1", "x")
    [message] = pigeon.sent
    assert (message.id, message.to, dict(message.data)) == (row["id"], "ada@example.com", {"a": 1, "token": "s3cret"})
    assert "s3cret" not in str(await notifications.list("notification"))


async def test_of_all_with_one_key_one_is_sent(notifications: NotificationService, pigeon: Pigeon) -> None:
    rows = await asyncio.gather(*(send(notifications, idempotency_key="evt_1:hello") for _ in range(8)))
    assert len({row["id"] for row in rows}) == 1
    again = await send(notifications, idempotency_key="evt_1:hello")
    assert (again["status"], len(pigeon.sent)) == ("success", 1)
    await send(notifications, idempotency_key="evt_2:hello")
    await send(notifications)
    await send(notifications)
    assert len(pigeon.sent) == 4


async def test_what_could_not_be_sent_is_tried_again(notifications: NotificationService, pigeon: Pigeon) -> None:
    pigeon.fails = [ConnectionError("hawks"), TimeoutError()]
    first = await send(notifications, idempotency_key="k")
    assert (first["status"], first["failure"]) == ("pending", "ConnectionError: hawks")
    assert (await send(notifications, idempotency_key="k"))["status"] == "pending"
    last = await send(notifications, idempotency_key="k")
    assert (last["id"], last["status"], last["failure"]) == (first["id"], "success", None)
    assert len(pigeon.sent) == 1


async def test_what_will_never_arrive_is_a_failure(notifications: NotificationService, pigeon: Pigeon) -> None:
    pigeon.fails = [InvalidData("there is no such address")]
    row = await send(notifications, idempotency_key="k")
    assert (row["status"], row["failure"]) == ("failure", "there is no such address")


async def test_what_a_dead_process_was_sending_is_sent(notifications: NotificationService, pigeon: Pigeon) -> None:
    pigeon.fails = [asyncio.CancelledError()]  # type: ignore[list-item]
    with pytest.raises(asyncio.CancelledError):
        await send(notifications, idempotency_key="k")
    assert (await send(notifications, idempotency_key="k"))["status"] == "pending"  # somebody may be sending it
    assert pigeon.sent == []
    await notifications.database.script("UPDATE notification SET sending_until = now() - interval '1 second'")
    assert (await send(notifications, idempotency_key="k"))["status"] == "success"


async def test_a_channel_belongs_to_one_provider(notifications: NotificationService) -> None:
    [feed] = await notifications.create_notifications([{"to": "", "channel": "feed", "template": "admin-ui", "data": {"title": "Done"}}])
    assert (feed["provider_id"], feed["status"]) == ("local", "success")
    rows = {row["id"]: row for row in await notifications.list("notification_provider")}
    assert (rows["pigeon"]["channels"], rows["local"]["channels"]) == (["email", "sms"], [])
    for both in ((("pigeon", {}), ("local", {"channels": ["email"]})), (("local", {}), ("local", {}))):
        with pytest.raises(Misconfigured):
            NotificationService(replace(notifications.context, providers=providers(*both)))


async def test_a_channel_nobody_delivers_is_not_found(fresh_database: str) -> None:
    async with alone(NotificationService, fresh_database, providers=providers(("pigeon", {}))) as service:
        with pytest.raises(NotFound, match="feed"):
            await service.create_notifications([EMAIL, {"to": "x", "channel": "feed"}])
        assert service.providers.get("pigeon").sent == []


# -- emails


def test_an_email_is_made_of_a_template() -> None:
    data = {"store_name": "Sails & <Sons>\nBcc: x@example.com", "url": "https://shop.example/?a=1&b=2"}
    made = from_template("user-invited", data)
    assert made is not None
    assert made.subject == "You are invited to Sails & <Sons> Bcc: x@example.com"
    assert "https://shop.example/?a=1&b=2" in made.text
    assert made.html is not None
    assert "Sails &amp; &lt;Sons&gt;" in made.html
    assert 'href="https://shop.example/?a=1&amp;b=2"' in made.html


def test_a_shops_own_emails_go_first(tmp_path: Path) -> None:
    (tmp_path / "user-invited.txt").write_text("Subject: Komm!\n\n$url")
    (tmp_path / "odd.txt").write_text("no subject")
    made = from_template("user-invited", {"url": "x"}, tmp_path)
    assert made is not None
    assert (made.subject, made.text) == ("Komm!", "x")
    assert from_template("nobody-wrote-this", {}, tmp_path) is None
    assert from_template("../user-invited", {}, tmp_path / "below") is None
    assert made.html is None  # not ours beside it
    for template, data in (("odd", {}), ("user-invited", {})):
        with pytest.raises(InvalidData):
            from_template(template, data, tmp_path)


def test_every_email_to_a_buyer_has_a_template() -> None:
    data = dict.fromkeys(("store_name", "display_id", "url", "items", "tracking", "total", "amount"), "<Shed & Co>")
    for name in get_args(BuyerEmail):
        made = from_template(name, data)
        assert made is not None
        assert "<Shed" in made.subject + made.text
        assert made.html is not None
        assert "&lt;Shed &amp; Co&gt;" in made.html


@pytest.mark.parametrize(
    ("settings", "placed", "transfer"),
    [
        (Settings(), False, True),
        (Settings(providers={"notification": [ProviderSettings(use="local"), ProviderSettings(use="smtp")]}), True, True),
        (Settings(providers={"notification": [ProviderSettings(use="smtp")]}, emails=[]), False, False),
        (Settings(emails=["order-placed"]), True, False),
    ],
)
def test_emails_to_buyers_are_sent_where_somebody_delivers_them_or_the_settings_say_so(
    settings: Settings, placed: bool, transfer: bool
) -> None:
    assert (sent("order-placed")(settings), sent("order-transfer-requested", always=True)(settings)) == (placed, transfer)


# -- SMTP


async def test_emails_go_by_smtp(fresh_database: str) -> None:
    postbox = Postbox()
    async with (
        mail_server(postbox) as port,
        alone(NotificationService, fresh_database, providers=providers(("smtp", {**SMTP, "port": port}))) as made,
    ):
        row = await send(made)
        assert row["status"] == "success"
        [envelope] = postbox.emails
        text = envelope.content.decode()
        assert (envelope.mail_from, envelope.rcpt_tos) == ("shop@example.com", ["ada@example.com"])
        assert f"Message-ID: <{row['id']}@example.com>" in text
        assert "Subject: Hello" in text
        assert "multipart/alternative" in text
        nobody, later = await send(made, to="nobody@example.com"), await send(made, to="later@example.com")
        assert (nobody["status"], later["status"]) == ("failure", "pending")
        with pytest.raises(InvalidData):
            await send(made, to="ada@example.com\r\nBcc: eve@example.com")
        assert len(postbox.emails) == 1


# -- SendGrid


async def test_emails_go_by_sendgrid(fresh_database: str) -> None:
    async with SendGridDesk() as desk:
        options = {"api_key": KEY, "from": "shop@example.com", "api_base": desk.url, "templates": {"order-thanks": "d-1"}, "retries": 0}
        async with alone(NotificationService, fresh_database, providers=providers(("sendgrid", options))) as made:
            row = await send(made)
            assert (row["status"], row["external_id"]) == ("success", "sg-1")
            body = desk.bodies[0]
            assert (body["subject"], body["from"]) == ("Hello", {"email": "shop@example.com"})
            assert body["personalizations"] == [{"to": [{"email": "ada@example.com"}], "custom_args": {"notification_id": row["id"]}}]
            assert [each["type"] for each in body["content"]] == ["text/plain", "text/html"]
            await send(made, content=None, template="order-thanks", data={"total": 5}, secrets={"url": "u"})
            assert desk.bodies[1]["template_id"] == "d-1"
            assert desk.bodies[1]["personalizations"][0]["dynamic_template_data"] == {"total": 5, "url": "u"}
            assert (await send(made, content=None, template="unknown"))["status"] == "failure"
            for status, becomes in ((400, "failure"), (401, "pending"), (429, "pending"), (500, "pending")):
                desk.status = status
                assert (await send(made))["status"] == becomes
            await made.stop()


@pytest.mark.parametrize(
    ("use", "options"),
    [
        ("smtp", {}),
        ("smtp", {"host": "x"}),
        ("smtp", {"host": "x", "from": "a@b.c", "tls": "maybe"}),
        ("sendgrid", {"api_key": "x"}),
        ("sendgrid", {"from": "a@b.c"}),
        ("sendgrid", {"api_key": "x", "from": "a@b.c", "odd": "1"}),
    ],
)
def test_options_are_checked_at_the_start(use: str, options: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        providers((use, options))
