"""The notification module's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...core.emails import email_address
from ...core.errors import InvalidData, Misconfigured, NotFound
from ...core.ids import new_id
from ...core.logs import logger
from ...core.message import repeatable, writes
from ...core.rows import Row, Rows
from ...core.service.context import ModuleContext
from ...core.service.module import ModuleService
from ...core.service.provider_rows import keep_provider_rows
from .emails import from_template
from .provider import Content, NotificationMessage, NotificationProvider
from .queries import BEGIN, CLAIM, END
from .tables import SCHEMA, notification_provider

log = logger("velella.notification")

SENDING_SECONDS = 60.0
"""Seconds after which a process that was sending a notification is taken for dead."""
COLUMNS = (
    "to", "from", "channel", "template", "data", "provider_data", "trigger_type", "resource_id", "resource_type", "receiver_id",
    "original_notification_id", "idempotency_key",
)  # fmt: skip


class NotificationService(ModuleService):
    """Sends notifications by the provider of their channel."""

    name: ClassVar[str] = "notification"
    schema = SCHEMA

    def __init__(self, context: ModuleContext) -> None:
        super().__init__(context)
        self._channels: dict[str, str] = {}
        self._fallback: str | None = None
        for id, provider in self.providers.items():
            self._assign(id, provider)

    async def start(self) -> None:
        await super().start()
        rows = [
            {
                "id": id,
                "handle": provider.identifier,
                "name": provider.name,
                "channels": [channel for channel, owner in self._channels.items() if owner == id],
            }
            for id, provider in self.providers.items()
        ]
        await keep_provider_rows(self, notification_provider, rows)

    async def stop(self) -> None:
        for _, provider in self.providers.items():
            await provider.close()
        await super().stop()

    @repeatable
    async def create_notifications(self, notifications: Sequence[Mapping[str, Any]]) -> Rows:
        """Send notifications, and record what was sent.

        Each has `to`, `channel`, `template`, `data`, `content` (`{subject, text, html}`), `from`; what triggered it (`trigger_type`,
        `resource_id`, `resource_type`), `receiver_id`, and `secrets`: data that are sent and not stored.

        An email has its `content`, or what its template makes of the data. Of all with one `idempotency_key` one is sent; a repetition
        tries one that could not be sent again, with the new data.

        `to` of an email is an address. Each row comes back with its `status`: success; failure (`failure` says why; it can never
        be delivered); pending: it could not be sent now, or another process is just sending it. Raises InvalidData where a template's data
        are missing or the address is invalid, NotFound for a channel that no provider delivers; then nothing of this call is sent.
        """
        for given in notifications:
            if given["channel"] == "email":
                email_address(given["to"], "to")
        prepared = [(given, self._provider_of(str(given["channel"])), self._content(given)) for given in notifications]
        return [await self._deliver(given, provider_id, content) for given, provider_id, content in prepared]

    # -- inside

    def _assign(self, id: str, provider: NotificationProvider) -> None:
        if provider.channels is None:
            if self._fallback is not None:
                raise Misconfigured(f"{self._fallback} and {id} both deliver every channel.", hint="Give one of them `channels`.")
            self._fallback = id
            return
        for channel in provider.channels:
            other = self._channels.setdefault(channel, id)
            if other != id:
                raise Misconfigured(
                    f"The channel {channel} is delivered by {other} and by {id}.", hint="Name it in `channels` of one provider only."
                )

    def _provider_of(self, channel: str) -> str:
        id = self._channels.get(channel, self._fallback)
        if id is None:
            raise NotFound(f"No notification provider delivers the channel {channel}", hint="Add one to providers.notification.")
        return id

    def _content(self, given: Mapping[str, Any]) -> Content | None:
        said = given.get("content")
        if said is not None:
            return Content(said["subject"], said.get("text") or "", said.get("html"))
        template = given.get("template")
        if template is None:
            return None
        return from_template(template, {**(given.get("data") or {}), **(given.get("secrets") or {})}, self.context.settings.templates_dir)

    async def _deliver(self, given: Mapping[str, Any], provider_id: str, content: Content | None) -> Row:
        id = await self._begin({**{name: given.get(name) for name in COLUMNS}, "provider_id": provider_id})
        if not await self._claim(id):
            return await self._kept(id)
        provider: NotificationProvider = self.providers.get(provider_id)
        data = {**(given.get("data") or {}), **(given.get("secrets") or {})}
        message = NotificationMessage(id, given["to"], given["channel"], given.get("template"), given.get("from"), content, data)
        try:
            external_id = await provider.send(message)
        except InvalidData as error:
            log.warning("a notification will never arrive", id=id, provider=provider_id, error=error.message)
            await self._end(id, "failure", failure=error.message)
        except Exception as error:  # noqa: BLE001 - whatever failed: it wasn't sent, and may be tried again
            log.warning("a notification could not be sent", id=id, provider=provider_id, error=f"{type(error).__name__}: {error}")
            await self._end(id, "pending", failure=f"{type(error).__name__}: {error}")
        else:
            await self._end(id, "success", external_id=external_id)
        return await self._kept(id)

    async def _kept(self, id: str) -> Row:
        return await self.retrieve("notification", id, fields=("*", "failure"))

    @writes
    async def _begin(self, row: Row) -> str:
        id: str = await self.database.fetch_value(BEGIN, {"id": new_id("noti"), **row})
        self.touch("notification")
        return id

    @writes
    async def _claim(self, id: str) -> bool:
        return await self.database.fetch_value(CLAIM, {"id": id, "seconds": SENDING_SECONDS}) is not None

    @writes
    async def _end(self, id: str, status: str, *, external_id: str | None = None, failure: str | None = None) -> None:
        await self.database.execute(END, {"id": id, "status": status, "external_id": external_id, "failure": failure})
        self.touch("notification")
