"""Every provider beside another side that is killed, silent, slow, or answers nonsense: it says so in time, asks again only what may be
asked again, and works again as soon as the other side does."""

from __future__ import annotations

import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from velella.core.errors import Busy, Unavailable
from velella.core.message import CallContext, call_context
from velella.core.service.outside import OutsideParty, samples
from velella.core.service.providers import Provider, Providers
from velella.core.settings import ProviderSettings
from velella.modules.auth import KINDS as AUTH
from velella.modules.file.files import KINDS as FILES
from velella.modules.file.provider import FileKey
from velella.modules.fulfillment import MODULE as FULFILLMENT
from velella.modules.notification import MODULE as NOTIFICATION
from velella.modules.notification.provider import Content, NotificationMessage
from velella.modules.payment import MODULE as PAYMENT

from ..faulty import Fault, Faulty, faulty
from ..mail_desk import KEY, Postbox, SendGridDesk, mail_server
from ..oauth_desk import Desk, opened
from ..ship_desk import ShipDesk
from ..stripe_desk import KEY as STRIPE_KEY
from ..stripe_desk import SECRET, StripeDesk

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from moto.server import ThreadedMotoServer

PATIENCE = 1.0
"""Seconds that each provider here has for an attempt."""
EMAIL = NotificationMessage("noti_1", "ada@example.com", "email", content=Content("Hello", "You there"))


@dataclass
class Party:
    """A provider, the way to its other side, and one thing that it has done there."""

    module: str
    id: str
    provider: Provider
    way: Faulty
    ask: Callable[[], Awaitable[Any]]
    again: bool
    """Whether that may be done twice."""
    http: bool = True

    def attempts(self) -> dict[str, int]:
        """How many there were, by how they went."""
        mine = [sample for sample in samples() if sample[1][:2] == (self.module, self.id)]
        return {labels[2]: int(sum(value[:-1])) for _, labels, value in mine if isinstance(value, list)}

    async def works(self) -> bool:
        """Whether the other side answers at the first attempt, slowly as it may."""
        raised, attempts = await self.meets("slow")
        return raised is None and attempts in ({"ok": 1}, {"refused": 1})

    async def meets(self, fault: Fault, times: int = 1 << 30) -> tuple[Exception | None, dict[str, int]]:
        """What is raised, and the attempts that it took."""
        await self.way.play(fault, times)
        before = self.attempts()
        try:
            await self.ask()
        except Exception as error:  # noqa: BLE001 - it is looked at
            raised: Exception | None = error
        else:
            raised = None
        after = self.attempts()
        await self.way.play(None)
        return raised, {went: count - before.get(went, 0) for went, count in after.items() if count > before.get(went, 0)}


def one(module: str, kinds: Any, use: str, options: dict[str, Any]) -> tuple[str, Any]:
    [(id, provider)] = Providers(module, kinds, [ProviderSettings(use=use, id=use, options={**options, "timeout": PATIENCE})]).items()
    return id, provider


@asynccontextmanager
async def stripe() -> AsyncIterator[Party]:
    async with StripeDesk() as desk, faulty(desk.url) as way:
        options = {"api_key": STRIPE_KEY, "webhook_secret": SECRET, "api_base": f"http://127.0.0.1:{way.port}"}
        id, provider = one("payment", PAYMENT.provider_kinds, "stripe", options)
        yield Party("payment", id, provider, way, provider.check, again=True)


@asynccontextmanager
async def shipstation() -> AsyncIterator[Party]:
    async with ShipDesk() as desk, faulty(desk.url) as way:
        options = {**desk.options, "api_base": f"http://127.0.0.1:{way.port}/v2"}
        id, provider = one("fulfillment", FULFILLMENT.provider_kinds, "shipstation", options)
        yield Party("fulfillment", id, provider, way, provider.options, again=True)


@asynccontextmanager
async def sendgrid() -> AsyncIterator[Party]:
    async with SendGridDesk() as desk, faulty(desk.url) as way:
        options = {"api_key": KEY, "from": "shop@example.com", "api_base": f"http://127.0.0.1:{way.port}"}
        id, provider = one("notification", NOTIFICATION.provider_kinds, "sendgrid", options)
        yield Party("notification", id, provider, way, lambda: provider.send(EMAIL), again=False)


