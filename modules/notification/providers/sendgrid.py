"""Emails by SendGrid's API.

[[providers.notification]]
use = "sendgrid"
options = { api_key = "SG.…", from = "shop@example.com", templates = { user-invited = "d-…" } }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import aiohttp

from ....core.errors import Busy, InvalidData, Unavailable, UnexpectedState
from ..provider import NotificationMessage, NotificationProvider


class SendGrid(NotificationProvider):
    identifier: ClassVar[str] = "sendgrid"
    name: ClassVar[str] = "SendGrid"

    def __init__(
        self,
        api_key: str,
        channels: Sequence[str] = ("email",),
        templates: Mapping[str, str] | None = None,
        api_base: str = "https://api.sendgrid.com",
        timeout: float = 15.0,
        **sender: str,
    ) -> None:
        """`from`: the sender. `templates`: our name → the id of a dynamic template of SendGrid, which then makes the email.
        `timeout` in seconds."""
        if set(sender) != {"from"}:
            raise ValueError("it needs `from` and takes nothing else unknown")
        self.channels = channels
        self._from = sender["from"]
        self._templates = dict(templates or {})
        self._base = api_base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: NotificationMessage) -> str | None:
        async with self._opened().post(f"{self._base}/v3/mail/send", json=self._body(message)) as answer:
            if answer.status < 300:
                return answer.headers.get("X-Message-Id")
            raise _refusal(answer.status, (await answer.text())[:500])

    async def check(self) -> str:
        async with self._opened().get(f"{self._base}/v3/scopes") as answer:
            if answer.status >= 300:
                raise _refusal(answer.status, (await answer.text())[:500])
            scopes = (await answer.json())["scopes"]
        if "mail.send" not in scopes:
            raise UnexpectedState("SendGrid's key may not send", hint="Give it the scope mail.send, or make another one.")
        return "SendGrid lets this shop send"

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _body(self, message: NotificationMessage) -> dict[str, Any]:
        receiver: dict[str, Any] = {"to": [{"email": message.to}], "custom_args": {"notification_id": message.id}}
        body: dict[str, Any] = {"personalizations": [receiver], "from": {"email": message.sender or self._from}}
        theirs = self._templates.get(message.template or "")
        if theirs is not None:
            receiver["dynamic_template_data"] = dict(message.data)
            return {**body, "template_id": theirs}
        said = message.content
        if said is None:
            raise InvalidData(f"There is no template {message.template}, neither here nor at SendGrid")
        kinds = [("text/plain", said.text), ("text/html", said.html)]
        return {**body, "subject": said.subject, "content": [{"type": kind, "value": value} for kind, value in kinds if value]}


def _refusal(status: int, text: str) -> Exception:
    if status == 429:
        return Busy("SendGrid is asked too often", hint=text, retry_after=30.0)
    if status >= 500:
        return Unavailable("SendGrid is not available", hint=text)
    if status in (401, 403):
        return UnexpectedState("SendGrid doesn't let this shop in", hint=text)
    return InvalidData(f"SendGrid refused the email: {text}")
