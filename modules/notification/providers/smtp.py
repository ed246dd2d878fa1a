"""Emails by the shop's own mail server.

[[providers.notification]]
use = "smtp"
options = { host = "mail.example.com", username = "shop", password = "…", from = "Shop <shop@example.com>" }
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any, ClassVar, Literal

from ....core.errors import InvalidData, Misconfigured, Unavailable, UnexpectedState
from ....core.service.outside import Missed, OutsideParty
from ..provider import NotificationMessage, NotificationProvider


class Smtp(NotificationProvider):
    identifier: ClassVar[str] = "smtp"
    name: ClassVar[str] = "SMTP"

    def __init__(
        self,
        host: str,
        port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        tls: Literal["starttls", "tls", "none"] = "starttls",
        channels: Sequence[str] = ("email",),
        timeout: float = 20.0,
        retries: int = 2,
        **sender: str,
    ) -> None:
        """`from`: the sender. `port`: 587, with `tls = "tls"` 465, with `tls = "none"` 25. `timeout`: seconds for one attempt;
        `retries`: attempts after one that found no server."""
        try:
            import aiosmtplib
        except ImportError as error:
            raise Misconfigured(
                "The notification provider smtp needs aiosmtplib.", hint="Install it with: pip install 'velella[smtp]'"
            ) from error
        if set(sender) != {"from"}:
            raise ValueError("it needs `from` and takes nothing else unknown")
        if tls not in ("starttls", "tls", "none"):
            raise ValueError("tls is starttls, tls or none")
        self._library = aiosmtplib
        self.outside: OutsideParty = OutsideParty(f"The mail server {host}", timeout=timeout, retries=retries)
        self.channels = channels
        self._from = sender["from"]
        self._domain = parseaddr(self._from)[1].rpartition("@")[2] or "localhost"
        self._server: dict[str, Any] = {
            "hostname": host,
            "port": port or {"starttls": 587, "tls": 465, "none": 25}[tls],
            "username": username,
            "password": password,
            "use_tls": tls == "tls",
            "start_tls": tls == "starttls",
            "timeout": timeout,
        }

    async def send(self, message: NotificationMessage) -> str | None:
        email = self._email(message)
        await self.outside.tried(lambda: self._send(email, message.to))
        return str(email["Message-ID"])

    async def _send(self, email: EmailMessage, to: str) -> None:
        library = self._library
        with self.outside.attempt():
            try:
                async with asyncio.timeout(self.outside.timeout):
                    await library.send(email, recipients=[to], **self._server)
            except library.SMTPRecipientsRefused as error:
                if all(each.code >= 500 for each in error.recipients):
                    raise InvalidData(f"The mail server doesn't take emails to {to}: {error.recipients[0].message}") from error
                raise
            except library.SMTPDataError as error:
                if error.code >= 500:
                    raise InvalidData(f"The mail server refused the email: {error.message}") from error
                raise
            except library.SMTPAuthenticationError as error:
                raise self._not_let_in(error) from None
            except (library.SMTPConnectError, library.SMTPConnectTimeoutError) as error:
                away = Unavailable(f"{self.outside.name} can't be reached", hint=str(error))
                raise Missed("unreachable", away, undone=True) from error
            except library.SMTPTimeoutError as error:
                raise TimeoutError(f"{self.outside.name} doesn't answer") from error
            except library.SMTPServerDisconnected as error:
                raise Missed("lost", Unavailable(f"{self.outside.name} hung up", hint=str(error))) from error

    async def check(self) -> str:
        try:
            async with self._library.SMTP(**self._server) as server:  # connects, and logs in where there is a username
                await server.noop()
        except self._library.SMTPAuthenticationError as error:
            raise self._not_let_in(error) from None
        return f"{self._server['hostname']} takes emails of this shop"

    def _not_let_in(self, error: Any) -> UnexpectedState:
        return UnexpectedState(
            f"{self._server['hostname']} refuses the login of {self._server['username']}: {error.code} {error.message}",
            hint="Are the provider's `username` and `password` right?",
        )

    def _email(self, message: NotificationMessage) -> EmailMessage:
        said = message.content
        if said is None:
            raise InvalidData(f"There is no template {message.template}")
        email = EmailMessage()
        try:
            email["From"] = message.sender or self._from
            email["To"] = message.to
            email["Subject"] = said.subject
        except ValueError as error:  # a line break: an attempt to inject headers
            raise InvalidData(f"An email can't be addressed like this: {error}") from error
        email["Date"] = formatdate(usegmt=True)
        email["Message-ID"] = f"<{message.id}@{self._domain}>"  # a repetition has the same id
        email["Auto-Submitted"] = "auto-generated"
        email.set_content(said.text)
        if said.html is not None:
            email.add_alternative(said.html, subtype="html")
        return email
