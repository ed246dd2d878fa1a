"""Providers of each kind with what stands in for their other side, and a way between the two on which a test plays faults (`faulty.py`)."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from velella.core.clock import utc_now
from velella.core.service.outside import samples
from velella.core.service.providers import Provider, Providers
from velella.core.settings import ProviderSettings, Settings
from velella.modules.analytics import MODULE as ANALYTICS
from velella.modules.analytics.provider import Tracked
from velella.modules.auth import KINDS as AUTH
from velella.modules.file.files import KINDS as FILES
from velella.modules.file.provider import FileKey
from velella.modules.fulfillment import MODULE as FULFILLMENT
from velella.modules.notification import MODULE as NOTIFICATION
from velella.modules.notification.provider import Content, NotificationMessage
from velella.modules.payment import MODULE as PAYMENT
from velella.modules.search import MODULE as SEARCH
from velella.modules.search.asking import asked
from velella.modules.search.indexes import PRODUCT

from .carrier import Carrier
from .faulty import Fault, Faulty, faulty
from .mail_desk import KEY, Postbox, SendGridDesk, mail_server
from .meili_desk import MeiliDesk
from .oauth_desk import Desk, opened
from .posthog_desk import KEY as PROJECT
from .posthog_desk import PostHogDesk
from .ship_desk import ShipDesk
from .stripe_desk import KEY as STRIPE_KEY
from .stripe_desk import SECRET, StripeDesk
from .vault import Vault

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from moto.server import ThreadedMotoServer

KINDS: Mapping[str, Mapping[str, type]] = {
    "analytics": ANALYTICS.provider_kinds,
    "auth": AUTH,
    "file": FILES,
    "fulfillment": {**FULFILLMENT.provider_kinds, "carrier": Carrier},
    "notification": NOTIFICATION.provider_kinds,
    "payment": {**PAYMENT.provider_kinds, "vault": Vault},
    "search": SEARCH.provider_kinds,
}
PATIENCE = 5.0
"""Seconds that each provider here has for an attempt, but a bucket's, whose library is told once."""
BUCKET_PATIENCE = 2.0
EMAIL = NotificationMessage("noti_1", "ada@example.com", "email", content=Content("Hello", "You there"))


@dataclass
class Party:
    """A provider, and its other side."""

    module: str
    id: str
    provider: Any
    configured: ProviderSettings
    desk: Any = None
    """The stand-in; None: it asks nobody."""
    way: Faulty | None = None
    """Between the two."""
    ask: Callable[[], Awaitable[Any]] | None = None
    """One thing that it has done there."""
    again: bool = True
    """Whether that may be done twice."""
    http: bool = True
    about: dict[str, Any] = field(default_factory=dict)

    def attempts(self) -> dict[str, int]:
        """How many there were, by how they went."""
        mine = [sample for sample in samples() if sample[1][:2] == (self.module, self.id)]
        return {labels[2]: int(sum(value[:-1])) for _, labels, value in mine if isinstance(value, list)}

    async def meets(self, fault: Fault, times: int = 1 << 30) -> tuple[Exception | None, dict[str, int]]:
        """What is raised, and the attempts that it took."""
        assert self.way is not None
        assert self.ask is not None
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

    async def works(self) -> bool:
        """Whether the other side answers at the first attempt, slowly as it may."""
        raised, attempts = await self.meets("slow")
        return raised is None and attempts in ({"ok": 1}, {"refused": 1})


def _party(module: str, use: str, options: dict[str, Any], **more: Any) -> Party:
    configured = ProviderSettings(use=use, id=use, options=options)
    [(id, provider)] = Providers(module, KINDS[module], [configured], Provider).items()
    return Party(module, id, provider, configured, **more)


def at(way: Faulty) -> str:
    return f"http://127.0.0.1:{way.port}"


def _alone(module: str, use: str, **options: Any) -> Callable[[Path], AbstractAsyncContextManager[Party]]:
    """A provider that asks nobody."""

    @asynccontextmanager
    async def party(folder: Path) -> AsyncIterator[Party]:
        made = _party(module, use, dict(options))
        if module == "file":
            made.provider.bind(Settings(_env_file=None, data_dir=folder))
        yield made

    return party


@asynccontextmanager
async def _stripe(folder: Path) -> AsyncIterator[Party]:
    async with StripeDesk() as desk, faulty(desk.url) as way:
        options = {"api_key": STRIPE_KEY, "webhook_secret": SECRET, "api_base": at(way), "timeout": PATIENCE}
        party = _party("payment", "stripe", options, desk=desk, way=way)
        party.ask = party.provider.check
        yield party


@asynccontextmanager
async def _shipstation(folder: Path) -> AsyncIterator[Party]:
    async with ShipDesk() as desk, faulty(desk.url) as way:
        options = {**desk.options, "api_base": f"{at(way)}/v2", "timeout": PATIENCE}
        party = _party("fulfillment", "shipstation", options, desk=desk, way=way)
        party.ask = party.provider.options
        yield party