@asynccontextmanager
async def smtp() -> AsyncIterator[Party]:
    async with mail_server(Postbox()) as port, faulty(f"127.0.0.1:{port}") as way:
        options = {"host": "127.0.0.1", "port": way.port, "tls": "none", "from": "shop@example.com"}
        id, provider = one("notification", NOTIFICATION.provider_kinds, "smtp", options)
        yield Party("notification", id, provider, way, lambda: provider.send(EMAIL), again=True, http=False)  # a greeting that breaks off


@asynccontextmanager
async def s3() -> AsyncIterator[Party]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    async with faulty(f"{host}:{port}") as way, aiohttp.ClientSession() as session:
        await session.put(f"http://{host}:{port}/shop")
        keys = {"access_key_id": "key", "secret_access_key": "secret", "region": "us-east-1"}
        options = {"bucket": "shop", "endpoint": f"http://127.0.0.1:{way.port}", "file_url": "https://files.example", **keys}
        id, provider = one("file", FILES, "s3", options)
        key = FileKey("sail.png")
        await provider.store(key, _pieces(b"x" * 10_000), "image/png")

        async def read() -> None:
            assert b"".join([piece async for piece in provider.read(key)]) == b"x" * 10_000

        yield Party("file", id, provider, way, read, again=True)
    server.stop()


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _signs_in(kind: str) -> Callable[[], Any]:
    @asynccontextmanager
    async def party() -> AsyncIterator[Party]:
        async with opened(Desk(kind, {})) as desk, faulty(desk.base) as way:
            options = {**desk.options, "token_url": f"http://127.0.0.1:{way.port}/token"}
            id, provider = one("auth", AUTH, kind, options)
            yield Party("auth", id, provider, way, provider.check, again=False)

    return party


PARTIES = {
    "stripe": stripe,
    "shipstation": shipstation,
    "sendgrid": sendgrid,
    "smtp": smtp,
    "s3": s3,
    "google": _signs_in("google"),
    "github": _signs_in("github"),
}


@pytest.fixture(scope="module", params=PARTIES)
async def party(request: pytest.FixtureRequest) -> AsyncIterator[Party]:
    async with PARTIES[request.param]() as made:
        yield made
        await made.provider.close()


class TestProvider:
    """What all of them promise, whatever they do and whomever they ask."""

    async def test_nobody_there(self, party: Party) -> None:
        raised, attempts = await party.meets("killed")
        assert isinstance(raised, Unavailable)
        assert attempts
        assert "ok" not in attempts
        assert await party.works()

    async def test_silence_ends_in_time_and_is_not_waited_for_twice(self, party: Party) -> None:
        begun = time.monotonic()
        raised, attempts = await party.meets("silent")
        assert isinstance(raised, (Unavailable, TimeoutError))
        assert attempts == {"timeout": 1}
        assert time.monotonic() - begun < 4 * PATIENCE
        assert await party.works()

    async def test_a_broken_answer_is_no_answer(self, party: Party) -> None:
        raised, _ = await party.meets("cut")
        assert isinstance(raised, (Unavailable, OSError)), raised
        raised, _ = await party.meets("cut", 1)
        assert (raised is None) == party.again, raised

    async def test_an_error_over_there_is_asked_about_again_only_where_that_can_do_nothing_twice(self, party: Party) -> None:
        if not party.http:
            pytest.skip("it speaks something else")
        raised, attempts = await party.meets("failed", 1)
        assert (raised is None) == party.again, raised
        raised, attempts = await party.meets("failed")
        assert isinstance(raised, Unavailable)
        assert "ok" not in attempts

    async def test_who_is_asked_too_often_is_asked_again_when_it_says(self, party: Party) -> None:
        if not party.http:
            pytest.skip("it speaks something else")
        raised, _ = await party.meets("limited", 1)
        assert raised is None or isinstance(raised, Busy)
        raised, _ = await party.meets("limited")
        assert isinstance(raised, Unavailable)

    async def test_an_answer_without_end_is_not_read(self, party: Party) -> None:
        if not party.http or party.module == "file":
            pytest.skip("a file's reader takes it piece by piece")
        raised, attempts = await party.meets("endless")
        assert isinstance(raised, Unavailable)
        assert "ok" not in attempts


async def test_nobody_is_asked_again_for_whom_the_time_would_be_over() -> None:
    outside = OutsideParty("Somebody", timeout=5.0, retries=5)
    async with faulty("127.0.0.1:9") as way:
        await way.play("failed")
        call_context.set(CallContext().within(0.1))
        with pytest.raises(Unavailable, match="has an error"):
            await outside.ask("GET", f"http://127.0.0.1:{way.port}/")
        assert way.met == 1
        call_context.set(None)
    await outside.close()
