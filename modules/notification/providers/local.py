"""The provider for shops that send nothing yet: it logs what would be sent; the dashboard's feed is stored anyway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ....core.logs import logger
from ..provider import NotificationMessage, NotificationProvider

log = logger("velella.notification.local")


class LocalNotifications(NotificationProvider):
    """For trying out: emails may hold secrets, and so does the log then."""

    identifier: ClassVar[str] = "local"
    name: ClassVar[str] = "Local notification provider"

    def __init__(self, channels: Sequence[str] | None = None) -> None:
        """`channels`: default: all that no other provider delivers."""
        self.channels = channels

    async def send(self, message: NotificationMessage) -> str | None:
        said = message.content
        log.info(
            "notification",
            to=message.to,
            channel=message.channel,
            template=message.template,
            subject=said.subject if said else None,
            text=said.text if said else None,
        )
        return None
