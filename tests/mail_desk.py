"""Who delivers emails, as tests have them: SendGrid's API on a loopback port, and a mail server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiosmtpd.controller import Controller

KEY = "SG.velella"


class SendGridDesk:
    """`POST /v3/mail/send` and `GET /v3/scopes`, as https://www.twilio.com/docs/sendgrid/api-reference describes them."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status = 202
        self.scopes = ["mail.send"]
        self.url = ""

    async def send(self, request: web.Request) -> web.Response:
        if (refused := self._stranger(request)) is not None:
            return refused
        body = await request.json()
        if self.status == 202 and any(to["email"].startswith("nobody") for each in body["personalizations"] for to in each["to"]):
            return web.json_response({"errors": [{"message": "no such address", "field": "to"}]}, status=400)
        self.bodies.append(body)
        return web.Response(status=self.status, headers={"X-Message-Id": "sg-1"}, text="" if self.status == 202 else "no")

    async def allowed(self, request: web.Request) -> web.Response:
        return self._stranger(request) or web.json_response({"scopes": self.scopes})

    @staticmethod
    def _stranger(request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {KEY}":
            return None
        return web.json_response({"errors": [{"message": "authorization required"}]}, status=401)

    async def __aenter__(self) -> SendGridDesk:
        app = web.Application()
        app.router.add_post("/v3/mail/send", self.send)
        app.router.add_get("/v3/scopes", self.allowed)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()


class Postbox:
    """What a mail server does with emails."""

    def __init__(self) -> None:
        self.emails: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 no such mailbox"
        if address.startswith("later"):
            return "450 come back"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.emails.append(envelope)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def mail_server(postbox: Postbox) -> AsyncIterator[int]:
    """Its port."""
    server = Controller(postbox, hostname="127.0.0.1", port=free_port())
    await asyncio.to_thread(server.start)
    try:
        yield int(server.port)
    finally:
        await asyncio.to_thread(server.stop)
