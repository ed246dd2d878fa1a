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
        self._url = f"{api_base.rstrip('/')}/v3/mail/send"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: NotificationMessage) -> str | None:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        async with self._session.post(self._url, json=self._body(message)) as answer:
            if answer.status < 300:
                return answer.headers.get("X-Message-Id")
            raise _refusal(answer.status, (await answer.text())[:500])

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
