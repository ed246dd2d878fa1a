"""Emails by SendGrid's API.

[[providers.notification]]
use = "sendgrid"
options = { api_key = "SG.…", from = "shop@example.com", templates = { user-invited = "d-…" } }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ....core import json
from ....core.errors import InvalidData, UnexpectedState
from ....core.service.outside import Answer, OutsideParty
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
        retries: int = 2,
        **sender: str,
    ) -> None:
        """`from`: the sender. `templates`: our name → the id of a dynamic template of SendGrid, which then makes the email.
        `timeout`: seconds for one attempt; `retries`: attempts after one by which certainly nothing was sent."""
        if set(sender) != {"from"}:
            raise ValueError("it needs `from` and takes nothing else unknown")
        self.channels = channels
        self._from = sender["from"]
        self._templates = dict(templates or {})
        self._base = api_base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self.outside: OutsideParty = OutsideParty("SendGrid", timeout=timeout, retries=retries)

    async def send(self, message: NotificationMessage) -> str | None:
        headers = {**self._headers, "Content-Type": "application/json"}
        answer = await self.outside.ask("POST", f"{self._base}/v3/mail/send", headers=headers, data=json.dumps(self._body(message)))
        return _taken(answer).headers.get("X-Message-Id")

    async def check(self) -> str:
        scopes = _taken(await self.outside.ask("GET", f"{self._base}/v3/scopes", headers=self._headers)).json()["scopes"]
        if "mail.send" not in scopes:
            raise UnexpectedState("SendGrid's key may not send", hint="Give it the scope mail.send, or make another one.")
        return "SendGrid lets this shop send"

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


def _taken(answer: Answer) -> Answer:
    """The answer, unless it is a refusal."""
    if answer.status in (401, 403):
        raise UnexpectedState("SendGrid doesn't let this shop in", hint=answer.shown)
    if answer.status >= 400:
        raise InvalidData(f"SendGrid refused the email: {answer.shown}")
    return answer