@asynccontextmanager
async def _sendgrid(folder: Path) -> AsyncIterator[Party]:
    async with SendGridDesk() as desk, faulty(desk.url) as way:
        options = {"api_key": KEY, "from": "shop@example.com", "api_base": at(way), "timeout": PATIENCE}
        party = _party("notification", "sendgrid", options, desk=desk, way=way, again=False)
        party.ask = lambda: party.provider.send(EMAIL)
        yield party


@asynccontextmanager
async def _smtp(folder: Path) -> AsyncIterator[Party]:
    postbox = Postbox()
    async with mail_server(postbox) as port, faulty(f"127.0.0.1:{port}") as way:
        options = {"host": "127.0.0.1", "port": way.port, "tls": "none", "from": "shop@example.com", "timeout": PATIENCE}
        party = _party("notification", "smtp", options, desk=postbox, way=way, http=False)  # what breaks off is the greeting
        party.ask = lambda: party.provider.send(EMAIL)
        yield party


@asynccontextmanager
async def _s3(folder: Path) -> AsyncIterator[Party]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    async with faulty(f"{host}:{port}") as way, aiohttp.ClientSession() as session:
        async with session.put(f"http://{host}:{port}/shop") as answer:
            assert answer.status == 200
        keys = {"access_key_id": "key", "secret_access_key": "secret", "region": "us-east-1"}
        options = {
            "bucket": "shop",
            "endpoint": at(way),
            "file_url": "https://files.example/",
            "prefix": "media",
            "timeout": BUCKET_PATIENCE,
        }
        party = _party("file", "s3", {**options, **keys}, desk=f"http://{host}:{port}/shop", way=way)
        await party.provider.store(FileKey("sail.png"), pieces(b"x" * 10_000), "image/png")

        async def read() -> None:
            assert b"".join([piece async for piece in party.provider.read(FileKey("sail.png"))]) == b"x" * 10_000

        party.ask = read
        yield party
    server.stop()


@asynccontextmanager
async def _posthog(folder: Path) -> AsyncIterator[Party]:
    async with PostHogDesk() as desk, faulty(desk.url) as way:
        options = {"api_key": PROJECT, "host": at(way), "timeout": PATIENCE}
        party = _party("analytics", "posthog", options, desk=desk, way=way)
        party.ask = lambda: party.provider.send([Tracked("6f3a7c1e-0d0b-4c58-9a35-5f2a4e1c7b90", utc_now(), "asked", "cus_1")])
        yield party


@asynccontextmanager
async def _meilisearch(folder: Path) -> AsyncIterator[Party]:
    async with MeiliDesk() as desk, faulty(desk.url) as way:
        party = _party("search", "meilisearch", {**desk.options, "url": at(way), "timeout": PATIENCE}, desk=desk, way=way)
        party.ask = lambda: party.provider.search("srhver_none", PRODUCT, asked(PRODUCT, {}, {}, store=False))
        yield party


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


PEOPLE: Mapping[str, dict[str, Any]] = {
    "google": {name: {"sub": str(id), "email": f"{name}@example.com", "email_verified": True} for id, name in enumerate(("ada", "bo"))},
    "github": {name: {"id": id, "login": name, "emails": []} for id, name in enumerate(("ada", "bo"))},
}


def _signs_in(kind: str) -> Callable[[Path], AbstractAsyncContextManager[Party]]:
    @asynccontextmanager
    async def party(folder: Path) -> AsyncIterator[Party]:
        async with opened(Desk(kind, PEOPLE[kind])) as desk, faulty(desk.base) as way:
            options = {**desk.options, "token_url": f"{at(way)}/token", "api_url": at(way), "timeout": PATIENCE}
            party = _party("auth", kind, options, desk=desk, way=way, again=False)
            party.ask = party.provider.check
            yield party

    return party


PARTIES: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Party]]] = {
    "local analytics": _alone("analytics", "local"),
    "posthog": _posthog,
    "emailpass": _alone("auth", "emailpass", hash_config={"logN": 11}),
    "google": _signs_in("google"),
    "github": _signs_in("github"),
    "local files": _alone("file", "local", backend_url="https://shop.example"),
    "s3": _s3,
    "manual": _alone("fulfillment", "manual"),
    "carrier": _alone("fulfillment", "carrier"),
    "shipstation": _shipstation,
    "local notifications": _alone("notification", "local"),
    "smtp": _smtp,
    "sendgrid": _sendgrid,
    "system": _alone("payment", "system"),
    "vault": _alone("payment", "vault"),
    "stripe": _stripe,
    "meilisearch": _meilisearch,
}
ASKING = ("posthog", "google", "github", "s3", "shipstation", "smtp", "sendgrid", "stripe", "meilisearch")
"""Those that ask somebody outside."""
